"""`argosy simulate`: an endpoint that unmodified AWS clients can invoke, and transform jobs over a folder."""

import asyncio
import json
import shlex
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
import rich.progress

from argosy import model_archive
from argosy.cli import environment
from argosy.cli.containers import KINDS, open_container
from argosy.cli.interrupt import run
from argosy.cli.main import EXIT_EXAMINED_FAILED
from argosy.cli.output import print_data, print_json, say, talk
from argosy.cli.simulate_up import up
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.containers.process import ProcessContainer
from argosy.simulator.hosting.definition import (
    DEFAULT_VARIANT,
    ContainerDefinition,
    EndpointDefinition,
    Model,
    ProductionVariant,
    endpoint_name,
)
from argosy.simulator.hosting.endpoint import Endpoint, HostingOptions
from argosy.simulator.hosting.single import SingleContainer
from argosy.simulator.runtime.service import Runtime, bind, serve
from argosy.simulator.transform.assemble import AssembleWith
from argosy.simulator.transform.execution_parameters import TransformOptions
from argosy.simulator.transform.files import InputObject, input_objects
from argosy.simulator.transform.job import Listener, Outcome, Progress, Status, TransformJob
from argosy.simulator.transform.split import BatchStrategy, SplitType

Command = Callable[..., Any]  # click's decorators take any function

