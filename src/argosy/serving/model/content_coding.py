"""Content-Encoding and Accept-Encoding (RFC 9110, sections 8.4 and 12.5.3): gzip, or nothing."""

import re
import zlib
from functools import lru_cache
from typing import Final

from argosy.errors import BodyTooLargeError, DecodeError, UnsupportedMediaTypeError

WORTH_IT: Final = 1024
"""Bytes below which an answer is not compressed."""
_GZIP: Final = 16 + zlib.MAX_WBITS
_LEVEL: Final = 3
_PIECE: Final = 1 << 20
_FIRST_PIECE: Final = 1 << 10


def inflate(body: bytes | memoryview, coding: str, limit: int) -> bytes:
    """The body without its coding.

    Args:
        body: As it came.
        coding: The Content-Encoding header field.
        limit: Bytes that it may inflate to.

    Raises:
        UnsupportedMediaTypeError: Any coding but gzip.
        BodyTooLargeError: It inflates to more than `limit`; no more than that is ever held.
        DecodeError: It is not gzip, or truncated.
    """
    if coding.strip().lower() in ("", "identity"):
        return bytes(body)
    if coding.strip().lower() not in ("gzip", "x-gzip"):
        raise UnsupportedMediaTypeError("unsupported Content-Encoding", want="`gzip` or none")
    whole = bytearray()
    view = memoryview(body)
    position = 0
    while position < len(view):
        position = _inflate_member(view, position, whole, limit)
        while position < len(view) and not view[position]:
            position += 1  # padding
    return bytes(whole)


def _inflate_member(view: memoryview, position: int, whole: bytearray, limit: int) -> int:
    """Inflate one gzip member of the body to the end of `whole`; gives where the next one begins.

    It is read piece by piece, each twice as large as the one before: what zlib leaves of a piece it copies, and a body
    may be made of very many members, or of one that inflates to much.
    """
    stream = zlib.decompressobj(_GZIP)
    size = _FIRST_PIECE
    try:
        while not stream.eof:
            rest = bytes(view[position : position + size])
            if not rest:
                raise DecodeError("the gzip body is truncated", got=f"{len(view)} bytes")
            position += len(rest)
            size = min(2 * size, _PIECE)
            while rest and not stream.eof:
                whole += stream.decompress(rest, _PIECE)
                rest = stream.unconsumed_tail
                if len(whole) > limit:
                    raise BodyTooLargeError("the inflated body is too large", want=f"at most {limit} bytes")
    except zlib.error:
        raise DecodeError("the body is not gzip, as its Content-Encoding says", got=f"{len(view)} bytes") from None
    return position - len(stream.unused_data)


def deflate(body: bytes | memoryview) -> bytes:
    """The body as gzip, the same bytes for the same body."""
    stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return stream.compress(body) + stream.flush()


@lru_cache(maxsize=128)
def wants_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header field lets the answer be gzip.

    >>> wants_gzip("gzip, deflate"), wants_gzip("gzip;q=0"), wants_gzip("*"), wants_gzip("identity")
    (True, False, True, False)
    """
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        found = [re.fullmatch(r"q\s*=\s*([01](?:\.\d{0,3})?)", p) for p in parameters]
        weights[name] = min((float(f.group(1)) if f else 0.0 for f in found), default=1.0)
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0
