"""A model process's end of the socket pair: invocations come in, answers and parts of answers go out."""

import contextlib
import os
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final

from argosy.errors import PredictError
from argosy.serving import frames
from argosy.serving.arena import THRESHOLD
from argosy.serving.context import InvocationContext
from argosy.serving.frames import (
    BEGINS,
    BROKEN,
    END,
    INLINE,
    LARGEST,
    LEFT,
    PART,
    PIECE,
    AlikeAnswers,
    AnswerItem,
    FrameReader,
    InvocationItem,
    Invocations,
    Piece,
    PieceKind,
    Timings,
)
from argosy.serving.model.pipeline import Answer, refusal

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

_READ_BYTES: Final = 1 << 18
_MOMENT_S: Final = 0.001
"""How long parts of streams are gathered."""
_MANY: Final = 64
_MANY_BYTES: Final = 1 << 16
"""Parts that wait for no moment to end."""

Frame = Invocations | dict[str, Any]
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
        # One buffer for all: `recv` would have the kernel map one of this size anew for each frame.
        self._buffer = bytearray(_READ_BYTES)
        self._view = memoryview(self._buffer)
        self._reader = FrameReader()
        self._lock = threading.Lock()
        self._parts = _Parts(lambda items: self._send(frames.pack_answers(items)))
        self.on_piece: Callable[[Piece], None] = self.echo

    def receive(self) -> list[Frame] | None:
        """Wait for bytes and give the frames that are whole by now; None when the front has closed the link."""
        try:
            size = self.link.recv_into(self._buffer)
        except ConnectionResetError:
            return None
        if not size:
            return None
        found: list[Frame] = []
        for count, payload in self._reader.feed(bytes(self._view[:size])):
            if count & PIECE:
                self.on_piece(frames.unpack_piece(count, payload))
            else:
                found.append(
                    frames.unpack_invocations(count, payload, self.arena) if count else frames.unpack_message(payload)
                )
        return found

    def watch(self, loop: "AbstractEventLoop", on_readable: Callable[[], None]) -> None:
        """Have the event loop call this when there is something to receive."""
        loop.add_reader(self.link, on_readable)
        self.link.setblocking(True)  # libuv has changed it: a large answer would be refused when half of it is written

    def receive_waiting(self) -> list[Frame] | None:
        """The frames that are there already, without waiting."""
        return self.receive() if select.select([self.link], [], [], 0)[0] else []

    def answer(self, item: InvocationItem, answer: Answer, timings: Timings) -> None:
        """Send the answer of one invocation of several; as in `answer_all`, nothing is written into the arena."""
        self._answer(item, answer, timings, is_placed=answer.body is item.body and item.offset != INLINE)

    def answer_all(self, given: Invocations, answers: Sequence[Answer], timings: Timings) -> None:
        """Send the answers of a frame of invocations, where one frame is answered after the other.

        A large one takes the place of its question, if it fits: the block is this invocation's until it is sent. Of
        several, nothing is written into the arena: if this process dies, the others are asked again. What lies there
        already, because a predictor gives back what it was given, stays there.
        """
        first = answers[0]
        if len(answers) == 1 and given.offsets is not None:
            self._answer_in_place(next(given.items()), first, timings)
            return
        bodies = [answer.body for answer in answers]
        try:
            if given.offsets is None and all(a.status == first.status and a.head == first.head for a in answers):
                frame = frames.pack_alike(AlikeAnswers(given.first, first.status, first.head, bodies), timings)
            else:
                items = zip(given.items(), answers, strict=True)
                packed = (_as_item(x, a, is_placed=a.body is x.body and x.offset != INLINE) for x, a in items)
                frame = frames.pack_answers(packed, timings)
        except struct.error:
            self._answer_each(given, answers, timings)
            return
        self._send(frame)

    def _answer_in_place(self, item: InvocationItem, answer: Answer, timings: Timings) -> None:
        size = len(answer.body)
        is_placed = item.offset != INLINE and THRESHOLD <= size <= item.size
        if is_placed and answer.body is not item.body:
            self.arena[item.offset : item.offset + size] = answer.body
        self._answer(item, answer, timings, is_placed=is_placed)

    def _answer(self, item: InvocationItem, answer: Answer, timings: Timings | None, *, is_placed: bool) -> None:
        try:
            frame = frames.pack_answers([_as_item(item, answer, is_placed=is_placed)], timings)
        except struct.error:
            size = len(answer.body)
            if size <= LARGEST:
                raise
            context = InvocationContext("", "")
            context.inference_id = frames.inference_id(item.fields)
            refused = refusal(_too_large(size), context)
            frame = frames.pack_answers([_as_item(item, refused, is_placed=False)], timings)
        self._send(frame)

    def _answer_each(self, given: Invocations, answers: Iterable[Answer], timings: Timings) -> None:
        """Send answers that are too large together, or one of which is too large."""
        for place, (item, answer) in enumerate(zip(given.items(), answers, strict=True), 1):
            is_last = place == len(given.sizes)
            is_placed = answer.body is item.body and item.offset != INLINE
            self._answer(item, answer, timings if is_last else None, is_placed=is_placed)

    def answer_alike(
        self, given: Invocations, head: bytes, bodies: Sequence[bytes | memoryview], timings: Timings
    ) -> None:
        """Send the answers of a frame of invocations, all with status 200 and one head."""
        try:
            frame = frames.pack_alike(AlikeAnswers(given.first, 200, head, bodies), timings)
        except struct.error:
            self._answer_each(given, (Answer(200, head, body) for body in bodies), timings)
            return
        self._send(frame)

    def begin(self, number: int, status: int, head: bytes, part: bytes) -> None:
        """Send the head of an answer whose body follows part by part, and its first part."""
        self._parts.add((number, status | BEGINS, head, part, INLINE, len(part)))

    def part(self, number: int, part: bytes) -> None:
        """Send a part of a body."""
        self._parts.add((number, PART, b"", part, INLINE, len(part)))

    def end(self, number: int) -> None:
        """Say that a body is whole."""
        self._parts.add((number, END, b"", b"", INLINE, 0), is_last=True)

    def break_off(self, number: int, last: bytes) -> None:
        """Say that a body never becomes whole; `last` is the word of it that the client gets."""
        self._parts.add((number, BROKEN, b"", last, INLINE, len(last)), is_last=True)

    def leave(self, number: int) -> None:
        """Say that an invocation was given up, because nobody waits for its answer."""
        self._parts.add((number, LEFT, b"", b"", INLINE, 0), is_last=True)

    def piece(self, kind: PieceKind, number: int, body: bytes) -> None:
        """Send a piece of a conversation."""
        self._send(frames.pack_piece(kind, number, body))

    def echo(self, piece: Piece) -> None:
        """Give back the piece by which the front learns that the link is still read; any other is meant for nobody."""
        if piece.kind == PieceKind.ECHO:
            self.piece(PieceKind.ECHO, piece.number, b"")

    def tell(self, message: Mapping[str, object]) -> None:
        """Send a message."""
        self._send(frames.pack_message(message))

    def _send(self, frame: bytes) -> None:
        try:
            with self._lock:
                self.link.sendall(frame)
        except (BrokenPipeError, ConnectionResetError):
            os._exit(0)


