import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import BodyTooLargeError, DecodeError, UnsupportedMediaTypeError
from argosy.serving.model.content_coding import deflate, inflate, wants_gzip

LIMIT = 1 << 22


@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=4), st.integers(0, 9))
def test_members_one_after_the_other_are_one_body(parts: list[bytes], padding: int) -> None:
    body = b"".join(map(gzip.compress, parts)) + bytes(padding)
    assert inflate(body, "gzip", LIMIT) == b"".join(parts)


@given(st.binary(max_size=3000))
def test_what_goes_out_comes_in_again(body: bytes) -> None:
    assert inflate(memoryview(deflate(body)), " X-GZIP ", LIMIT) == body
    assert gzip.decompress(deflate(body)) == body
    assert deflate(body) == deflate(body)


@pytest.mark.parametrize("size", [LIMIT, LIMIT - 1, 1 << 20, (1 << 20) + 1])
@pytest.mark.parametrize("level", [0, 1, 9])
def test_a_body_of_exactly_the_limit_is_taken(size: int, level: int) -> None:
    assert inflate(gzip.compress(bytes(size), level), "gzip", LIMIT) == bytes(size)


@given(st.binary(min_size=1, max_size=2000), st.data())
def test_a_body_cut_short_is_refused(body: bytes, data: st.DataObject) -> None:
    whole = gzip.compress(body)
    with pytest.raises(DecodeError):
        inflate(whole[: data.draw(st.integers(1, len(whole) - 1))], "gzip", LIMIT)


@given(st.binary(min_size=1, max_size=200).filter(lambda body: body[:2] != b"\x1f\x8b"))
def test_what_is_no_gzip_is_refused(body: bytes) -> None:
    with pytest.raises(DecodeError):
        inflate(body, "gzip", LIMIT)


def test_garbage_behind_a_member_is_refused() -> None:
    with pytest.raises(DecodeError, match="not gzip"):
        inflate(gzip.compress(b"x") + b"more", "gzip", LIMIT)


def test_a_bomb_is_refused_before_it_goes_off() -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(256)) + bomb.flush()
    assert len(body) < 300_000
    with pytest.raises(BodyTooLargeError, match="at most 4194304 bytes"):
        inflate(body, "gzip", LIMIT)


def test_a_body_of_very_many_members_is_read_once() -> None:
    """6 MB, as much as an endpoint takes: reading it took time that grew with the square of the members."""
    member = gzip.compress(b"", mtime=0)
    assert inflate(member * 300_000, "gzip", LIMIT) == b""


@pytest.mark.parametrize("coding", ["", "identity", " Identity "])
def test_no_coding_is_no_coding(coding: str) -> None:
    assert inflate(b"abc", coding, 2) == b"abc"


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "gzip, gzip", "gzip;q=1"])
def test_other_codings_are_415(coding: str) -> None:
    with pytest.raises(UnsupportedMediaTypeError, match="`gzip` or none"):
        inflate(b"abc", coding, LIMIT)


@pytest.mark.parametrize(
    ("accepts", "wants"),
    [
        ("gzip", True),
        ("GZIP; q=0.5", True),
        ("x-gzip", True),
        ("*", True),
        ("br, *;q=0.1", True),
        ("", False),
        ("identity", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("*, gzip;q=0", False),
        ("gzip;q=nonsense", False),
        ("not, a; list, of=codings;;;", False),
    ],
)
def test_gzip_goes_only_to_who_asks_for_it(accepts: str, wants: bool) -> None:
    assert wants_gzip(accepts) is wants


@given(st.text(max_size=40))
def test_no_text_is_too_strange_for_accept_encoding(text: str) -> None:
    assert wants_gzip(text) in (True, False)
