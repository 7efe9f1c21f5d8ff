from dataclasses import replace
from typing import Any

import pytest

from argosy.conformance.check import Status
from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.endpoint import Headers, Invocations
from argosy.contract import HEADER_CUSTOM_ATTRIBUTES
from tests.conformance.exchanges import exchange, finding

GIVEN_UP = replace(exchange(502), log=("[2026-11-23] [7] [CRITICAL] WORKER TIMEOUT (pid:9)",))
TRACEBACK = tuple(f'  File "model.py", line {number}, in layer' for number in range(100))
LATE = exchange(None, error="no answer within 60 s", seconds=60.1)


def test_a_worker_that_was_given_up_is_the_only_finding() -> None:
    scene = Invocations((GIVEN_UP,), (GIVEN_UP,))
    assert finding("worker-timeout", scene).status is Status.FAIL
    for clause_id in ("invocation-time", "invocations", "response-content-type"):
        assert finding(clause_id, scene).status is Status.SKIP


def test_a_worker_that_was_given_up_is_seen_before_a_long_traceback() -> None:
    given_up = replace(GIVEN_UP, log=(*GIVEN_UP.log, *TRACEBACK))
    verdict = finding("worker-timeout", Invocations((given_up,), ())).verdict
    assert verdict.status is Status.FAIL
    assert verdict.evidence[0].log == GIVEN_UP.log
    assert given_up.evidence.log == TRACEBACK[-8:]


@pytest.mark.parametrize(
    ("samples", "probes", "time", "margin"),
    [
        ((exchange(200, seconds=1),), (), Status.PASS, Status.PASS),
        ((exchange(200, seconds=31),), (), Status.PASS, Status.FAIL),
        ((LATE,), (exchange(200),), Status.FAIL, Status.SKIP),
        # What a generic request means to a model is not known: it may be work without end.
        ((), (exchange(200), LATE), Status.PASS, Status.PASS),
        ((), (exchange(400),), Status.UNKNOWN, Status.UNKNOWN),
    ],
)
def test_what_was_asked_for_is_answered_in_time(
    samples: tuple[Exchange, ...], probes: tuple[Exchange, ...], time: Status, margin: Status
) -> None:
    scene = Invocations(samples, probes)
    assert finding("invocation-time", scene).status is time
    assert finding("invocation-time-margin", scene).status is margin


def test_a_stream_may_take_eight_minutes() -> None:
    stream = replace(exchange(200, seconds=200), headers=(("content-type", "text/event-stream"),))
    assert finding("invocation-time", Invocations((stream,), ())).status is Status.PASS


def accepting(accept: str, given: str) -> Exchange:
    answered = replace(exchange(200, b"1"), headers=(("content-type", given),))
    return replace(answered, request=answered.request.with_headers(("Accept", accept)))


@pytest.mark.parametrize(
    ("accept", "given", "status"),
    [
        ("text/csv", "text/csv; charset=utf-8", Status.PASS),
        ("text/*, application/json;q=0.5", "text/csv", Status.PASS),
        ("text/csv", "application/json", Status.FAIL),
        ("text/csv", "", Status.FAIL),
        ("*/*", "application/json", Status.SKIP),
    ],
)
def test_an_answer_is_of_the_type_that_was_asked_for(accept: str, given: str, status: Status) -> None:
    assert finding("response-media-type", Invocations((accepting(accept, given),), ())).status is status


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (exchange(200, b"1"), Status.PASS),
        (replace(exchange(200, b"1"), headers=()), Status.FAIL),
        (replace(exchange(200), headers=()), Status.UNKNOWN),
    ],
)
def test_an_answer_with_a_body_says_what_it_is(answer: Exchange, status: Status) -> None:
    assert finding("response-content-type", Invocations((), (answer,))).status is status


def changed(**exchanges: Any) -> Headers:  # Any: `hosts` are two, all others one exchange
    same = exchange(200)
    found = Headers(same, same, same, same, same, same, same, (same, same))
    return replace(found, **exchanges)


@pytest.mark.parametrize(
    ("status", "expected"), [(200, Status.PASS), (400, Status.PASS), (500, Status.FAIL), (None, Status.FAIL)]
)
def test_a_session_that_nobody_opened_may_be_refused(status: int | None, expected: Status) -> None:
    assert finding("session-id", changed(session=exchange(status))).status is expected


def attributed(value: str, sent: str = "") -> Exchange:
    answered = replace(exchange(200), headers=((HEADER_CUSTOM_ATTRIBUTES.lower(), value),))
    request = answered.request.with_headers((HEADER_CUSTOM_ATTRIBUTES, sent)) if sent else answered.request
    return replace(answered, request=request)


@pytest.mark.parametrize(
    ("scene", "status"),
    [
        (changed(), Status.PASS),
        (changed(extra=attributed("argosy=check", "argosy=check")), Status.PASS),
        (changed(parameters=attributed("model=7")), Status.PASS),
        (changed(parameters=attributed("argosy=check")), Status.FAIL),
        (changed(parameters=attributed("x" * 1025)), Status.FAIL),
        (changed(parameters=attributed("\u00e9")), Status.FAIL),
        (changed(attributes=exchange(431)), Status.FAIL),
    ],
)
def test_custom_attributes_belong_to_their_request(scene: Headers, status: Status) -> None:
    assert finding("custom-attributes", scene).status is status


@pytest.mark.parametrize(("host", "status"), [(200, Status.PASS), (400, Status.FAIL), (421, Status.FAIL)])
def test_any_host_may_invoke(host: int, status: Status) -> None:
    scene = changed(hosts=(exchange(200), exchange(host)))
    assert finding("invocation-any-host", scene).status is status
