"""One instance of a variant: what it runs, its health, and its replacement when it is lost."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from argosy.errors import ArgosyError
from argosy.simulator.backoff import delays
from argosy.simulator.connection import ENDPOINT, Connection
from argosy.simulator.containers.container import Container, Stop
from argosy.simulator.health import HealthChecks, Report, until_unhealthy
from argosy.simulator.hosting.backend import Backend


class Instance:
    """One instance.

    Args:
        name: What reports call it.
        open_backend: Makes what it runs, not yet started; called again for a replacement.
        checks: How its containers are watched.
        report: Takes what a person should know, one line each.

    Attributes:
        name: As above.
        backend: What it runs now; another one after a replacement.
        outstanding: Invocations that it has not answered.
        is_in_service: Whether it gets invocations.
    """

    def __init__(self, name: str, open_backend: Callable[[], Backend], checks: HealthChecks, report: Report) -> None:
        self.name = name
        self.backend = open_backend()
        self.outstanding = 0
        self.is_in_service = False
        self._open = open_backend
        self._checks = checks
        self._tell = report
        self._keeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start what it runs, wait until it is healthy, and watch it from then on.

        Raises:
            ContainerError: It did not become healthy.
            EngineError: The container engine failed.
        """
        await self.backend.start()
        self.is_in_service = True
        self._keeping = asyncio.create_task(self._keep())

    def retire(self) -> None:
        """Take no more invocations and replace nothing more; those under way go on until `stop`."""
        self.is_in_service = False
        if self._keeping is not None:
            self._keeping.cancel()

    async def stop(self) -> list[Stop]:
        """End what it runs as SageMaker does; how each container that still ran came to its end."""
        self.is_in_service = False
        keeping, self._keeping = self._keeping, None
        try:
            if keeping is not None:
                keeping.cancel()
                with suppress(asyncio.CancelledError):
                    await keeping
        finally:
            stops = await self.backend.stop()
        return stops

    async def _keep(self) -> None:
        """Replace what the instance runs whenever a container of it has ended or turned unhealthy."""
        while True:
            reason = await self._lost()
            self.is_in_service = False
            self._report(f"{reason}: SageMaker replaces this instance, a new container is started")
            seconds = await self._replace()
            self.is_in_service = True
            self._report(f"in service again after {seconds:.1f} s")

    async def _lost(self) -> str:
        """Why the instance has to be replaced, as soon as that is so."""
        watches = [asyncio.create_task(self._watch(container)) for container in self.backend.containers]
        try:
            done, _ = await asyncio.wait(watches, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            for watching in watches:
                watching.cancel()
            await asyncio.wait(watches)

    async def _watch(self, container: Container) -> str:
        connection = Connection(container.url, ENDPOINT)
        try:
            return await until_unhealthy(container, connection, self._checks, self._report)
        finally:
            await connection.close()

    async def _replace(self) -> float:
        """End what is left and start it anew, until it is healthy; returns the seconds that the last start took."""
        for delay_s in delays():
            try:
                await self.backend.stop()
                self.backend = self._open()
                started = time.monotonic()
                await self.backend.start()
            except ArgosyError as error:
                self._report(f"the replacement did not start, next attempt in {delay_s:g} s: {error}")
                await asyncio.sleep(delay_s)
            else:
                return time.monotonic() - started
        raise AssertionError("the delays have no end")

    def _report(self, line: str) -> None:
        self._tell(f"{self.name}: {line}")
