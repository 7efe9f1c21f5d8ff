"""A transform job: objects listed, divided among instances, transformed; it can be watched, stopped and resumed."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from argosy.errors import ArgosyError, ContainerError, StorageError, TransformError
from argosy.simulator.containers.container import Container
from argosy.simulator.health import uninterrupted
from argosy.simulator.storage.objects import ObjectStore
from argosy.simulator.transform import json_path
from argosy.simulator.transform.definition import Assumptions, TransformJobDefinition
from argosy.simulator.transform.execution_parameters import ExecutionParameters
from argosy.simulator.transform.instance import Instance
from argosy.simulator.transform.journal import Journal
from argosy.simulator.transform.listing import InputObject, input_objects, no_objects, share, write_manifests
from argosy.simulator.transform.object_transform import ALGORITHM_ERROR, CLIENT_ERROR, INTERNAL_ERROR, Work
from argosy.simulator.transform.progress import Board, Listener, Outcome, Status

_SEE_LOGS: Final = "See job logs for more information"

OpenInstance = Callable[[Mapping[str, str]], Sequence[Container]]
"""Makes the containers of one more instance, not yet started, with these variables added to the model's; blocks.
Several containers are a pipeline."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a job is run with, beside its definition.

    Attributes:
        store: Where its buckets are: input, output, manifests.
        open_instance: Makes the containers of an instance.
        listener: Who hears of it.
        assumptions: What is done where nobody knows what SageMaker does.
        scratch: The folder of nameless files, for what is too long for memory.
        journal: What earlier runs have done; None begins anew.
        objects: The input, when it is listed already.
    """

    store: ObjectStore
    open_instance: OpenInstance
    listener: Listener
    assumptions: Assumptions = field(default_factory=Assumptions)
    scratch: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))
    journal: Journal | None = None
    objects: Sequence[InputObject] | None = None


class TransformJob:
    """One run of a job. All its methods are called on the thread of one event loop.

    Args:
        definition: What CreateTransformJob was told.
        surroundings: What it is run with.
    """

    def __init__(self, definition: TransformJobDefinition, surroundings: Surroundings) -> None:
        self._definition = definition
        self._surroundings = surroundings
        self._board = Board(surroundings.listener)
        self._instances: list[Instance] = []
        self._done: list[InputObject] = []
        self._running: asyncio.Task[None] | None = None
        self._status: Status = Status.IN_PROGRESS
        self._is_stopping = False
        self._failure_reason: str | None = None
        self._began = time.monotonic()
        self._ended: float | None = None
        capture = definition.data_capture_config
        is_numbered = capture is not None and capture.generate_inference_id
        self._journal = None if is_numbered else surroundings.journal  # its numbers are another run's

    @property
    def outcome(self) -> Outcome:
        """How it stands, or ended."""
        seconds = (self._ended or time.monotonic()) - self._began
        return Outcome(self._status, self._failure_reason, self._board.progress, seconds, self._parameters)

    async def run(self) -> Outcome:
        """Transform every object; a failed one does not end the job.

        Cancelled, it leaves no partial result and no container; the results that are whole stay.

        Returns:
            How it ended: Completed, Failed, or Stopped by `stop`.

        Raises:
            ContainerError: A container did not start, or was never healthy.
            EngineError: The container engine failed.
            StorageError: The input cannot be listed.
            TransformError: There is no input. In all these cases `outcome` says Failed, with the service's reason.
        """
        self._began = time.monotonic()
        if self._is_stopping:
            self._end(Status.STOPPED)
            return self.outcome
        self._running = asyncio.create_task(self._run())
        try:
            await self._running
        except asyncio.CancelledError:
            self._end(Status.STOPPED)
            if not self._is_stopping:
                raise
        except ArgosyError as error:
            self._failure_reason = _reason(error)
            self._end(Status.FAILED)
            raise
        else:
            faults = self._board.faults
            self._failure_reason = f"{faults[0]}: {_SEE_LOGS}" if faults else None
            self._end(Status.FAILED if faults else Status.COMPLETED)
        return self.outcome

    def stop(self) -> None:
        """Begin to stop, as StopTransformJob does: Stopping now, Stopped when `run` returns; nothing once it ended."""
        if self._status is Status.IN_PROGRESS:
            self._status, self._is_stopping = Status.STOPPING, True
            if self._running is not None:
                self._running.cancel()

    @property
    def _parameters(self) -> ExecutionParameters | None:
        return self._instances[0].parameters if self._instances else None

    def _end(self, status: Status) -> None:
        self._status = status
        self._ended = time.monotonic()
        self._board.tell()

    async def _run(self) -> None:
        job, around = self._definition, self._surroundings
        started = datetime.now(UTC)
        self._warn_of_slices()
        objects = await asyncio.to_thread(self._objects)
        self._board.begin(len(objects), sum(source.size for source in objects))
        rest = await asyncio.to_thread(self._not_done, objects)
        resumed = len(objects) - len(rest)
        if resumed:
            size = sum(source.size for source in self._done)
            self._board.advance(objects=resumed, resumed=resumed, bytes=size)
            self._board.report(f"{resumed} of {len(objects)} objects were done by an earlier run of this job")
        if rest:
            stamp = started.strftime("%Y-%m-%dT%H:%M:%SZ")
            work = Work(job, around.store, around.scratch, around.assumptions.slice_end, stamp)
            await self._transform(rest, work)
        done = set(self._done)
        capture = job.data_capture_config
        if capture is not None and done:
            inputs = [source for source in objects if source in done]
            await asyncio.to_thread(write_manifests, capture, inputs, job.transform_job_name, started, around.store)

    def _objects(self) -> Sequence[InputObject]:
        """The input, without the results that an earlier run of this job has stored among it."""
        job, around = self._definition, self._surroundings
        listed = around.objects
        if listed is None:
            listed = input_objects(job, around.store, around.assumptions, around.listener.report)
        objects = listed if around.journal is None else around.journal.begin(listed)
        if not objects:
            raise no_objects(job)
        return objects

    def _not_done(self, objects: Sequence[InputObject]) -> list[InputObject]:
        """The objects without the results of an earlier run."""
        journal = self._journal
        if journal is None:
            return list(objects)
        rest = []
        for source in objects:
            if journal.has(source, self._surroundings.store):
                self._done.append(source)
            else:
                rest.append(source)
        return rest

    async def _transform(self, objects: Sequence[InputObject], work: Work) -> None:
        """Run all instances beside each other; when one cannot run, all end."""
        count = self._definition.transform_resources.instance_count
        try:
            for _ in range(count):
                await uninterrupted(lambda: self._open_instance(work))
        except BaseException:
            for instance in self._instances:
                await asyncio.to_thread(instance.remove)
            raise
        running = [
            asyncio.create_task(instance.run(share(objects, number, count)))
            for number, instance in enumerate(self._instances)
        ]
        try:
            await asyncio.gather(*running)
        finally:
            for task in running:
                if not task.cancelling():  # `gather` did it already; a second one would cut short what the first began
                    task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _open_instance(self, work: Work) -> None:
        """One more instance."""
        around = self._surroundings
        containers = around.open_instance(self._definition.container_environment)
        self._instances.append(Instance(containers, work, around.assumptions, self._board, self._stored))

    def _stored(self, source: InputObject) -> None:
        """The result of an object is stored."""
        self._done.append(source)
        if self._journal is not None:
            result = self._surroundings.store.find(source.output)
            if result is not None:
                self._journal.note(source, result)

    def _warn_of_slices(self) -> None:
        processing = self._definition.data_processing
        for text in (processing.input_filter, processing.output_filter):
            try:
                is_closed = json_path.parse(text).has_closed_slice
            except TransformError:
                continue  # each object fails by it, as on SageMaker
            if is_closed:
                end = self._surroundings.assumptions.slice_end.value
                self._board.report(
                    f"{text}: nobody knows whether SageMaker takes the end of a slice for {end}, as here; write single "
                    "indexes, or leave the end out"
                )


def _reason(error: ArgosyError) -> str:
    """`FailureReason` of a job that could not begin."""
    if isinstance(error, ContainerError):
        return error.what if error.what.startswith(ALGORITHM_ERROR) else f"{ALGORITHM_ERROR}: {_SEE_LOGS}"
    if isinstance(error, (TransformError, StorageError)):
        return f"{CLIENT_ERROR}: {error.what}"
    return f"{INTERNAL_ERROR}: {_SEE_LOGS}"
