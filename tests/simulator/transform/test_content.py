import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argosy.errors import TransformError
from argosy.simulator.transform import content as module
from argosy.simulator.transform.content import Made, Plain, follower, gunzip, lines_of, whole_of

members = st.lists(
    st.one_of(st.binary(max_size=200), st.integers(0, 3000).map(lambda count: b"z" * count)), min_size=1, max_size=4
)


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> object:
    """Blocks of 13 bytes, so that everything falls across their borders."""
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "_BLOCK_BYTES", 13)
    yield
    patch.undo()


def stored(folder: Path, content: bytes) -> Plain:
    (folder / "object").write_bytes(content)
    return Plain((folder / "object").open("rb"))


def unpacked(folder: Path, packed: bytes) -> bytes:
    content = stored(folder, packed)
    try:
        return b"".join(gunzip(content))
    finally:
        content.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(members, st.integers(0, 30))
def test_all_members_are_unpacked_in_bounded_parts(tmp_path: Path, contents: list[bytes], zeros: int) -> None:
    content = stored(tmp_path, b"".join(map(gzip.compress, contents)) + bytes(zeros))
    parts = list(gunzip(content))
    content.close()
    assert b"".join(parts) == b"".join(contents)
    assert all(0 < len(part) <= 13 for part in parts)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(members, st.data())
def test_a_cut_file_is_never_taken_for_a_whole_one(tmp_path: Path, contents: list[bytes], data: st.DataObject) -> None:
    packed = [gzip.compress(content) for content in contents]
    ends = {sum(map(len, packed[:count])) for count in range(len(packed) + 1)}
    cut = data.draw(st.integers(1, sum(map(len, packed))).filter(lambda place: place not in ends))
    with pytest.raises(TransformError, match="cannot be unpacked"):
        unpacked(tmp_path, b"".join(packed)[:cut])


@pytest.mark.parametrize(
    "packed",
    [b"plain", gzip.compress(b"1", mtime=0) + b"junk", zlib.compress(b"1"), b"\x1f\x8b\x08"],
    ids=["plain", "junk-behind", "zlib", "cut"],
)
def test_what_is_no_gzip_file_is_told(tmp_path: Path, packed: bytes) -> None:
    with pytest.raises(TransformError, match="cannot be unpacked"):
        unpacked(tmp_path, packed)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"content" * 50))
    packed[-5] ^= 1
    with pytest.raises(TransformError, match="cannot be unpacked"):
        unpacked(tmp_path, bytes(packed))


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=20), st.lists(st.integers(1, 40), max_size=40))
def test_what_is_made_is_read_once_and_again_at_any_place(parts: list[bytes], sizes: list[int]) -> None:
    whole = b"".join(parts)
    made = Made(iter(parts), Path("/tmp"))
    read = b""
    for size in sizes:
        found = made.read(size)
        assert len(found) <= size
        read += found
        assert made.at(0, len(read)) == read
    assert whole.startswith(read)
    assert made.seek(0, os.SEEK_END) == len(whole)
    assert read + b"".join(iter(lambda: made.read(7), b"")) == whole
    made.close()


def test_nothing_is_made_before_it_is_asked_for(tmp_path: Path) -> None:
    asked: list[int] = []
    made = Made((asked.append(number) or b"x" for number in range(100)), tmp_path)  # type: ignore[func-returns-value]  # on purpose
    assert made.read(10) == b"x"
    assert asked == [0]
    assert list(tmp_path.iterdir()) == []
    made.close()


@given(st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r\n", b"x" * 20]), max_size=60).map(b"".join))
def test_lines_are_those_with_something_in_them(text: bytes) -> None:
    expected = [line.removesuffix(b"\r") for line in text.split(b"\n")]
    assert list(lines_of(io.BytesIO(text).read)) == [line for line in expected if line]


@pytest.mark.parametrize("records", [lines_of, whole_of])
def test_no_more_of_a_record_is_held_than_the_largest_payload(
    monkeypatch: pytest.MonkeyPatch, records: Callable[[Callable[[int], bytes]], Iterator[bytes]]
) -> None:
    monkeypatch.setattr(module, "LONGEST_RECORD_BYTES", 1000)
    assert list(records(io.BytesIO(b"x" * 1000).read)) == [b"x" * 1000]
    endless = io.BytesIO(b"x" * 100_000)
    with pytest.raises(TransformError, match="at most 1000 bytes"):
        list(records(endless.read))
    assert endless.tell() < 1100


def test_a_follower_reads_what_was_read(tmp_path: Path) -> None:
    content = stored(tmp_path, b"0123456789")
    follow = follower(content)
    content.read(10)
    assert [follow(4), follow(4), follow(4), follow(4)] == [b"0123", b"4567", b"89", b""]
    content.close()
