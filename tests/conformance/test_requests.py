import pytest

from argosy.conformance import requests
from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.endpoint import Invocations
from tests.conformance.exchanges import exchange

CSV = exchange(200, content_type="text/csv", name="CSV")
JSON = exchange(200, name="JSON")
REFUSED = exchange(400, name="refused JSON")
UNREAD = exchange(415, name="unread JSON")


@pytest.mark.parametrize(
    ("seen", "chosen"),
    [
        ((CSV, REFUSED, JSON), JSON),
        ((CSV, REFUSED), REFUSED),  # blanks are no work, a thousand rows are
        ((CSV, UNREAD), CSV),  # who does not read the type may not read the body
        ((UNREAD,), UNREAD),
        ((), None),
    ],
)
def test_a_long_body_is_made_of_what_is_the_least_work(seen: tuple[Exchange, ...], chosen: Exchange | None) -> None:
    assert requests.cheapest_for_padding(Invocations((), seen)) == chosen
