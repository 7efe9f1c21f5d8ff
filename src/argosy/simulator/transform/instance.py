"""One instance of a transform job: its containers, their health and execution parameters, its share of the objects."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from argosy.errors import ContainerError, StorageError, TransformError
from argosy.simulator.connection import INVOCATIONS, TRANSFORM_JOB, Body, Connection
from argosy.simulator.containers.container import Container, log_tail, stop
from argosy.simulator.health import await_ready, uninterrupted
from argosy.simulator.transform.definition import Assumptions, EmptyObjects, Retried
from argosy.simulator.transform.execution_parameters import ExecutionParameters, resolve
from argosy.simulator.transform.listing import InputObject
from argosy.simulator.transform.object_transform import (
    ALGORITHM_ERROR,
    CLIENT_ERROR,
    INTERNAL_ERROR,
    AnswerBuffer,
    Fault,
    ObjectTransform,
    Work,
    bad_status,
    no_answer,
)
from argosy.simulator.transform.progress import Board
from argosy.simulator.transform.split import MiniBatch

STARTUP_S: Final = 1800.0
"""How long a job pings before it gives up, as an engineer of AWS told it:
https://github.com/aws/amazon-sagemaker-examples/issues/815 (read 2026-11-22)."""
NOT_READY: Final = (
    "AlgorithmError: Model container failed to respond to ping. Please ensure /ping endpoint is implemented and "
    "responds with an HTTP 200 status code"
)
"""Source: https://github.com/aws/amazon-sagemaker-examples/issues/852 (read 2026-11-23)."""
_PARAMETERS_S: Final = 2.0
_RETRY_DELAY_S: Final = 0.1
_ERROR_BODY_BYTES: Final = 65536
_PART_BYTES: Final = 2**18


@dataclass(slots=True)
class _Sent:
    """A mini-batch under way, or the end of an object (without a task)."""

    transform: ObjectTransform
    batch: MiniBatch | None = None
    task: "asyncio.Task[AnswerBuffer | None] | None" = None


