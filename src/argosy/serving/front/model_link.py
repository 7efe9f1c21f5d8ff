"""The front's end of the socket pair to one model process."""

import asyncio
import os
import signal
import socket
from typing import Protocol, cast

from argosy.serving import frames
from argosy.serving.frames import INLINE, FrameReader, InvocationItem
from argosy.serving.front.invocation import Invocation


class LinkOwner(Protocol):
    """Who is told what happens on a link."""

    arena_view: memoryview

    def on_loaded(self, link: "ModelLink") -> None:
        """The model process has loaded the model."""

    def on_load_failed(self, link: "ModelLink", reason: str) -> None:
        """The model process could not load the model and ends."""

    def on_idle(self, link: "ModelLink") -> None:
        """The model process has answered and waits for more."""

    def on_lost(self, link: "ModelLink") -> None:
        """The model process is gone; `link.held` is what it did not answer."""


class ModelLink(asyncio.Protocol):
    """One model process as the front knows it.

    Attributes:
        number: Names this link in messages to the template.
        pid: Its process id, once the template has told it.
        has_loaded: Whether it ever said that it has loaded the model.
        held: The invocation that it is answering, or None.
        since: Clock of the event loop when it got that invocation.
    """

    def __init__(self, owner: LinkOwner, number: int) -> None:
        self._owner = owner
        self._reader = FrameReader()
        self._transport: asyncio.WriteTransport | None = None
        self.number = number
        self.pid: int | None = None
        self.has_loaded = False
        self.held: Invocation | None = None
        self.since = 0.0

    @property
    def is_loaded(self) -> bool:
        """Whether it lives and has loaded the model."""
        return self.has_loaded and self._transport is not None

    @property
    def is_idle(self) -> bool:
        """Whether it can take an invocation now."""
        return self.is_loaded and self.held is None

    async def open(self, end: socket.socket) -> None:
        """Attach to the front's end of the socket pair."""
        await asyncio.get_running_loop().create_connection(lambda: self, sock=end)

    def send(self, invocation: Invocation, now: float) -> None:
        """Hand over one invocation."""
        block = invocation.block
        offset = INLINE if block is None else block.offset
        item = InvocationItem(self.number, invocation.fields, invocation.body, offset, invocation.size)
        frame = frames.pack_invocations((item,))
        self.held = invocation
        self.since = now
        if self._transport is not None:
            self._transport.write(frame)

    def kill(self) -> None:
        """End a process that is stuck; its link is lost a moment later."""
        if self.pid is not None:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                return

    def close(self) -> None:
        """Let the process end after what it is doing."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket pair is attached."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is one without inheriting from it

    def data_received(self, data: bytes) -> None:
        """Bytes of the model process: notices and answers."""
        for count, payload in self._reader.feed(data):
            if count == 0:
                self._take_notice(payload.decode())
                continue
            for item in frames.unpack_answers(count, payload):
                self._deliver(item)
            self._owner.on_idle(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The model process is gone."""
        self._transport = None
        self._owner.on_lost(self)

    def _take_notice(self, reason: str) -> None:
        if reason:
            self._owner.on_load_failed(self, reason)
        else:
            self.has_loaded = True
            self._owner.on_loaded(self)

    def _deliver(self, item: frames.AnswerItem) -> None:
        invocation, self.held = self.held, None
        if invocation is None:
            return
        block = invocation.block
        if item.offset != INLINE and block is not None:
            view = self._owner.arena_view[item.offset : item.offset + item.size]
            invocation.answer(item.status, item.content_type, view, block)
        else:
            invocation.free_block()
            invocation.answer(item.status, item.content_type, item.body, None)
