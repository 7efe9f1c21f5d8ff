"""An endpoint: its variants and their instances come and go, its invocations find their way and are answered."""

import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from argosy import contract
from argosy.errors import ContainerError, UsageError
from argosy.simulator import answers, request_headers
from argosy.simulator.answers import Answer, Place
from argosy.simulator.connection import Reply
from argosy.simulator.containers.container import Container, Stop
from argosy.simulator.health import HealthChecks, Report
from argosy.simulator.hosting.backend import Backend, Hop, MakeBackend, Refused, Request
from argosy.simulator.hosting.definition import EndpointDefinition, Limits, ProductionVariant
from argosy.simulator.hosting.variant import SERVERLESS_BODY_BYTES, Variant, choose, start_all, stop_all

VARIANT_HEADER: Final = "x-Amzn-Invoked-Production-Variant"
NEW_SESSION_HEADER: Final = "X-Amzn-SageMaker-New-Session-Id"
CLOSED_SESSION_HEADER: Final = "X-Amzn-SageMaker-Closed-Session-Id"


@dataclass(frozen=True, slots=True)
class HostingOptions:
    """What a person may change about endpoints here, where the service has no such switches.

    Attributes:
        checks: How containers in service are watched.
        seed: Makes every random choice (variant, instance, sample) the same in each run; None leaves it to chance.
    """

    checks: HealthChecks = field(default_factory=HealthChecks)
    seed: int | None = None


@dataclass(slots=True)
class Visit:
    """An invocation on its way through an endpoint.

    Attributes:
        variant: Name of the variant that got it.
        hop: Its last step, into a container.
        place: Where it is, as error texts name it.
        status: What the container answered; 0 until it did.
    """

    variant: str
    hop: Hop
    place: Place
    status: int = answers.NO_STATUS


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
        self._chance = random.Random(self._options.seed)  # it spreads load and keeps no secret
        self._variants: Sequence[Variant] = ()

    @property
    def containers(self) -> list[Container]:
        """All containers that it has now."""
        return [container for variant in self._variants for container in variant.containers]

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
        fleet = [self._variant(variant) for variant in definition.variants]
        await start_all(fleet)
        old, self._variants = self._variants, fleet
        self.definition = definition
        seconds = time.monotonic() - started
        await stop_all(old)
        return seconds

    async def stop(self) -> list[Stop]:
        """End every container as SageMaker does and remove it; how each came to its end that still ran."""
        try:
            return await stop_all(self._variants)
        finally:
            self._variants = ()

    def _variant(self, definition: ProductionVariant) -> Variant:
        def open_backend() -> Backend:
            if definition.model is None:
                raise UsageError("a variant without a model needs inference components", where=definition.name)
            return self._make_backend(definition.model, definition)

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
        if not self._variants:
            raise Refused(answers.service_unavailable("the endpoint is not in service"))
        for header in (request_headers.INFERENCE_COMPONENT, request_headers.ENABLE_EXPLANATIONS):
            if header.lower() in request.headers:
                raise Refused(answers.unsupported_header(self.definition.name, header))
        variant = choose(self._variants, request.headers, self.definition.name, self._chance)
        instance = variant.instance(self._chance)
        backend = instance.backend
        instance.outstanding += 1
        try:
            hop = await backend.route(request)
            visit = Visit(variant.name, hop, Place(self.definition.name, hop.container, request.region))
            try:
                yield visit
            finally:
                backend.end(hop, visit.status)
        finally:
            instance.outstanding -= 1

    async def _ask(self, visit: Visit, request: Request) -> Answer:
        """Send an invocation into its container; what comes of it, as the service tells it."""
        limits, hop, place = self.limits, visit.hop, visit.place
        if len(request.body) > limits.warn_bytes:
            self._report(
                f"request body of {len(request.body)} bytes: over 6 MB, "
                "which older documents and some clients call the limit"
            )
        try:
            reply = await hop.connection.send(
                "POST", hop.path, hop.headers, hop.body, timeout_s=limits.invocation_s, limit_bytes=limits.body_bytes
            )
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
        return Answer(200, response_headers(reply, visit.variant), reply.body)


def response_headers(reply: Reply, variant: str) -> tuple[tuple[str, str], ...]:
    """What is passed on of the container's header fields, and the service's own.

    Session IDs come under two names: AWS's own servers differ in what they call a new one.
    """
    passed = [("Content-Type", reply.headers.get("content-type"))]
    passed += [
        (header, reply.headers.get(header.lower()))
        for header in (contract.HEADER_CUSTOM_ATTRIBUTES, NEW_SESSION_HEADER, CLOSED_SESSION_HEADER)
    ]
    session = reply.headers.get(contract.HEADER_SESSION_ID.lower(), "")
    if "expires=" in session.lower() and NEW_SESSION_HEADER.lower() not in reply.headers:
        passed.append((NEW_SESSION_HEADER, session))
    passed.append((VARIANT_HEADER, variant))
    return tuple((name, value) for name, value in passed if value is not None)
