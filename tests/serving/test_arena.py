from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.serving.arena import Arena, Block, attach


@pytest.fixture
def arena() -> Iterator[Arena]:
    arena = Arena(4096)
    yield arena
    arena.close()


def test_what_one_side_writes_the_other_reads(arena: Arena) -> None:
    block = arena.allocate(100)
    assert block is not None
    arena.view[block.offset : block.offset + 5] = b"hello"
    other = attach(arena.fd, 4096)
    assert bytes(other[block.offset : block.offset + 5]) == b"hello"


def test_no_room_is_none_and_freed_room_is_used_again(arena: Arena) -> None:
    first, second = arena.allocate(2048), arena.allocate(2048)
    assert first is not None
    assert second is not None
    assert arena.allocate(64) is None
    first.free()
    assert arena.allocate(64) is not None


@given(st.lists(st.tuples(st.integers(1, 1500), st.integers(0, 5)), max_size=60))
def test_blocks_in_use_never_overlap_and_never_leave_the_arena(script: list[tuple[int, int]]) -> None:
    arena = Arena(4096)
    held: list[Block] = []
    for size, victim in script:
        block = arena.allocate(size)
        if block is not None:
            assert size <= block.size
            assert 0 <= block.offset <= block.offset + block.size <= 4096
            assert all(
                block.offset + block.size <= other.offset or other.offset + other.size <= block.offset for other in held
            )
            held.append(block)
        if held and victim < len(held):
            held.pop(victim).free()
    arena.close()


@given(st.lists(st.integers(1, 4096), min_size=1, max_size=40))
def test_one_block_at_a_time_always_finds_room(sizes: list[int]) -> None:
    arena = Arena(4096)
    for size in sizes:
        block = arena.allocate(size)
        assert block is not None
        block.free()
    arena.close()
