"""A transform job on one instance: container, health, execution parameters, every object of the input, verdict."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from argosy.errors import ContainerError, TransformError
from argosy.simulator.connection import INVOCATIONS, TRANSFORM_JOB, Connection
from argosy.simulator.containers.container import Container, log_tail, stop
from argosy.simulator.health import Report, await_ready, uninterrupted
from argosy.simulator.transform.execution_parameters import ExecutionParameters, TransformOptions, resolve
from argosy.simulator.transform.files import InputObject
from argosy.simulator.transform.object_transform import (
    ALGORITHM_ERROR,
    INTERNAL_ERROR,
    AnswerBuffer,
    Fault,
    ObjectTransform,
    bad_status,
    no_answer,
)
from argosy.simulator.transform.split import MiniBatch

STARTUP_S: Final = 1800.0
"""How long a job pings before it gives up, as an engineer of AWS told it:
https://github.com/aws/amazon-sagemaker-examples/issues/815 (read 2026-11-22)."""
_PARAMETERS_S: Final = 2.0
_RETRY_DELAY_S: Final = 0.1
_ERROR_BODY_BYTES: Final = 65536
_BLOCKING_BYTES: Final = 2**20  # what may be copied without a thread: about a millisecond's work
_SEE_LOGS: Final = "See job logs for more information"


