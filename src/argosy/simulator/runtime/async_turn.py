"""The turn of an asynchronous invocation: its input goes into the container, the answer into an object.

Memory is flat: both bodies pass in pieces. A result appears when it is whole.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final, TypeVar

from argosy.errors import ContainerError, ContainerTimeoutError, StorageError
from argosy.simulator import answers
from argosy.simulator.connection import Response
from argosy.simulator.health import Report
from argosy.simulator.hosting.backend import Refused, Request
from argosy.simulator.hosting.definition import AsyncInference, ExecutionMode
from argosy.simulator.hosting.endpoint import Endpoint
from argosy.simulator.runtime.async_request import LONGEST_OBJECT, AsyncInvocation
from argosy.simulator.runtime.async_spool import Outcome, Spool
from argosy.simulator.runtime.notification import LONGEST_RESPONSE, Notifier, Result, notification
from argosy.simulator.storage.objects import ObjectStore, ObjectUri, Upload

_PIECE: Final = 256 * 1024
_LONGEST_DELAY_S: Final = 30.0
"""Between two attempts at what only a place on a disk, or a bucket within reach, can mend."""
_SUCCESS: Final = "SUCCESS_NOTIFICATION_TOPIC"
_ERROR: Final = "ERROR_NOTIFICATION_TOPIC"

_Done = TypeVar("_Done")


@dataclass(frozen=True, slots=True)
class AsyncOptions:
    """What nobody knows of the service's asynchronous inference.

    UNSURE: the name of a failure object, and the text in it where the container gave none (here the reason).
    UNSURE: the Content-Type of the objects; here the container's, where the store keeps one.
    UNSURE: how many invocations an instance gets at a time when `MaxConcurrentInvocationsPerInstance` is not set.
    UNSURE: what is tried again; here only what got no answer because the connection to the container broke.
    UNSURE: whether an answer without Content-Length is a failure; in 2024 it was
    (https://github.com/deepjavalibrary/djl-serving/issues/2567, read 2026-11-23).

    Attributes:
        failure_suffix: Ends the name of a failure object.
        concurrent_per_instance: Invocations at a time on an instance of an endpoint that does not say.
        attempts: How often a container is asked whose connection breaks.
        retry_delay_s: Before it is asked again, or looked for an instance in service; doubled each time up to 30 s
            before an outcome is kept that could not be kept.
        longest_object: Bytes of an input or result.
        requires_content_length: Whether the container's answer has to have that field.
    """

    failure_suffix: str = "-error.out"
    concurrent_per_instance: int = 4
    attempts: int = 3
    retry_delay_s: float = 1.0
    longest_object: int = LONGEST_OBJECT
    requires_content_length: bool = False


class _FailedError(Exception):
    """The invocation failed without an answer of the container's."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class _Receipt:
    """What came of a container's answer.

    Attributes:
        status: The container's.
        content_type: The container's.
        location: Of the object that it is to be, if any.
        upload: That object, not yet visible.
        head: Its first bytes, as many as a notification may hold, and one more.
    """

    status: int
    content_type: str | None
    location: str | None
    upload: Upload | None
    head: bytearray


class Turn:
    """Takes invocations through their turns.

    Args:
        store: Has the inputs and gets the results.
        spool: Keeps outcomes.
        notifier: Tells topics.
        report: Takes what a person should know, one line each.
        options: What nobody knows of the service.
    """

    def __init__(
        self, store: ObjectStore, spool: Spool, notifier: Notifier, report: Report, options: AsyncOptions
    ) -> None:
        self._store = store
        self._spool = spool
        self._notifier = notifier
        self._report = report
        self._options = options

    def left_s(self, invocation: AsyncInvocation) -> float:
        """How long the invocation may still wait; negative when it has waited too long."""
        return invocation.received + invocation.ttl_s - time.time()

    async def take(self, endpoint: Endpoint, invocation: AsyncInvocation) -> Outcome:
        """Ask the container and give what it answers its key."""
        try:
            async with self._input(invocation) as (source, size):
                receipt = await self._ask(endpoint, invocation, source, size)
        except _FailedError as failed:
            return await self._fail(endpoint, invocation, failed.reason)
        reason = None if 200 <= receipt.status < 300 else _received_error(receipt.status)
        try:
            return await self._settle(endpoint, invocation, receipt, reason)
        except StorageError as error:
            return await self._fail(endpoint, invocation, reason or f"ClientError: {error.message}")

    async def expire(self, endpoint: Endpoint, invocation: AsyncInvocation) -> None:
        """Fail an invocation that waited too long.

        UNSURE: the reason that the service gives.
        """
        reason = f"ClientError: The request expired after {invocation.ttl_s} seconds in the queue."
        await self.conclude(invocation, await self._fail(endpoint, invocation, reason))

    async def is_whole(self, invocation: AsyncInvocation, outcome: Outcome) -> bool:
        """Whether an outcome that was kept before a sudden end had become visible."""
        if outcome.location is None:
            return True
        uri = ObjectUri.parse(outcome.location)
        found = await self._insist(invocation, lambda: self._store.find(uri))
        return found is not None and found.etag != outcome.etag_before

    async def conclude(self, invocation: AsyncInvocation, outcome: Outcome) -> None:
        """Tell who wants to know, and forget the invocation."""
        if outcome.notification is not None:
            await self._notifier.deliver(outcome.notification)
        await self._insist(invocation, lambda: self._spool.remove(invocation))

    async def _insist(self, invocation: AsyncInvocation, work: Callable[[], _Done]) -> _Done:
        """Do on a thread what the invocation's end depends on, as often as it takes, and report the first refusal.

        Nothing may be claimed before it is done, and nothing dropped that a container has answered.
        """
        name = f"{invocation.endpoint}: invocation {invocation.inference_id}"
        delay_s = self._options.retry_delay_s
        is_first = True
        while True:
            try:
                return await asyncio.to_thread(work)
            except StorageError as error:
                if is_first:
                    self._report(f"{name} cannot end yet, and tries again: {error}")
                is_first = False
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, _LONGEST_DELAY_S)

    @asynccontextmanager
    async def _input(self, invocation: AsyncInvocation) -> AsyncIterator[tuple[BinaryIO, int]]:
        """The body that the container is to get, and its length."""
        try:
            if invocation.input is None:
                source = await asyncio.to_thread(self._spool.body, invocation)
                size = await asyncio.to_thread(self._spool.body_bytes, invocation)
            else:
                uri = ObjectUri.parse(invocation.input)
                found = await asyncio.to_thread(self._store.find, uri)
                if found is None:
                    raise _FailedError(f"ClientError: There is no object at {uri}.")
                if found.size > self._options.longest_object:
                    raise _FailedError(f"ClientError: The object at {uri} is larger than 1 GB.")
                source, size = await asyncio.to_thread(self._store.open, uri), found.size
        except StorageError as error:
            raise _FailedError(f"ClientError: {error.message}") from error
        try:
            yield source, size
        finally:
            source.close()

    async def _ask(self, endpoint: Endpoint, invocation: AsyncInvocation, source: BinaryIO, size: int) -> _Receipt:
        """The container's answer, asked for again as the options say; while no instance is in service it waits."""
        start = source.tell()
        attempt = 1
        while True:
            source.seek(start)
            try:
                return await self._exchange(endpoint, invocation, source, size)
            except ContainerTimeoutError as error:
                raise _FailedError(_received_error(0)) from error
            except StorageError as error:
                raise _FailedError(f"ClientError: {error.message}") from error
            except Refused as refused:
                if refused.answer.status != 503:
                    raise _FailedError(f"ClientError: {refused}") from refused
                if self.left_s(invocation) < 0:
                    raise _FailedError(answers.NO_RESPONSE.format(endpoint=invocation.endpoint)) from refused
            except ContainerError as error:
                self._report(f"{invocation.endpoint}: invocation {invocation.inference_id}: {error.message}")
                if attempt == self._options.attempts:
                    raise _FailedError(answers.NO_RESPONSE.format(endpoint=invocation.endpoint)) from error
                attempt += 1
            await asyncio.sleep(self._options.retry_delay_s)

    async def _exchange(self, endpoint: Endpoint, invocation: AsyncInvocation, source: BinaryIO, size: int) -> _Receipt:
        """One request and its answer.

        Raises:
            ContainerError: The connection broke.
            ContainerTimeoutError: The container took longer than it may.
            Refused: There is no way to a container.
            StorageError: The input cannot be read or the answer not be stored.
        """
        # In a pipeline what goes into the last container is what the one before answered: that is held whole.
        is_held = _is_pipeline(endpoint)
        whole = await asyncio.to_thread(_read, source) if is_held else b""
        account = endpoint.definition.account
        request = Request(invocation.headers, whole, invocation.region, invocation.endpoint, account=account)
        async with endpoint.visit(request) as visit:
            hop = visit.hop
            headers = dict(hop.headers) | {"Content-Length": str(len(hop.body) if is_held else size)}
            body = hop.body if is_held else _pieces(source)
            async with hop.connection.stream(hop.path, headers, body, timeout_s=invocation.timeout_s) as response:
                visit.status = response.status
                self._judge_length(invocation, response.headers)
                return await self._receive(invocation, response)

    def _judge_length(self, invocation: AsyncInvocation, headers: Mapping[str, str]) -> None:
        if "content-length" in headers:
            return
        text = "The response from container primary did not specify the required Content-Length header"
        if self._options.requires_content_length:
            raise _FailedError(f"ClientError: {text}")
        self._report(f"{invocation.endpoint}: SageMaker was seen to refuse such an answer: {text}")

    async def _receive(self, invocation: AsyncInvocation, response: Response) -> _Receipt:
        """Read the answer into the object that it is to be: the result's, or the failure's."""
        location = invocation.output if 200 <= response.status < 300 else invocation.failure
        content_type = response.headers.get("content-type")
        upload = None if location is None else await self._create(location, content_type)
        receipt = _Receipt(response.status, content_type, location, upload, bytearray())
        try:
            size = 0
            async for part in _joined(response.parts()):
                size += len(part)
                if size > self._options.longest_object:
                    raise _FailedError("ClientError: The response of the container is larger than 1 GB.")
                receipt.head += part[: LONGEST_RESPONSE + 1 - len(receipt.head)]
                if upload is not None:
                    await asyncio.to_thread(_write, upload, part, location)
                elif len(receipt.head) > LONGEST_RESPONSE:
                    break
        except BaseException:
            if upload is not None:
                upload.discard()
            raise
        return receipt

    async def _create(self, location: str, content_type: str | None) -> Upload:
        return await asyncio.to_thread(self._store.create, ObjectUri.parse(location), content_type)

    async def _fail(self, endpoint: Endpoint, invocation: AsyncInvocation, reason: str) -> Outcome:
        """End an invocation that has no answer of the container's."""
        receipt = _Receipt(0, None, invocation.failure, None, bytearray())
        try:
            if invocation.failure is not None:
                receipt.upload = await self._create(invocation.failure, None)
                try:
                    await asyncio.to_thread(_write, receipt.upload, reason.encode(), invocation.failure)
                except BaseException:
                    receipt.upload.discard()
                    raise
            return await self._settle(endpoint, invocation, receipt, reason)
        except StorageError as error:
            self._report(f"{invocation.endpoint}: the failure cannot be stored: {error}")
            return await self._settle(endpoint, invocation, _Receipt(0, None, None, None, bytearray()), reason)

    async def _settle(
        self, endpoint: Endpoint, invocation: AsyncInvocation, receipt: _Receipt, reason: str | None
    ) -> Outcome:
        """Keep the outcome, then give the object its key; a failure is reported when that is done.

        Raises:
            StorageError: The object cannot be stored; nothing became visible.
        """
        config = endpoint.definition.async_inference
        try:
            before = None
            if receipt.location is not None:
                before = await asyncio.to_thread(self._store.find, ObjectUri.parse(receipt.location))
            told = None if config is None else _told(config, receipt, reason)
            outcome = Outcome(
                receipt.location if receipt.upload is not None else None,
                None if before is None else before.etag,
                None if told is None else notification(told[0], invocation, told[1]),
            )
            await self._insist(invocation, lambda: self._spool.settle(invocation, outcome))
            if receipt.upload is not None:
                await asyncio.to_thread(receipt.upload.finish)
        finally:
            if receipt.upload is not None:
                receipt.upload.discard()
        if reason is not None:
            self._report(f"{invocation.endpoint}: invocation {invocation.inference_id} failed: {reason}")
        return outcome