class _Parts:
    """Parts of streamed answers on their way: those of one moment leave in one frame, each still a chunk of its own.

    A part that comes when nothing was sent for a moment leaves at once. Those that follow within that moment, of
    whichever stream, are gathered, and leave when it is over, or when they are many, or when one of the answers is at
    its end. A thread sees to the end of the moment, so a part waits for longer where the predictor goes on computing
    and never lets go of the interpreter. Safe from several threads.

    Args:
        send: Sends items in one frame, in their order.
    """

    def __init__(self, send: Callable[[list[AnswerItem]], None]) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._waiting: list[AnswerItem] = []
        self._bytes = 0
        self._sent = 0.0
        self._is_due = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, item: AnswerItem, *, is_last: bool = False) -> None:
        """A part; the last of an answer leaves at once, with what waits."""
        with self._lock:
            self._waiting.append(item)
            self._bytes += item[5]
            is_much = len(self._waiting) >= _MANY or self._bytes >= _MANY_BYTES
            if is_last or is_much or monotonic() - self._sent > _MOMENT_S:
                self._leave()
            elif len(self._waiting) == 1:
                self._is_due.set()
                if self._thread is None:
                    thread = threading.Thread(target=self._keep_flushing, name="parts", daemon=True)
                    thread.start()
                    self._thread = thread

    def _leave(self) -> None:
        self._send(self._waiting)  # under the lock: parts of one answer never overtake each other
        self._waiting, self._bytes = [], 0
        self._sent = monotonic()

    def _keep_flushing(self) -> None:
        while self._is_due.wait():
            self._is_due.clear()
            sleep(_MOMENT_S)
            with self._lock, contextlib.suppress(MemoryError):  # it is tried again with the next part
                if self._waiting:
                    self._leave()


def checked(body: bytes) -> bytes:
    """A part of an answer or a message, as it is.

    Raises:
        PredictError: No frame can carry it.
    """
    if len(body) > LARGEST:
        raise _too_large(len(body))
    return body


def _too_large(size: int) -> PredictError:
    return PredictError(
        "the answer, or a part of it, is too large",
        got=f"{size} bytes",
        want=f"at most {LARGEST} bytes in one piece",
        hint="yield it in parts",
    )


def _as_item(item: InvocationItem, answer: Answer, *, is_placed: bool) -> AnswerItem:
    """The answer to an invocation: its body in the frame, or in the arena in place of what was sent."""
    body, offset = (b"", item.offset) if is_placed else (answer.body, INLINE)
    return (item.number, answer.status, answer.head, body, offset, len(answer.body))
