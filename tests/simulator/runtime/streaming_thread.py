"""An endpoint with the API of bidirectional streams on a thread, so that blocking clients can call it."""

import asyncio
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from argosy.simulator.containers.container import Container
from argosy.simulator.hosting.definition import AsyncInference
from argosy.simulator.hosting.endpoint import Endpoint
from argosy.simulator.runtime.bidirectional import BidirectionalStreams
from argosy.simulator.runtime.conversation import BidirectionalOptions
from argosy.simulator.runtime.http2 import Server
from tests.simulator.runtime.http2_client import Http2Client
from tests.simulator.serving_thread import demo, only

STAND_IN = Path(__file__).with_name("web_socket_stand_in.py")


@dataclass
class Bench:
    """The endpoint `demo` behind a port."""

    port: int = 0
    reports: list[str] = field(default_factory=list)

    def stream(self, **headers: str) -> Http2Client:
        named = {f"x-amzn-sagemaker-{name.replace('_', '-').lower()}": value for name, value in headers.items()}
        return Http2Client(self.port, headers=named)

    def endings(self, count: int = 1) -> list[str]:
        """How the streams ended, as soon as so many are reported."""
        deadline = time.monotonic() + 20
        while True:
            found = [report.partition(": bidirectional stream ")[2] for report in self.reports]
            endings = [text.partition(": ")[2] for text in found if text]
            if len(endings) >= count:
                return endings
            assert time.monotonic() < deadline, self.reports
            time.sleep(0.005)


@contextmanager
def streaming(
    container: Container,
    options: BidirectionalOptions | None = None,
    tls: ssl.SSLContext | None = None,
    is_labelled: bool | None = None,
    is_async: bool = False,
) -> Iterator[Bench]:
    bench = Bench()
    started = threading.Event()
    stopping = asyncio.Event()
    loop = asyncio.new_event_loop()
    failures: list[BaseException] = []
    config = AsyncInference("s3://b/out") if is_async else None

    async def main() -> None:
        endpoint = Endpoint(replace(demo(), async_inference=config), only(container), bench.reports.append)
        streams = BidirectionalStreams(
            {"demo": endpoint}.get, bench.reports.append, options, is_labelled=lambda _: is_labelled
        )
        server = Server(streams.answer, bench.reports.append)
        try:
            await endpoint.start()
            await server.start(tls=tls)
            bench.port = server.port
            started.set()
            await stopping.wait()
        finally:
            await server.close()
            await endpoint.stop()

    def run() -> None:
        try:
            loop.run_until_complete(main())
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
            yield bench
    finally:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stopping.set)
        thread.join()
    if failures:
        raise failures[0]
