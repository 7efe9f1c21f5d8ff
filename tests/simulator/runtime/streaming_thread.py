"""An endpoint with the API of bidirectional streams on a thread, so that blocking clients can call it."""

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from argosy.simulator.containers.container import Container
from argosy.simulator.hosting.definition import AsyncInference
from argosy.simulator.hosting.endpoint import Endpoint
from argosy.simulator.runtime.bidirectional import BidirectionalStreams
from argosy.simulator.runtime.conversation import BidirectionalOptions
from argosy.simulator.runtime.http2 import Server
from tests.beside import beside
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
    config = AsyncInference("s3://b/out") if is_async else None

    async def serve(stopping: asyncio.Event, on_open: Callable[[], None]) -> None:
        endpoint = Endpoint(replace(demo(), async_inference=config), only(container), bench.reports.append)
        streams = BidirectionalStreams(
            {"demo": endpoint}.get, bench.reports.append, options, is_labelled=lambda _: is_labelled
        )
        server = Server(streams.answer, bench.reports.append)
        try:
            await endpoint.start()
            await server.start(tls=tls)
            bench.port = server.port
            on_open()
            await stopping.wait()
        finally:
            await server.close()
            await endpoint.stop()

    with beside(serve):
        yield bench
