"""The wire between the front and the model processes: frames of invocations one way, frames of answers the other.

A frame is a header (how many items, how many bytes follow) and its items. A body that is large lies in the shared arena
and the item holds its offset; all others travel inside the frame. No I/O here.

A frame of answers with no items is a notice of the model process itself: empty when the model is loaded, else the
sentence that says why it could not be.
"""

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Final, NamedTuple

HEADER: Final = Struct("<II")
_INVOCATION: Final = Struct("<IHIQ")
_ANSWER: Final = Struct("<IHHIQ")
INLINE: Final = 2**64 - 1
"""The offset of a body that travels inside the frame."""


class InvocationItem(NamedTuple):
    """One invocation on its way to a model process.

    Attributes:
        id: Number that its answer carries.
        fields: Content-Type, Accept and inference id, joined by newlines; empty where there is none.
        body: The body, or empty when it lies in the arena.
        offset: Where in the arena it lies, or `INLINE`.
        size: Length of the body in bytes.
    """

    id: int
    fields: bytes
    body: bytes
    offset: int
    size: int


class AnswerItem(NamedTuple):
    """One answer on its way to the front; `body` is empty when it lies in the arena at `offset`."""

    id: int
    status: int
    content_type: bytes
    body: bytes
    offset: int
    size: int


def pack_invocations(items: Iterable[InvocationItem]) -> bytes:
    """One frame of invocations."""
    parts = [b""]
    count = 0
    for item in items:
        count += 1
        parts += (_INVOCATION.pack(item.id, len(item.fields), item.size, item.offset), item.fields, item.body)
    return _framed(count, parts)


def pack_answers(items: Iterable[AnswerItem]) -> bytes:
    """One frame of answers."""
    parts = [b""]
    count = 0
    for item in items:
        count += 1
        head = _ANSWER.pack(item.id, item.status, len(item.content_type), item.size, item.offset)
        parts += (head, item.content_type, item.body)
    return _framed(count, parts)


def pack_notice(text: str) -> bytes:
    """The frame by which a model process says that it is loaded (empty text) or why it is not."""
    return _framed(0, [b"", text.encode()])


def unpack_invocations(count: int, payload: bytes) -> Iterator[InvocationItem]:
    """The items of a frame of invocations."""
    position = 0
    for _ in range(count):
        id_, fields_size, size, offset = _INVOCATION.unpack_from(payload, position)
        position += _INVOCATION.size
        fields = payload[position : position + fields_size]
        position += fields_size
        inline = size if offset == INLINE else 0
        yield InvocationItem(id_, fields, payload[position : position + inline], offset, size)
        position += inline


def unpack_answers(count: int, payload: bytes) -> Iterator[AnswerItem]:
    """The items of a frame of answers."""
    position = 0
    for _ in range(count):
        id_, status, type_size, size, offset = _ANSWER.unpack_from(payload, position)
        position += _ANSWER.size
        content_type = payload[position : position + type_size]
        position += type_size
        inline = size if offset == INLINE else 0
        yield AnswerItem(id_, status, content_type, payload[position : position + inline], offset, size)
        position += inline


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


def _framed(count: int, parts: list[bytes]) -> bytes:
    parts[0] = HEADER.pack(count, sum(map(len, parts)))
    return b"".join(parts)
