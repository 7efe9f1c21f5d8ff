r"""The wire between the front and the model processes: frames of invocations one way, frames of answers the other.

A frame is a header (how many items, how many bytes follow) and its items. A body that is large lies in the shared arena
and the item holds its offset; all others travel inside the frame. No I/O here.

A frame without items is a message of the process itself, a JSON object: to the front `loaded`, `failed`, ...; to the
model process `cancel`, `pause`, `resume`, ... Items are plain tuples, because one is made for each request twice.

A frame with `PIECE` in its number of items is a piece of a conversation (bidirectional streaming), either way: its
number on this link, and a message as it is.

The fields of an invocation are lines: Content-Type, Accept, then only what was sent, a letter and the value::

    text/csv\n\nIcall-17\nCtrace=yes
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from struct import Struct
from typing import Any, Final, NamedTuple

import orjson

from argosy import contract

HEADER: Final = Struct("<II")
_INVOCATION: Final = Struct("<IHIQ")
_ANSWER: Final = Struct("<IHHIQ")
_TIMINGS: Final = Struct("<Iffff")
_PIECE: Final = Struct("<I")
_CODE: Final = Struct("<H")
_TIMED: Final = 1 << 31
"""Set in the number of items when timings follow them."""
PIECE: Final = 1 << 30
"""Set in the number of items of a piece of a conversation; the bits below are its kind."""
_LONGEST_REASON: Final = 123
"""Bytes of a Close frame's reason (RFC 6455, section 5.5: 125 with the code)."""
INLINE: Final = 2**64 - 1
"""The offset of a body that travels inside the frame."""

FORK_REQUEST: Final = Struct("<I")
"""What the front sends to the template for each model process: the length of the JSON object that follows."""

BEGINS: Final = 1 << 15
"""Set in the status of an answer whose body follows part by part."""
PART: Final = 1
"""In place of a status: a part of a body."""
END: Final = 2
"""In place of a status: the body is whole."""
BROKEN: Final = 3
"""In place of a status: the body never becomes whole."""

FIELD_LETTERS: Final[Mapping[bytes, bytes]] = {
    contract.HEADER_INFERENCE_ID.lower().encode(): b"I",
    contract.HEADER_CUSTOM_ATTRIBUTES.lower().encode(): b"C",
    b"content-encoding": b"E",
    b"accept-encoding": b"Z",
    contract.HEADER_SESSION_ID.lower().encode(): b"S",
    contract.HEADER_ADAPTER.lower().encode(): b"A",
    contract.HEADER_ADAPTER_ALIAS.lower().encode(): b"L",
    contract.HEADER_TARGET_MODEL.lower().encode(): b"M",
}
"""Request header fields that go to the model process beside Content-Type and Accept."""

InvocationItem = tuple[int, bytes, bytes, int, int]
"""Number that the answer carries, fields, body (empty when in the arena), offset there or `INLINE`, size of body."""
AnswerItem = tuple[int, int, bytes, bytes | memoryview, int, int]
r"""Number of the invocation; status, or `PART`, `END`, `BROKEN`; head: the Content-Type, then `\r\nname: value` for
further header fields; body (empty when in the arena), offset there or `INLINE`, size of the body."""


class PieceKind(IntEnum):
    """What a piece of a conversation is."""

    OPEN = 0
    """To the model process: it begins; the body is the fields."""
    TEXT = 1
    """A text message, in UTF-8."""
    BINARY = 2
    """A binary message."""
    TAKEN = 3
    """The receiver has taken the oldest message: there is room for another."""
    CLOSE = 4
    """To the front: it has ended; to the model process: the client listens no more. The body is `pack_close`'s."""


class CloseCode(IntEnum):
    """Codes of Close frames that the server sends.

    Source:
        RFC 6455, section 7.4.1, https://www.rfc-editor.org/rfc/rfc6455 (read 2026-11-22).
    """

    NORMAL = 1000
    """The generator has come to its end."""
    GOING_AWAY = 1001
    """The server stops."""
    REFUSED = 1008
    """The predictor refuses what it was sent, or the conversation took too long."""
    TOO_LARGE = 1009
    """A message is too large."""
    FAILED = 1011
    """The predictor failed, or its process ended."""


class Piece(NamedTuple):
    """A piece of a conversation."""

    kind: PieceKind
    number: int
    body: bytes


class Timings(NamedTuple):
    """What a model process measured over one frame of answers.

    Attributes:
        rows: Rows predicted; invocations, where the predictor knows no rows.
        decode: Seconds, like the next two.
        predict: In the predictor.
        encode: From prediction to bytes.
        metered: Units that buyers pay for, of the answers with 2xx.
    """

    rows: int
    decode: float
    predict: float
    encode: float
    metered: float = 0.0


