"""One instance of a transform job: its containers, their health and execution parameters, its share of the objects."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from argosy.errors import ContainerError, StorageError
from argosy.simulator.connection import TRANSFORM_JOB, Connection
from argosy.simulator.containers.container import Container, ending, log_tail, stop
from argosy.simulator.health import await_ready, uninterrupted
from argosy.simulator.transform.definition import Assumptions, EmptyObjects, Retried
from argosy.simulator.transform.execution_parameters import ExecutionParameters, resolve
from argosy.simulator.transform.invocation import Invoker, Sender, Turn
from argosy.simulator.transform.listing import InputObject
from argosy.simulator.transform.object_transform import (
    ALGORITHM_ERROR,
    CLIENT_ERROR,
    Answer,
    Fault,
    ObjectTransform,
    Work,
    discard,
    no_answer,
)
from argosy.simulator.transform.progress import Board

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


class _Gate:
    """Where tasks wait until something is so.

    Args:
        is_open: Whether it is so.
    """

    def __init__(self, is_open: Callable[[], bool]) -> None:
        self._is_open = is_open
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def wait(self) -> None:
        """Wait until it is so, and still is when the caller proceeds."""
        while not self._is_open():
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter

    def look(self) -> None:
        """What it depends on may have changed: let one proceed, who looks again for the next one."""
        if self._waiting and self._is_open():
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)


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
        self._turns: deque[Turn] = deque()
        self._queue: deque[Turn] = deque()
        self._window = self._reserve = self._unsettled = 0
        self._is_fed = self._is_settling = self._is_dead = False
        self._invoker = Invoker(self._connections, work.job.model_client_config.invocations_timeout_in_seconds)
        self._next_object = _Gate(lambda: len(self._turns) < 2 * self._window)
        self._next_batches = _Gate(lambda: len(self._queue) <= self._reserve)
        self._next_request = _Gate(lambda: self._unsettled < self._window if self._queue else self._is_fed)
        self._next_turn = _Gate(lambda: self._turns[0].is_done if self._turns else self._is_fed)

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
            await self._transform_all(objects, self.parameters.max_concurrent_transforms)
        finally:
            await self._close()

    def remove(self) -> None:
        """Remove the containers of an instance that was never run; blocks."""
        for container in self._containers:
            container.remove()

    async def _close(self) -> None:
        """End what is under way and the containers."""
        for turn in self._turns:
            discard(turn.answer)
        for transform in {id(turn.transform): turn.transform for turn in self._turns}.values():
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

    async def _transform_all(self, objects: Sequence[InputObject], most: int) -> None:
        """Send the mini-batches of all objects in order, `most` at a time, and write the answers in the same order.

        Twice as many may be under way or wait for their turn, so that one slow answer does not leave the container
        idle at once.
        """
        parameters, self._window = self.parameters or ExecutionParameters(), 2 * most
        senders = [self._send_all() for _ in range(most)]
        work = (self._feed(objects, parameters), self._settle_all(), *senders)
        working = [asyncio.create_task(each) for each in work]
        try:
            await asyncio.gather(*working)
        finally:
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)

    async def _feed(self, objects: Sequence[InputObject], parameters: ExecutionParameters) -> None:
        """Line up the mini-batches of all objects, never many more than are about to be sent."""
        for source in objects:
            await self._next_object.wait()
            if self._is_dead:
                break
            transform = ObjectTransform(source, self._work, parameters)
            if source.size == 0 and self._assumptions.empty_objects is EmptyObjects.SKIPPED:
                self._board.report(f"{source.name}: empty, not sent; what SageMaker does with it is not documented")
                self._board.advance(objects=1)
                continue
            try:
                while not transform.is_taken:
                    await self._next_batches.wait()
                    taken = [Turn(transform, *each) for each in await uninterrupted(transform.take)]
                    self._turns.extend(taken)
                    self._queue.extend(taken)
                    self._reserve = max(self._window // 2, len(taken) // 2)
                    self._next_request.look()
            finally:
                self._turns.append(Turn(transform, is_done=True))
                self._next_turn.look()
        self._is_fed = True
        self._next_request.look()
        self._next_turn.look()

    async def _send_all(self) -> None:
        """Send what is lined up, one request after the other: one of as many as may be under way at a time."""
        while True:
            await self._next_request.wait()
            if not self._queue:
                self._next_request.look()  # the others are to end too
                return
            sender = Sender(self._take_turn(), self._follow)
            answer = await self._invoke(sender)
            self._answered(sender.turn, answer)

    def _take_turn(self) -> Turn:
        """The next mini-batch to be sent."""
        self._unsettled += 1
        turn = self._queue.popleft()
        self._next_request.look()
        self._next_batches.look()
        return turn

    def _follow(self, sender: Sender, answer: bytes) -> bytes | None:
        """Take an answer and give the body of the next mini-batch, if that may be sent at once."""
        if self._is_dead or self._unsettled >= self._window or not self._queue or self._queue[0].transform.fault:
            return None
        body = self._queue[0].body
        if body is not None:
            self._answered(sender.turn, answer)
            sender.turn = self._take_turn()
            self._board.advance(requests=1)
        return body

    def _answered(self, turn: Turn, answer: Answer | None) -> None:
        """A mini-batch has its answer, or its object has failed."""
        turn.answer, turn.is_done = answer, True
        self._settle_quick()

    async def _settle_all(self) -> None:
        """Settle in order what takes a thread, and what waits behind it."""
        while True:
            await self._next_turn.wait()
            if not self._turns:
                return
            self._is_settling = True
            await self._settle_slow(self._turns[0])
            self._is_settling = False
            self._settle_quick()

    def _settle_quick(self) -> None:
        """Settle in order what is done and quick to write; the rest is left to `_settle_all`."""
        while not self._is_settling and self._turns and self._turns[0].is_quick:
            turn = self._turns[0]
            if turn.answer is not None and turn.batch is not None:
                turn.transform.write(turn.answer, turn.batch)
            self._settled(turn)
        self._next_turn.look()

    async def _settle_slow(self, turn: Turn) -> None:
        """Write an answer, or end an object, on a thread."""
        transform, answer, batch = turn.transform, turn.answer, turn.batch
        if batch is None:
            complaint = await uninterrupted(lambda: self._end(transform))
            self._turns.popleft()
            if complaint is not None:
                self._board.report(complaint)
            self._ended(transform)
            self._next_object.look()
            return
        if answer is not None:
            await uninterrupted(partial(transform.write, answer, batch))
            discard(answer)
        self._settled(turn)

    def _settled(self, turn: Turn) -> None:
        """The oldest mini-batch is done."""
        self._turns.popleft()
        self._unsettled -= 1
        if turn.batch is not None:
            self._board.advance(bytes=turn.transform.settle(turn.batch))
        self._next_request.look()
        self._next_object.look()

    def _end(self, transform: ObjectTransform) -> str | None:
        """Store the result of an object, and note that it is; returns why that could not be noted."""
        transform.end()
        if transform.fault is None:
            try:
                self._on_done(transform.source)
            except StorageError as error:
                return f"{transform.source.name}: {error.message}"
        return None

    async def _invoke(self, sender: Sender) -> Answer | None:
        """The answer for a sender's mini-batch at the end, or None when the object has failed by it or before."""
        while sender.turn.transform.fault is None and not self._is_dead:
            self._board.advance(requests=1, retries=int(sender.turn.attempts > 0))
            answer = await self._invoker.attempt(sender)
            if not isinstance(answer, Fault):
                return answer
            turn = sender.turn
            if not self._is_retried(answer, turn.attempts) or await self._has_died():
                turn.transform.fail(answer)
                break
            turn.attempts += 1
            self._board.report(f"{turn.transform.source.name}: {answer.lines[0]}: retry {turn.attempts}")
            await asyncio.sleep(_RETRY_DELAY_S)
        if self._is_dead:
            sender.turn.transform.fail(no_answer("the container ended"))
        return None

    def _is_retried(self, fault: Fault, attempt: int) -> bool:
        if attempt >= self._work.job.model_client_config.invocations_max_retries:
            return False
        is_client_s = fault.kind == CLIENT_ERROR and fault.status != 0
        return fault.kind == ALGORITHM_ERROR or (is_client_s and self._assumptions.retried is Retried.ALL_ERRORS)

    async def _has_died(self) -> bool:
        """Whether a container has ended; said once, with the end of its log."""
        for container in self._containers:
            exit_code = await asyncio.to_thread(container.exit_code)
            if exit_code is not None:
                if not self._is_dead:
                    self._is_dead = True
                    tail = await asyncio.to_thread(log_tail, container)
                    how = await asyncio.to_thread(ending, container, exit_code)
                    self._board.report(f"the container ended with {how}\n{tail}")
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
