"""An image or project as SageMaker runs it, for as long as a `with` block.

    from argosy.testing.local import sagemaker_endpoint

    with sagemaker_endpoint("oci:build/image:latest") as endpoint:
        answer = endpoint.runtime().invoke_endpoint(EndpointName=endpoint.name, ContentType="text/csv", Body=b"1,2,3")

The pytest fixtures are made of these functions; any other test runner can use them as they are.
"""

import asyncio
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from argosy import contract
from argosy.aws.clients import runtime_client
from argosy.cli.simulation.subject import Subject
from argosy.simulator.connection import ENDPOINT, Connection
from argosy.simulator.containers.container import Container, stop
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
from argosy.simulator.storage.local_folder import LocalFolder
from argosy.simulator.transform.definition import TransformJobDefinition
from argosy.simulator.transform.job import Surroundings, TransformJob
from argosy.simulator.transform.listing import local_objects
from argosy.simulator.transform.progress import Listener, Outcome
from argosy.testing.event_loop import LoopThread, loop_thread

__all__ = ["LocalEndpoint", "Subject", "TransformResult", "container", "sagemaker_endpoint", "transform_job"]

REGION: Final = "us-east-1"


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
    with bind(0) as listener, found.opener({}) as open_one, loop_thread() as loop:
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


@dataclass(frozen=True, slots=True)
class TransformResult:
    """A transform job that has ended.

    Attributes:
        outcome: Its status, reason and counts.
        outputs: The results by their keys, as `rows.csv.out`; of failed objects there is none.
        log: The lines of its data log.
    """

    outcome: Outcome
    outputs: Mapping[str, bytes]
    log: tuple[str, ...]


def transform_job(subject: Subject | str | Path, source: Path, request: Mapping[str, Any]) -> TransformResult:
    """Run a transform job over a folder or file, to its end.

    Args:
        subject: What is tested.
        source: The input: each file is an object.
        request: Members of CreateTransformJob as the API spells them, without names, places and instances:
            `{"TransformInput": {"ContentType": "text/csv", "SplitType": "Line"}}`.

    Raises:
        ContainerError: A container did not start, or was never healthy.
        UsageError: There is no input, or the request is wrong.
    """
    log: list[str] = []
    with tempfile.TemporaryDirectory(prefix="argosy-results-") as made, loop_thread() as loop:
        results = Path(made) / "results"
        folders, objects = local_objects(source, results, log.append)
        job = _definition(folders, request)
        store = LocalFolder(None, folders)
        with _subject(subject).opener(job.container_environment) as open_one:
            listener = Listener(log.append, log.append, lambda _: None)
            around = Surroundings(store, lambda _: [open_one()], listener, scratch=Path(made), objects=objects)
            outcome = loop.run(TransformJob(job, around).run())
        outputs = {path.relative_to(results).as_posix(): path.read_bytes() for path in results.rglob("*.out")}
    return TransformResult(outcome, dict(sorted(outputs.items())), tuple(log))


def _definition(folders: Mapping[str, Path], request: Mapping[str, Any]) -> TransformJobDefinition:
    source, results = (f"s3://{bucket}/" for bucket in folders)
    place = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}}}
    return TransformJobDefinition.from_request(
        {
            "TransformJobName": "transform",
            "ModelName": "model",
            "TransformResources": {"InstanceCount": 1},
            **request,
            "TransformInput": {**request.get("TransformInput", {}), **place},
            "TransformOutput": {**request.get("TransformOutput", {}), "S3OutputPath": results},
        }
    )


@contextmanager
def container(subject: Subject | str | Path) -> Iterator[Container]:
    """A container that has passed its first health check, to be asked over HTTP directly; then ended.

    Args:
        subject: What is tested.

    Raises:
        ContainerError: It did not become healthy.
        ArgosyError: There is no such image or project, or it cannot be run here.
    """
    with _subject(subject).opener({}) as open_one, loop_thread() as loop:
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
