"""One invocation of a transform job: a mini-batch through all containers of an instance, and back with an answer."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO, Final

from argosy.errors import ContainerError, TransformError
from argosy.simulator.connection import INVOCATIONS, Body, Connection, Response
from argosy.simulator.transform.object_transform import (
    IN_MEMORY_BYTES,
    INTERNAL_ERROR,
    Answer,
    Fault,
    ObjectTransform,
    bad_status,
    discard,
    no_answer,
    parts_of,
)
from argosy.simulator.transform.split import MiniBatch

_ERROR_BODY_BYTES: Final = 65536


@dataclass(slots=True)
class Turn:
    """A mini-batch whose answer is to be written after all before it, or the end of an object (without a batch)."""

    transform: ObjectTransform
    batch: MiniBatch | None = None
    body: bytes | None = None
    answer: Answer | None = None
    attempts: int = 0
    is_done: bool = False

    @property
    def is_quick(self) -> bool:
        """Whether it is done, and settled without a thread."""
        if not self.is_done or self.batch is None:
            return False
        return self.answer is None or not self.transform.is_slow_to_write(self.answer)

    def request(self) -> tuple[Mapping[str, str], Body]:
        """Header fields and body of its invocation."""
        if self.body is not None or self.batch is None:
            return self.transform.headers, self.body or b""
        return self.transform.request(self.batch)


@dataclass(slots=True)
class Sender:
    """One of as many as there may be requests under way at a time.

    Attributes:
        turn: The mini-batch that it sends at present.
        follow: Takes this and the answer to that, and gives the body of the next one, which is its `turn` then; or
            None. Called by the event loop.
    """

    turn: Turn
    follow: Callable[["Sender", bytes], bytes | None]


class Invoker:
    """Sends mini-batches through the containers of an instance.

    Args:
        connections: To its containers; several are a pipeline.
        timeout_s: How long each may take to answer.
    """

    def __init__(self, connections: Sequence[Connection], timeout_s: float) -> None:
        self._connections = connections
        self._timeout_s = timeout_s

    async def attempt(self, sender: Sender) -> Answer | Fault:
        """Send a sender's mini-batch and, as long as all goes well with short ones, those that follow it.

        Returns:
            The answer for the mini-batch that it has come to.
        """
        try:
            if len(self._connections) == 1 and sender.turn.body is not None:
                return await self._series(self._connections[0], sender, sender.turn.body)
            return await self._through_all(sender.turn)
        except ContainerError as error:
            return no_answer(error.message)
        except (TransformError, OSError) as error:
            return Fault(INTERNAL_ERROR, (str(error),))

    async def _series(self, connection: Connection, sender: Sender, body: bytes) -> Answer | Fault:
        headers, follow = sender.turn.transform.headers, partial(sender.follow, sender)
        async with connection.series(
            INVOCATIONS, headers, body, follow, timeout_s=self._timeout_s, limit_bytes=IN_MEMORY_BYTES
        ) as response:
            answer = await _read(response, sender.turn.transform)
            return answer if 200 <= response.status < 300 else _bad_status(response.status, answer)

    async def _through_all(self, turn: Turn) -> Answer | Fault:
        answer: Answer | None = None
        headers, body = turn.request()
        for connection in self._connections:
            before = answer
            try:
                async with connection.stream(INVOCATIONS, headers, body, timeout_s=self._timeout_s) as response:
                    answer = await _read(response, turn.transform)
            finally:
                discard(before)
            if not 200 <= response.status < 300:
                return _bad_status(response.status, answer)
            if connection is not self._connections[-1]:
                headers, body = _next_request(turn.transform.headers, response.headers.get("content-type"), answer)
        return answer if answer is not None else no_answer("the model has no container")


async def _read(response: Response, transform: ObjectTransform) -> Answer:
    """An answer: in memory while it is short, else in a file; of one that is no success, what is told of it."""
    answer = await response.whole(IN_MEMORY_BYTES)
    if answer is not None:
        return answer
    file = transform.answer_file()
    try:
        is_good = 200 <= response.status < 300
        async for part in response.parts():
            if is_good or file.tell() < _ERROR_BODY_BYTES:
                file.write(part)
    except BaseException:
        file.close()
        raise
    return file


def _bad_status(status: int, answer: Answer) -> Fault:
    if isinstance(answer, bytes):
        return bad_status(status, answer[:_ERROR_BODY_BYTES])
    with answer:
        return bad_status(status, next(parts_of(answer), b"")[:_ERROR_BODY_BYTES])


def _next_request(
    headers: Mapping[str, str], content_type: str | None, answer: Answer
) -> tuple[Mapping[str, str], Body]:
    """What the next container of a pipeline gets."""
    length = len(answer) if isinstance(answer, bytes) else answer.tell()
    headers = {**headers, "Content-Length": str(length)} | ({"Content-Type": content_type} if content_type else {})
    return headers, answer if isinstance(answer, bytes) else _parts(answer)


async def _parts(answer: IO[bytes]) -> AsyncIterator[bytes]:
    for part in parts_of(answer):
        yield part
