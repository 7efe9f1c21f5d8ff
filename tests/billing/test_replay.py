"""Requests to real processes: behind a simulated endpoint, and asked directly."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from argosy.billing.assumptions import Assumptions
from argosy.billing.replay import RunningContainer, SimulatedEndpoint, replay
from argosy.billing.request_file import Recorded
from argosy.billing.usage import Usage
from argosy.errors import UsageError
from argosy.simulator.containers.process import ProcessContainer
from argosy.simulator.hosting.definition import ContainerDefinition, EndpointDefinition, Model, ProductionVariant
from argosy.simulator.hosting.endpoint import Endpoint
from argosy.simulator.hosting.single import SingleContainer
from tests.simulator.conftest import MakeContainer, running, stand_in

__all__ = ["running", "stand_in"]

HEADERS = '{"X-Amzn-Inference-Metering": "{\\"Dimension\\": \\"inference.count\\", \\"ConsumedUnits\\": 3}"}'
Ask = Callable[[ProcessContainer, list[Recorded]], Usage]


def of_endpoint(container: ProcessContainer, requests: list[Recorded]) -> Usage:
    async def work() -> Usage:
        variant = ProductionVariant(model=Model("m", (ContainerDefinition("stand-in"),)))
        definition = EndpointDefinition("e", (variant,))
        endpoint = Endpoint(definition, lambda _, one: SingleContainer(lambda: container, one), print)
        await endpoint.start()
        try:
            return await replay(requests, SimulatedEndpoint(endpoint, print), Assumptions(), lambda _: None)
        finally:
            await endpoint.stop()

    return asyncio.run(work())


def of_url(container: ProcessContainer, requests: list[Recorded]) -> Usage:
    async def work() -> Usage:
        container.start()
        asked = RunningContainer(container.url)
        try:
            await _ready(asked.ask)
            return await replay(requests, asked, Assumptions(), lambda _: None)
        finally:
            await asked.close()

    return asyncio.run(work())


async def _ready(ask: Callable[[Recorded], Awaitable[object]]) -> None:
    deadline = asyncio.get_running_loop().time() + 20
    while getattr(await ask(request(b"ready?")), "status", 0) != 200:
        assert asyncio.get_running_loop().time() < deadline, "the stand-in does not answer"
        await asyncio.sleep(0.02)


def request(body: bytes, custom_attributes: str | None = None) -> Recorded:
    return Recorded("r", "text/plain", body, custom_attributes=custom_attributes)


@pytest.mark.parametrize("ask", [of_endpoint, of_url])
def test_what_the_container_says_is_counted_and_errors_are_not(ask: Ask, stand_in: MakeContainer) -> None:
    container = stand_in(headers=HEADERS)
    found = ask(container, [request(b"one"), request(b"STATUS-400"), request(b"STATUS-503"), request(b"DROP")])
    assert (found.requests, found.charged, found.units, found.stated) == (4, 1, Decimal(3), 1)
    assert found.errors == ((400, 1), (424, 1), (503, 1))
    assert [finding.sentence for finding in found.findings] == [
        f"an answer with {status} has `X-Amzn-Inference-Metering`, which is not charged" for status in (400, 503)
    ]


@pytest.mark.parametrize("ask", [of_endpoint, of_url])
def test_without_a_header_each_success_is_one_unit(ask: Ask, stand_in: MakeContainer) -> None:
    found = ask(stand_in(), [request(b"one"), request(b"two"), request(b"x" * (25 * 2**20 + 1))])
    assert (found.charged, found.units, found.stated, found.errors) == (2, Decimal(2), 0, ((413, 1),))


def test_nothing_is_sent_twice(stand_in: MakeContainer) -> None:
    assert of_url(stand_in(), [request(b"FLAKY")]).errors == ((500, 1),)


def test_a_request_that_no_endpoint_takes_is_named(stand_in: MakeContainer) -> None:
    with pytest.raises(UsageError, match="r: no endpoint takes a request"):
        of_endpoint(stand_in(), [request(b"one", custom_attributes="x" * 1025)])
