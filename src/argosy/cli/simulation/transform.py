"""`argosy simulate transform`: a transform job over a folder, or over S3."""

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import msgspec

from argosy.cli import environment
from argosy.cli.main import EXIT_EXAMINED_FAILED, EXIT_INTERRUPTED
from argosy.cli.output import is_terminal, print_data, print_json, say, terminal
from argosy.cli.simulation.interrupt import Opened, run
from argosy.cli.simulation.subject import CONTAINER, INSTANCE_TYPE, JSON, MODEL_DATA, NETWORK_WATCH, Subject, choice
from argosy.errors import UsageError
from argosy.simulator.containers.container import Container
from argosy.simulator.storage.local_folder import LocalFolder
from argosy.simulator.storage.objects import ObjectStore
from argosy.simulator.storage.s3 import S3
from argosy.simulator.transform.definition import (
    Assumptions,
    CompressionType,
    DataType,
    JoinSource,
    TransformJobDefinition,
)
from argosy.simulator.transform.job import Surroundings, TransformJob
from argosy.simulator.transform.journal import Journal
from argosy.simulator.transform.listing import InputObject, local_objects
from argosy.simulator.transform.progress import Listener, Outcome, Progress, Status
from argosy.simulator.transform.split import AssembleWith, BatchStrategy, SplitType

_S3 = "s3://"


@click.command
@click.argument("target", metavar="IMAGE|PROJECT")
@CONTAINER
@INSTANCE_TYPE
@NETWORK_WATCH
@MODEL_DATA
@click.option("--input", "source", metavar="DIR|S3URI", help="The objects: a folder, a file, or s3://BUCKET/PREFIX.")
@click.option("--output", metavar="DIR|S3URI", help="Where results go.")
@click.option("--s3", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
              help="The folder that stands for S3, with a folder for each bucket. [default: S3 itself]")  # fmt: skip
@click.option("--request", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="A request to CreateTransformJob as JSON, instead of the options below.")  # fmt: skip
@choice("--s3-data-type", DataType, default="S3Prefix", text="What the input's URI names.")
@click.option("--content-type", metavar="TYPE", help="Media type of the records.")
@click.option("--accept", metavar="TYPE", help="Media type of the results.")
@choice("--compression-type", CompressionType, default="None", text="How objects are packed.")
@choice("--split-type", SplitType, default="None", text="How objects are divided into records.")
@choice("--batch-strategy", BatchStrategy, text="[default: the container's, else MultiRecord]")
@click.option("--max-payload-mb", type=int, help="0: no limit, sent in chunks. [default: the container's, else 6]")
@click.option("--max-concurrent-transforms", type=int, help="[default: the container's, else 1]")
@choice("--assemble-with", AssembleWith, default="None", text="What ends every answer in a result.")
@click.option("--input-filter", metavar="PATH", default="$", show_default=True, help="What of a record is sent.")
@choice("--join-source", JoinSource, default="None", text="Whether results are joined with their records.")
@click.option("--output-filter", metavar="PATH", default="$", show_default=True, help="What of the joined is stored.")
@click.option("--instance-count", type=int, default=1, show_default=True, help="Containers that share the objects.")
@click.option("--invocations-timeout", type=int, metavar="SECONDS", default=600, show_default=True)
@click.option("--invocations-max-retries", type=int, default=3, show_default=True)
@click.option("--env", "variables", metavar="NAME=VALUE", multiple=True, help="A variable of the containers.")
@click.option("--data-capture", metavar="S3URI", help="Where manifests of inputs and results go.")
@click.option("--generate-inference-id", is_flag=True, help="Number every record of a result.")
@click.option("--assume", "assumed", metavar="NAME=VALUE", multiple=True,
              help="What to do where nobody knows what SageMaker does; see the manual.")  # fmt: skip
