"""InvokeEndpointAsync: accept an invocation, keep it, ask the container when its turn comes, store what it answers.

The way of an invocation: checked and kept in the spool -> 202 -> waits for a turn -> its input streams into the
container, the answer into an object that nobody sees yet -> its outcome is kept -> the object gets its key -> the
notification is delivered -> the spool forgets it. Wherever the simulator ends, its successor goes on from there.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from argosy.errors import StorageError, UsageError
from argosy.simulator import answers
from argosy.simulator.answers import Answer
from argosy.simulator.health import Report
from argosy.simulator.hosting.endpoint import Endpoint
from argosy.simulator.runtime import async_request
from argosy.simulator.runtime.async_request import LONGEST_BODY, AsyncInvocation
from argosy.simulator.runtime.async_spool import Entry, Spool
from argosy.simulator.runtime.async_turn import AsyncOptions, Turn
from argosy.simulator.runtime.notification import Notifier
from argosy.simulator.storage.objects import ObjectStore


@dataclass(slots=True)
class _Queue:
    """The invocations of one endpoint that have no result yet."""

    endpoint: Endpoint
    slots: asyncio.Semaphore
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


class AsyncInference:
    """The asynchronous invocations of all endpoints.

    Args:
        store: Has the inputs and gets the results.
        spool: Keeps what was accepted.
        notifier: Tells topics.
        report: Takes what a person should know, one line each.
        options: What nobody knows of the service.
    """

    def __init__(
        self,
        store: ObjectStore,
        spool: Spool,
        notifier: Notifier,
        report: Report,
        options: AsyncOptions | None = None,
    ) -> None:
        self._spool = spool
        self._options = options or AsyncOptions()
        self._report = report
        self._turn = Turn(store, spool, notifier, report, self._options)
        self._queues: dict[str, _Queue] = {}

    async def attach(self, endpoint: Endpoint) -> None:
        """Work for an endpoint that is in service now, and go on with what was accepted for it before.

        Does nothing for one without `AsyncInferenceConfig`. After an update of the endpoint it is called again.

        Raises:
            StorageError: The folder of what was accepted before cannot be read; one damaged file in it is reported.
        """
        name = endpoint.definition.name
        await self.detach(name)
        if endpoint.definition.async_inference is None:
            return
        damaged: list[str] = []
        entries = await asyncio.to_thread(lambda: list(self._spool.entries(name, damaged.append)))
        for line in damaged:
            self._report(line)
        self._queues[name] = _Queue(endpoint, asyncio.Semaphore(self._concurrency(endpoint)))
        for entry in entries:
            self._schedule(entry)

    async def detach(self, name: str) -> None:
        """Work no more for an endpoint; what is not done stays in the spool."""
        queue = self._queues.pop(name, None)
        if queue is None:
            return
        for task in queue.tasks:
            task.cancel()
        if queue.tasks:
            await asyncio.wait(queue.tasks)

    async def discard(self, name: str) -> None:
        """Forget an endpoint that is deleted, and what was accepted for it.

        Raises:
            StorageError: What was accepted cannot be removed.
        """
        await self.detach(name)
        await asyncio.to_thread(self._spool.clear, name)

    async def close(self) -> None:
        """Work no more; what is not done stays in the spool."""
        for name in list(self._queues):
            await self.detach(name)

    async def accept(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes | None, region: str) -> Answer:
        """Answer InvokeEndpointAsync: 202 when the invocation is kept, 400 when it cannot be right.

        Args:
            endpoint: Which one is invoked.
            headers: The request's, names in lower case, values decoded as Latin-1.
            body: The request's; None when it is longer than `LONGEST_BODY`.
            region: The client's.
        """
        name = endpoint.definition.name
        config = endpoint.definition.async_inference
        if config is None:
            return answers.wrong_inference_type(name, endpoint.definition.account)
        message = async_request.faults(headers, LONGEST_BODY + 1 if body is None else len(body))
        if message is not None:
            return answers.validation_error(message)
        assert body is not None, "a body that is too long is a fault"
        if name not in self._queues:
            return answers.service_unavailable("the endpoint's asynchronous invocations have not been started")
        try:
            invocation = async_request.invocation(name, config, headers, region, self._options.failure_suffix)
        except UsageError as error:
            return answers.validation_error(error.message)
        try:
            await asyncio.to_thread(self._spool.add, invocation, body)
        except StorageError as error:
            return answers.service_unavailable(error.message)
        if name in self._queues:  # else its endpoint has gone meanwhile, and the next one of that name takes it
            self._schedule(Entry(invocation, None))
        return invocation.accepted

    def _concurrency(self, endpoint: Endpoint) -> int:
        """How many invocations may be in the endpoint's containers at a time."""
        config = endpoint.definition.async_inference
        assert config is not None
        instances = sum(variant.instance_count for variant in endpoint.definition.variants)
        return instances * (config.max_concurrent_per_instance or self._options.concurrent_per_instance)

    def _schedule(self, entry: Entry) -> None:
        queue = self._queues[entry.invocation.endpoint]
        task = asyncio.create_task(self._process(queue, entry))
        queue.tasks.add(task)
        task.add_done_callback(queue.tasks.discard)

    async def _process(self, queue: _Queue, entry: Entry) -> None:
        """Bring one invocation to its end."""
        invocation = entry.invocation
        try:
            if entry.outcome is None or not await self._turn.is_whole(invocation, entry.outcome):
                await self._invoke(queue, invocation)
            else:
                await self._turn.conclude(invocation, entry.outcome)
        except (StorageError, OSError) as error:
            # Nothing may be claimed that could not be stored: it stays in the spool, and the next start tries again.
            name = f"{invocation.endpoint}: invocation {invocation.inference_id}"
            self._report(f"{name} waits for the next start: {error}")

    async def _invoke(self, queue: _Queue, invocation: AsyncInvocation) -> None:
        """Wait for a turn, as long as the invocation may wait, and take it."""
        if not await self._has_turn(queue, invocation):
            await self._turn.expire(queue.endpoint, invocation)
            return
        try:
            outcome = await self._turn.take(queue.endpoint, invocation)
        finally:
            queue.slots.release()
        # Whoever has to be told is told without keeping others from their turns.
        await self._turn.conclude(invocation, outcome)

    async def _has_turn(self, queue: _Queue, invocation: AsyncInvocation) -> bool:
        """Whether a slot was free for it in time; it has the slot then."""
        left_s = self._turn.left_s(invocation)
        if left_s <= 0:
            return False
        try:
            async with asyncio.timeout(left_s):
                await queue.slots.acquire()
        except TimeoutError:
            return False
        return True
