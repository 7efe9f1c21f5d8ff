"""Health checks: until a container is ready, and ever after while an endpoint lives."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

from argosy.errors import ContainerError, EngineError
from argosy.simulator.connection import Connection
from argosy.simulator.containers.container import Container, ending, log_tail

_STARTUP_INTERVAL_S: Final = (0.02, 0.2)
_STARTUP_SHARE: Final = 0.05
_LOOK_INTERVAL_S: Final = 0.3  # to ask an engine costs as much as its command's start

Result = TypeVar("Result")
Report = Callable[[str], None]
"""Takes one line for people."""


@dataclass(frozen=True, slots=True)
class HealthChecks:
    """How a container in service is watched.

    UNSURE: how many failed checks in a row make SageMaker replace an instance; `unhealthy_after` is 3.

    Attributes:
        interval_s: Between two checks; 5 seconds were seen in public logs, 2019 (read 2026-11-22).
        unhealthy_after: Failed checks in a row after which an instance is replaced.
    """

    interval_s: float = 5.0
    unhealthy_after: int = 3


async def uninterrupted(work: Callable[[], Result]) -> Result:
    """Do on a thread what has to be undone later, or must not be done twice; a cancellation waits until it is done."""
    working = asyncio.create_task(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        while not working.done():
            with suppress(asyncio.CancelledError):  # who is cancelled twice waits too
                await asyncio.wait({working})
        raise


async def await_ready(container: Container, connection: Connection, limit_s: float, failure: str) -> float:
    """Ping a started container until it answers 200; returns the seconds that it took.

    Between two health checks lies a twentieth of the time that the start took so far, 20 to 200 ms, so that a quick
    container is not kept waiting. The service takes about a second, as public logs show (read 2026-11-22).

    Args:
        container: Started.
        connection: To it.
        limit_s: How long it may take.
        failure: The platform's sentence for a container that does not become ready.

    Raises:
        ContainerError: It ended, or was not ready within `limit_s`; with the reason and the end of its log.
    """
    started = time.monotonic()
    shortest_s, longest_s = _STARTUP_INTERVAL_S
    ended = asyncio.create_task(_exit_code(container))
    try:
        while True:
            tried = time.monotonic()
            fault = await connection.ping()
            if fault is None:
                return time.monotonic() - started
            elapsed = time.monotonic() - started
            if ended.done():
                how = await asyncio.to_thread(ending, container, ended.result())
                raise await _not_ready(container, failure, f"it ended after {elapsed:.1f} s with {how}")
            if elapsed >= limit_s:
                raise await _not_ready(container, failure, f"{fault}, still so after {elapsed:.0f} s")
            interval_s = min(max(shortest_s, _STARTUP_SHARE * elapsed), longest_s)
            await asyncio.sleep(max(0.0, tried + interval_s - time.monotonic()))
    finally:
        ended.cancel()


async def _exit_code(container: Container) -> int:
    """The exit code of a container, soon after it has ended; no health check waits for an engine's answer."""
    while True:
        exit_code = await asyncio.to_thread(container.exit_code)
        if exit_code is not None:
            return exit_code
        await asyncio.sleep(_LOOK_INTERVAL_S)


async def until_unhealthy(container: Container, connection: Connection, checks: HealthChecks, report: Report) -> str:
    """Ping a container in service until it has ended or failed too often; returns which, in a clause.

    Args:
        container: In service.
        connection: To it.
        checks: How often, and how many may fail.
        report: Takes a line whenever its health changes.
    """
    failures = 0
    while True:
        await asyncio.sleep(checks.interval_s)
        reason = await connection.ping()
        if reason is None:
            if failures:
                report(f"health check passed again after {failures} failed")
            failures = 0
            continue
        try:
            ended = await asyncio.to_thread(_ending, container)
        except EngineError as error:
            report(f"whether the container still runs is not known: {error}")
            ended = None
        if ended is not None:
            return ended
        failures += 1
        report(f"health check failed ({failures} in a row): {reason}")
        if failures >= checks.unhealthy_after:
            return f"unhealthy after {failures} failed health checks in a row"


def _ending(container: Container) -> str | None:
    """How the container ended, None while it runs."""
    exit_code = container.exit_code()
    return None if exit_code is None else f"ended with {ending(container, exit_code)}\n{log_tail(container)}\n"


async def _not_ready(container: Container, failure: str, reason: str) -> ContainerError:
    tail = await asyncio.to_thread(log_tail, container)
    return ContainerError(failure, got=f"{reason}\n\n{tail}", where=container.name)