@click.option("--fresh", is_flag=True, help="Transform again what an earlier run of this very job has done.")
@JSON
def transform(target: str, as_json: bool, fresh: bool, **options: Any) -> int:  # Any: click's values
    """Run IMAGE as a SageMaker transform job over the files of a folder, or over the objects of S3.

    Every object's result is stored under the same name with `.out`, in the same sub folder, once the whole object
    succeeded. An interrupted job goes on where it ended when it is run again. Exit code 1 when an object failed.
    """
    subject = Subject(target, *(options.pop(name) for name in ("kind", "model_data", "instance_type", "is_watched")))
    assumptions = _assumptions(options.pop("assumed"))
    place = _place(options)
    job = place.job
    journal = Journal(
        environment.read().cache_dir / "transform", job, assumptions, f"{place.name} {subject.identity(place.results)}"
    )
    if fresh:
        journal.forget_results()
    opened = Opened()
    with closing(journal), subject.opener(job.container_environment) as open_one, _listener() as listener:

        def open_instance(_: object) -> Sequence[Container]:
            return [opened.add(open_one())]

        around = Surroundings(place.store, open_instance, listener, assumptions, place.scratch, journal, place.objects)
        outcome = run(TransformJob(job, around).run(), opened)
    if isinstance(outcome, int):
        if outcome == EXIT_INTERRUPTED:
            say("the same command again goes on where this one ended")
        return outcome
    print_json(_summary(outcome)) if as_json else print_data(_sentence(outcome))
    return 0 if outcome.status is Status.COMPLETED else EXIT_EXAMINED_FAILED


@dataclass(frozen=True, slots=True)
class _Place:
    """A job and where its buckets are.

    Attributes:
        job: The job.
        store: The store of its buckets.
        name: What they are known by.
        scratch: A folder for nameless files.
        results: The folder in which results appear, where it is one.
        objects: The input, where it is listed already.
    """

    job: TransformJobDefinition
    store: ObjectStore
    name: str
    scratch: Path
    results: Path | None = None
    objects: Sequence[InputObject] | None = None


def _place(options: dict[str, Any]) -> _Place:  # Any: click's values
    """What the options say: a request of the API, URIs of S3, or folders."""
    source, output = options.pop("source"), options.pop("output")
    root, request = options.pop("s3"), options.pop("request")
    if request is not None:
        if source is not None or output is not None:
            raise UsageError("--request says what input and output are", hint="leave out --input and --output")
        return _in_s3(_read_request(request), root)
    if source is None or output is None:
        raise UsageError("a job needs an input and an output", hint="--input DIR --output DIR, or --request FILE")
    if source.startswith(_S3) != output.startswith(_S3):
        raise UsageError("input and output are not in the same place", want="both folders, or both URIs of S3")
    if source.startswith(_S3):
        return _in_s3(_definition(source, output, options), root)
    folders, objects = local_objects(Path(source), Path(output), say)
    (bucket, _), (results, folder) = folders.items()
    job = _definition(f"{_S3}{bucket}/", f"{_S3}{results}/", options)
    scratch = next(parent for parent in (folder.resolve(), *folder.resolve().parents) if parent.is_dir())
    store = LocalFolder(root, folders)
    return _Place(job, store, " ".join(str(path.resolve()) for path in folders.values()), scratch, folder, objects)


def _in_s3(job: TransformJobDefinition, root: Path | None) -> _Place:
    if root is None:
        return _Place(job, S3(), "S3", Path(tempfile.gettempdir()))
    if not root.is_dir():
        raise UsageError("the folder that stands for S3 is not there", got=f"`{root}`", hint=f"mkdir -p {root}")
    return _Place(job, LocalFolder(root), str(root.resolve()), root, root / job.output_uri.bucket)


def _read_request(path: Path) -> TransformJobDefinition:
    """A request; the definition in a model package's validation profile is one without names."""
    try:
        request = json.loads(path.read_bytes())
    except ValueError as error:
        raise UsageError("the request is no JSON", got=error, where=path) from error
    if not isinstance(request, dict):
        raise UsageError("the request is no JSON object", where=path)
    return TransformJobDefinition.from_request({"TransformJobName": "transform", "ModelName": "model", **request})


