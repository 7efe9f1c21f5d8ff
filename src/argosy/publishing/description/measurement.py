"""How quick an image is on this machine: the same invocation many times, by one client and by several."""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from argosy.contract import ENDPOINT_BODY, INVOCATION
from argosy.errors import ContainerError
from argosy.simulator.connection import INVOCATIONS, Connection, Reply

CLIENTS: Final = (1, 2, 4, 8, 16, 32)
"""How many invocations are under way at a time, one after the other."""
_GAIN: Final = 1.05
"""By what factor more clients have to raise the throughput, for still more to be tried."""
_WARM_UP: Final = 5
_FEWEST: Final = 20
_MOST: Final = 20_000
_PATIENCE: Final = 10
"""By what factor the fewest invocations of a slow model may take longer."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What is asked.

    Attributes:
        headers: Its header fields, without Host and length.
        body: Its body.
    """

    headers: Mapping[str, str]
    body: bytes


class Measured(msgspec.Struct, frozen=True):
    """How quick it was.

    Attributes:
        count: Invocations by one client.
        p50_ms: Half of them took no longer.
        p99_ms: All but one in a hundred took no longer; of fewer than a hundred, none took longer.
        rate: Invocations in a second by one client.
        best_clients: With how many clients it did most.
        best_rate: Invocations in a second by those.
        request_bytes: Length of the body.
        response_bytes: Length of the answer.
    """

    count: int
    p50_ms: float
    p99_ms: float
    rate: float
    best_clients: int
    best_rate: float
    request_bytes: int
    response_bytes: int


async def invoke(connection: Connection, invocation: Invocation) -> Reply:
    """One invocation as an endpoint sends it.

    Raises:
        ContainerError: No answer within a minute.
    """
    return await connection.send(
        "POST",
        INVOCATIONS,
        invocation.headers,
        invocation.body,
        timeout_s=INVOCATION.value,
        limit_bytes=int(ENDPOINT_BODY.value),
    )


async def measure(connection: Connection, invocation: Invocation, seconds: float) -> Measured:
    """Ask the same again and again.

    Args:
        connection: To a container that is healthy.
        invocation: What it answers with success.
        seconds: How long each number of clients asks.

    Raises:
        ContainerError: An answer is no success, or none comes.
    """
    for _ in range(_WARM_UP):
        reply = await _answered(connection, invocation)
    times, alone = await _asked(connection, invocation, 1, seconds)
    best_clients, best_rate = 1, alone
    for clients in CLIENTS[1:]:
        _, rate = await _asked(connection, invocation, clients, seconds)
        is_worth_it = rate > _GAIN * best_rate
        if rate > best_rate:
            best_clients, best_rate = clients, rate
        if not is_worth_it:
            break
    return Measured(
        count=len(times),
        p50_ms=1000 * percentile(times, 50),
        p99_ms=1000 * percentile(times, 99),
        rate=alone,
        best_clients=best_clients,
        best_rate=best_rate,
        request_bytes=len(invocation.body),
        response_bytes=len(reply.body),
    )


def percentile(times: Sequence[float], percent: int) -> float:
    """The least of some times that so many of a hundred do not exceed (nearest rank).

    >>> percentile([4.0, 1.0, 3.0, 2.0], 50), percentile([1.0], 99)
    (2.0, 1.0)
    """
    ordered = sorted(times)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


async def _asked(
    connection: Connection, invocation: Invocation, clients: int, seconds: float
) -> tuple[list[float], float]:
    """The times of the invocations of so many clients, and how many there were in a second."""
    begun = time.perf_counter()
    times: list[float] = []

    def goes_on() -> bool:
        elapsed = time.perf_counter() - begun
        is_enough = elapsed >= seconds and (len(times) >= _FEWEST or elapsed >= _PATIENCE * seconds)
        return len(times) < _MOST and not is_enough

    async def client() -> None:
        while goes_on():
            sent = time.perf_counter()
            await _answered(connection, invocation)
            times.append(time.perf_counter() - sent)

    asking = [asyncio.ensure_future(client()) for _ in range(clients)]
    try:
        await asyncio.gather(*asking)
    finally:
        for task in asking:
            task.cancel()
    return times, len(times) / (time.perf_counter() - begun)


async def _answered(connection: Connection, invocation: Invocation) -> Reply:
    reply = await invoke(connection, invocation)
    if not 200 <= reply.status < 300:
        raise ContainerError("the same sample is not answered with success each time", got=f"status {reply.status}")
    return reply
