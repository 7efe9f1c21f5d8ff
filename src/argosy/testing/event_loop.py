"""An event loop on a thread of its own, so that blocking tests can have a simulator beside them."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from argosy.simulator.runtime.service import new_event_loop

Result = TypeVar("Result")


class LoopThread:
    """Runs coroutines for another thread.

    Args:
        loop: Running on its thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def begin(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Start a coroutine and return at once."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Wait for a coroutine and return or raise what it does; interrupted, it is cancelled."""
        future = self.begin(work)
        try:
            return future.result()
        finally:
            future.cancel()


@contextmanager
def loop_thread() -> Iterator[LoopThread]:
    """A loop for as long as the block; what still runs at its end is cancelled and waited for."""
    ready = threading.Event()
    made: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def main() -> None:
        stopping = asyncio.Event()
        made.append((asyncio.get_running_loop(), stopping))
        ready.set()
        await stopping.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(main())

    thread = threading.Thread(target=run, name="argosy simulator", daemon=True)
    thread.start()
    ready.wait()
    loop, stopping = made[0]
    try:
        yield LoopThread(loop)
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
