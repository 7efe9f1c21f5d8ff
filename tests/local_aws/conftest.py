"""A local AWS for each file, and one door for all tests of AWS Marketplace, with a Marketplace for each test."""

from collections.abc import Iterator

import pytest

from argosy.testing.local_aws import LocalAwsServer
from argosy.testing.local_aws import local_aws as serving
from tests.local_aws.market_stand import Door, Market, opened_door
from tests.local_aws.stand_in import Push, open_stand_in


@pytest.fixture(scope="module")
def local_aws() -> Iterator[LocalAwsServer]:
    """One for each file, since a process has one at a time, and xdist gives a file to one process."""
    with serving(open_image=open_stand_in) as aws:
        yield aws


@pytest.fixture(scope="module")
def push(local_aws: LocalAwsServer, tmp_path_factory: pytest.TempPathFactory) -> Push:
    return Push(local_aws, tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def market_door() -> Iterator[tuple[Door, str]]:
    with opened_door() as door_and_url:
        yield door_and_url


@pytest.fixture
def market(market_door: tuple[Door, str]) -> Market:
    door, url = market_door
    door.market = Market(url)
    return door.market
