"""An endpoint with its API on a thread, so that blocking clients can call it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from argosy.simulator.containers.container import Container
from argosy.simulator.hosting.endpoint import Endpoint, EndpointOptions
from argosy.simulator.runtime.service import Runtime, bind, serve


@dataclass
class Served:
    url: str
    reports: list[str] = field(default_factory=list)


@contextmanager
def serving(container: Container, options: EndpointOptions) -> Iterator[Served]:
    listener = bind(0)
    served = Served(f"http://127.0.0.1:{listener.getsockname()[1]}")
    started = threading.Event()
    loop = asyncio.new_event_loop()
    stopping = asyncio.Event()
    failures: list[BaseException] = []

    async def main() -> None:
        endpoint = Endpoint(container, options, served.reports.append)
        try:
            await endpoint.start()
            runtime = Runtime({options.name: endpoint}, served.reports.append)
            await serve(runtime, listener, stopping, on_open=started.set)
        finally:
            await endpoint.stop()

    def run() -> None:
        try:
            loop.run_until_complete(main())
        except BaseException as error:
            failures.append(error)
        finally:
            loop.close()
            listener.close()
            started.set()

    thread = threading.Thread(target=run)
    thread.start()
    started.wait()
    try:
        if not failures:
            yield served
    finally:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stopping.set)
        thread.join()
    if failures:
        raise failures[0]
