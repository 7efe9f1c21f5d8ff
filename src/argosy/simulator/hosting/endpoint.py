"""An endpoint: its variants and their instances come and go, its invocations find their way and are answered."""

import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from argosy import contract
from argosy.errors import ContainerError, UsageError
from argosy.simulator import answers, request_headers
from argosy.simulator.answers import Answer, Place
from argosy.simulator.connection import Response
from argosy.simulator.containers.container import Container, Stop
from argosy.simulator.health import HealthChecks, Report
from argosy.simulator.hosting.backend import Backend, Hop, MakeBackend, Refused, Request
from argosy.simulator.hosting.capture import Recorder
from argosy.simulator.hosting.definition import EndpointDefinition, Limits, ProductionVariant
from argosy.simulator.hosting.recut import recut
from argosy.simulator.hosting.shadow import Shadow
from argosy.simulator.hosting.variant import SERVERLESS_BODY_BYTES, Variant, choose, start_all, stop_all
from argosy.simulator.storage.objects import ObjectStore

VARIANT_HEADER: Final = "x-Amzn-Invoked-Production-Variant"
NEW_SESSION_HEADER: Final = "X-Amzn-SageMaker-New-Session-Id"
CLOSED_SESSION_HEADER: Final = "X-Amzn-SageMaker-Closed-Session-Id"

_SESSION_KEY: Final = contract.HEADER_SESSION_ID.lower()
_PASSED_ON: Final = tuple(
    (name, name.lower())
    for name in ("Content-Type", contract.HEADER_CUSTOM_ATTRIBUTES, NEW_SESSION_HEADER, CLOSED_SESSION_HEADER)
)


@dataclass(frozen=True, slots=True)
class HostingOptions:
    """What a person may change about endpoints here, where the service has no such switches.

    Attributes:
        checks: How containers in service are watched.
        seed: Makes every random choice (variant, instance, sample, cut) the same in each run; None leaves it to chance.
        is_recut: Whether the parts of streamed answers are cut anew at random.
        capture_flush_s: How long captured data waits at most until it is written.
    """

    checks: HealthChecks = field(default_factory=HealthChecks)
    seed: int | None = None
    is_recut: bool = False
    capture_flush_s: float = 1.0


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


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer that has begun.

    Attributes:
        headers: As of a whole answer.
        parts: The container's, none empty.
    """

    headers: tuple[tuple[str, str], ...]
    parts: AsyncIterator[bytes]


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
        self._chance = random.Random(self._options.seed)  # it spreads load and keeps no secret
        self._store = store
        self._variants: Sequence[Variant] = ()
        self._shadow: Shadow | None = None
        self._capture: Recorder | None = None

    @property
    def containers(self) -> list[Container]:
        """All containers that it has now."""
        return [container for variant in self._fleet for container in variant.containers]

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

        When the new fleet does not become healthy, the old one stays as it is.

        Raises:
            ContainerError: As `start`.
            EngineError: As `start`.
            UsageError: There is no place for captured data.
        """
        started = time.monotonic()
        capture = self._new_recorder(definition)
        variants = [self._variant(variant) for variant in definition.variants]
        shadows = [self._variant(variant) for variant in definition.shadow_variants]
        await start_all([*variants, *shadows])
        leaving = self._fleet, self._shadow, self._capture
        self._variants, self._capture = variants, capture
        self._shadow = Shadow(shadows[0], variants[0].definition.weight, self._chance) if shadows else None
        self.definition = definition
        seconds = time.monotonic() - started
        await _leave(*leaving)
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
        try:
            return await _leave(self._fleet, self._shadow, self._capture)
        finally:
            self._variants, self._shadow, self._capture = (), None, None

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
        if self._shadow is not None:
            self._shadow.mirror(lambda variant: self._reflect(variant, request))
        try:
            async with self.visit(request) as visit:
                answer = await self._ask(visit, request)
        except Refused as refused:
            return refused.answer
        if self._capture is not None and answer.status == 200:
            self._capture.observe(visit.variant, request, dict(answer.headers).get("Content-Type"), answer.body)
        return answer

    async def _reflect(self, variant: Variant, request: Request) -> None:
        """Send a shadow variant its copy; nobody but the capture learns what it answers."""
        async with self._enter(variant, request) as visit:
            answer = await self._ask(visit, request)
        if self._capture is not None and answer.status == 200:
            self._capture.observe(variant.name, request, dict(answer.headers).get("Content-Type"), answer.body)

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
        has_begun = False
        limits, started = self.limits, time.monotonic()
        async with self.visit(request) as visit:
            hop = visit.hop
            try:
                async with hop.connection.stream(
                    hop.path, hop.headers, hop.body, timeout_s=limits.invocation_s
                ) as response:
                    visit.status = response.status
                    if not 200 <= response.status < 300:
                        raise Refused(await _stream_error(visit.place, response, limits.body_bytes))
                    parts = response.parts()
                    first = await anext(parts, b"")
                    has_begun = True
                    response.limit(started + limits.stream_s - time.monotonic())
                    rest = _after(first, parts)
                    yield Streamed(
                        response_headers(response.headers, visit.variant),
                        recut(rest, self._chance) if self._options.is_recut else rest,
                    )
            except ContainerError as error:
                if has_begun:
                    raise
                raise Refused(answers.no_answer(visit.place, error)) from error

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
        async with self._enter(variant, request) as visit:
            yield visit

    @asynccontextmanager
    async def _enter(self, variant: Variant, request: Request) -> AsyncIterator[Visit]:
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
            return answers.no_answer(place, error)
        visit.status = reply.status
        if reply.is_cut:
            return answers.response_too_large(
                place, f"the container's answer ({reply.status}) is longer than {limits.body_bytes} bytes"
            )
        if not 200 <= reply.status < 300:
            return answers.model_error(place, reply.status, reply.body)
        if len(reply.body) > limits.warn_bytes:
            self._report(f"response body of {len(reply.body)} bytes: over 6 MB, which older documents call the limit")
        return Answer(200, response_headers(reply.headers, visit.variant), reply.body)


def response_headers(headers: Mapping[str, str], variant: str) -> tuple[tuple[str, str], ...]:
    """What is passed on of a container's header fields, and the service's own.

    Session IDs come under two names: AWS's own servers differ in what they call a new one.

    Args:
        headers: The container's, names in lower case.
        variant: Who answered.
    """
    passed = [(name, headers[key]) for name, key in _PASSED_ON if key in headers]
    session = headers.get(_SESSION_KEY)
    if session is not None and "expires=" in session.lower() and NEW_SESSION_HEADER.lower() not in headers:
        passed.append((NEW_SESSION_HEADER, session))
    passed.append((VARIANT_HEADER, variant))
    return tuple(passed)


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for part in rest:
        yield part


async def _stream_error(place: Place, response: Response, limit_bytes: int) -> Answer:
    """What a client gets for an answer that was to be streamed and is no success."""
    body = bytearray()
    async for part in response.parts():
        body += part
        if len(body) > limit_bytes:
            return answers.response_too_large(place, f"the container's answer is longer than {limit_bytes} bytes")
    return answers.model_error(place, response.status, bytes(body))


async def _leave(fleet: Sequence[Variant], shadow: Shadow | None, capture: Recorder | None) -> list[Stop]:
    """End a fleet, and what was done beside it."""
    try:
        if shadow is not None:
            await shadow.close()
        return await stop_all(fleet)
    finally:
        if capture is not None:
            await capture.close()
