from collections.abc import Iterator

import pytest

from tests.local_aws.market_stand import Door, opened_door


@pytest.fixture(scope="session")
def market_door() -> Iterator[tuple[Door, str]]:
    with opened_door() as door_and_url:
        yield door_and_url
