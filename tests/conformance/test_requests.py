import csv
import io
import json

import pytest

from argosy.conformance import requests
from argosy.conformance.probes import Exchange, invocation
from argosy.conformance.scenes.endpoint import Invocations
from tests.conformance.exchanges import exchange

CSV = exchange(200, content_type="text/csv", name="CSV")
JSON = exchange(200, name="JSON")
REFUSED = exchange(400, name="refused JSON")
UNREAD = exchange(415, name="unread JSON")


@pytest.mark.parametrize(
    ("content_type", "body", "repeated"),
    [
        ("text/csv", b"1,2\n", b"1,2\n1,2\n"),
        ("text/csv; charset=utf-8", b"1,2", b"1,2\n1,2\n"),
        ("application/jsonlines", b"{}", b"{}\n{}\n"),
        ("application/json", b"[[1], [2]]", [[1], [2], [1], [2]]),
        ("application/json", b'{"instances": [[1]], "k": 2}', {"instances": [[1], [1]], "k": 2}),
        ("application/json", b"[1, 2]", None),  # one record of two numbers, or two
        ("application/json", b'{"text": "x"}', None),
        ("application/json", b"no JSON", None),
        ("application/octet-stream", b"\x00", None),
    ],
)
def test_records_are_multiplied_where_it_can_be_told_what_one_is(
    content_type: str, body: bytes, repeated: object
) -> None:
    request = requests.repeated(invocation(content_type, body, "x"), 2)
    if repeated is None:
        assert request is None
    else:
        assert request is not None
        found = request.body or b""
        assert (found if isinstance(repeated, bytes) else json.loads(found)) == repeated


def test_no_two_generic_requests_mean_the_same() -> None:
    assert len({request.body for request in requests.generic()}) == len(requests.generic())


def test_a_word_that_no_log_has_reason_to_quote_is_in_marked_requests_alone() -> None:
    word = requests.WORD.encode()
    assert all(word in (request.body or b"") for request in requests.marked())
    assert not any(word in (request.body or b"") for request in requests.generic() + requests.bad())


def test_the_longest_attributes_are_as_long_as_they_may_be() -> None:
    (request,) = (requests.with_longest_attributes(one) for one in requests.generic()[:1])
    assert len(request.header("X-Amzn-SageMaker-Custom-Attributes")) == 1024


def test_other_hosts_replace_the_platforms() -> None:
    for request in requests.of_other_hosts(requests.generic()[0]):
        assert len([name for name, _ in request.headers if name.lower() == "host"]) == 1


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


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"[[1.0]]"),
        ("text/plain", b"words"),
        ("text/csv", b"1.0,2.0\r\n"),
        ("application/octet-stream", b"\x00\x01"),
        ("text/csv", b""),
    ],
)
def test_a_padded_body_has_the_length_and_begins_as_before(content_type: str, body: bytes) -> None:
    padded = requests.padded(invocation(content_type, body, "sample"), 10**6).body
    assert padded is not None
    assert len(padded) == 10**6
    assert padded.startswith(body.rstrip(b"\r\n"))


def test_padded_rows_are_few_and_no_field_is_longer_than_python_reads() -> None:
    padded = requests.padded(invocation("text/csv", b"1.0,2.0\n", "sample"), 10**6).body
    assert padded is not None
    rows = list(csv.reader(io.StringIO(padded.decode())))
    assert len(rows) <= 16
    assert {tuple(map(float, row)) for row in rows[:-1]} == {(1.0, 2.0)}
