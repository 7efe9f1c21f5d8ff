"""An endpoint: its variants and their instances come and go, its invocations find their way and are answered."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from argosy import contract
from argosy.errors import UsageError
from argosy.simulator import answers, request_headers
from argosy.simulator.answers import Answer, Place
from argosy.simulator.containers.container import Container, Stop
from argosy.simulator.health import HealthChecks, Report
from argosy.simulator.hosting import refusals
from argosy.simulator.hosting.backend import Backend, MakeBackend, Refused, Request
from argosy.simulator.hosting.capture import Recorder
from argosy.simulator.hosting.components import Components, FindCapacity, Seat, capacity_of
from argosy.simulator.hosting.definition import EndpointDefinition, Limits, Model, ProductionVariant
from argosy.simulator.hosting.sessions import Sessions
from argosy.simulator.hosting.shadow import Shadow
from argosy.simulator.hosting.variant import SERVERLESS_BODY_BYTES, Variant, choose, start_all, stop_all
from argosy.simulator.hosting.visit import Streamed, Visit
from argosy.simulator.storage.objects import ObjectStore

_LOOK_S: Final = 0.02  # between two looks at what an old fleet still has to answer


@dataclass(frozen=True, slots=True)
class HostingOptions:
    """What a person may change about endpoints here, where the service has no such switches.

    UNSURE: how long an update leaves the old fleet to invocations that it has begun; `drain_s` is as long as one may
    take.

    Attributes:
        checks: How containers in service are watched.
        find_capacity: What instances have for inference components.
        seed: Makes every random choice (variant, instance, sample, cut) the same in each run; None leaves it to chance.
        is_recut: Whether the parts of streamed answers are cut anew at random.
        capture_flush_s: How long captured data waits at most until it is written.
        drain_s: How long an old fleet may still answer what it was asked before an update, until it gets SIGTERM.
    """

    checks: HealthChecks = field(default_factory=HealthChecks)
    find_capacity: FindCapacity = capacity_of
    seed: int | None = None
    is_recut: bool = False
    capture_flush_s: float = 1.0
    drain_s: float = contract.INVOCATION.value


class Endpoint:
    """One endpoint.

    Args:
        definition: What it is made of.
        make_backend: Makes what an instance runs.
        report: Takes what a person should know, one line each.
        options: What a person may change.
        store: Where captured data goes; without it no endpoint with data capture starts.
    """

    def __init__(
        self,
        definition: EndpointDefinition,
        make_backend: MakeBackend,
        report: Report,
        options: HostingOptions | None = None,
        store: ObjectStore | None = None,
    ) -> None:
        self.definition = definition
        self._make_backend = make_backend
        self._report = report
        self._options = options or HostingOptions()
        self.components = Components(make_backend, self._options.checks, report, self._options.find_capacity)
        self._sessions = Sessions()
        self._is_serving = False
        self._chance = random.Random(self._options.seed)  # it spreads load and keeps no secret
        self._store = store
        self._variants: Sequence[Variant] = ()
        self._shadow: Shadow | None = None
        self._capture: Recorder | None = None

    @property
    def containers(self) -> list[Container]:
        """All containers that it has now."""
        return [container for variant in self._fleet for container in variant.containers] + self.components.containers

    @property
    def _fleet(self) -> list[Variant]:
        return [*self._variants, *((self._shadow.variant,) if self._shadow else ())]

    @property
    def limits(self) -> Limits:
        """What it allows; serverless variants take less than instances."""
        limits = self.definition.limits
        if any(variant.serverless for variant in self.definition.variants):
            return replace(limits, body_bytes=min(limits.body_bytes, SERVERLESS_BODY_BYTES))
        return limits

    async def start(self) -> float:
        """Start every instance of every variant and wait until all are healthy; returns the seconds that this took.

        Raises:
            ContainerError: One did not become healthy: the service's words, the reason and the end of its log.
            EngineError: The container engine failed.
        """
        return await self.update(self.definition)

    async def update(self, definition: EndpointDefinition) -> float:
        """Put a new fleet in the place of the old: the new one is healthy before the old one ends.

        When the new fleet does not become healthy, the old one stays as it is. When the old one does not end as it
        should, that is reported: the new one serves.

        Raises:
            ContainerError: As `start`.
            EngineError: As `start`.
            UsageError: There is no place for captured data.
        """
        started = time.monotonic()
        capture = self._new_recorder(definition)
        variants = self._modelled(definition.variants)
        shadows = self._modelled(definition.shadow_variants)
        await start_all([*variants, *shadows])
        self.components.host_on([variant for variant in definition.variants if variant.model is None])
        old, leaving = self._variants, (self._fleet, self._shadow, self._capture)
        self._variants, self._capture = variants, capture
        self._shadow = Shadow(shadows[0], variants[0].definition.weight, self._chance) if shadows and variants else None
        self._is_serving = True
        self.definition = definition
        seconds = time.monotonic() - started
        try:
            try:
                await _drain(old, self._options.drain_s)
            finally:
                await _leave(*leaving)
        except Exception as error:
            self._report(f"the fleet before the update did not end as it should: {error}")
        return seconds

    def _new_recorder(self, definition: EndpointDefinition) -> Recorder | None:
        if definition.capture is None:
            return None
        if self._store is None:
            raise UsageError("there is no place for captured data", got=definition.capture.destination)
        return Recorder(definition.capture, self._store, self._report, self._chance, self._options.capture_flush_s)

    async def stop(self) -> list[Stop]:
        """End every container as SageMaker does and remove it; how each came to its end that still ran.

        Captured data that waits is written before this returns.
        """
        self._is_serving = False
        try:
            stops = await _leave(self._fleet, self._shadow, self._capture)
        finally:
            self._variants, self._shadow, self._capture = (), None, None
            component_stops = await self.components.stop()
        return stops + component_stops

    def _modelled(self, definitions: Sequence[ProductionVariant]) -> list[Variant]:
        """Variants that run a model of their own; the others wait for inference components."""
        return [self._variant(one, one.model) for one in definitions if one.model is not None]

    def _variant(self, definition: ProductionVariant, model: Model) -> Variant:
        def open_backend() -> Backend:
            return self._make_backend(model, definition)

        return Variant(definition, open_backend, self._options.checks, self._report)

    async def invoke(self, request: Request) -> Answer:
        """Send one invocation to a container and answer as the service does.

        Args:
            request: Values checked, the body at most `limits.body_bytes` long.
        """
        if self._shadow is not None:
            self._shadow.mirror(lambda variant: self._reflect(variant, request))
        try:
            async with self.visit(request) as visit:
                answer = await visit.ask(self.limits, self._report)
        except Refused as refused:
            return refused.answer
        if answer.status == 200:
            self.learn(visit, visit.headers)
            self._observe(visit, request, answer)
        return answer

    async def _reflect(self, variant: Variant, request: Request) -> None:
        """Send a shadow variant its copy; nobody but the capture learns what it answers."""
        async with self._enter(Seat(variant.name, variant.instance(self._chance)), request) as visit:
            answer = await visit.ask(self.limits, self._report)
        if answer.status == 200:
            self._observe(visit, request, answer)

    def _observe(self, visit: Visit, request: Request, answer: Answer) -> None:
        if self._capture is not None:
            self._capture.observe(visit.variant, request, visit.headers.get("content-type"), answer.body)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Streamed]:
        """Send one invocation to a container and give its answer part by part.

        UNSURE: whether data capture sees streams; here it does not.

        Raises:
            Refused: Nothing of an answer came: what the client gets instead.
            ContainerError: While parts are read: the connection to the container broke.
            ContainerTimeoutError: While parts are read: the whole took longer than `limits.stream_s`.
        """
        if self._shadow is not None:
            self._shadow.mirror(lambda variant: self._reflect(variant, request))
        cut = self._chance if self._options.is_recut else None
        async with self.visit(request) as visit, visit.stream(self.limits, cut) as streamed:
            self.learn(visit, visit.headers)
            yield streamed

    @asynccontextmanager
    async def visit(self, request: Request) -> AsyncIterator[Visit]:
        """Find the way of an invocation to a container; the instance counts it as outstanding meanwhile.

        Raises:
            Refused: It goes nowhere.
        """
        if not self._is_serving:
            raise Refused(answers.service_unavailable("the endpoint is not in service"))
        if request_headers.ENABLE_EXPLANATIONS.lower() in request.headers:
            raise Refused(answers.unsupported_header(self.definition.name, request_headers.ENABLE_EXPLANATIONS))
        async with self._enter(self._seat(request.headers), request) as visit:
            yield visit

    @asynccontextmanager
    async def _enter(self, seat: Seat, request: Request) -> AsyncIterator[Visit]:
        instance, backend = seat.instance, seat.instance.backend
        instance.outstanding += 1
        try:
            hop = await backend.route(request if seat.adapter is None else replace(request, adapter=seat.adapter))
            visit = Visit(seat, hop, Place(self.definition.name, hop.container, request.region, request.account))
            try:
                yield visit
            finally:
                backend.end(hop, visit.status)
        finally:
            instance.outstanding -= 1

    def _seat(self, headers: Mapping[str, str]) -> Seat:
        """The instance that gets an invocation; those of a session stay with theirs.

        Raises:
            Refused: There is none for it.
        """
        name, known = self.definition.name, self._sessions.find(headers)
        if not self._variants:
            if known is not None:
                return self.components.seat_at(headers, name, known[1])
            return self.components.seat(headers, name, self._chance)
        if request_headers.INFERENCE_COMPONENT.lower() in headers:
            raise Refused(refusals.component_not_allowed())
        if known is not None:
            return Seat(*known)
        variant = choose(self._variants, headers, name, self._chance)
        return Seat(variant.name, variant.instance(self._chance))

    def learn(self, visit: Visit, reply_headers: Mapping[str, str]) -> None:
        """Hear from a container's answer, its names in lower case, which session it opened or closed."""
        self._sessions.learn(reply_headers, visit.variant, visit.seat.instance)


async def _drain(variants: Sequence[Variant], limit_s: float) -> None:
    """Give no more invocations to some variants, and wait until they have answered those that they have."""
    instances = [instance for variant in variants for instance in variant.instances]
    for instance in instances:
        instance.retire()
    deadline = time.monotonic() + limit_s
    while any(instance.outstanding for instance in instances) and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_S)


async def _leave(fleet: Sequence[Variant], shadow: Shadow | None, capture: Recorder | None) -> list[Stop]:
    """End a fleet, and what was done beside it."""
    try:
        try:
            if shadow is not None:
                await shadow.close()
        finally:
            stops = await stop_all(fleet)
        return stops
    finally:
        if capture is not None:
            await capture.close()
