"""Work with containers that Ctrl-C or SIGTERM ends in good order."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from argosy.cli.main import EXIT_INTERRUPTED
from argosy.cli.output import say
from argosy.simulator.containers.container import Container
from argosy.simulator.runtime.service import new_event_loop

Result = TypeVar("Result")


def run(work: Coroutine[Any, Any, Result], containers: Callable[[], Sequence[Container]]) -> Result | int:
    """Run until done or interrupted; a second signal kills the containers, which are asked for then.

    Returns what the work returns, or the exit code of an interruption that the work did not take for its good end.
    """
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_interruptible(work, containers))


async def _interruptible(
    work: Coroutine[Any, Any, Result], containers: Callable[[], Sequence[Container]]
) -> Result | int:
    """Run until done or told to stop by SIGINT or SIGTERM; told twice, the containers get no time to end."""
    task = asyncio.create_task(work)
    signals = 0

    def on_signal() -> None:
        nonlocal signals
        signals += 1
        if signals == 1:
            say("stopping: SIGTERM to the container, SIGKILL after 30 s or when told again")
            task.cancel()
            return
        for container in containers():
            asyncio.get_running_loop().run_in_executor(None, container.kill)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        return await task
    except asyncio.CancelledError:
        say("interrupted")
        return EXIT_INTERRUPTED