def pack_invocations(items: Sequence[InvocationItem]) -> bytes:
    """One frame of invocations."""
    parts = [b""]
    pack = _INVOCATION.pack
    for id_, fields, body, offset, size in items:
        parts += (pack(id_, len(fields), size, offset), fields, body)
    return _framed(len(items), parts)


def pack_answers(items: Iterable[AnswerItem], timings: Timings | None = None) -> bytes:
    """One frame of answers."""
    parts: list[bytes | memoryview] = [b""]
    pack = _ANSWER.pack
    count = 0
    for id_, status, head, body, offset, size in items:
        count += 1
        parts += (pack(id_, status, len(head), size, offset), head, body)
    if timings is not None:
        count |= _TIMED
        parts.append(_TIMINGS.pack(*timings))
    return _framed(count, parts)


def pack_message(message: Mapping[str, object]) -> bytes:
    """The frame of a message."""
    return _framed(0, [b"", orjson.dumps(message)])


def unpack_message(payload: bytes) -> dict[str, Any]:
    """The message of a frame without items."""
    message: dict[str, Any] = orjson.loads(payload)
    return message


def unpack_invocations(count: int, payload: bytes) -> list[InvocationItem]:
    """The items of a frame of invocations."""
    position = 0
    unpack, head_size = _INVOCATION.unpack_from, _INVOCATION.size
    items: list[InvocationItem] = []
    for _ in range(count):
        id_, fields_size, size, offset = unpack(payload, position)
        position += head_size
        start = position + fields_size
        fields = payload[position:start]
        position = start + (size if offset == INLINE else 0)
        items.append((id_, fields, payload[start:position], offset, size))
    return items


def unpack_answers(count: int, payload: bytes) -> tuple[list[AnswerItem], Timings | None]:
    """The items of a frame of answers, and the timings if it has any."""
    position = 0
    unpack, head_size = _ANSWER.unpack_from, _ANSWER.size
    items: list[AnswerItem] = []
    for _ in range(count & ~_TIMED):
        id_, status, fields_size, size, offset = unpack(payload, position)
        position += head_size
        start = position + fields_size
        head = payload[position:start]
        position = start + (size if offset == INLINE else 0)
        items.append((id_, status, head, payload[start:position], offset, size))
    return items, Timings(*_TIMINGS.unpack_from(payload, position)) if count & _TIMED else None


def pack_piece(kind: PieceKind, number: int, body: bytes) -> bytes:
    """The frame of a piece of a conversation."""
    return _framed(PIECE | kind, [b"", _PIECE.pack(number), body])


def unpack_piece(count: int, payload: bytes) -> Piece:
    """The piece of a frame that has `PIECE` in its number of items."""
    (number,) = _PIECE.unpack_from(payload)
    return Piece(PieceKind(count & ~PIECE), number, payload[_PIECE.size :])


def pack_close(code: int, reason: str) -> bytes:
    """Code and reason of a Close frame; a reason that is too long for one is cut."""
    cut = reason.encode(errors="replace")[:_LONGEST_REASON].decode(errors="ignore")
    return _CODE.pack(code) + cut.encode()


def unpack_close(body: bytes) -> tuple[int, str]:
    """Code and reason."""
    (code,) = _CODE.unpack_from(body)
    return code, body[_CODE.size :].decode()


class FrameReader:
    """Cuts a stream of bytes into frames, however the bytes arrive."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._need = HEADER.size

    def feed(self, chunk: bytes) -> list[tuple[int, bytes]]:
        """Take what arrived and give the frames that are now whole.

        Returns:
            Number of items and payload of each frame.
        """
        rest = self._rest
        if rest or len(chunk) < self._need:
            rest += chunk
            if len(rest) < self._need:
                return []
            chunk = bytes(rest)
            rest.clear()
        frames: list[tuple[int, bytes]] = []
        position = 0
        self._need = HEADER.size
        while len(chunk) - position >= HEADER.size:
            count, size = HEADER.unpack_from(chunk, position)
            end = position + HEADER.size + size
            if end > len(chunk):
                self._need = end - position
                break
            frames.append((count, chunk[position + HEADER.size : end]))
            position = end
        if position < len(chunk):
            rest += memoryview(chunk)[position:]
        return frames


def _framed(count: int, parts: list[bytes] | list[bytes | memoryview]) -> bytes:
    parts[0] = HEADER.pack(count, sum(map(len, parts)))
    return b"".join(parts)
