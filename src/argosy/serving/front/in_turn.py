"""Answers of one connection of the short path: sent in the order of the requests, whenever they are ready."""

from collections import deque
from http import HTTPStatus
from typing import Any, Final, Protocol, cast

from argosy.serving.arena import Block
from argosy.serving.front.connections import Connection
from argosy.serving.pool.invocation import Invocation
from argosy.serving.pool.pool import Pool

_AHEAD_BYTES: Final = 1 << 16
"""Of a streamed answer whose turn has not come, after which its generator waits."""
_HEAD: Final = {
    status.value: b"HTTP/1.1 %d %s\r\ncontent-type: " % (status.value, status.phrase.encode()) for status in HTTPStatus
}


class Sender(Protocol):
    """A connection that writes the answers whose turn it is."""

    def send_answer(self, waiting: "ShortInvocation", block: Block | None) -> None:
        """There is a whole answer to write."""

    def send_parts(self, stream: "ShortInvocation") -> None:
        """There is a part of an answer to write, or its end; more may come at once."""


def head_of(status: int, content_type: bytes, size: int) -> bytes:
    """Status line and header fields of a whole answer."""
    return b"%b%b\r\ncontent-length: %d\r\n\r\n" % (_HEAD[status], content_type, size)


PING_OK: Final = head_of(200, b"text/plain", 0)
PING_NO: Final = head_of(503, b"text/plain", 0)


class ShortInvocation(Invocation):
    """An invocation whose answer goes straight to its connection.

    `head` is None until there is something to write; `answer_body` is the whole body, `chunks` are those of a stream
    that wait to be sent.
    """

    head: bytes | None = None
    answer_body: bytes | memoryview = b""
    chunks: bytearray
    is_stream = False
    is_over = False
    is_broken = False
    is_paused = False
    """Because it is ahead of its turn."""

    def __init__(self, connection: Sender, fields: bytes, body: bytes, block: Block | None, size: int) -> None:
        self._connection = connection
        self.fields = fields  # not by `super`, which costs as much as all of this
        self.body = body
        self.block = block
        self.size = size

    def answer(self, status: int, head: bytes, body: bytes | memoryview, block: Block | None) -> None:
        """Send the answer, or keep it until the ones before it are sent."""
        self.head = head_of(status, head, len(body))
        self.answer_body = body
        self._connection.send_answer(self, block)

    def begin(self, status: int, head: bytes, part: bytes) -> None:
        """Send the head of a chunked answer and its first part."""
        self.is_stream = True
        self.chunks = bytearray()
        self.head = b"%b%b\r\ntransfer-encoding: chunked\r\n\r\n" % (_HEAD[status], head)
        self.send_part(part)

    def send_part(self, part: bytes) -> None:
        """Send one chunk; an empty one would end the body."""
        if part:
            self.chunks += b"%x\r\n%b\r\n" % (len(part), part)
        self._connection.send_parts(self)

    def end(self) -> None:
        """Send the last chunk."""
        self.is_over = True
        self._connection.send_parts(self)

    def break_off(self, last: bytes) -> None:
        """Close the connection without the last chunk: no client takes that for a whole answer."""
        self.is_over = self.is_broken = True
        self.send_part(last)

    def detach(self, block: Block) -> None:
        """Copy the answer out of the arena: it has to wait and the block should not."""
        self.answer_body = bytes(self.answer_body)
        block.free()


class ReadyAnswer:
    """An answer that is ready before the one that must go first on the same connection."""

    is_stream = False

    def __init__(self, answer: bytes) -> None:
        self.head: bytes | None = answer
        self.answer_body = b""


