"""An invocation inside an endpoint: its last step into a container, and what comes of it, as the service tells it."""

import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from argosy import contract
from argosy.errors import ContainerError
from argosy.simulator import answers
from argosy.simulator.answers import Answer, Place
from argosy.simulator.connection import Response
from argosy.simulator.health import Report
from argosy.simulator.hosting.backend import Hop, Refused
from argosy.simulator.hosting.components import Seat
from argosy.simulator.hosting.definition import Limits
from argosy.simulator.hosting.sessions import opened_session

VARIANT_HEADER: Final = "x-Amzn-Invoked-Production-Variant"

_PASSED_ON: Final = tuple(
    (name, name.lower())
    for name in ("Content-Type", contract.HEADER_CUSTOM_ATTRIBUTES, contract.HEADER_CLOSED_SESSION_ID)
)


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer that has begun.

    Attributes:
        headers: As of a whole answer.
        parts: The container's, none empty.
    """

    headers: tuple[tuple[str, str], ...]
    parts: AsyncIterator[bytes]


@dataclass(slots=True)
class Visit:
    """An invocation on its way through an endpoint.

    Attributes:
        seat: The instance that got it.
        hop: Its last step, into a container.
        place: Where it is, as error texts name it.
        status: What the container answered; 0 until it did.
        headers: The header fields that it answered with, names in lower case.
    """

    seat: Seat
    hop: Hop
    place: Place
    status: int = answers.NO_STATUS
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def variant(self) -> str:
        """Name of the variant that got it."""
        return self.seat.variant

    async def ask(self, limits: Limits, report: Report) -> Answer:
        """Send it into its container and have the whole answer.

        Args:
            limits: The endpoint's.
            report: Takes a line about bodies that some call too large.

        Raises:
            Refused: The model that it is for could not be loaded.
        """
        place, size = self.place, len(self.hop.body)
        if size > limits.warn_bytes:
            report(f"request body of {size} bytes: over 6 MB, which older documents and some clients call the limit")
        try:
            reply = await self.hop.send(limits.invocation_s, limits.body_bytes)
        except ContainerError as error:
            return answers.no_answer(place, error)
        self.status, self.headers = reply.status, reply.headers
        if reply.is_cut:
            return answers.response_too_large(
                place, f"the container's answer ({reply.status}) is longer than {limits.body_bytes} bytes"
            )
        if not 200 <= reply.status < 300:
            return answers.model_error(place, reply.status, reply.body)
        if len(reply.body) > limits.warn_bytes:
            report(f"response body of {len(reply.body)} bytes: over 6 MB, which older documents call the limit")
        return Answer(200, response_headers(reply.headers, self.variant), reply.body)

    @asynccontextmanager
    async def stream(self, limits: Limits, cut: random.Random | None) -> AsyncIterator[Streamed]:
        """Send it into its container and give the answer part by part.

        UNSURE: how long the first byte may take; here as long as a whole answer, `limits.invocation_s`.

        Args:
            limits: The endpoint's.
            cut: Cuts the parts anew at random; None leaves them as the container sends them.

        Raises:
            Refused: Nothing of an answer came: what the client gets instead.
            ContainerError: While parts are read: the connection to the container broke.
            ContainerTimeoutError: While parts are read: the whole took longer than `limits.stream_s`.
        """
        hop, has_begun = self.hop, False
        started = time.monotonic()
        try:
            async with hop.stream(limits.invocation_s) as response:
                self.status, self.headers = response.status, response.headers
                if not 200 <= response.status < 300:
                    raise Refused(await _error(self.place, response, limits.body_bytes))
                parts = response.parts()
                first = await anext(parts, b"")
                has_begun = True
                response.limit(started + limits.stream_s - time.monotonic())
                rest = _after(first, parts)
                headers = response_headers(response.headers, self.variant)
                yield Streamed(headers, rest if cut is None else recut(rest, cut))
        except ContainerError as error:
            if has_begun:
                raise
            raise Refused(answers.no_answer(self.place, error)) from error


def response_headers(headers: Mapping[str, str], variant: str) -> tuple[tuple[str, str], ...]:
    """What is passed on of a container's header fields, and the service's own.

    Args:
        headers: The container's, names in lower case.
        variant: Who answered.
    """
    passed = [(name, headers[key]) for name, key in _PASSED_ON if key in headers]
    session = opened_session(headers)
    if session is not None:
        passed.append((contract.HEADER_NEW_SESSION_ID, session))
    passed.append((VARIANT_HEADER, variant))
    return tuple(passed)


async def recut(parts: AsyncIterator[bytes], chance: random.Random) -> AsyncIterator[bytes]:
    """The same bytes in other parts: some are divided, some ends wait for the next part's beginning.

    The service promises nothing about where its parts begin.

    Args:
        parts: None empty.
        chance: Says where.
    """
    kept = b""
    async for part in parts:
        kept += part
        while len(kept) > 1 and chance.random() < 0.75:
            cut = chance.randint(1, len(kept) - 1)
            yield kept[:cut]
            kept = kept[cut:]
        if kept and chance.random() < 0.5:
            yield kept
            kept = b""
    if kept:
        yield kept


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for part in rest:
        yield part


async def _error(place: Place, response: Response, limit_bytes: int) -> Answer:
    """What a client gets for an answer that was to be streamed and is no success."""
    body = bytearray()
    async for part in response.parts():
        body += part
        if len(body) > limit_bytes:
            return answers.response_too_large(place, f"the container's answer is longer than {limit_bytes} bytes")
    return answers.model_error(place, response.status, bytes(body))
