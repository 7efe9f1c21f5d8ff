"""A model process's end of the socket pair: invocations come in, answers and parts of answers go out."""

import os
import select
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from argosy.serving import frames
from argosy.serving.arena import THRESHOLD
from argosy.serving.frames import (
    BEGINS,
    BROKEN,
    END,
    INLINE,
    PART,
    PIECE,
    AnswerItem,
    FrameReader,
    InvocationItem,
    Piece,
    PieceKind,
    Timings,
)
from argosy.serving.model.pipeline import Answer, Call

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

_READ_BYTES: Final = 1 << 18

Frame = list[InvocationItem] | dict[str, Any]
"""Invocations, or a message."""


class Wire:
    """Reads and writes frames; writing is safe from several threads.

    Args:
        link: The socket to the front, blocking.
        arena: Where large bodies lie.

    Attributes:
        link: As given.
        arena: As given.
        on_piece: Called for each piece of a conversation that `receive` comes upon.
    """

    def __init__(self, link: socket.socket, arena: memoryview) -> None:
        self.link = link
        self.arena = arena
        self._lent: memoryview | None = None
        self._reader = FrameReader()
        self._lock = threading.Lock()
        self.on_piece: Callable[[Piece], None] = lambda piece: None

    def receive(self) -> list[Frame] | None:
        """Wait for bytes and give the frames that are whole by now; None when the front has closed the link."""
        try:
            chunk = self.link.recv(_READ_BYTES)
        except ConnectionResetError:
            return None
        if not chunk:
            return None
        found: list[Frame] = []
        for count, payload in self._reader.feed(chunk):
            if count & PIECE:
                self.on_piece(frames.unpack_piece(count, payload))
            else:
                found.append(frames.unpack_invocations(count, payload) if count else frames.unpack_message(payload))
        return found

    def watch(self, loop: "AbstractEventLoop", on_readable: Callable[[], None]) -> None:
        """Have the event loop call this when there is something to receive."""
        loop.add_reader(self.link, on_readable)
        self.link.setblocking(True)  # libuv has changed it: a large answer would be refused when half of it is written

    def receive_waiting(self) -> list[Frame] | None:
        """The frames that are there already, without waiting."""
        return self.receive() if select.select([self.link], [], [], 0)[0] else []

    def call(self, item: InvocationItem) -> Call:
        """The invocation of an item, its body where it lies."""
        _, fields, body, offset, size = item
        if offset == INLINE:
            return Call(fields, body)
        self._lent = self.arena[offset : offset + size]
        return Call(fields, self._lent)

    def answer(self, items: Sequence[InvocationItem], answers: Sequence[Answer], timings: Timings) -> None:
        """Send the answers of a frame of invocations."""
        if len(items) == 1:
            self._send(frames.pack_answers([self._in_place(items[0], answers[0])], timings))
            return
        # Nothing is written into the arena here: if this process dies, the others of the frame are asked again.
        packed: Iterable[AnswerItem] = (
            (item[0], answer.status, answer.head, answer.body, INLINE, len(answer.body))
            for item, answer in zip(items, answers, strict=True)
        )
        self._send(frames.pack_answers(packed, timings))

    def begin(self, number: int, status: int, head: bytes, part: bytes) -> None:
        """Send the head of an answer whose body follows part by part, and its first part."""
        self._send(frames.pack_answers([(number, status | BEGINS, head, part, INLINE, len(part))]))

    def part(self, number: int, part: bytes) -> None:
        """Send a part of a body."""
        self._send(frames.pack_answers([(number, PART, b"", part, INLINE, len(part))]))

    def end(self, number: int) -> None:
        """Say that a body is whole."""
        self._send(frames.pack_answers([(number, END, b"", b"", INLINE, 0)]))

    def break_off(self, number: int, last: bytes) -> None:
        """Say that a body never becomes whole; `last` is the word of it that the client gets."""
        self._send(frames.pack_answers([(number, BROKEN, b"", last, INLINE, len(last))]))

    def piece(self, kind: PieceKind, number: int, body: bytes) -> None:
        """Send a piece of a conversation."""
        self._send(frames.pack_piece(kind, number, body))

    def tell(self, message: Mapping[str, object]) -> None:
        """Send a message."""
        self._send(frames.pack_message(message))

    def _in_place(self, item: InvocationItem, answer: Answer) -> AnswerItem:
        """The answer takes the place of its question, if it fits: the block is this invocation's until it is sent."""
        number, _, _, offset, room = item
        size = len(answer.body)
        if offset == INLINE or not THRESHOLD <= size <= room:
            return (number, answer.status, answer.head, answer.body, INLINE, size)
        if answer.body is not self._lent:  # else it lies there already
            self.arena[offset : offset + size] = answer.body
        return (number, answer.status, answer.head, b"", offset, size)

    def _send(self, frame: bytes) -> None:
        try:
            with self._lock:
                self.link.sendall(frame)
        except (BrokenPipeError, ConnectionResetError):
            os._exit(0)
