"""The front's end of the socket pair to one model process."""

import asyncio
import math
import os
import signal
import socket
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from argosy.serving import answers, frames
from argosy.serving.frames import (
    ALIKE,
    BEGINS,
    BROKEN,
    END,
    INLINE,
    LEFT,
    PART,
    PIECE,
    AlikeAnswers,
    AnswerItem,
    CloseCode,
    FrameReader,
    Piece,
    PieceKind,
    Timings,
)
from argosy.serving.pool.invocation import AnsweredInvocation, Invocation


class LinkOwner(Protocol):
    """Who is told what happens on a link."""

    arena_view: memoryview

    @property
    def is_asking_again(self) -> bool:
        """Whether invocations wait that must have a process for themselves."""

    def on_message(self, link: "ModelLink", message: dict[str, Any]) -> None:
        """The model process says something: `loaded`, `failed`, `adapter`; or the template does: `not-forked`."""

    def on_answers(
        self, invocations: Sequence[Invocation], status: int, sizes: Sequence[int], frame: tuple[int, Timings] | None
    ) -> None:
        """Invocations that were handed over together are answered with so many bytes, or a stream has ended."""

    def on_frame(self, link: "ModelLink", count: int, timings: Timings | None) -> None:
        """A frame with the answers of so many invocations came, and each was told."""

    def on_room(self) -> None:
        """A model process takes more, though it has answered nothing."""

    def stop_if_drained(self) -> None:
        """A conversation has come to its end on both sides."""

    def on_lost(self, link: "ModelLink") -> None:
        """The model process is gone; `link.held` is what it did not answer."""


class Talker(Protocol):
    """The front's end of a conversation."""

    def take(self, piece: Piece) -> None:
        """A piece came; `CLOSE` is the last, also when the model process is lost."""


