"""An endpoint with its API on a thread, so that blocking clients can call it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from argosy.simulator.containers.container import Container
from argosy.simulator.health import Report
from argosy.simulator.hosting.backend import MakeBackend
from argosy.simulator.hosting.definition import (
    ContainerDefinition,
    EndpointDefinition,
    Limits,
    Model,
    ProductionVariant,
)
from argosy.simulator.hosting.endpoint import Endpoint, HostingOptions
from argosy.simulator.hosting.single import SingleContainer
from argosy.simulator.runtime.async_inference import AsyncInference
from argosy.simulator.runtime.service import Runtime, bind, serve
from tests.beside import beside


@dataclass
class Served:
    url: str
    reports: list[str] = field(default_factory=list)


MODEL = Model("demo", (ContainerDefinition("stand-in"),))


def demo(startup_s: float = 20, **limits: Any) -> EndpointDefinition:
    """The endpoint `demo` with one variant on one instance; its limits as keywords."""
    return EndpointDefinition("demo", (ProductionVariant(model=MODEL, startup_s=startup_s),), limits=Limits(**limits))


def only(container: Container) -> MakeBackend:
    """Every instance runs this container."""
    return lambda _model, variant: SingleContainer(lambda: container, variant)


@contextmanager
def serving(
    runs: Container | MakeBackend,
    definition: EndpointDefinition,
    options: HostingOptions | None = None,
    make_async: Callable[[Report], AsyncInference] | None = None,
) -> Iterator[Served]:
    make_backend = runs if callable(runs) else only(runs)
    listener = bind(0)
    served = Served(f"http://127.0.0.1:{listener.getsockname()[1]}")

    async def answer(stopping: asyncio.Event, on_open: Callable[[], None]) -> None:
        endpoint = Endpoint(definition, make_backend, served.reports.append, options)
        async_inference = make_async(served.reports.append) if make_async else None
        try:
            await endpoint.start()
            if async_inference is not None:
                await async_inference.attach(endpoint)
            runtime = Runtime({definition.name: endpoint}, served.reports.append, async_inference)
            await serve(runtime, listener, stopping, on_open)
        finally:
            if async_inference is not None:
                await async_inference.close()
            await endpoint.stop()

    with listener, beside(answer):
        yield served
