"""One invocation on its way through the front, whichever path it came in by."""

import math
from abc import ABC, abstractmethod
from collections import deque
from typing import Protocol

from argosy.errors import InvocationError
from argosy.serving import answers, frames
from argosy.serving.arena import Block


class Pinned(Protocol):
    """The model process that alone can answer an invocation."""

    waiting: "deque[Invocation]"
    """What it has not been handed yet."""


class Invocation(ABC):
    """A request that waits for its answer.

    Mutable, and with defaults in the class: one is made for each request, and this is the hot path.

    Attributes:
        fields: Content-Type, Accept and what else was sent, as frames carry them.
        body: The body, or empty when it lies in the arena.
        block: The block in which it lies, or None.
        size: Length of the body in bytes.
        arrived: When it was complete, in seconds of the monotonic clock.
        handed: When a model process got it; 0 before.
        is_suspect: Whether it is asked again, because a process died that held it among others.
        is_alone: Whether it is then the only one that can have killed the process.
        has_begun: Whether parts of its answer were sent.
        pinned: The model process that has to answer it, or None for any.
        is_left: Whether its client has left; nobody is told how it ends, and it is counted as such.
        is_answered: Whether its client has been told already and nobody waits for what comes.
    """

    arrived = 0.0
    handed = 0.0
    is_suspect = False
    is_alone = False
    has_begun = False
    pinned: Pinned | None = None
    is_left = False
    is_answered = False

    def __init__(self, fields: bytes, body: bytes, block: Block | None, size: int) -> None:
        self.fields = fields
        self.body = body
        self.block = block
        self.size = size

    @abstractmethod
    def answer(self, status: int, head: bytes, body: bytes | memoryview, block: Block | None) -> None:
        r"""Send the answer.

        Args:
            status: HTTP status.
            head: The Content-Type, then `\r\nname: value` for further header fields.
            body: The body; a view of the arena when `block` is given.
            block: To be freed when the body has left, or None.
        """

    @abstractmethod
    def begin(self, status: int, head: bytes, part: bytes) -> None:
        """Send the head of an answer whose body follows part by part, and the first part."""

    @abstractmethod
    def send_part(self, part: bytes) -> None:
        """Send a part of the body."""

    @abstractmethod
    def end(self) -> None:
        """The body is whole."""

    @abstractmethod
    def break_off(self, last: bytes) -> None:
        """The body never becomes whole: send `last`, then end the connection so that the client sees it."""

    @property
    def inference_id(self) -> str:
        """X-Amzn-SageMaker-Inference-Id, empty when it was not sent."""
        return frames.inference_id(self.fields)

    def refuse(self, error: InvocationError) -> int:
        """Answer with an error; the block stays held, a model process may still be writing to it.

        Returns:
            The status.
        """
        if self.has_begun:
            self.break_off(b"")
            return answers.status_of(error)
        status, body = answers.error_answer(error, self.inference_id)
        self.answer(status, answers.head_of(error), body, None)
        return status

    def free_block(self) -> None:
        """Give the block back to the arena, if there is one."""
        if self.block is not None:
            self.block.free()


class AnsweredInvocation(Invocation):
    """What a stuck process still holds after its client was told: the block, and nobody to answer.

    Attributes:
        given_up: When its client was told.
    """

    is_answered = True

    def __init__(self, invocation: Invocation, now: float) -> None:
        self.given_up = now
        super().__init__(invocation.fields, b"", invocation.block, invocation.size)
        self.is_suspect, self.has_begun = invocation.is_suspect, invocation.has_begun
        self.arrived = math.inf

    def answer(self, status: int, head: bytes, body: bytes | memoryview, block: Block | None) -> None:
        """The client has its answer; the block is free now."""
        self.free_block()

    def begin(self, status: int, head: bytes, part: bytes) -> None:
        """Nobody waits for it."""

    def send_part(self, part: bytes) -> None:
        """Nobody waits for it."""

    def end(self) -> None:
        """Nobody waits for it."""

    def break_off(self, last: bytes) -> None:
        """Nobody waits for it."""
