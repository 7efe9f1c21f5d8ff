"""One door for all tests of AWS Marketplace, with a Marketplace for each test."""

from collections.abc import Iterator

import pytest

from tests.local_aws.market_stand import Door, Market, opened_door


@pytest.fixture(scope="session")
def market_door() -> Iterator[tuple[Door, str]]:
    with opened_door() as door_and_url:
        yield door_and_url


@pytest.fixture
def market(market_door: tuple[Door, str]) -> Market:
    door, url = market_door
    door.market = Market(url)
    return door.market
