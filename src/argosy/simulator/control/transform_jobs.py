"""Transform jobs: CreateTransformJob and what belongs to it, and the jobs under way."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Final, Protocol

from argosy.errors import ArgosyError, StorageError, UsageError
from argosy.simulator.backoff import delays
from argosy.simulator.control import listing, refusals
from argosy.simulator.control.definitions import check_instance_type, model_of, model_snapshot, transform_job_of
from argosy.simulator.control.listing import Listing
from argosy.simulator.control.refusals import Refusal
from argosy.simulator.control.resources import Json, Kind, Resource
from argosy.simulator.control.store import Store, insist
from argosy.simulator.control.tags import tags_of
from argosy.simulator.health import Report
from argosy.simulator.hosting.definition import Model
from argosy.simulator.storage.objects import ObjectStore, ObjectUri

_REASON_LENGTH: Final = 1024
_ENDED: Final = frozenset({"Completed", "Failed", "Stopped"})


@dataclass(frozen=True, slots=True)
class Ending:
    """How a job ended.

    Attributes:
        status: `Completed` or `Failed`.
        failure: `FailureReason`, "" when it is Completed.
        is_final: Whether it ran, or its containers did; what kept them from that may be gone at another attempt.
    """

    status: str
    failure: str = ""
    is_final: bool = True


class RunTransform(Protocol):
    """Runs a transform job to its end; a cancellation stops it. What an earlier run finished is not done again."""

    async def __call__(self, name: str, identity: str, request: Json, model: Model) -> Ending:
        """How it ended.

        Args:
            name: The job's.
            identity: Tells it from every other job, also from one of the same name.
            request: Members of CreateTransformJob.
            model: What it runs.

        Raises:
            ArgosyError: It could not be run.
        """

    def forget(self, identity: str) -> None:
        """Remove what is kept of a job for another run of it; it has ended."""


ToEnd = Callable[[RunTransform, Resource, Json, Model, Report], Awaitable[Ending]]
"""`run_to_end`, or `run_again_to_end`."""


def _summary(job: Resource) -> Json:
    return {
        "TransformJobName": job.name,
        "TransformJobArn": job.arn,
        "CreationTime": job.created,
        "TransformEndTime": job.state.get("ended"),
        "LastModifiedTime": job.modified,
        "TransformJobStatus": job.status,
        "FailureReason": job.failure or None,
    }


_LISTING: Final = Listing("TransformJobSummaries", _summary)


class TransformJobs:
    """The transform jobs.

    Args:
        store: Where they are kept.
        run: Runs one.
        objects: Where their input is.
        report: Takes a line about every change of a status.
    """

    def __init__(self, store: Store, run: RunTransform, objects: ObjectStore, report: Report) -> None:
        self._store = store
        self._run = run
        self._objects = objects
        self._report = report
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def create(self, region: str, request: Json, now: float) -> Json:
        """CreateTransformJob.

        Raises:
            Refusal: It is there already, or AWS would not take it.
        """
        self._refuse_existing(region, request)
        model = model_snapshot(self._store, region, request["ModelName"])
        check_job(request, model)
        instance_type = request["TransformResources"]["InstanceType"]
        check_instance_type(self._store, region, request["ModelName"], instance_type, is_batch=True)
        await asyncio.to_thread(self._check_input, region, request)
        self._refuse_existing(region, request)  # another request may have been quicker meanwhile
        state = {"model": model}
        name, account = request["TransformJobName"], self._store.account
        job = Resource(Kind.TRANSFORM_JOB, region, name, now, now, request, "InProgress", state=state, account=account)
        self._store.add(job, tags_of(request))
        self._begin(job, run_to_end)
        return {"TransformJobArn": job.arn}

    async def describe(self, region: str, request: Json, now: float) -> Json:
        """DescribeTransformJob."""
        job = self._found(region, request["TransformJobName"])
        times = {"TransformStartTime": job.state.get("started"), "TransformEndTime": job.state.get("ended")}
        given = job.request
        source = {"CompressionType": "None", "SplitType": "None", **given["TransformInput"]}
        target = {"AssembleWith": "None", **given["TransformOutput"]}
        filters = {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None", **given.get("DataProcessing", {})}
        shown = {"TransformInput": source, "TransformOutput": target, "DataProcessing": filters}
        return {**given, **shown, **_summary(job), **times}

    async def list(self, region: str, request: Json, now: float) -> Json:
        """ListTransformJobs."""
        return listing.page(_LISTING, self._store.all(Kind.TRANSFORM_JOB, region), request)

    async def stop(self, region: str, request: Json, now: float) -> Json:
        """StopTransformJob.

        Raises:
            Refusal: It has ended. The sentence was seen for training jobs:
                https://github.com/awslabs/benchmark-ai/issues/928 (read 2026-11-23).
        """
        job = self._found(region, request["TransformJobName"])
        if job.status != "InProgress":
            raise Refusal(f"The request was rejected because the transform job is in status {job.status}.")
        self._store.change(replace(job, status="Stopping", modified=_now()))
        self._report(f"transform job {job.name}: Stopping")
        task = self._tasks.get(_key(job))
        if task is not None:
            task.cancel()
        return {}

    def resume(self) -> None:
        """Go on with what was under way when a simulator ended."""
        for job in self._store.all(Kind.TRANSFORM_JOB):
            if job.status in _ENDED:
                self._run.forget(identity_of(job, job.name))  # the simulator may have ended before it could
            elif job.status == "InProgress":
                self._begin(job, run_again_to_end)
            elif job.status == "Stopping":
                self._track(job, self._end(job, Ending("Stopped")))

    async def close(self) -> None:
        """Stop the jobs' containers; the resources stay, so that the next simulator goes on."""
        tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _begin(self, job: Resource, to_end: ToEnd) -> None:
        self._track(job, self._work(job, to_end))

    def _track(self, job: Resource, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks[_key(job)] = task
        task.add_done_callback(lambda _: self._ended(job))

    def _ended(self, job: Resource) -> None:
        """A job whose task ended is over, unless the simulator itself ends: then its tasks were forgotten before."""
        if self._tasks.pop(_key(job), None) is None:
            return
        current = self._store.find(job.kind, job.region, job.name)
        if current is not None and current.status == "Stopping":
            self._track(current, self._end(current, Ending("Stopped")))

    async def _work(self, job: Resource, to_end: ToEnd) -> None:
        started = replace(job, state={**job.state, "started": job.state.get("started", _now())})
        await insist(lambda: self._store.change(started), self._report)
        ending = await to_end(self._run, job, job.request, model_of(job.state["model"]), self._report)
        current = self._store.find(job.kind, job.region, job.name)
        if current is not None and current.status not in _ENDED:
            await self._end(current, ending)

    async def _end(self, job: Resource, ending: Ending) -> None:
        state, failure = {**job.state, "ended": _now()}, ending.failure[:_REASON_LENGTH]
        ended = replace(job, state=state, failure=failure, status=ending.status, modified=_now())
        await insist(lambda: self._store.change(ended), self._report)
        self._run.forget(identity_of(job, job.name))
        self._report(f"transform job {job.name}: {ending.status}")

    def _found(self, region: str, name: str) -> Resource:
        job = self._store.find(Kind.TRANSFORM_JOB, region, name)
        if job is None:
            raise refusals.not_found(Kind.TRANSFORM_JOB, region, name, self._store.account)
        return job

    def _refuse_existing(self, region: str, request: Json) -> None:
        there = self._store.find(Kind.TRANSFORM_JOB, region, request["TransformJobName"])
        if there is not None:
            raise refusals.already_exists(there)

    def _check_input(self, region: str, request: Json) -> None:
        """As in https://github.com/aws/amazon-sagemaker-examples/issues/2268 (read 2026-11-23), without the role."""
        source = request["TransformInput"]["DataSource"]["S3DataSource"]
        uri = ObjectUri.parse(source["S3Uri"])
        try:
            is_there = next(iter(self._objects.list(uri)), None) is not None
        except StorageError:
            is_there = False
        if not is_there:
            raise Refusal(
                f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket '
                f"exists in the selected region ({region}), that objects exist under that S3 prefix, and that the role "
                f'has "s3:ListBucket" permissions on bucket "{uri.bucket}".'
            )


async def run_to_end(run: RunTransform, owner: Resource, request: Json, model: Model, report: Report) -> Ending:
    """Run a job, or that of a model package; whatever keeps it from running is its failure."""
    name = str(request["TransformJobName"])
    try:
        return await run(name, identity_of(owner, name), request, model)
    except ArgosyError as error:
        report(f"transform job {name}: {error}")
        return Ending("Failed", error.what, is_final=False)
    except Exception as error:
        report(f"transform job {name}: {type(error).__name__}: {error}")
        return Ending("Failed", f"InternalServerError: {error}", is_final=False)


async def run_again_to_end(run: RunTransform, owner: Resource, request: Json, model: Model, report: Report) -> Ending:
    """As `run_to_end`, for a job that was under way when a simulator ended.

    Nothing that a restart does may lose it: what keeps its containers from running (an image that this start of the
    simulator was not told of, an engine that is down) is told and tried again.
    """
    for delay_s in delays():
        ending = await run_to_end(run, owner, request, model, report)
        if ending.is_final:
            return ending
        report(f"transform job {request['TransformJobName']}: it cannot go on, next attempt in {delay_s:g} s")
        await asyncio.sleep(delay_s)
    raise AssertionError("the delays have no end")


def identity_of(owner: Resource, name: str) -> str:
    """What tells a job, or that of a model package's profile, from every other one."""
    return f"{owner.arn} {owner.created} {name}"


def check_job(request: Json, model: Json) -> None:
    """The checks that AWS makes on a job's members together.

    UNSURE: the sentences are not AWS's own; that it refuses what they name is documented in the API reference. A filter
    that is no JsonPath passes if it has only characters of one: the objects fail by it, in the data log of a job that
    was taken (https://github.com/aws/sagemaker-python-sdk/issues/1112, read 2026-11-23).

    Raises:
        Refusal: AWS would not take it.
    """
    for container in model["containers"]:
        if "ModelDataSource" in container:
            raise Refusal("ModelDataSource is not supported for batch transform; use ModelDataUrl.")
        if container.get("Mode") == "MultiModel":
            raise Refusal("Multi-model mode is not supported for batch transform.")
    if model["mode"] == "Direct":
        raise Refusal("InferenceExecutionConfig.Mode Direct is not supported for batch transform.")
    source = request["TransformInput"]["DataSource"]["S3DataSource"]
    if source["S3DataType"] == "AugmentedManifestFile":
        raise Refusal("S3DataType AugmentedManifestFile is not supported for batch transform.")
    for uri in (source["S3Uri"], request["TransformOutput"]["S3OutputPath"]):
        if not uri.startswith("s3://"):
            raise refusals.not_simulated(f"CreateTransformJob: objects are at s3:// here, got {uri}")
    if "InstanceType" not in request["TransformResources"] or "InstanceCount" not in request["TransformResources"]:
        raise Refusal("TransformResources needs InstanceType and InstanceCount.")
    try:
        transform_job_of("job", request, model["name"])
    except UsageError as error:
        raise Refusal(error.message) from error


def _key(job: Resource) -> str:
    return f"{job.region}/{job.name.lower()}"


def _now() -> float:
    return round(time.time(), 3)
