"""Answers of one connection of the short path: sent in the order of the requests, whenever they are ready."""

from http import HTTPStatus
from typing import Final, Protocol

from argosy.serving.arena import Block
from argosy.serving.pool.invocation import Invocation

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
