"""An endpoint: its variants and their instances come and go, its invocations find their way and are answered."""

import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from argosy import contract
from argosy.errors import ContainerError
from argosy.simulator import answers, request_headers
from argosy.simulator.answers import Answer, Place
from argosy.simulator.connection import Reply
from argosy.simulator.containers.container import Container, Stop
from argosy.simulator.health import HealthChecks, Report
from argosy.simulator.hosting import refusals
from argosy.simulator.hosting.backend import Backend, Hop, MakeBackend, Refused, Request
from argosy.simulator.hosting.components import Components, FindCapacity, Seat, unlimited
from argosy.simulator.hosting.definition import EndpointDefinition, Limits, Model, ProductionVariant
from argosy.simulator.hosting.sessions import Sessions, opened_session
from argosy.simulator.hosting.variant import SERVERLESS_BODY_BYTES, Variant, choose, start_all, stop_all

VARIANT_HEADER: Final = "x-Amzn-Invoked-Production-Variant"


@dataclass(frozen=True, slots=True)
class HostingOptions:
    """What a person may change about endpoints here, where the service has no such switches.

    Attributes:
        checks: How containers in service are watched.
        find_capacity: What instances have for inference components; by default nothing limits them.
        seed: Makes every random choice (variant, instance, sample) the same in each run; None leaves it to chance.
    """

    checks: HealthChecks = field(default_factory=HealthChecks)
    find_capacity: FindCapacity = unlimited
    seed: int | None = None


@dataclass(slots=True)
class Visit:
    """An invocation on its way through an endpoint.

    Attributes:
        seat: The instance that got it.
        hop: Its last step, into a container.
        place: Where it is, as error texts name it.
        status: What the container answered; 0 until it did.
    """

    seat: Seat
    hop: Hop
    place: Place
    status: int = answers.NO_STATUS

    @property
    def variant(self) -> str:
        """Name of the variant that got it."""
        return self.seat.variant


class Endpoint:
    """One endpoint.

    Args:
        definition: What it is made of.
        make_backend: Makes what an instance runs.
        report: Takes what a person should know, one line each.
        options: What a person may change.
    """

    def __init__(
        self,
        definition: EndpointDefinition,
        make_backend: MakeBackend,
        report: Report,
        options: HostingOptions | None = None,
    ) -> None:
        self.definition = definition
        self._make_backend = make_backend
        self._report = report
        self._options = options or HostingOptions()
        self.components = Components(make_backend, self._options.checks, report, self._options.find_capacity)
        self._sessions = Sessions()
        self._is_serving = False
        self._chance = random.Random(self._options.seed)  # it spreads load and keeps no secret
        self._variants: Sequence[Variant] = ()

    @property
    def containers(self) -> list[Container]:
        """All containers that it has now."""
        own = [container for variant in self._variants for container in variant.containers]
        return own + self.components.containers

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

        When the new fleet does not become healthy, the old one stays as it is.

        Raises:
            ContainerError: As `start`.
            EngineError: As `start`.
        """
        started = time.monotonic()
        fleet = [self._variant(variant, variant.model) for variant in definition.variants if variant.model is not None]
        await start_all(fleet)
        self.components.host_on([variant for variant in definition.variants if variant.model is None])
        self._is_serving = True
        old, self._variants = self._variants, fleet
        self.definition = definition
        seconds = time.monotonic() - started
        await stop_all(old)
        return seconds

    async def stop(self) -> list[Stop]:
        """End every container as SageMaker does and remove it; how each came to its end that still ran."""
        self._is_serving = False
        try:
            return await stop_all(self._variants) + await self.components.stop()
        finally:
            self._variants = ()

    def _variant(self, definition: ProductionVariant, model: Model) -> Variant:
        def open_backend() -> Backend:
            return self._make_backend(model, definition)

        return Variant(definition, open_backend, self._options.checks, self._report)

    async def invoke(self, request: Request) -> Answer:
        """Send one invocation to a container and answer as the service does.

        Args:
            request: Values checked, the body at most `limits.body_bytes` long.
        """
        try:
            async with self.visit(request) as visit:
                return await self._ask(visit, request)
        except Refused as refused:
            return refused.answer

    @asynccontextmanager
    async def visit(self, request: Request) -> AsyncIterator[Visit]:
        """Find the way of an invocation to a container; the instance counts it as outstanding meanwhile.

        The choice of variant and instance is made here alone: what makes sessions stick to an instance belongs here.

        Raises:
            Refused: It goes nowhere.
        """
        if not self._is_serving:
            raise Refused(answers.service_unavailable("the endpoint is not in service"))
        if request_headers.ENABLE_EXPLANATIONS.lower() in request.headers:
            raise Refused(answers.unsupported_header(self.definition.name, request_headers.ENABLE_EXPLANATIONS))
        seat = self._seat(request.headers)
        instance, backend = seat.instance, seat.instance.backend
        instance.outstanding += 1
        try:
            hop = await backend.route(request if seat.adapter is None else replace(request, adapter=seat.adapter))
            visit = Visit(seat, hop, Place(self.definition.name, hop.container, request.region))
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

    async def _ask(self, visit: Visit, request: Request) -> Answer:
        """Send an invocation into its container; what comes of it, as the service tells it."""
        limits, hop, place = self.limits, visit.hop, visit.place
        if len(request.body) > limits.warn_bytes:
            self._report(
                f"request body of {len(request.body)} bytes: over 6 MB, "
                "which older documents and some clients call the limit"
            )
        try:
            reply = await hop.send(limits.invocation_s, limits.body_bytes)
        except ContainerError as error:
            return answers.no_response(place, error.message)
        visit.status = reply.status
        if reply.is_cut:
            return answers.response_too_large(
                place, f"the container's answer ({reply.status}) is longer than {limits.body_bytes} bytes"
            )
        if not 200 <= reply.status < 300:
            return answers.model_error(place, reply.status, reply.body)
        if len(reply.body) > limits.warn_bytes:
            self._report(f"response body of {len(reply.body)} bytes: over 6 MB, which older documents call the limit")
        self.learn(visit, reply.headers)
        return Answer(200, response_headers(reply, visit.variant), reply.body)


def response_headers(reply: Reply, variant: str) -> tuple[tuple[str, str], ...]:
    """What is passed on of the container's header fields, and the service's own."""
    passed = [("Content-Type", reply.headers.get("content-type"))]
    passed += [
        (header, reply.headers.get(header.lower()))
        for header in (contract.HEADER_CUSTOM_ATTRIBUTES, contract.HEADER_CLOSED_SESSION_ID)
    ]
    passed.append((contract.HEADER_NEW_SESSION_ID, opened_session(reply.headers)))
    passed.append((VARIANT_HEADER, variant))
    return tuple((name, value) for name, value in passed if value is not None)
