r"""The wire between the front and the model processes: frames of invocations one way, frames of answers the other.

A frame is a header (how many items, how many bytes follow) and its items. A body that is large lies in the shared arena
and the item holds its offset; all others travel inside the frame. No I/O here.

What is alike is said once and what differs lies in columns, because one of these is made for each request twice: the
invocations of a frame have consecutive numbers and mostly the same fields; their answers mostly come all together, with
one status and one head, and are then sent without naming any (`ALIKE`). All others are items of their own.

A frame without items is a message of the process itself, a JSON object: to the front `loaded`, `failed`, ...; to the
model process `cancel`, `pause`, `resume`, ...

A frame with `PIECE` in its number of items is a piece of a conversation: its number, and a message as it is.

The fields of an invocation are lines: Content-Type, Accept, then only what was sent, a letter and the value, as in
`text/csv\n\nIcall-17\nCtrace=yes`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from struct import Struct, pack, unpack_from
from typing import Any, Final, NamedTuple

import orjson

from argosy import contract

HEADER: Final = Struct("<II")
_ANSWER: Final = Struct("<QHHIQ")
_TIMINGS: Final = Struct("<Iffff")
_PIECE: Final = Struct("<Q")
_CODE: Final = Struct("<H")
_TIMED: Final = 1 << 31
"""Set in the number of items when timings follow them."""
PIECE: Final = 1 << 30
"""Set in the number of items of a piece of a conversation; the bits below are its kind."""
ALIKE: Final = 1 << 29
"""Set in the number of items when they answer consecutive invocations with one status and one head."""
_COUNT: Final = ALIKE - 1
_IN_ARENA: Final = 1
"""Some bodies lie in the arena."""
_MIXED_FIELDS: Final = 2
"""Not all fields are the same."""
_LONGEST_REASON: Final = 123
"""Bytes of a Close frame's reason (RFC 6455, section 5.5: 125 with the code)."""
LARGEST: Final = 2**32 - 2**20
"""Bytes of one body in a frame: sizes have 32 bits, and something stands beside it."""
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
LEFT: Final = 4
"""In place of a status: nobody waits for the answer any more, and none was begun."""

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

AnswerItem = tuple[int, int, bytes, bytes | memoryview, int, int]
r"""Number of the invocation; status, or `PART`, `END`, `BROKEN`; head: the Content-Type, then `\r\nname: value` for
further header fields; body (empty when in the arena), offset there or `INLINE`, size of the body."""


class InvocationItem(NamedTuple):
    """One invocation of a frame.

    Attributes:
        number: Which its answer carries.
        fields: Content-Type, Accept and what else was sent.
        body: The body; empty when it lies in the arena and that was not given.
        offset: Where it lies in the arena, or `INLINE`.
        size: Length of the body in bytes.
    """

    number: int
    fields: bytes
    body: bytes | memoryview
    offset: int
    size: int


class Invocations(NamedTuple):
    """A frame of invocations, column by column; their numbers are consecutive.

    Attributes:
        first: Number of the first.
        fields: Content-Type, Accept and what else was sent, of each.
        bodies: Their bodies; empty where one lies in the arena and that was not given.
        sizes: Lengths of the bodies in bytes.
        offsets: Where they lie in the arena, or `INLINE`; None when none lies there.
    """

    first: int
    fields: Sequence[bytes]
    bodies: Sequence[bytes | memoryview]
    sizes: Sequence[int]
    offsets: Sequence[int] | None

    def items(self) -> Iterator[InvocationItem]:
        """One after the other."""
        offsets = self.offsets or [INLINE] * len(self.sizes)
        numbers = range(self.first, self.first + len(self.sizes))
        return map(InvocationItem, numbers, self.fields, self.bodies, offsets, self.sizes)


class AlikeAnswers(NamedTuple):
    """The answers to consecutive invocations, all with one status and one head.

    Attributes:
        first: Number of the first invocation.
        status: HTTP status.
        head: As in `AnswerItem`.
        bodies: One for each.
    """

    first: int
    status: int
    head: bytes
    bodies: Sequence[bytes | memoryview]


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
    ECHO = 5
    """Of no conversation. To the model process: whoever reads the link is to give it back; to the front: here it is."""


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


def pack_invocations(
    first: int,
    fields: Sequence[bytes],
    bodies: Sequence[bytes | memoryview],
    sizes: Sequence[int],
    offsets: Sequence[int] | None,
) -> bytes:
    """One frame of invocations; the arguments are as `Invocations` has them, a body in the arena is empty."""
    count = len(sizes)
    is_mixed = fields.count(fields[0]) != count
    if offsets is None and not is_mixed:
        columns: Iterable[bytes] = (_columns(count).pack(first, 0, len(fields[0]), *sizes), fields[0])
    else:
        said = _IN_ARENA * (offsets is not None) | _MIXED_FIELDS * is_mixed
        columns = (
            _columns(count).pack(first, said, len(fields[0]), *sizes),
            pack(f"<{count}Q", *offsets) if offsets is not None else b"",
            pack(f"<{count}H", *map(len, fields)) if is_mixed else b"",
            *(fields if is_mixed else fields[:1]),
        )
    return _framed(count, [b"", *columns, *bodies])


