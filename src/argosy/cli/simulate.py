"""`argosy simulate`: an endpoint that unmodified AWS clients can invoke, and transform jobs over a folder."""

import asyncio
import json
import shlex
import shutil
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import click
import rich.progress

from argosy import model_archive
from argosy.cli import environment
from argosy.cli.containers import KINDS, KINDS_HELP, open_container
from argosy.cli.main import EXIT_EXAMINED_FAILED, EXIT_INTERRUPTED
from argosy.cli.output import print_data, print_json, say, talk
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.containers.instance_types import find
from argosy.simulator.containers.leftovers import make_folder
from argosy.simulator.hosting.endpoint import Endpoint, EndpointOptions, endpoint_name
from argosy.simulator.runtime.service import Runtime, bind, new_event_loop, serve
from argosy.simulator.transform.assemble import AssembleWith
from argosy.simulator.transform.execution_parameters import TransformOptions
from argosy.simulator.transform.files import InputObject, input_objects
from argosy.simulator.transform.job import Listener, Outcome, Progress, Status, TransformJob
from argosy.simulator.transform.split import BatchStrategy, SplitType

Result = TypeVar("Result")
Command = Callable[..., Any]  # click's decorators take any function

_CONTAINER = click.option(
    "--container",
    "kind",
    type=click.Choice(KINDS),
    help=KINDS_HELP,
)
_INSTANCE_TYPE = click.option(
    "--as",
    "instance_type",
    metavar="TYPE",
    help="Give it the processors, memory and disk of an instance type, as ml.m5.large. [default: all of this machine]",
)
_NETWORK_WATCH = click.option(
    "--network-watch/--no-network-watch",
    "is_watched",
    default=True,
    help="Tell which hosts the container tries to reach, and from which line of Python. [default: on]",
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


_SUBJECT = ("kind", "model_data", "instance_type", "is_watched")


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is run."""

    target: str
    kind: str | None
    model_data: Path | None
    instance_type: str | None
    is_watched: bool

    @contextmanager
    def container(self, variables: dict[str, str]) -> Iterator[Container]:
        """The container, not yet started; removed at the end whatever happens."""
        with _model_folder(self.model_data) as model_dir:
            container = open_container(self.target, self.kind, self._launch(variables, model_dir), environment.read())
            if container.caveat:
                say(f"note: {container.caveat}")
            try:
                yield container
            finally:
                container.remove()

    def _launch(self, variables: dict[str, str], model_dir: Path | None) -> Launch:
        launch = Launch(
            variables, model_dir, is_watched=self.is_watched, on_attempt=lambda attempt: say(f"note: {attempt}")
        )
        if self.instance_type is None:
            return launch
        found = find(self.instance_type)
        return replace(launch, cpus=found.cpus, memory_bytes=found.memory_bytes, disk_bytes=found.disk_bytes)


@command.command
@click.argument("target", metavar="IMAGE|PROJECT")
@_CONTAINER
@_INSTANCE_TYPE
@_NETWORK_WATCH
@_MODEL_DATA
@click.option("--endpoint-name", metavar="NAME", help="Name of the endpoint. [default: made of the image's]")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of 127.0.0.1. [default: a free one]")
@_JSON
def endpoint(target: str, as_json: bool, port: int, **options: Any) -> int:  # Any: click's values, typed by its options
    """Serve IMAGE as a SageMaker endpoint until Ctrl-C.

    Any AWS client can invoke it through its endpoint URL; errors, limits and headers are SageMaker's. Exit code 1 when
    the container does not become healthy.
    """
    subject = _Subject(target, *(options[name] for name in _SUBJECT))
    default = Path(target).resolve().name if Path(target).is_dir() else target.partition(":")[2]
    settings = EndpointOptions(options["endpoint_name"] or endpoint_name(default))
    listener = bind(port)
    with listener, subject.container({}) as container:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        announce = _announcement(settings.name, url, as_json)
        return _run(_serve(container, settings, listener, announce), container)


@command.command
@click.argument("target", metavar="IMAGE|PROJECT")
@_CONTAINER
@_INSTANCE_TYPE
@_NETWORK_WATCH
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
    subject = _Subject(target, *(options.pop(name) for name in _SUBJECT))
    settings = TransformOptions(**options)
    objects = input_objects(source, output, say)
    with subject.container(settings.environment()) as container, _listener(objects) as listener:
        job = TransformJob(container, objects, settings, listener, source.resolve().name)
        outcome = _run(job.run(), container)
    if isinstance(outcome, int):
        return outcome
    print_json(_summary(outcome)) if as_json else print_data(_sentence(outcome))
    return 0 if outcome.status is Status.COMPLETED else EXIT_EXAMINED_FAILED


async def _serve(
    container: Container, options: EndpointOptions, listener: socket.socket, announce: Callable[[], None]
) -> int:
    """Start, serve until cancelled, stop. Being told to stop is the good end of an endpoint in service."""
    served = Endpoint(container, options, say)
    in_service = False
    try:
        say(f"Creating endpoint {options.name}: waiting for /ping")
        say(f"InService after {await served.start():.1f} s")
        in_service = True
        await serve(Runtime({options.name: served}, say), listener, asyncio.Event(), announce)
    except asyncio.CancelledError:
        if not in_service:
            raise
    finally:
        ended = await served.stop()
        if ended is not None and ended.killed:
            say(f"the container did not end within {ended.seconds:.0f} s of SIGTERM and was killed")
        elif ended is not None:
            say(f"the container ended with exit code {ended.exit_code} after {ended.seconds:.1f} s")
    return 0


def _run(work: Coroutine[Any, Any, Result], container: Container) -> Result | int:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_interruptible(work, container))


async def _interruptible(work: Coroutine[Any, Any, Result], container: Container) -> Result | int:
    """Run until done or told to stop by SIGINT or SIGTERM; told twice, the container gets no time to end."""
    task = asyncio.create_task(work)
    signals = 0

    def on_signal() -> None:
        nonlocal signals
        signals += 1
        if signals == 1:
            say("stopping: SIGTERM to the container, SIGKILL after 30 s or when told again")
            task.cancel()
        else:
            asyncio.get_running_loop().run_in_executor(None, container.kill)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        return await task
    except asyncio.CancelledError:
        say("interrupted")
        return EXIT_INTERRUPTED


@contextmanager
def _model_folder(archive: Path | None) -> Iterator[Path | None]:
    """The archive unpacked as SageMaker unpacks it, for as long as it is needed."""
    if archive is None:
        yield None
        return
    made = make_folder("model")
    try:
        model_archive.unpack(archive, made / "model")
        yield made / "model"
    finally:
        shutil.rmtree(made, ignore_errors=True)


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
    as_line = json.dumps({"endpoint_name": name, "endpoint_url": url, "variant": EndpointOptions(name).variant})
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
