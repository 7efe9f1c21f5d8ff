"""Health checks: until a container is ready, and ever after while an endpoint lives."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from argosy.errors import ContainerError, EngineError
from argosy.simulator.connection import Connection
from argosy.simulator.containers.container import Container, log_tail

STARTUP_INTERVAL_S: Final = 0.2
"""Between two health checks while a container starts. The service takes about a second, as public logs show (read
2026-11-22); here nobody should wait that long for a container that is ready."""
STEADY_INTERVAL_S: Final = 5.0
"""Between two health checks of an endpoint in service; seen in public logs, 2019 (read 2026-11-22)."""
UNHEALTHY_AFTER: Final = 3
"""Failed checks in a row after which an instance counts as unhealthy. AWS does not tell the number: this is a guess."""
_UNANSWERED_INTERVAL_S: Final = 0.05
_LOOK_INTERVAL_S: Final = 0.3  # to ask an engine costs as much as its command's start

Report = Callable[[str], None]
"""Takes one line for people."""


async def start(container: Container) -> None:
    """Start a container on a thread; a cancellation waits until that is done, so that all of it can be removed."""
    starting = asyncio.create_task(asyncio.to_thread(container.start))
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait({starting})
        raise


async def await_ready(container: Container, connection: Connection, limit_s: float, failure: str) -> float:
    """Ping a started container until it answers 200; returns the seconds that it took.

    As long as nothing answers at the port, it is tried more often, so that a quick container is not kept waiting.

    Args:
        container: Started.
        connection: To it.
        limit_s: How long it may take.
        failure: The platform's sentence for a container that does not become ready.

    Raises:
        ContainerError: It ended, or was not ready within `limit_s`; with the reason and the end of its log.
    """
    started = look_again = time.monotonic()
    while True:
        tried = time.monotonic()
        ping = await connection.ping()
        if ping.fault is None:
            return time.monotonic() - started
        elapsed = time.monotonic() - started
        exit_code = None
        if time.monotonic() >= look_again:
            exit_code = await asyncio.to_thread(container.exit_code)
            look_again = time.monotonic() + _LOOK_INTERVAL_S
        if exit_code is not None:
            raise await _not_ready(container, failure, f"it ended with exit code {exit_code} after {elapsed:.1f} s")
        if elapsed >= limit_s:
            raise await _not_ready(container, failure, f"{ping.fault}, still so after {elapsed:.0f} s")
        interval = STARTUP_INTERVAL_S if ping.is_answered else _UNANSWERED_INTERVAL_S
        await asyncio.sleep(max(0.0, tried + interval - time.monotonic()))


async def watch(container: Container, connection: Connection, report: Report) -> None:
    """Ping a container in service every 5 s for ever and report when its health changes; cancel to end.

    Nothing is restarted: SageMaker would replace the instance, here its owner learns why.
    """
    failures = 0
    while True:
        await asyncio.sleep(STEADY_INTERVAL_S)
        reason = (await connection.ping()).fault
        try:
            ending = await asyncio.to_thread(_ending, container) if reason else None
        except EngineError as error:
            report(f"whether the container still runs is not known: {error}")
            ending = None
        if ending is not None:
            report(ending)
            return
        if reason is None:
            if failures:
                report(f"health check passed again after {failures} failed")
            failures = 0
            continue
        failures += 1
        report(f"health check failed ({failures} in a row): {reason}")
        if failures == UNHEALTHY_AFTER:
            report("unhealthy: SageMaker would replace this instance")


def _ending(container: Container) -> str | None:
    """How the container ended, None while it runs."""
    exit_code = container.exit_code()
    if exit_code is None:
        return None
    return (
        f"the container ended with exit code {exit_code}; SageMaker would replace the instance\n{log_tail(container)}"
    )


async def _not_ready(container: Container, failure: str, reason: str) -> ContainerError:
    tail = await asyncio.to_thread(log_tail, container)
    return ContainerError(failure, got=f"{reason}\n\n{tail}", where=container.name)