def pack_answers(items: Iterable[AnswerItem], timings: Timings | None = None) -> bytes:
    """One frame of answers."""
    parts: list[bytes | memoryview] = [b""]
    pack_item = _ANSWER.pack
    count = 0
    for id_, status, head, body, offset, size in items:
        count += 1
        parts += (pack_item(id_, status, len(head), size, offset), head, body)
    if timings is not None:
        count |= _TIMED
        parts.append(_TIMINGS.pack(*timings))
    return _framed(count, parts)


def pack_alike(answers: AlikeAnswers, timings: Timings | None = None) -> bytes:
    """One frame of the answers to consecutive invocations."""
    first, status, head, bodies = answers
    columns = _columns(len(bodies)).pack(first, status, len(head), *map(len, bodies))
    parts: list[bytes | memoryview] = [b"", columns, head, *bodies]
    count = len(bodies) | ALIKE
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


def unpack_invocations(count: int, payload: bytes, arena: memoryview | None = None) -> Invocations:
    """A frame of invocations; bodies that lie in the arena are views of it."""
    columns = _columns(count)
    first, said, length, *sizes = columns.unpack_from(payload)
    position = columns.size
    if not said:
        start = position + length
        return Invocations(first, [payload[position:start]] * count, _cut(payload, start, sizes)[0], sizes, None)
    offsets, lengths = [INLINE] * count, sizes
    if said & _IN_ARENA:
        offsets = list(unpack_from(f"<{count}Q", payload, position))
        position += 8 * count
        lengths = [size if offset == INLINE else 0 for size, offset in zip(sizes, offsets, strict=True)]
    if said & _MIXED_FIELDS:
        field_lengths = unpack_from(f"<{count}H", payload, position)
        fields, position = _cut(payload, position + 2 * count, field_lengths)
    else:
        fields = [payload[position : position + length]] * count
        position += length
    bodies: list[bytes | memoryview]
    bodies, _ = _cut(payload, position, lengths)
    if arena is not None:
        for place, offset in enumerate(offsets):
            if offset != INLINE:
                bodies[place] = arena[offset : offset + sizes[place]]
    return Invocations(first, fields, bodies, sizes, offsets if said & _IN_ARENA else None)


def unpack_answers(count: int, payload: bytes) -> tuple[list[AnswerItem], Timings | None]:
    """The items of a frame of answers, and the timings if it has any."""
    position = 0
    unpack, head_size = _ANSWER.unpack_from, _ANSWER.size
    items: list[AnswerItem] = []
    for _ in range(count & _COUNT):
        id_, status, fields_size, size, offset = unpack(payload, position)
        position += head_size
        start = position + fields_size
        head = payload[position:start]
        position = start + (size if offset == INLINE else 0)
        items.append((id_, status, head, payload[start:position], offset, size))
    return items, Timings(*_TIMINGS.unpack_from(payload, position)) if count & _TIMED else None


def unpack_alike(count: int, payload: bytes) -> tuple[AlikeAnswers, Timings | None]:
    """The answers of a frame that has `ALIKE` in its number of items, and the timings if it has any."""
    columns = _columns(count & _COUNT)
    first, status, length, *sizes = columns.unpack_from(payload)
    start = columns.size + length
    head = payload[columns.size : start]
    bodies, position = _cut(payload, start, sizes)
    timings = Timings(*_TIMINGS.unpack_from(payload, position)) if count & _TIMED else None
    return AlikeAnswers(first, status, head, bodies), timings


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


def inference_id(fields: bytes) -> str:
    """X-Amzn-SageMaker-Inference-Id among the fields of an invocation, empty when it was not sent."""
    more = fields.partition(b"\n")[2]  # from Accept on, which may begin with an I too
    return more.partition(b"\nI")[2].partition(b"\n")[0].decode("latin-1")


@lru_cache(maxsize=256)
def _columns(count: int) -> Struct:
    """Number of the first, what is said about all, length of their fields or head, and the size of each body."""
    return Struct(f"<QHH{count}I")


def _cut(payload: bytes, start: int, sizes: Iterable[int]) -> tuple[list[Any], int]:
    """Pieces that lie one behind the other, and where the last one ends."""
    pieces = []
    for size in sizes:
        end = start + size
        pieces.append(payload[start:end])
        start = end
    return pieces, start


def _framed(count: int, parts: list[bytes | memoryview]) -> bytes:
    parts[0] = HEADER.pack(count, sum(map(len, parts)))
    return b"".join(parts)
