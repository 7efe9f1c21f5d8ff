"""What an instance of a variant runs, as an endpoint sees it: one container, many models in one, or several containers.

`single.py`, `multi_model.py`, `pipeline.py` and `direct.py` implement the protocol.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from argosy.simulator import answers
from argosy.simulator.answers import Answer
from argosy.simulator.connection import Connection, Reply, Response
from argosy.simulator.containers.container import Container, Launch, Stop
from argosy.simulator.hosting.definition import ArtifactSource, ContainerDefinition, Model, ProductionVariant


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter of the model that a backend runs.

    Attributes:
        name: Its inference component's.
        source: Its artifacts.
    """

    name: str
    source: ArtifactSource


@dataclass(frozen=True, slots=True)
class Request:
    """An invocation as it came from a client, checked.

    Attributes:
        headers: Names in lower case, values decoded as Latin-1; those of InvokeEndpoint, whichever operation was
            called: a stream's `X-Amzn-SageMaker-Accept` is `accept` here.
        body: The whole body.
        region: The client's, for the texts of errors.
        endpoint: Its endpoint's name, for the texts of errors.
        adapter: The adapter that is to answer it, or None.
        account: Its endpoint's account, for the texts of errors.
    """

    headers: Mapping[str, str]
    body: bytes
    region: str
    endpoint: str = ""
    adapter: Adapter | None = None
    account: str = answers.ACCOUNT


@dataclass(frozen=True, slots=True)
class Hop:
    """The last step of an invocation, on its way into one container; the endpoint sends it, whole or as a stream.

    Attributes:
        connection: To the container.
        container: What error texts call it: `primary`, its hostname, or `container-2`.
        path: Where it is posted.
        headers: What the container gets, and nothing else.
        body: What it gets; in a pipeline the answer of the container before.
        again: Asked when the container answered with an error, by its status: whether what kept it from answering is
            mended, and the invocation should be sent once more. May raise `Refused`.
        release: Gives back what the backend holds for the invocation, when that ended; also after the backend stopped.
    """

    connection: Connection
    container: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    again: Callable[[int], Awaitable[bool]] | None = None
    release: Callable[[], None] | None = None

    async def send(self, timeout_s: float, limit_bytes: int) -> Reply:
        """Send the invocation and have the whole answer; once more when `again` says so.

        Raises:
            ContainerError: No answer, or not the whole of it within `timeout_s`.
            Refused: As `again`.
        """
        reply = await self._post(timeout_s, limit_bytes)
        if reply.status >= 400 and self.again is not None and await self.again(reply.status):
            reply = await self._post(timeout_s, limit_bytes)
        return reply

    @asynccontextmanager
    async def stream(self, timeout_s: float) -> AsyncIterator[Response]:
        """Send the invocation and have the answer as it comes; once more when `again` says so.

        Raises:
            ContainerError: No answer within `timeout_s`.
            Refused: As `again`.
        """
        for is_last in (self.again is None, True):
            async with self.connection.stream(self.path, self.headers, self.body, timeout_s=timeout_s) as response:
                mend = None if is_last or response.status < 400 else self.again
                if mend is None or not await mend(response.status):
                    yield response
                    return

    async def _post(self, timeout_s: float, limit_bytes: int) -> Reply:
        return await self.connection.send(
            "POST", self.path, self.headers, self.body, timeout_s=timeout_s, limit_bytes=limit_bytes
        )


class Refused(Exception):  # noqa: N818 - it is no error of the simulator's, but the service's answer
    """An invocation ends here with an answer of the service's: it fits no container, or a container before failed.

    Args:
        answer: What the client gets.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.note or answer.body[:300].decode(errors="replace"))
        self.answer = answer


class Backend(Protocol):
    """What an instance runs."""

    @property
    def containers(self) -> Sequence[Container]:
        """Its containers, in the model's order: for health checks and logs."""

    async def start(self) -> None:
        """Start every container and wait until it is healthy.

        Raises:
            ContainerError: One did not become healthy: the service's words, the reason and the end of its log.
            EngineError: The container engine failed.
        """

    async def route(self, request: Request) -> Hop:
        """Where an invocation goes last; what must happen before (load its model, ask earlier containers) has happened.

        Raises:
            Refused: It goes nowhere.
        """

    def end(self, hop: Hop, status: int) -> None:
        """Learn how an invocation ended: the container's status, 0 when it did not answer."""

    async def stop(self) -> list[Stop]:
        """End every container as SageMaker does and remove it; may be called twice, and before `start`."""


@runtime_checkable
class TakesAdapters(Protocol):
    """A backend that answers requests with an adapter."""

    async def unload(self, adapter: str) -> None:
        """Unload an adapter if it is loaded, and remove its artifacts."""


class MakeBackend(Protocol):
    """Makes what one instance of a variant runs, not yet started; called again for every instance, also a replacement.

    It does not block: containers are opened by the backend's `start`.
    """

    def __call__(self, model: Model, variant: ProductionVariant) -> Backend:
        """The backend.

        Raises:
            UsageError: Nothing here runs such a model.
        """


class OpenContainer(Protocol):
    """Makes a container, not yet started, of what a model says; blocks."""

    def __call__(self, definition: ContainerDefinition, launch: Launch) -> Container:
        """The container.

        Raises:
            ArgosyError: There is no such image, or this machine cannot run it.
        """