def _definition(source: str, output: str, options: dict[str, Any]) -> TransformJobDefinition:
    """The request that the options spell."""
    capture = options["data_capture"]
    if options["generate_inference_id"] and capture is None:
        raise UsageError(
            "--generate-inference-id is part of data capture", hint="add --data-capture s3://BUCKET/PREFIX"
        )
    request = {
        "TransformJobName": "transform",
        "ModelName": "model",
        "MaxConcurrentTransforms": options["max_concurrent_transforms"],
        "MaxPayloadInMB": options["max_payload_mb"],
        "BatchStrategy": options["batch_strategy"],
        "Environment": _pairs(options["variables"], "--env"),
        "ModelClientConfig": {
            "InvocationsTimeoutInSeconds": options["invocations_timeout"],
            "InvocationsMaxRetries": options["invocations_max_retries"],
        },
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": options["s3_data_type"], "S3Uri": source}},
            "ContentType": options["content_type"],
            "CompressionType": options["compression_type"],
            "SplitType": options["split_type"],
        },
        "TransformOutput": {
            "S3OutputPath": output,
            "Accept": options["accept"],
            "AssembleWith": options["assemble_with"],
        },
        "TransformResources": {"InstanceCount": options["instance_count"]},
        "DataProcessing": {
            "InputFilter": options["input_filter"],
            "OutputFilter": options["output_filter"],
            "JoinSource": options["join_source"],
        },
        "DataCaptureConfig": capture
        and {"DestinationS3Uri": capture, "GenerateInferenceId": options["generate_inference_id"]},
    }
    return TransformJobDefinition.from_request(request)


def _assumptions(assumed: Sequence[str]) -> Assumptions:
    pairs = {name.replace("-", "_"): value for name, value in _pairs(assumed, "--assume").items()}
    known = {field.name: field.type for field in msgspec.structs.fields(Assumptions)}
    want = "; ".join(f"{name.replace('_', '-')}={'|'.join(values)}" for name, values in known.items())
    if not set(pairs) <= set(known):
        raise UsageError("--assume knows no such name", got=", ".join(sorted(set(pairs) - set(known))), want=want)
    try:
        return msgspec.convert(pairs, Assumptions)
    except msgspec.ValidationError as error:
        raise UsageError("--assume knows no such value", got=error, want=want) from error


def _pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    for text in texts:
        if "=" not in text:
            raise UsageError(f"{option} is no pair", got=f"`{text}`", want="NAME=VALUE")
    return {name: value for name, _, value in (text.partition("=") for text in texts)}


@contextmanager
def _listener() -> Iterator[Listener]:
    """Who hears of a job: a progress bar on a terminal, a line for every object done elsewhere."""
    if not is_terminal():
        yield Listener(say, say, _plain_progress())
        return
    import rich.progress

    columns = (
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.DownloadColumn(),
        rich.progress.TimeRemainingColumn(),
    )
    with rich.progress.Progress(*columns, console=terminal(), transient=True) as bar:
        task = bar.add_task("waiting for /ping", total=None)

        def show(progress: Progress) -> None:
            done = f"{progress.objects} of {progress.objects_total} objects"
            bar.update(task, completed=progress.bytes, total=progress.bytes_total, description=done)

        yield Listener(say, say, show)


def _plain_progress() -> Callable[[Progress], None]:
    shown = 0

    def show(progress: Progress) -> None:
        nonlocal shown
        if progress.objects > shown:
            shown = progress.objects
            say(f"{progress.objects} of {progress.objects_total} objects done, {progress.failed} failed")

    return show


def _summary(outcome: Outcome) -> dict[str, object]:
    """The outcome for programs."""
    return {
        "status": outcome.status.value,
        "failure_reason": outcome.failure_reason,
        "seconds": round(outcome.seconds, 3),
        **asdict(outcome.progress),
        "execution_parameters": None if outcome.parameters is None else asdict(outcome.parameters),
    }


def _sentence(outcome: Outcome) -> str:
    """The outcome for people."""
    done = outcome.progress
    reason = f": {outcome.failure_reason}" if outcome.failure_reason else ""
    earlier = f", {done.resumed} of them by an earlier run (--fresh begins anew)" if done.resumed else ""
    return (
        f"{outcome.status.value}{reason}\n"
        f"{done.objects - done.failed} of {done.objects_total} objects{earlier}, {done.records} records, "
        f"{done.requests} requests, {done.retries} retries, {outcome.seconds:.1f} s"
    )
