"""An instance that runs one container, which answers every invocation."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from argosy.simulator import answers, request_headers
from argosy.simulator.connection import ENDPOINT, INVOCATIONS, Connection
from argosy.simulator.containers.container import Container, Stop, stop
from argosy.simulator.health import await_ready, uninterrupted
from argosy.simulator.hosting import refusals
from argosy.simulator.hosting.backend import Hop, Refused, Request
from argosy.simulator.hosting.definition import ProductionVariant

PRIMARY = "primary"
"""What the service calls a model's only container."""
SERVERLESS_STARTUP_S: Final = 180.0
"""How long a serverless variant has to become healthy; AWS's page on serverless endpoints (read 2026-11-22)."""


class SingleContainer:
    """A `Backend` around one container.

    Args:
        open_container: Makes the container, not yet started; blocks.
        variant: Whose instance this is: its name is in errors, and it says how long a start may take.
        name: What the service calls the container.
    """

    def __init__(
        self, open_container: Callable[[], Container], variant: ProductionVariant, name: str = PRIMARY
    ) -> None:
        self.name = name
        self._open = open_container
        self._variant = variant
        self._container: Container | None = None
        self._connection: Connection | None = None

    @property
    def containers(self) -> Sequence[Container]:
        """The container, once it was opened."""
        return () if self._container is None else (self._container,)

    @property
    def connection(self) -> Connection:
        """To the container, once it was started."""
        assert self._connection is not None, "the container was not started"
        return self._connection

    async def launch(self) -> None:
        """Open and start the container, which need not answer yet.

        Raises:
            ContainerError: It cannot be started.
            EngineError: The container engine failed.
        """
        await uninterrupted(self._launch)

    async def start(self) -> None:
        """Open and start the container, unless it was launched before, and wait until it is healthy.

        Raises:
            ContainerError: It did not become healthy: the service's words, the reason and the end of its log.
            EngineError: The container engine failed.
        """
        if self._container is None:
            await self.launch()
        assert self._container is not None
        self._connection = Connection(self._container.url, ENDPOINT)
        failure = (
            f"The {self.name} container for production variant {self._variant.name} did not pass the ping health "
            "check. Please check CloudWatch logs for this endpoint."
        )
        limit_s = self._variant.startup_s if self._variant.serverless is None else SERVERLESS_STARTUP_S
        await await_ready(self._container, self._connection, limit_s, failure)

    def _launch(self) -> None:
        self._container = self._open()
        self._container.start()

    async def route(self, request: Request) -> Hop:
        """Straight to the container, unless the client asked for a model or a container by its name.

        Raises:
            Refused: It did.
        """
        headers = request.headers
        if request_headers.TARGET_MODEL.lower() in headers:
            raise Refused(refusals.target_model_not_supported(request.endpoint))
        if request_headers.TARGET_CONTAINER.lower() in headers:
            raise Refused(answers.unsupported_header(request.endpoint, request_headers.TARGET_CONTAINER))
        return Hop(self.connection, self.name, INVOCATIONS, request_headers.forwarded(headers), request.body)

    def end(self, hop: Hop, status: int) -> None:
        """Nothing is to be learnt of an invocation's end."""

    async def stop(self) -> list[Stop]:
        """SIGTERM, SIGKILL when that is not enough, and nothing is left; empty when it had ended before."""
        container, connection = self._container, self._connection
        if container is None:
            return []
        try:
            if connection is None or await asyncio.to_thread(container.exit_code) is not None:
                return []
            return [await uninterrupted(partial(stop, container))]
        finally:
            if connection is not None:
                await connection.close()
            await uninterrupted(container.remove)
            self._container = self._connection = None