class ModelLink(asyncio.Protocol):
    """One model process as the front knows it.

    Attributes:
        number: Names this link in messages to the template.
        seat: Which of the places that processes of a pool have; decides its processors and its GPU.
        pid: Its process id, once the template has told it.
        not_forked: Why there never was a process; empty when there was one, or may yet be.
        has_loaded: Whether it ever said that it has loaded the model.
        is_concurrent: Whether it answers invocations beside each other; else one frame after the other.
        capacity: Invocations that one that is concurrent answers at a time.
        lingers_for: It is idle and yet waits a moment, until so many invocations wait; 0 when it does not.
        held: The invocations that it is answering, by their number on the wire.
        waiting: Invocations that only this process can answer.
        conversations: Those under way, by their number on the wire.
        has_lost_conversations: Whether there were some when the process was lost.
        is_worn: Whether it is handed nothing more, because most of what it can hold is held for nobody.
        is_reserved: Whether it is handed nothing else until it is free for invocations that are asked again.
        since: When it was last handed something, in seconds of the monotonic clock; infinity when it is being killed.
        asked: When it was last asked for an echo.
        is_echo_due: Whether that has not come yet.
    """

    def __init__(self, owner: LinkOwner, number: int, seat: int) -> None:
        self._owner = owner
        self._reader = FrameReader()
        self._transport: asyncio.WriteTransport | None = None
        self._last = 0
        self._has_suspects = False
        self._is_closed = False
        self.number = number
        self.seat = seat
        self.pid: int | None = None
        self.not_forked = ""
        self.has_loaded = False
        self.is_concurrent = False
        self.capacity = 1
        self.lingers_for = 0
        self.held: dict[int, Invocation] = {}
        self.waiting: deque[Invocation] = deque()
        self.conversations: dict[int, Talker] = {}
        self.has_lost_conversations = False
        self.is_worn = False
        self.is_reserved = False
        self.since = 0.0
        self.asked = 0.0
        self.is_echo_due = False

    @property
    def is_loaded(self) -> bool:
        """Whether it lives and has loaded the model."""
        return self.has_loaded and self._transport is not None

    @property
    def is_busy(self) -> bool:
        """Whether it answers something or holds a conversation."""
        return bool(self.held or self.conversations)

    @property
    def answers_suspects(self) -> bool:
        """Whether it answers such as must have it for themselves: with none waiting, until all of them have begun."""
        if not self._has_suspects:
            return False
        suspects = [held for held in self.held.values() if held.is_suspect]
        self._has_suspects = bool(suspects)
        return any(self._owner.is_asking_again or not held.has_begun for held in suspects)

    def room(self, limit: int) -> int:
        """How many invocations it can be handed now, `limit` being what one frame may hold."""
        if not self.has_loaded or self._transport is None or self.lingers_for or self.since == math.inf:
            return 0
        if not self.is_concurrent:
            return 0 if self.held else limit
        if self.is_worn or self.answers_suspects or (self.is_reserved and self._owner.is_asking_again):
            return 0
        return self.capacity - len(self.held)

    async def open(self, end: socket.socket) -> None:
        """Attach to the front's end of the socket pair."""
        await asyncio.get_running_loop().create_connection(lambda: self, sock=end)

    def send(self, invocations: Sequence[Invocation], now: float) -> None:
        """Hand over invocations, all in one frame."""
        first = self._last + 1
        self._last += len(invocations)
        self.held.update(zip(range(first, self._last + 1), invocations, strict=True))
        for invocation in invocations:
            invocation.handed = now
        if invocations[0].is_suspect:
            self._has_suspects = True
        self.since = now
        if self._transport is not None:
            self._transport.write(_packed(first, invocations))

    def take_held(self) -> list[Invocation]:
        """What it was answering when it ended, as far as somebody still waits for it."""
        held, self.held = self.held.values(), {}
        for invocation in held:
            if isinstance(invocation, AnsweredInvocation):
                invocation.free_block()
        return [invocation for invocation in held if not isinstance(invocation, AnsweredInvocation)]

    def converse(self, talker: Talker, fields: bytes) -> int:
        """Begin a conversation; gives its number, which `release` makes free again."""
        self._last = number = self._last + 1
        self.conversations[number] = talker
        self.send_piece(PieceKind.OPEN, number, fields)
        return number

    def send_piece(self, kind: PieceKind, number: int, body: bytes) -> None:
        """Send a piece of a conversation."""
        if self._transport is not None:
            self._transport.write(frames.pack_piece(kind, number, body))

    def ask_for_echo(self, now: float) -> None:
        """Have the process say that it reads the link."""
        self.asked = now
        self.is_echo_due = True
        self.send_piece(PieceKind.ECHO, 0, b"")

    def release(self, number: int) -> None:
        """A conversation has come to its end on both sides."""
        if self.conversations.pop(number, None) is not None:
            self._owner.stop_if_drained()

    def tell(self, message: Mapping[str, object]) -> None:
        """Send a message."""
        if self._transport is not None:
            self._transport.write(frames.pack_message(message))

    def tell_about(self, event: str, invocation: Invocation) -> None:
        """Send a message about an invocation that it holds: `cancel`, `pause` or `resume`."""
        for number, held in self.held.items():
            if held is invocation:
                self.tell({"event": event, "number": number})
                return

    def kill(self) -> None:
        """End a process that is stuck; its link is lost a moment later."""
        if self.pid is None:
            self.close()  # it has hardly begun, and ends when it finds nobody to tell what it has loaded
            return
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def close(self) -> None:
        """Let the process end after what it is doing."""
        self._is_closed = True
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """The process has ended, whoever still holds the other end: the link is lost a moment later."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket pair is attached."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is one without inheriting from it
        if self._is_closed:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Bytes of the model process: messages, answers and parts of answers."""
        for count, payload in self._reader.feed(data):
            if count == 0:
                self._take_message(frames.unpack_message(payload))
                continue
            if count & PIECE:
                self._take_piece(frames.unpack_piece(count, payload))
                continue
            if count & ALIKE:
                alike, timings = frames.unpack_alike(count, payload)
                answered = self._take_alike(alike, timings)
            else:
                items, timings = frames.unpack_answers(count, payload)
                answered = self._take_items(items, timings)
            if answered:
                self._owner.on_frame(self, answered, timings)

    def connection_lost(self, exc: Exception | None) -> None:
        """The model process is gone."""
        self._transport = None
        self.has_lost_conversations = bool(self.conversations)
        told = frames.pack_close(CloseCode.FAILED, "the model process ended")
        for number, talker in list(self.conversations.items()):
            talker.take(Piece(PieceKind.CLOSE, number, told))
        self._owner.on_lost(self)

    def _take_piece(self, piece: Piece) -> None:
        if piece.kind == PieceKind.ECHO:
            self.is_echo_due = False
        elif (talker := self.conversations.get(piece.number)) is not None:  # a task may outlive its conversation
            talker.take(piece)

    def _take_message(self, message: dict[str, Any]) -> None:
        if message["event"] == "loaded":
            self.has_loaded = True
            self.is_concurrent = message["is_concurrent"]
            self.capacity = message["capacity"]
        elif message["event"] == "not-forked":
            self.not_forked = message["reason"]
        self._owner.on_message(self, message)

    def _take_alike(self, alike: AlikeAnswers, timings: Timings | None) -> int:
        """Answers to consecutive invocations; gives their number."""
        first, status, head, bodies = alike
        invocations = list(map(self.held.pop, range(first, first + len(bodies))))
        for invocation, body in zip(invocations, bodies, strict=True):
            if invocation.block is not None:
                invocation.block.free()
            invocation.answer(status, head, body, None)
        frame = None if timings is None else (len(bodies), timings)
        self._owner.on_answers(invocations, status, list(map(len, bodies)), frame)
        return len(bodies)

    def _take_items(self, items: Sequence[AnswerItem], timings: Timings | None) -> int:
        """Answers and parts of answers; gives the number of invocations that are answered now."""
        answered = 0
        frame = None if timings is None else (len(items), timings)
        for number, status, head, body, offset, size in items:
            if status < 100 or status >= BEGINS:
                answered += self._take_part(number, status, head, bytes(body))
                continue
            answered += 1
            invocation = self.held.pop(number)
            block = invocation.block
            if offset != INLINE and block is not None:
                invocation.answer(status, head, self._owner.arena_view[offset : offset + size], block)
            else:
                if block is not None:
                    block.free()
                invocation.answer(status, head, body, None)
            self._owner.on_answers((invocation,), status, (size,), frame)
        return answered

    def _take_part(self, number: int, status: int, head: bytes, body: bytes) -> int:
        """A piece of a streamed answer; 1 when it was the last."""
        invocation = self.held[number]
        if status == PART:
            invocation.send_part(body)
            return 0
        if status >= BEGINS:
            invocation.has_begun = True
            invocation.begin(status & ~BEGINS, head, body)
            if invocation.is_suspect:
                self._owner.on_room()
            return 0
        del self.held[number]
        invocation.free_block()  # not sooner: a generator may still read the body that lies there
        if status == END:
            invocation.end()
        elif status == BROKEN:
            invocation.break_off(body)
        is_left = status == LEFT or invocation.is_left
        counted = answers.CLIENT_LEFT if is_left else 200 if status == END else 500
        self._owner.on_answers((invocation,), counted, (0,), None)
        return 1


def _packed(first: int, invocations: Sequence[Invocation]) -> bytes:
    """One frame of invocations."""
    blocks = [invocation.block for invocation in invocations]
    offsets = None
    if blocks.count(None) != len(blocks):
        offsets = [INLINE if block is None else block.offset for block in blocks]
    fields = [invocation.fields for invocation in invocations]
    bodies = [invocation.body for invocation in invocations]
    return frames.pack_invocations(first, fields, bodies, [invocation.size for invocation in invocations], offsets)
