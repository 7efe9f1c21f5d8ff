"""Work with containers that Ctrl-C or SIGTERM ends in good order."""

import asyncio
import signal
import threading
import weakref
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

from argosy.cli.main import EXIT_INTERRUPTED
from argosy.cli.output import say
from argosy.errors import ArgosyError
from argosy.simulator.containers.container import Container
from argosy.simulator.runtime.service import new_event_loop

Result = TypeVar("Result")

_ROUND_S: Final = 0.2


class Opened:
    """Every container that a command has opened, whoever has it now: one that serves, starts or is on its way out."""

    def __init__(self) -> None:
        self._found: weakref.WeakSet[Container] = weakref.WeakSet()
        self._lock = threading.Lock()

    def add(self, container: Container) -> Container:
        """Keep a container in mind for as long as anyone has it; returns it."""
        with self._lock:
            self._found.add(container)
        return container

    def kill(self) -> None:
        """Kill those that run; blocks."""
        with self._lock:
            found = list(self._found)
        for container in found:
            with suppress(ArgosyError):  # whoever has it hears of that, too
                container.kill()


def run(work: Coroutine[Any, Any, Result], opened: Opened) -> Result | int:
    """Run until done or interrupted; a second signal kills all containers at once.

    Returns what the work returns, or the exit code of an interruption that the work did not take for its good end.
    """
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_interruptible(work, opened))


async def _interruptible(work: Coroutine[Any, Any, Result], opened: Opened) -> Result | int:
    """Run until done or told to stop by SIGINT or SIGTERM; told twice, the containers get no time to end."""
    task = asyncio.create_task(work)
    signals = 0
    is_done = threading.Event()

    def kill_until_done() -> None:
        """In rounds: a container whose start was under way comes up after the signal."""
        opened.kill()
        while not is_done.wait(_ROUND_S):
            opened.kill()

    def on_signal() -> None:
        nonlocal signals
        signals += 1
        if signals == 1:
            task.cancel()
            say("stopping: SIGTERM to the container, SIGKILL after 30 s or when told again")
        if signals == 2:
            # A thread of its own: those of the event loop may all be waiting for containers to end.
            threading.Thread(target=kill_until_done, daemon=True).start()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        return await task
    except asyncio.CancelledError:
        say("interrupted")
        return EXIT_INTERRUPTED
    finally:
        is_done.set()