class InTurn(Connection):
    """A connection that writes answers in the order of their requests."""

    pool: Pool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._open: deque[ShortInvocation | ReadyAnswer] = deque()
        self._unsent: list[Block] = []
        self._is_closing = False
        self._is_due = False

    def pause_writing(self) -> None:
        """The client reads slower than it is sent to: a stream waits."""
        super().pause_writing()
        self._tell_stream(is_open=False)

    def resume_writing(self) -> None:
        """All is sent: its blocks are free, a stream goes on."""
        self._free_unsent()
        super().resume_writing()
        self._tell_stream(is_open=True)

    def shutdown(self) -> None:
        """Nothing more is answered than what is open, by now: end the connection behind it."""
        if self._open:
            self._is_closing = True
        else:
            super().shutdown()

    def send_answer(self, waiting: ShortInvocation, block: Block | None) -> None:
        """Write an answer if it is its turn, and those behind it that are ready."""
        waits = self._open
        if self.transport.is_closing():
            if block is not None:
                block.free()
        elif block is None and len(waits) == 1:
            waits.clear()  # the way that nearly all take: one request, one answer
            self.transport.write(waiting.head + waiting.answer_body)  # type: ignore[operator] # it has both
            self._go_on()
        else:
            if waits[0] is not waiting and block is not None:
                waiting.detach(block)
                block = None
            self._send_ready(waiting, block)

    def send_parts(self, stream: ShortInvocation) -> None:
        """Write what has come of a streamed answer, with all that comes in this turn of the event loop."""
        if self.transport.is_closing():
            stream.chunks.clear()  # nobody will ever read them
            return
        if self._open and self._open[0] is not stream and len(stream.chunks) > _AHEAD_BYTES and not stream.is_paused:
            stream.is_paused = True
            self.pool.flow(stream, is_open=False)
        if not self._is_due:
            self._is_due = True
            self.loop.call_soon(self._send_due)

    def _send_due(self) -> None:
        self._is_due = False
        if not self.transport.is_closing():
            self._send_ready(None, None)

    def _send_ready(self, waiting: ShortInvocation | None, block: Block | None) -> None:
        """Write what is ready and whose turn it is; `block` is where the answer to `waiting` lies."""
        if not self._open:
            return
        while self._open and (head := self._open[0].head) is not None:
            first = self._open[0]
            if first.is_stream:
                if not self._write_stream(cast("ShortInvocation", first), head):
                    return
            else:
                self._write(head, first.answer_body, block if first is waiting else None)
            self._open.popleft()
        if not self._open:
            self._go_on()

    def _go_on(self) -> None:
        """All is answered that has come: what next?"""
        if self._is_closing:
            self.transport.close()
        elif self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self.flow.read_paused:
            self.flow.resume_reading()

    def _write_stream(self, stream: ShortInvocation, head: bytes) -> bool:
        """Write what has come of a streamed answer whose turn it is; False while there is more to come."""
        if head and (stream.is_paused or self.flow.write_paused):
            self.pool.flow(stream, is_open=not self.flow.write_paused)  # behind an answer that is perhaps not read yet
        if stream.is_over and stream.is_broken:
            self.transport.write(head + stream.chunks)
            self._open.popleft()
            self._abandon()  # what is behind it on this connection cannot be told apart from it any more
            self.transport.close()
            return False
        self.transport.write(head + stream.chunks + (b"0\r\n\r\n" if stream.is_over else b""))
        stream.head = b""
        stream.chunks = bytearray()
        return stream.is_over

    def _tell_stream(self, *, is_open: bool) -> None:
        if self._open and isinstance(first := self._open[0], ShortInvocation) and first.is_stream:
            self.pool.flow(first, is_open=is_open)

    def _write_in_turn(self, answer: bytes) -> None:
        if self._open:
            self._open.append(ReadyAnswer(answer))
        else:
            self.transport.write(answer)

    def _write(self, head: bytes, body: bytes | memoryview, block: Block | None) -> None:
        if block is None:
            self.transport.write(head + body)
            return
        self.transport.writelines((head, body))
        if self.flow.write_paused:
            self._unsent.append(block)
        else:
            block.free()

    def _abandon(self) -> None:
        for waiting in self._open:
            if isinstance(waiting, ShortInvocation):
                self.pool.abandon(waiting)
        self._open.clear()

    def _free_unsent(self) -> None:
        for block in self._unsent:
            block.free()
        self._unsent.clear()