class Instance:
    """One instance; it is used once.

    Args:
        containers: Not yet started. Several are a pipeline: what one answers is the next one's body, with the
            Content-Type that it answered. UNSURE: the Accept that the first ones get; here it is the job's for all.
        work: What all objects of the job share.
        assumptions: What is done where nobody knows what SageMaker does.
        board: Where it writes down what it did.
        on_done: Called on a thread after an object's result is stored.
    """

    def __init__(
        self,
        containers: Sequence[Container],
        work: Work,
        assumptions: Assumptions,
        board: Board,
        on_done: Callable[[InputObject], None],
    ) -> None:
        self.parameters: ExecutionParameters | None = None
        self._containers = containers
        self._connections: list[Connection] = []
        self._work = work
        self._assumptions = assumptions
        self._board = board
        self._on_done = on_done
        self._pending: deque[_Sent] = deque()
        self._unsettled = 0
        self._is_dead = False

    async def run(self, objects: Sequence[InputObject]) -> None:
        """Start the containers, transform the objects, end the containers and remove them.

        A failed object does not end the run; a container that ended does. Cancelled, it leaves no partial result.

        Raises:
            ContainerError: A container did not start, or was never healthy.
            EngineError: The container engine failed.
        """
        try:
            for container in self._containers:
                await uninterrupted(container.start)
                self._connections.append(Connection(container.url, TRANSFORM_JOB))
            for container, connection in zip(self._containers, self._connections, strict=True):
                await await_ready(container, connection, STARTUP_S, NOT_READY)
            self.parameters = await self._ask_parameters()
            self._board.log(str(self.parameters))
            await self._transform_all(objects, self.parameters)
        finally:
            await self._close()

    def remove(self) -> None:
        """Remove the containers of an instance that was never run; blocks."""
        for container in self._containers:
            container.remove()

    async def _close(self) -> None:
        """End what is under way and the containers."""
        transforms = {id(sent.transform): sent.transform for sent in self._pending}
        under_way = [sent.task for sent in self._pending if sent.task is not None]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        for transform in transforms.values():
            transform.fail(Fault(ALGORITHM_ERROR, ("the job was stopped",)))
            transform.end()
        for connection in self._connections:
            await connection.close()
        killed = await asyncio.gather(
            *(
                asyncio.to_thread(_end_container, container, number < len(self._connections))
                for number, container in enumerate(self._containers)
            )
        )
        if any(killed):
            self._board.report("the container did not end within 30 s of SIGTERM and was killed")

    async def _ask_parameters(self) -> ExecutionParameters:
        """Ask the first container; without a good answer the job's values and the defaults count."""
        body = None
        try:
            reply = await self._connections[0].get("/execution-parameters", _PARAMETERS_S)
        except ContainerError as error:
            self._board.report(f"{error.message}: the defaults are used")
        else:
            if reply.status == 200:
                body = reply.body
            elif reply.status != 404:
                self._board.report(f"/execution-parameters answers {reply.status}: the defaults are used")
        parameters, faults = resolve(self._work.job, body)
        for fault in faults:
            self._board.report(fault)
        return parameters

    async def _transform_all(self, objects: Sequence[InputObject], parameters: ExecutionParameters) -> None:
        """Send the mini-batches of all objects in order, some at a time, and write the answers in the same order.

        Twice as many as may be sent at a time are kept under way or waiting for their turn, so that one slow answer
        does not leave the container idle at once.
        """
        slots = asyncio.Semaphore(parameters.max_concurrent_transforms)
        for source in objects:
            if self._is_dead:
                break
            transform = ObjectTransform(source, self._work, parameters)
            if source.size == 0 and self._assumptions.empty_objects is EmptyObjects.SKIPPED:
                self._board.report(f"{source.name}: empty, not sent; what SageMaker does with it is not documented")
                self._board.advance(objects=1)
                continue
            end = _Sent(transform)
            try:
                while not transform.is_taken:
                    for batch in await uninterrupted(transform.take):
                        while self._unsettled >= 2 * parameters.max_concurrent_transforms or self._is_next_done():
                            await self._settle_next()
                        task = asyncio.create_task(self._invoke(slots, transform, batch))
                        self._pending.append(_Sent(transform, batch, task))
                        self._unsettled += 1
            finally:
                self._pending.append(end)
        while self._pending:
            await self._settle_next()

    def _is_next_done(self) -> bool:
        """Whether the oldest of what is under way is done: it is settled at once, so that results appear early."""
        return bool(self._pending) and ((task := self._pending[0].task) is None or task.done())

    async def _settle_next(self) -> None:
        """Take the oldest of what is under way: write its answer, or end its object."""
        sent = self._pending[0]
        transform, batch = sent.transform, sent.batch
        if sent.task is None or batch is None:
            complaint = await uninterrupted(lambda: self._end(transform))
            self._pending.popleft()
            if complaint is not None:
                self._board.report(complaint)
            self._ended(transform)
            return
        answer = await sent.task
        self._pending.popleft()
        self._unsettled -= 1
        if answer is not None:
            with answer:
                if transform.is_slow_to_write(answer):
                    await uninterrupted(partial(transform.write, answer, batch))
                else:
                    transform.write(answer, batch)
        self._board.advance(bytes=transform.settle(batch))

    def _end(self, transform: ObjectTransform) -> str | None:
        """Store the result of an object, and note that it is; returns why that could not be noted."""
        transform.end()
        if transform.fault is None:
            try:
                self._on_done(transform.source)
            except StorageError as error:
                return f"{transform.source.name}: {error.message}"
        return None

    async def _invoke(
        self, slots: asyncio.Semaphore, transform: ObjectTransform, batch: MiniBatch
    ) -> AnswerBuffer | None:
        """One mini-batch: its answer, or None when the object has failed by it or before."""
        async with slots:
            attempt = 0
            while transform.fault is None and not self._is_dead:
                self._board.advance(requests=1, retries=int(attempt > 0))
                answer = await self._attempt(transform, batch)
                if not isinstance(answer, Fault):
                    return answer
                if not self._is_retried(answer, attempt) or await self._has_died():
                    transform.fail(answer)
                    break
                attempt += 1
                self._board.report(f"{transform.source.name}: {answer.lines[0]}: retry {attempt}")
                await asyncio.sleep(_RETRY_DELAY_S)
            if self._is_dead:
                transform.fail(no_answer("the container ended"))
            return None

    def _is_retried(self, fault: Fault, attempt: int) -> bool:
        if attempt >= self._work.job.model_client_config.invocations_max_retries:
            return False
        is_client_s = fault.kind == CLIENT_ERROR and fault.status != 0
        return fault.kind == ALGORITHM_ERROR or (is_client_s and self._assumptions.retried is Retried.ALL_ERRORS)

    async def _attempt(self, transform: ObjectTransform, batch: MiniBatch) -> AnswerBuffer | Fault:
        """One invocation, through all containers of a pipeline."""
        answer: AnswerBuffer | None = None
        is_kept = False
        try:
            given, body = transform.request(batch)
            headers = dict(given)
            for connection in self._connections:
                before, answer = answer, transform.answer_buffer()
                try:
                    status, content_type = await self._send(connection, headers, body, answer)
                finally:
                    if before is not None:
                        before.close()
                if not 200 <= status < 300:
                    answer.seek(0)
                    return bad_status(status, answer.read(_ERROR_BODY_BYTES))
                headers |= {"Content-Length": str(answer.tell())} | (
                    {"Content-Type": content_type} if content_type else {}
                )
                body = _parts(answer)
            is_kept = True
        except ContainerError as error:
            return no_answer(error.message)
        except (TransformError, OSError) as error:
            return Fault(INTERNAL_ERROR, (str(error),))
        finally:
            if answer is not None and not is_kept:
                answer.close()
        return answer if answer is not None else no_answer("the model has no container")

    async def _send(
        self, connection: Connection, headers: dict[str, str], body: Body, answer: AnswerBuffer
    ) -> tuple[int, str | None]:
        """One request: its status and Content-Type, and its answer in the buffer."""
        limit_s = self._work.job.model_client_config.invocations_timeout_in_seconds
        async with connection.stream(INVOCATIONS, headers, body, timeout_s=limit_s) as response:
            is_good = 200 <= response.status < 300
            async for part in response.parts():
                if is_good or answer.tell() < _ERROR_BODY_BYTES:
                    answer.write(part)
            return response.status, response.headers.get("content-type")

    async def _has_died(self) -> bool:
        """Whether a container has ended; said once, with the end of its log."""
        for container in self._containers:
            exit_code = await asyncio.to_thread(container.exit_code)
            if exit_code is not None:
                if not self._is_dead:
                    self._is_dead = True
                    tail = await asyncio.to_thread(log_tail, container)
                    self._board.report(f"the container ended with exit code {exit_code}\n{tail}")
                return True
        return False

    def _ended(self, transform: ObjectTransform) -> None:
        fault = transform.fault
        if fault is not None:
            self._board.faults.append(fault.kind)
            for line in fault.lines:
                self._board.log(f"{transform.source.name}: {line}")
        records = transform.records if fault is None else 0
        rest = transform.source.size - transform.settled_bytes
        self._board.advance(objects=1, failed=int(fault is not None), records=records, bytes=rest)


def _end_container(container: Container, is_started: bool) -> bool:
    """End and remove a container; whether SIGTERM was not enough."""
    try:
        return is_started and container.exit_code() is None and stop(container).killed
    finally:
        container.remove()


async def _parts(answer: AnswerBuffer) -> AsyncIterator[bytes]:
    answer.seek(0)
    while part := answer.read(_PART_BYTES):
        yield part