def _told(config: AsyncInference, receipt: _Receipt, reason: str | None) -> tuple[str, Result] | None:
    """Which topic is told what, None when none is."""
    topic, kind = (config.success_topic, _SUCCESS) if reason is None else (config.error_topic, _ERROR)
    if topic is None:
        return None
    is_held = kind in config.includes_response and receipt.status > 0 and len(receipt.head) <= LONGEST_RESPONSE
    return topic, Result(reason, receipt.content_type, bytes(receipt.head) if is_held else None)


def _is_pipeline(endpoint: Endpoint) -> bool:
    models = (variant.model for variant in endpoint.definition.variants)
    return any(
        model is not None and len(model.containers) > 1 and model.execution_mode is ExecutionMode.SERIAL
        for model in models
    )


def _received_error(status: int) -> str:
    """The service's reason for an answer that is none, or no success; 0 stands for a time that ran out.

    Source:
        Notifications in public code: both kinds with 500 and 0 (read 2026-11-23).
    """
    kind = "client" if 400 <= status < 500 else "server"
    return (
        f"ClientError: Received {kind} error ({status}) from model. "
        "See the SageMaker Endpoint logs in your account for more information."
    )


def _write(upload: Upload, part: bytes, location: str | None) -> None:
    """Write a part of an object.

    Raises:
        StorageError: There is no room for it, or the file system refuses.
    """
    try:
        upload.stream.write(part)
    except OSError as error:
        raise StorageError("the object cannot be stored", got=error, where=location) from error


def _read(source: BinaryIO, length: int = -1) -> bytes:
    """Read some bytes of an input.

    Raises:
        StorageError: The file system refuses.
    """
    try:
        return source.read(length)
    except OSError as error:
        raise StorageError("the input cannot be read", got=error) from error


async def _pieces(source: BinaryIO) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(_read, source, _PIECE):
        yield piece


async def _joined(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in larger parts: each costs a turn on a thread."""
    held = bytearray()
    async for part in parts:
        held += part
        if len(held) >= _PIECE:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)
