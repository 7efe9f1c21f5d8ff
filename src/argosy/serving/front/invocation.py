"""One invocation on its way through the front, whichever path it came in by."""

from abc import ABC, abstractmethod

from argosy.errors import InvocationError
from argosy.serving import answers
from argosy.serving.arena import Block


class Invocation(ABC):
    """A request that waits for its answer.

    Mutable and with slots: one is made for each request, and this is the hot path.

    Attributes:
        fields: Content-Type, Accept and inference id, joined by newlines, as frames carry them.
        body: The body, or empty when it lies in the arena.
        block: The block in which it lies, or None.
        size: Length of the body in bytes.
        arrived: Clock of the event loop when it was complete.
    """

    __slots__ = ("arrived", "block", "body", "fields", "size")

    def __init__(self, fields: bytes, body: bytes, block: Block | None, size: int) -> None:
        self.fields = fields
        self.body = body
        self.block = block
        self.size = size
        self.arrived = 0.0

    @abstractmethod
    def answer(self, status: int, content_type: bytes, body: bytes | memoryview, block: Block | None) -> None:
        """Send the answer.

        Args:
            status: HTTP status.
            content_type: The header field.
            body: The body; a view of the arena when `block` is given.
            block: To be freed when the body has left, or None.
        """

    def refuse(self, error: InvocationError) -> None:
        """Answer with an error; the block stays held, a model process may still be writing to it."""
        inference_id = self.fields.rpartition(b"\n")[2].decode("latin-1")
        status, body = answers.error_answer(error, inference_id)
        self.answer(status, answers.CONTENT_TYPE, body, None)

    def free_block(self) -> None:
        """Give the block back to the arena, if there is one."""
        if self.block is not None:
            self.block.is_free = True
