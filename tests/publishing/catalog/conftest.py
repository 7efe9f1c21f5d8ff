"""AWS Marketplace as the seller's steps meet it: real boto3, over HTTP, in a time that passes with every request."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.simulator.runtime.asgi import Message, Receive, Send
from tests.local_aws.listings import SELLER
from tests.local_aws.market_stand import Door, Market, opened_door
from tests.publishing.catalog.sellers import Seller

_TICK_S = 0.06


class TickingDoor(Door):
    """Behind it time passes by a step with each request, so that what takes its time ends while it is waited for."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        assert self.market is not None
        self.market.now += _TICK_S
        await super().__call__(scope, receive, send)


@pytest.fixture(scope="session")
def ticking_door() -> Iterator[tuple[Door, str]]:
    with opened_door(TickingDoor()) as door_and_url:
        yield door_and_url


@pytest.fixture
def seller(ticking_door: tuple[Door, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Seller:
    """A seller whose package is registered, and who has published nothing yet."""
    door, url = ticking_door
    door.market = Market(url)
    for name, value in {
        "AWS_ENDPOINT_URL_MARKETPLACE_CATALOG": url,
        "AWS_ACCESS_KEY_ID": SELLER,
        "AWS_SECRET_ACCESS_KEY": "not-verified",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("argosy.planning.polling._FIRST_S", 0.001)
    monkeypatch.setattr("argosy.planning.polling._LONGEST_S", 0.001)
    return Seller(door.market, tmp_path)
