"""An endpoint with one production variant on one instance: its container, its health, its invocations."""

import asyncio
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from argosy import contract
from argosy.errors import ContainerError, UsageError
from argosy.simulator import answers, health, request_headers
from argosy.simulator.answers import Answer, Place
from argosy.simulator.connection import ENDPOINT, INVOCATIONS, Connection, Reply
from argosy.simulator.containers.container import Container, Stop, stop
from argosy.simulator.health import Report, await_ready, watch

VARIANT_HEADER: Final = "x-Amzn-Invoked-Production-Variant"
NEW_SESSION_HEADER: Final = "X-Amzn-SageMaker-New-Session-Id"
CLOSED_SESSION_HEADER: Final = "X-Amzn-SageMaker-Closed-Session-Id"

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


@dataclass(frozen=True, slots=True)
class EndpointOptions:
    """What an endpoint is called and what it allows.

    Attributes:
        name: As `CreateEndpoint` takes it.
        variant: Name of the production variant.
        startup_s: How long the container may take until its first good health check.
        invocation_s: How long it may take to answer an invocation.
        body_bytes: Largest body of a request or response; whether AWS means 10**6 or 2**20 by MB, nobody knows.
        warn_bytes: Bodies above it are reported: older documents and clients stop there.
    """

    name: str
    variant: str = "AllTraffic"
    startup_s: float = contract.STARTUP.value
    invocation_s: float = contract.INVOCATION.value
    body_bytes: int = int(contract.ENDPOINT_BODY.value)
    warn_bytes: int = int(contract.ENDPOINT_BODY_OLD.value)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UsageError(
                "an endpoint cannot have this name",
                got=f"`{self.name}`",
                want="1 to 63 letters, digits and hyphens, no hyphen at either end",
            )


def endpoint_name(text: str) -> str:
    """The nearest name that an endpoint may have.

    >>> endpoint_name("oci:./out/breast_cancer:latest")
    'oci-out-breast-cancer-latest'
    """
    cleaned = re.sub(r"[^a-zA-Z0-9]+", "-", text).strip("-")[-63:].strip("-")
    return cleaned or "endpoint"


class Endpoint:
    """One endpoint.

    Args:
        container: Not yet started.
        options: Name and limits.
        report: Takes what a person should know, one line each.
    """

    def __init__(self, container: Container, options: EndpointOptions, report: Report) -> None:
        self._container = container
        self.options = options
        self._report = report
        self._connection: Connection | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> float:
        """Start the container and wait until it is healthy; returns the seconds that this took.

        Raises:
            ContainerError: It did not become healthy: the service's words, the reason and the end of its log.
            EngineError: The container engine failed.
        """
        started = time.monotonic()
        await health.start(self._container)
        self._connection = Connection(self._container.url, ENDPOINT)
        failure = (
            f"The primary container for production variant {self.options.variant} did not pass the ping health check. "
            "Please check CloudWatch logs for this endpoint."
        )
        await await_ready(self._container, self._connection, self.options.startup_s, failure)
        self._watch = asyncio.create_task(watch(self._container, self._connection, self._report))
        return time.monotonic() - started

    async def stop(self) -> Stop | None:
        """End the container as SageMaker does and remove it; None when it had ended before, or never started."""
        connection, self._connection = self._connection, None
        watching, self._watch = self._watch, None
        ended: Stop | None = None
        try:
            try:
                if watching is not None:
                    watching.cancel()
                    with suppress(asyncio.CancelledError):
                        await watching
            finally:
                if connection is not None:
                    await connection.close()
                    ended = await self._end()
        finally:
            await asyncio.to_thread(self._container.remove)
        return ended

    async def _end(self) -> Stop | None:
        """SIGTERM, and SIGKILL when that is not enough; None when the container had ended before."""
        if await asyncio.to_thread(self._container.exit_code) is not None:
            return None
        return await asyncio.to_thread(stop, self._container)

    def refusal(self, headers: Mapping[str, str]) -> Answer | None:
        """What the service says to header fields that this endpoint cannot serve, or None.

        Args:
            headers: Names in lower case.
        """
        name = self.options.name
        if request_headers.TARGET_MODEL.lower() in headers:
            return answers.validation_error(
                f"Endpoint {name} is not a multi-model endpoint and does not support target model header.",
                "TARGET_MODEL_HEADER_NOT_SUPPORTED",
            )
        variant = headers.get(request_headers.TARGET_VARIANT.lower())
        if variant not in (None, self.options.variant):
            return answers.validation_error(f"Variant {variant} not found for endpoint {name}.")
        for header in (
            request_headers.TARGET_CONTAINER,
            request_headers.INFERENCE_COMPONENT,
            request_headers.ENABLE_EXPLANATIONS,
        ):
            if header.lower() in headers:
                return answers.validation_error(f"Endpoint {name} does not support the header {header}.")
        return None

    async def invoke(self, headers: Mapping[str, str], body: bytes, region: str = answers.REGION) -> Answer:
        """Send one invocation to the container and answer as the service does.

        Args:
            headers: The client's, names in lower case, values checked.
            body: At most `options.body_bytes` long.
            region: The client's, for the texts of errors.
        """
        place = Place(self.options.name, region=region)
        if self._connection is None:
            return answers.no_response(place, "the endpoint is not in service")
        if len(body) > self.options.warn_bytes:
            self._report(
                f"request body of {len(body)} bytes: over 6 MB, which older documents and some clients call the limit"
            )
        try:
            reply = await self._connection.send(
                "POST",
                INVOCATIONS,
                request_headers.forwarded(headers),
                body,
                timeout_s=self.options.invocation_s,
                limit_bytes=self.options.body_bytes,
            )
        except ContainerError as error:
            return answers.no_response(place, error.message)
        if reply.is_cut:
            return answers.response_too_large(
                place, f"the container's answer ({reply.status}) is longer than {self.options.body_bytes} bytes"
            )
        if not 200 <= reply.status < 300:
            return answers.model_error(place, reply.status, reply.body)
        if len(reply.body) > self.options.warn_bytes:
            self._report(f"response body of {len(reply.body)} bytes: over 6 MB, which older documents call the limit")
        fields = self._response_headers(reply)
        broken = next((name for name, value in fields if _CONTROL.search(value)), None)
        if broken is not None:
            return answers.no_response(place, f"the container's header field {broken} holds a control character")
        return Answer(200, fields, reply.body)

    def _response_headers(self, reply: Reply) -> tuple[tuple[str, str], ...]:
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
        passed.append((VARIANT_HEADER, self.options.variant))
        return tuple((name, value) for name, value in passed if value is not None)
