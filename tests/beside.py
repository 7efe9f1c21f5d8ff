"""Something asynchronous that runs on a thread while a test blocks."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def beside(serve: Callable[[asyncio.Event, Callable[[], None]], Coroutine[Any, Any, None]]) -> Iterator[None]:
    """Run a coroutine on a loop and thread of its own for as long as the block.

    Args:
        serve: Given an event that is set when it has to end, and what it calls once it serves. What it raises, before
            or after that, is raised here.
    """
    started = threading.Event()
    stopping = asyncio.Event()
    loop = asyncio.new_event_loop()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            loop.run_until_complete(serve(stopping, started.set))
        except BaseException as error:
            failures.append(error)
        finally:
            loop.close()
            started.set()

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    try:
        if not failures:
            yield
    finally:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stopping.set)
        thread.join()
    if failures:
        raise failures[0]
