"""The life of endpoints: what was asked is done, and what became of it is written down.

An endpoint's state holds two snapshots of a configuration: `deployed`, which serves, and `pending`, which was asked
for. Statuses are the service's. One is used for what only a simulator does: an endpoint that was in service when the
simulator ended is `SystemUpdating` until it serves again. What keeps it from that (an image that this start of the
simulator was not told of, an engine that is down) is told and tried again, and ends in no final status: nothing that a
restart does may lose an endpoint.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final, Protocol

from argosy.errors import ArgosyError, ContainerError, MissingImageError
from argosy.simulator.backoff import delays
from argosy.simulator.control.definitions import endpoint_of, variants_of
from argosy.simulator.control.resources import Json, Kind, Resource
from argosy.simulator.control.store import Store, insist
from argosy.simulator.health import Report
from argosy.simulator.hosting.definition import EndpointDefinition, InferenceComponent

IN_PROGRESS: Final = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
"""Statuses in which an endpoint takes no change."""
REASON_LENGTH: Final = 1024
"""Longest `FailureReason`."""


class Hosted(Protocol):
    """The inference components of an endpoint that serves."""

    async def create(self, component: InferenceComponent) -> None:
        """Start a component's copies, or let its base know an adapter.

        Raises:
            ArgosyError: That failed; nothing of it is left.
        """

    async def update(self, component: InferenceComponent) -> None:
        """Give a component another specification, or another number of copies.

        Raises:
            ArgosyError: That failed; all is as before.
        """

    async def delete(self, name: str) -> None:
        """End a component's copies, or forget an adapter."""


class Served(Protocol):
    """An endpoint that serves, or is about to."""

    @property
    def components(self) -> Hosted:
        """Its inference components."""

    async def start(self) -> object:
        """Start all its containers and wait until they are healthy.

        Raises:
            ArgosyError: That failed; the service's words are its `what`.
        """

    async def update(self, definition: EndpointDefinition) -> object:
        """Put a new fleet in the place of the old one, which ends after the new one is healthy.

        Raises:
            ArgosyError: The new fleet did not become healthy; the old one serves on.
        """

    async def stop(self) -> object:
        """End all its containers as SageMaker does and remove them."""


class Traffic(Protocol):
    """The way of invocations to endpoints."""

    async def admit(self, name: str, served: Any) -> None:  # Any: the runtime API's own type of an endpoint
        """Let them reach an endpoint that is in service; called again after an update."""

    async def turn_away(self, name: str) -> None:
        """Let none reach an endpoint, which is deleted."""

    async def close(self) -> None:
        """Let none reach any endpoint; the simulator ends."""


OpenEndpoint = Callable[[EndpointDefinition], Served]
"""Makes an endpoint, not yet started."""
_Work = Callable[[Resource], Awaitable[None]]


