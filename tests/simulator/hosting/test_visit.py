import asyncio
import random
from collections.abc import AsyncIterator

from hypothesis import given
from hypothesis import strategies as st

from argosy.simulator.hosting.visit import recut


def cut_anew(parts: list[bytes], seed: int) -> list[bytes]:
    async def source() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    async def collect() -> list[bytes]:
        return [part async for part in recut(source(), random.Random(seed))]

    return asyncio.run(collect())


@given(st.lists(st.binary(min_size=1, max_size=50)), st.integers())
def test_the_bytes_stay_the_same_and_no_part_is_empty(parts: list[bytes], seed: int) -> None:
    cut = cut_anew(parts, seed)
    assert b"".join(cut) == b"".join(parts)
    assert all(cut)


def test_parts_are_divided_and_joined() -> None:
    cut = cut_anew([b"0123456789"] * 20, 1)
    ends, position = set(), 0
    for part in cut:
        position += len(part)
        ends.add(position)
    assert not set(range(10, 200, 10)) <= ends
    assert not ends <= set(range(10, 210, 10))
    assert cut == cut_anew([b"0123456789"] * 20, 1)
