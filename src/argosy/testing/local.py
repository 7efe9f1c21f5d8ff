"""An image or project as SageMaker runs it, for as long as a `with` block.

    from argosy.testing.local import sagemaker_endpoint

    with sagemaker_endpoint("oci:build/image:latest") as endpoint:
        answer = endpoint.runtime().invoke_endpoint(EndpointName=endpoint.name, ContentType="text/csv", Body=b"1,2,3")

The pytest fixtures are made of these functions; any other test runner can use them as they are.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from argosy import contract
from argosy.aws.clients import runtime_client
from argosy.cli import environment as process_environment
from argosy.cli.containers import open_container
from argosy.cli.simulate import model_folder
from argosy.simulator.connection import ENDPOINT, Connection
from argosy.simulator.containers.container import Container, Launch, stop
from argosy.simulator.health import await_ready, uninterrupted
from argosy.simulator.hosting.definition import (
    ContainerDefinition,
    EndpointDefinition,
    Model,
    ProductionVariant,
)
from argosy.simulator.hosting.endpoint import Endpoint
from argosy.simulator.hosting.single import SingleContainer
from argosy.simulator.runtime.service import Runtime, bind, serve
from argosy.testing.event_loop import LoopThread, loop_thread

REGION: Final = "us-east-1"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is tested.

    Attributes:
        target: An image reference as skopeo spells it, or a project folder.
        kind: What runs it, as `--container` names it; None takes what this machine has.
        model_archive: The `model.tar.gz` that is unpacked to `/opt/ml/model`.
        environment: `ContainerDefinition.Environment`.
    """

    target: str
    kind: str | None = None
    model_archive: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def opener(self, variables: Mapping[str, str] | None = None) -> Iterator[Callable[[], Container]]:
        """Makes its containers, not yet started; all are removed at the end."""
        opened: list[Container] = []
        with model_folder(self.model_archive) as model_dir:
            launch = Launch({**self.environment, **(variables or {})}, model_dir, is_on_loopback=True)

            def open_one() -> Container:
                opened.append(open_container(self.target, self.kind, launch, process_environment.read()))
                return opened[-1]

            try:
                yield open_one
            finally:
                for container in opened:
                    container.remove()


@dataclass(frozen=True, slots=True)
class LocalEndpoint:
    """An endpoint in service.

    Attributes:
        name: Its name.
        url: Where its API listens: the `endpoint_url` of any client of SageMaker Runtime.
        reports: What a person should know of it, one line each, so far.
    """

    name: str
    url: str
    reports: list[str]

    def runtime(self) -> Any:  # boto3 makes its clients' classes at run time
        """An unmodified boto3 client of `sagemaker-runtime` that does not repeat what fails.

        Raises:
            UsageError: boto3 is not installed.
        """
        return runtime_client(self.url, REGION)


@contextmanager
def sagemaker_endpoint(subject: Subject | str | Path, name: str = "endpoint") -> Iterator[LocalEndpoint]:
    """An endpoint with one instance, in service while the block runs; then ended as SageMaker ends it.

    Args:
        subject: What is tested.
        name: Of the endpoint.

    Raises:
        ContainerError: It did not become healthy: the service's words, the reason and the end of its log.
        ArgosyError: There is no such image or project, or it cannot be run here.
    """
    found = _subject(subject)
    variant = ProductionVariant(model=Model(name, (ContainerDefinition(found.target),)))
    with bind(0) as listener, found.opener() as open_one, loop_thread() as loop:
        local = LocalEndpoint(name, f"http://127.0.0.1:{listener.getsockname()[1]}", [])
        endpoint = Endpoint(
            EndpointDefinition(name, (variant,)),
            lambda _model, variant: SingleContainer(open_one, variant),
            local.reports.append,
        )
        runtime = Runtime({name: endpoint}, local.reports.append)
        try:
            loop.run(endpoint.start())
            with _served(runtime, listener, loop):
                yield local
        finally:
            loop.run(endpoint.stop())


@contextmanager
def container(subject: Subject | str | Path) -> Iterator[Container]:
    """A container that has passed its first health check, to be asked over HTTP directly; then ended.

    Args:
        subject: What is tested.

    Raises:
        ContainerError: It did not become healthy.
        ArgosyError: There is no such image or project, or it cannot be run here.
    """
    with _subject(subject).opener() as open_one, loop_thread() as loop:
        opened = open_one()
        loop.run(_ready(opened))
        yield opened
        stop(opened)


async def _ready(opened: Container) -> None:
    await uninterrupted(opened.start)
    connection = Connection(opened.url, ENDPOINT)
    try:
        await await_ready(
            opened, connection, contract.STARTUP.value, "the container did not pass the ping health check"
        )
    finally:
        await connection.close()


@contextmanager
def _served(runtime: Runtime, listener: socket.socket, loop: LoopThread) -> Iterator[None]:
    """The API on its socket while the block runs."""
    opened, stopping = threading.Event(), asyncio.Event()
    serving = loop.begin(serve(runtime, listener, stopping, opened.set))
    serving.add_done_callback(lambda _: opened.set())
    opened.wait()
    try:
        if not serving.done():
            yield
    finally:
        loop.run(_set(stopping))
        serving.result()


async def _set(event: asyncio.Event) -> None:
    event.set()


def _subject(subject: Subject | str | Path) -> Subject:
    return subject if isinstance(subject, Subject) else Subject(str(subject))