_CONTAINER = click.option(
    "--container",
    "kind",
    type=click.Choice(KINDS),
    help="What runs it. [default: Docker, else Podman, else a process; a project is a process]",
)
_MODEL_DATA = click.option(
    "--model-data",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The model.tar.gz that is unpacked to /opt/ml/model.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")


def _choice(name: str, values: type[StrEnum], text: str, default: str | None = None) -> Callable[[Command], Command]:
    """An option whose values are spelled as in the API."""
    return click.option(
        name,
        type=click.Choice([value.value for value in values]),
        callback=lambda _context, _option, chosen: None if chosen is None else values(chosen),
        default=default,
        show_default=default is not None,
        help=text,
    )


@click.group
def command() -> None:
    """Run an image or a project as SageMaker does, on this machine."""


command.add_command(up)


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is run."""

    target: str
    kind: str | None
    model_data: Path | None

    @contextmanager
    def opener(self, variables: dict[str, str]) -> Iterator[Callable[[], Container]]:
        """Makes its containers, not yet started; whatever happens, all are removed at the end."""
        opened: list[Container] = []
        with _model_folder(self.model_data) as model_dir:
            launch = Launch(variables, model_dir, is_on_loopback=True)

            def open_one() -> Container:
                container = open_container(self.target, self.kind, launch, environment.read())
                if isinstance(container, ProcessContainer) and container.caveat and not opened:
                    say(f"note: {container.caveat}")
                opened.append(container)
                return container

            try:
                yield open_one
            finally:
                for container in opened:
                    container.remove()


@command.command
@click.argument("target", metavar="IMAGE|PROJECT")
@_CONTAINER
@_MODEL_DATA
@click.option("--endpoint-name", metavar="NAME", help="Name of the endpoint. [default: made of the image's]")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of 127.0.0.1. [default: a free one]")
@click.option("--recut", is_flag=True, help="Cut the parts of response streams anew at random, as SageMaker may.")
@click.option("--seed", type=int, help="Makes what is random the same in each run.")
@_JSON
def endpoint(target: str, as_json: bool, port: int, **options: Any) -> int:  # Any: click's values, typed by its options
    """Serve IMAGE as a SageMaker endpoint until Ctrl-C.

    Any AWS client can invoke it through its endpoint URL; errors, limits and headers are SageMaker's. Exit code 1 when
    the container does not become healthy.
    """
    subject = _Subject(target, options["kind"], options["model_data"])
    default = Path(target).resolve().name if Path(target).is_dir() else target.partition(":")[2]
    name = options["endpoint_name"] or endpoint_name(default)
    variant = ProductionVariant(model=Model(name, (ContainerDefinition(target),)))
    definition = EndpointDefinition(name, (variant,))
    listener = bind(port)
    with listener, subject.opener({}) as open_one:
        switches = HostingOptions(seed=options["seed"], is_recut=options["recut"])
        served = Endpoint(definition, lambda _model, variant: SingleContainer(open_one, variant), say, switches)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        return run(_serve(served, listener, _announcement(name, url, as_json)), lambda: served.containers)


@command.command
@click.argument("target", metavar="IMAGE|PROJECT")
@_CONTAINER
@_MODEL_DATA
@click.option("--input", "source", metavar="DIR", required=True, type=click.Path(path_type=Path), help="The objects.")
@click.option("--output", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Where results go.")
@click.option("--content-type", metavar="TYPE", help="Media type of the records.")
@click.option("--accept", metavar="TYPE", help="Media type of the results.")
@_choice("--split-type", SplitType, default="None", text="How objects are divided into records.")
@_choice("--batch-strategy", BatchStrategy, text="[default: the container's, else MultiRecord]")
@click.option("--max-payload-mb", type=int, help="0: no limit, sent in chunks. [default: the container's, else 6]")
@click.option("--max-concurrent-transforms", type=int, help="[default: the container's, else 1]")
@_choice("--assemble-with", AssembleWith, default="None", text="What ends every answer in a result.")
@_JSON
def transform(target: str, as_json: bool, source: Path, output: Path, **options: Any) -> int:  # Any: as above
    """Run IMAGE as a SageMaker transform job over the files of a folder.

    Every file's result is written under the same name with `.out`, in the same sub folder, once the whole file
    succeeded. Exit code 1 when one failed.
    """
    subject = _Subject(target, options.pop("kind"), options.pop("model_data"))
    settings = TransformOptions(**options)
    objects = input_objects(source, output, say)
    with subject.opener(settings.environment()) as open_one, _listener(objects) as listener:
        container = open_one()
        job = TransformJob(container, objects, settings, listener, source.resolve().name)
        outcome = run(job.run(), lambda: [container])
    if isinstance(outcome, int):
        return outcome
    print_json(_summary(outcome)) if as_json else print_data(_sentence(outcome))
    return 0 if outcome.status is Status.COMPLETED else EXIT_EXAMINED_FAILED


async def _serve(served: Endpoint, listener: socket.socket, announce: Callable[[], None]) -> int:
    """Start, serve until cancelled, stop. Being told to stop is the good end of an endpoint in service."""
    in_service = False
    name = served.definition.name
    try:
        say(f"Creating endpoint {name}: waiting for /ping")
        say(f"InService after {await served.start():.1f} s")
        in_service = True
        await serve(Runtime({name: served}, say), listener, asyncio.Event(), announce)
    except asyncio.CancelledError:
        if not in_service:
            raise
    finally:
        for ended in await served.stop():
            if ended.killed:
                say(f"the container did not end within {ended.seconds:.0f} s of SIGTERM and was killed")
            else:
                say(f"the container ended with exit code {ended.exit_code} after {ended.seconds:.1f} s")
    return 0


@contextmanager
def _model_folder(archive: Path | None) -> Iterator[Path | None]:
    """The archive unpacked as SageMaker unpacks it, for as long as it is needed."""
    if archive is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="argosy-model-") as made:
        model_archive.unpack(archive, Path(made) / "model")
        yield Path(made) / "model"


@contextmanager
def _listener(objects: list[InputObject]) -> Iterator[Listener]:
    """Who hears of a job: a progress bar on a terminal, a line for every object done elsewhere."""
    if not talk.is_terminal:
        yield Listener(say, say, _plain_progress())
        return
    columns = (
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.DownloadColumn(),
        rich.progress.TimeRemainingColumn(),
    )
    with rich.progress.Progress(*columns, console=talk, transient=True) as bar:
        task = bar.add_task("waiting for /ping", total=sum(source.size for source in objects))

        def show(progress: Progress) -> None:
            done = f"{progress.objects} of {progress.objects_total} objects"
            bar.update(task, completed=progress.bytes, description=done)

        yield Listener(say, say, show)


def _plain_progress() -> Callable[[Progress], None]:
    shown = 0

    def show(progress: Progress) -> None:
        nonlocal shown
        if progress.objects > shown:
            shown = progress.objects
            say(f"{progress.objects} of {progress.objects_total} objects done, {progress.failed} failed")

    return show


def _announcement(name: str, url: str, as_json: bool) -> Callable[[], None]:
    """Says where the endpoint is, with lines to paste."""
    body = "fileb://request.csv"
    text = f"""\
endpoint {name} at {url}

    import boto3
    runtime = boto3.client("sagemaker-runtime", endpoint_url="{url}", region_name="us-east-1",
                           aws_access_key_id="any", aws_secret_access_key="any")
    answer = runtime.invoke_endpoint(EndpointName="{name}", ContentType="text/csv", Body=open("request.csv", "rb"))
    print(answer["Body"].read())

    AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any aws sagemaker-runtime invoke-endpoint --region us-east-1 \\
        --endpoint-url {url} --endpoint-name {shlex.quote(name)} --content-type text/csv --body {body} /dev/stdout

Ctrl-C ends it."""
    as_line = json.dumps({"endpoint_name": name, "endpoint_url": url, "variant": DEFAULT_VARIANT})
    return lambda: print_data(as_line if as_json else text)


def _summary(outcome: Outcome) -> dict[str, object]:
    """The outcome for programs."""
    return {
        "status": outcome.status.value,
        "failure_reason": outcome.failure_reason,
        "seconds": round(outcome.seconds, 3),
        **asdict(outcome.progress),
        "execution_parameters": asdict(outcome.parameters),
    }


def _sentence(outcome: Outcome) -> str:
    """The outcome for people."""
    done = outcome.progress
    reason = f": {outcome.failure_reason}" if outcome.failure_reason else ""
    return (
        f"{outcome.status.value}{reason}\n"
        f"{done.objects - done.failed} of {done.objects_total} objects, {done.records} records, "
        f"{done.requests} requests, {done.retries} retries, {outcome.seconds:.1f} s"
    )