class Status(StrEnum):
    """`TransformJobStatus` of a job that has ended."""

    COMPLETED = "Completed"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is, or was.

    Attributes:
        objects: Objects done, well or not.
        objects_total: Objects of the input.
        failed: Objects without a result.
        bytes: Bytes of the input that are done.
        bytes_total: Bytes of the input.
        records: Records whose answers are in results.
        requests: Invocations, retries included.
        retries: Invocations that repeated a failed one.
    """

    objects: int = 0
    objects_total: int = 0
    failed: int = 0
    bytes: int = 0
    bytes_total: int = 0
    records: int = 0
    requests: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended.

    Attributes:
        status: Failed when one object failed.
        failure_reason: The service's words, None when it is Completed.
        progress: What was done.
        seconds: From the start of the container to the last result.
        parameters: What the job worked with.
    """

    status: Status
    failure_reason: str | None
    progress: Progress
    seconds: float
    parameters: ExecutionParameters


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears of a job.

    Attributes:
        log: Takes the lines of the data log, as the service writes them.
        report: Takes sentences for the person at the simulator.
        progress: Called whenever something was done.
    """

    log: Report
    report: Report
    progress: Callable[[Progress], None]


@dataclass(slots=True)
class _Sent:
    """A mini-batch under way, or the end of an object (without a task)."""

    transform: ObjectTransform
    batch: MiniBatch | None = None
    task: asyncio.Task[AnswerBuffer | None] | None = None


class TransformJob:
    """One run over some objects.

    Args:
        container: Not yet started; launched with `options.environment()`.
        objects: The input, in order.
        options: The job's.
        listener: Who hears of it.
        input_name: What the data log calls the input's bucket.
    """

    def __init__(
        self,
        container: Container,
        objects: Sequence[InputObject],
        options: TransformOptions,
        listener: Listener,
        input_name: str,
    ) -> None:
        self._container = container
        self._connection: Connection | None = None
        self._objects = objects
        self._options = options
        self._listener = listener
        self._input_name = input_name
        self._progress = Progress(objects_total=len(objects), bytes_total=sum(source.size for source in objects))
        self._pending: deque[_Sent] = deque()
        self._kinds: list[str] = []
        self._is_dead = False

    async def run(self) -> Outcome:
        """Start the container, transform every object, end the container and remove it.

        A failed object does not end the job; a container that ended does. Cancelled, it leaves no partial result.

        Raises:
            ContainerError: The container did not start, or was never healthy.
            EngineError: The container engine failed.
        """
        started = time.monotonic()
        try:
            await uninterrupted(self._container.start)
            self._connection = Connection(self._container.url, TRANSFORM_JOB)
            failure = f"{ALGORITHM_ERROR}: the container did not pass the ping health check"
            await await_ready(self._container, self._connection, STARTUP_S, failure)
            parameters = await self._parameters(self._connection)
            self._log(str(parameters))
            await self._transform_all(self._connection, parameters)
        finally:
            await self._close()
        failed = bool(self._kinds)
        reason = f"{self._kinds[0]}: {_SEE_LOGS}" if failed else None
        seconds = time.monotonic() - started
        return Outcome(Status.FAILED if failed else Status.COMPLETED, reason, self._progress, seconds, parameters)

    async def _close(self) -> None:
        """End what is under way and the container."""
        transforms = {id(sent.transform): sent.transform for sent in self._pending}
        under_way = [sent.task for sent in self._pending if sent.task is not None]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        for transform in transforms.values():
            transform.fail(Fault(ALGORITHM_ERROR, ("the job was stopped",)))
            transform.end()
        try:
            if self._connection is not None:
                await self._connection.close()
                if await asyncio.to_thread(self._container.exit_code) is None:
                    ended = await asyncio.to_thread(stop, self._container)
                    if ended.killed:
                        self._listener.report("the container did not end within 30 s of SIGTERM and was killed")
        finally:
            await asyncio.to_thread(self._container.remove)

    async def _parameters(self, connection: Connection) -> ExecutionParameters:
        """Ask the container; without a good answer the job's values and the defaults count."""
        body = None
        try:
            reply = await connection.get("/execution-parameters", _PARAMETERS_S)
        except ContainerError as error:
            self._listener.report(f"{error.message}: the defaults are used")
        else:
            if reply.status == 200:
                body = reply.body
            elif reply.status != 404:
                self._listener.report(f"/execution-parameters answers {reply.status}: the defaults are used")
        parameters, faults = resolve(self._options, body)
        for fault in faults:
            self._listener.report(fault)
        return parameters

    async def _transform_all(self, connection: Connection, parameters: ExecutionParameters) -> None:
        """Send the mini-batches of all objects in order, some at a time, and write the answers in the same order.

        Twice as many as may be sent at a time are kept under way or waiting for their turn, so that one slow answer
        does not leave the container idle at once.
        """
        slots = asyncio.Semaphore(parameters.max_concurrent_transforms)
        for source in self._objects:
            if self._is_dead:
                break
            if source.size == 0:
                self._listener.report(f"{source.key}: empty, not sent; what SageMaker does with it is not documented")
                self._advance(objects=1)
                continue
            transform = ObjectTransform(source, self._options, parameters)
            end = _Sent(transform)
            try:
                for batch in transform.mini_batches():
                    while len(self._pending) >= 2 * parameters.max_concurrent_transforms:
                        await self._settle_next()
                    task = asyncio.create_task(self._invoke(connection, slots, transform, batch))
                    self._pending.append(_Sent(transform, batch, task))
            finally:
                self._pending.append(end)
        while self._pending:
            await self._settle_next()

    async def _settle_next(self) -> None:
        """Take the oldest of what is under way: write its answer, or end its object."""
        sent = self._pending[0]
        transform, batch = sent.transform, sent.batch
        if sent.task is None or batch is None:
            transform.end()
            self._pending.popleft()
            self._ended(transform)
            return
        answer = await sent.task
        self._pending.popleft()
        if answer is not None:
            with answer:
                if answer.tell() > _BLOCKING_BYTES:
                    await asyncio.to_thread(transform.write, answer, batch)
                else:
                    transform.write(answer, batch)
        transform.settled_bytes += batch.length
        self._advance(bytes=batch.length)

    async def _invoke(
        self, connection: Connection, slots: asyncio.Semaphore, transform: ObjectTransform, batch: MiniBatch
    ) -> AnswerBuffer | None:
        """One mini-batch: its answer, or None when the object has failed by it or before."""
        async with slots:
            attempt = 0
            while transform.fault is None and not self._is_dead:
                self._advance(requests=1, retries=int(attempt > 0))
                answer = await self._attempt(connection, transform, batch)
                if not isinstance(answer, Fault):
                    return answer
                final = attempt >= self._options.max_retries or answer.kind != ALGORITHM_ERROR
                if final or await self._has_died():
                    transform.fail(answer)
                    break
                attempt += 1
                self._listener.report(f"{transform.source.key}: {answer.lines[0]}: retry {attempt}")
                await asyncio.sleep(_RETRY_DELAY_S)
            if self._is_dead:
                transform.fail(no_answer("the container ended"))
            return None

    async def _attempt(
        self, connection: Connection, transform: ObjectTransform, batch: MiniBatch
    ) -> AnswerBuffer | Fault:
        """One invocation. What SageMaker repeats is not documented: here 5xx and no answer are, 4xx is not."""
        try:
            headers, body = transform.request(batch)
            limit_s = self._options.invocation_s
            answer = transform.answer_buffer()
            try:
                async with connection.stream(INVOCATIONS, headers, body, timeout_s=limit_s) as response:
                    is_good = 200 <= response.status < 300
                    async for part in response.parts():
                        if is_good or answer.tell() < _ERROR_BODY_BYTES:
                            answer.write(part)
                if is_good:
                    return answer
                answer.seek(0)
                fault = bad_status(response.status, answer.read(_ERROR_BODY_BYTES))
            except BaseException:
                answer.close()
                raise
        except ContainerError as error:
            return no_answer(error.message)
        except (TransformError, OSError) as error:
            return Fault(INTERNAL_ERROR, (str(error),))
        answer.close()
        return fault

    async def _has_died(self) -> bool:
        """Whether the container has ended; said once, with the end of its log."""
        exit_code = await asyncio.to_thread(self._container.exit_code)
        if exit_code is not None and not self._is_dead:
            self._is_dead = True
            tail = await asyncio.to_thread(log_tail, self._container)
            self._listener.report(f"the container ended with exit code {exit_code}\n{tail}")
        return exit_code is not None

    def _ended(self, transform: ObjectTransform) -> None:
        fault = transform.fault
        if fault is not None:
            self._kinds.append(fault.kind)
            for line in fault.lines:
                self._log(f"{self._input_name}/{transform.source.key}: {line}")
        records = transform.records if fault is None else 0
        rest = transform.source.size - transform.settled_bytes
        self._advance(objects=1, failed=int(fault is not None), records=records, bytes=rest)

    def _advance(self, **counts: int) -> None:
        """Count, and tell."""
        self._progress = replace(
            self._progress, **{field: getattr(self._progress, field) + count for field, count in counts.items()}
        )
        self._listener.progress(self._progress)

    def _log(self, line: str) -> None:
        """One line of the data log, stamped as the service does."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        self._listener.log(f"{stamp}:[sagemaker logs]: {line}")