class Deployments:
    """The endpoints that serve.

    Args:
        store: Where their resources are.
        open_endpoint: Makes one.
        traffic: Learns which are in service.
        report: Takes a line about every change of a status.
    """

    def __init__(self, store: Store, open_endpoint: OpenEndpoint, traffic: Traffic, report: Report) -> None:
        self._store = store
        self._open = open_endpoint
        self._traffic = traffic
        self._report = report
        self._served: dict[str, Served] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._waiting: set[str] = set()

    def create(self, endpoint: Resource) -> None:
        """Begin to create an endpoint whose resource is written."""
        self._begin(endpoint, self._create)

    def update(self, endpoint: Resource) -> None:
        """Begin to update one."""
        self._begin(endpoint, self._update)

    def delete(self, endpoint: Resource) -> None:
        """Begin to delete one; if it waits for another attempt to serve again, there is none."""
        waiting = self._tasks.get(endpoint.name)
        if waiting is not None:
            waiting.cancel()
        self._begin(endpoint, self._delete)

    def is_waiting(self, endpoint: Resource) -> bool:
        """Whether an endpoint cannot serve again as it did, and waits for another attempt."""
        return endpoint.name in self._waiting

    def served(self, endpoint: Resource) -> Served | None:
        """What serves an endpoint."""
        return self._served.get(endpoint.name)

    async def settled(self, endpoint: Resource) -> None:
        """Wait until nothing is being done to an endpoint."""
        task = self._tasks.get(endpoint.name)
        if task is not None:
            await asyncio.wait({task})

    def resume(self) -> None:
        """Go on where a simulator ended: what was asked for is done, what served serves again."""
        for endpoint in self._store.all(Kind.ENDPOINT):
            if endpoint.status in ("InService", "SystemUpdating"):
                again = replace(endpoint, status="SystemUpdating", modified=_now(), failure="")
                self._store.change(again)
                self._begin(again, self._restore)
            elif endpoint.status == "Creating":
                self._begin(endpoint, self._resume_creation)
            elif endpoint.status == "Updating":
                self._begin(endpoint, self._resume_update)
            elif endpoint.status == "RollingBack":
                self._begin(endpoint, self._restore)
            elif endpoint.status == "Deleting":
                self.delete(endpoint)

    async def close(self) -> None:
        """End all containers as SageMaker does; the resources stay, so that the next simulator goes on."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._traffic.close()
        served, self._served = list(self._served.values()), {}
        for failed in await asyncio.gather(*(one.stop() for one in served), return_exceptions=True):
            if isinstance(failed, BaseException):
                self._report(f"an endpoint did not end as it should: {failed}")

    def _begin(self, endpoint: Resource, work: _Work) -> None:
        task = asyncio.create_task(self._guarded(endpoint, work))
        self._tasks[endpoint.name] = task
        task.add_done_callback(lambda ended: self._forget(endpoint.name, ended))

    def _forget(self, name: str, ended: asyncio.Task[None]) -> None:
        """The next task for an endpoint may have begun before the end of this one is told."""
        if self._tasks.get(name) is ended:
            del self._tasks[name]

    async def _guarded(self, endpoint: Resource, work: _Work) -> None:
        """A fault of the simulator's own is told and ends in a status, not in an endpoint that is Creating for ever."""
        try:
            await work(endpoint)
        except Exception as error:
            self._report(f"endpoint {endpoint.name}: {type(error).__name__}: {error}")
            current = self._store.find(Kind.ENDPOINT, endpoint.region, endpoint.name)
            if current is not None:
                await self._became(current, status="Failed", failure=f"InternalServerError: {error}")

    async def _create(self, endpoint: Resource) -> None:
        pending = endpoint.state["pending"]
        served = self._open(endpoint_of(endpoint.name, pending, endpoint.account))
        try:
            await self._started(served)
        except ArgosyError as error:
            await self._fail(endpoint, pending, error, "Failed")
        else:
            await self._in_service(endpoint, served, pending)

    async def _restore(self, endpoint: Resource) -> None:
        failure = endpoint.failure if endpoint.status == "RollingBack" else ""
        await self._serve_again(endpoint, endpoint.state["deployed"], failure)

    async def _resume_creation(self, endpoint: Resource) -> None:
        """Only containers that are not healthy fail it: that there are none may be this start's fault."""
        pending = endpoint.state["pending"]
        try:
            await self._serve_again(endpoint, pending, final=ContainerError)
        except ContainerError as error:
            await self._fail(endpoint, pending, error, "Failed")

    async def _resume_update(self, endpoint: Resource) -> None:
        """The fleet of before is gone with the simulator: the new one is started, and the old one if that fails."""
        pending = endpoint.state["pending"]
        try:
            await self._serve_again(endpoint, pending, final=ContainerError)
        except ContainerError as error:
            failed = await self._fail(endpoint, pending, error, "RollingBack")
            await self._serve_again(failed, failed.state["deployed"], failed.failure)

    async def _serve_again(
        self, endpoint: Resource, taken: Json, failure: str = "", final: type[ArgosyError] | tuple[()] = ()
    ) -> None:
        """Start what was there before this simulator, as often as it takes.

        Args:
            endpoint: Its status stays until it serves.
            taken: The snapshot that serves then.
            failure: `FailureReason` then.
            final: Errors after which there is no other attempt.

        Raises:
            ArgosyError: One of `final`.
        """
        for delay_s in delays():
            try:
                served = self._open(endpoint_of(endpoint.name, taken, endpoint.account))
                await self._started(served)
            except final:
                raise
            except Exception as error:
                self._report(f"endpoint {endpoint.name}: it cannot serve again, next attempt in {delay_s:g} s: {error}")
                reason = _reason(taken, error) if isinstance(error, ArgosyError) else f"InternalServerError: {error}"
                await self._became(endpoint, failure=reason)
            else:
                await self._in_service(endpoint, served, taken, failure)
                return
            self._waiting.add(endpoint.name)
            try:
                await asyncio.sleep(delay_s)
            finally:
                self._waiting.discard(endpoint.name)

    async def _started(self, served: Served) -> None:
        """Start it; nothing is left of one that does not start, or is no longer wanted."""
        try:
            await served.start()
        except BaseException:
            await served.stop()
            raise

    async def _update(self, endpoint: Resource) -> None:
        pending = endpoint.state["pending"]
        served = self._served[endpoint.name]
        try:
            await served.update(endpoint_of(endpoint.name, pending, endpoint.account))
        except ArgosyError as error:
            failed = await self._fail(endpoint, pending, error, "RollingBack")
            await self._in_service(failed, served, failed.state["deployed"], failed.failure)
        else:
            await self._in_service(endpoint, served, pending)

    async def _delete(self, endpoint: Resource) -> None:
        await self._traffic.turn_away(endpoint.name)
        served = self._served.get(endpoint.name)
        if served is not None:
            await served.stop()
            del self._served[endpoint.name]  # not before: what ends the simulator meanwhile ends it once more
        await insist(lambda: self._store.remove(endpoint), self._report)
        self._report(f"endpoint {endpoint.name}: deleted")

    async def _in_service(self, endpoint: Resource, served: Served, taken: Json, failure: str = "") -> None:
        self._served[endpoint.name] = served
        await self._traffic.admit(endpoint.name, served)
        await self._became(endpoint, status="InService", failure=failure, state={"deployed": taken})

    async def _fail(self, endpoint: Resource, taken: Json, error: ArgosyError, status: str) -> Resource:
        self._report(f"endpoint {endpoint.name}: {error}")
        return await self._became(endpoint, status=status, failure=_reason(taken, error))

    async def _became(self, endpoint: Resource, **fields: Any) -> Resource:  # Any: Resource's own fields
        failure = fields.pop("failure", "")[:REASON_LENGTH]
        changed = replace(endpoint, modified=_now(), failure=failure, **fields)
        await insist(lambda: self._store.change(changed), self._report)
        self._report(f"endpoint {endpoint.name}: {changed.status}")
        return changed


def _reason(taken: Json, error: ArgosyError) -> str:
    """`FailureReason`; that of a missing image was seen in https://github.com/aws/sagemaker-python-sdk/issues/1835
    (read 2026-11-23).
    """
    if not isinstance(error, MissingImageError):
        return error.what
    images = {name: {each["Image"] for each in model["containers"]} for name, model in taken["models"].items()}
    having = [each for each in variants_of(taken["config"]) if error.image in images.get(each.get("ModelName"), ())]
    variant = having[0]["VariantName"] if having else ""
    return (
        f"Please make sure all images included in the model for the production variant {variant} exist, and that the "
        "execution role used to create the model has permissions to access them."
    )


def _now() -> float:
    return round(time.time(), 3)
