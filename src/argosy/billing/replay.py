"""Sends requests one after the other, and counts what their answers are charged as."""

from collections.abc import Callable, Iterable
from typing import Final, Protocol

from argosy.billing.assumptions import Assumptions
from argosy.billing.request_file import Recorded
from argosy.billing.usage import Seen, Usage, usage_of
from argosy.contract import ENDPOINT_BODY, HEADER_METERING, INVOCATION
from argosy.errors import ContainerError, UsageError
from argosy.simulator import request_headers
from argosy.simulator.answers import NO_STATUS
from argosy.simulator.connection import ENDPOINT, INVOCATIONS, Connection
from argosy.simulator.hosting.backend import Refused, Request
from argosy.simulator.hosting.endpoint import Endpoint

_REGION: Final = "us-east-1"
_METERING: Final = HEADER_METERING.lower()
_MODEL_ERROR: Final = 424
"""What a client of an endpoint gets where the container gave no answer that can be passed on."""


class Asked(Protocol):
    """What answers requests."""

    async def ask(self, request: Recorded) -> Seen:
        """Send one request and have its answer, as far as the bill depends on it.

        Raises:
            UsageError: No endpoint takes such a request.
        """


class SimulatedEndpoint:
    """An endpoint in service; what its container says of units is read before the endpoint keeps it to itself.

    Args:
        endpoint: Started.
        report: Takes what a person should know, one line each.
    """

    def __init__(self, endpoint: Endpoint, report: Callable[[str], None]) -> None:
        self._endpoint = endpoint
        self._report = report

    async def ask(self, request: Recorded) -> Seen:
        """As `Asked`. Whether it is a success is as the client sees it: not what comes too late, or is too large."""
        headers, name = _headers(request), self._endpoint.definition.name
        if len(request.body) > self._endpoint.limits.body_bytes:
            return Seen(413, note=f"the body has more than {self._endpoint.limits.body_bytes} bytes")
        try:
            async with self._endpoint.visit(Request(headers, request.body, _REGION, name)) as visit:
                answer = await visit.ask(self._endpoint.limits, self._report)
        except Refused as refused:
            return Seen(refused.answer.status, note=str(refused))
        is_model_error = answer.status >= 400 and not 200 <= visit.status < 300 and visit.status != NO_STATUS
        status = visit.status if is_model_error else answer.status
        return Seen(status, visit.headers.get(_METERING), answer.note or "")


class RunningContainer:
    """A container, or a project's server, that somebody else has started: it is asked as an endpoint would ask it.

    Args:
        url: `http://HOST:PORT`.
    """

    def __init__(self, url: str) -> None:
        self._connection = Connection(url, ENDPOINT)

    async def ask(self, request: Recorded) -> Seen:
        """As `Asked`."""
        headers, limit = request_headers.forwarded(_headers(request)), int(ENDPOINT_BODY.value)
        if len(request.body) > limit:
            return Seen(413, note=f"the body has more than {limit} bytes")
        try:
            reply = await self._connection.send(
                "POST", INVOCATIONS, headers, request.body, timeout_s=INVOCATION.value, limit_bytes=limit
            )
        except ContainerError as error:
            return Seen(_MODEL_ERROR, note=error.message)
        status = _MODEL_ERROR if reply.is_cut else reply.status
        return Seen(status, reply.headers.get(_METERING), f"the answer has more than {limit} bytes" * reply.is_cut)

    async def close(self) -> None:
        """Close its connections."""
        await self._connection.close()


async def replay(
    requests: Iterable[Recorded], asked: Asked, assumptions: Assumptions, on_answer: Callable[[Usage], None]
) -> Usage:
    """Send each request once, none again, and count what all of them are charged as.

    Args:
        requests: Taken one at a time.
        asked: What answers them.
        assumptions: How answers are counted where AWS does not say it.
        on_answer: Told after each answer what it has come to.

    Raises:
        UsageError: A request is none, or no endpoint takes it.
    """
    total = Usage()
    for request in requests:
        total += usage_of(request, await asked.ask(request), assumptions)
        on_answer(total)
    return total


def _headers(request: Recorded) -> dict[str, str]:
    """The header fields of a request that an endpoint takes."""
    message = request_headers.faults("endpoint", request.headers)
    if message is not None:
        raise UsageError("no endpoint takes a request", got=message, where=request.place)
    return request.headers
