from collections.abc import Callable
from dataclasses import replace

import pytest

from argosy.conformance.check import Status
from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.bodies import BatchBody, Framings, LargeBody
from argosy.conformance.scenes.endpoint import Abandoned, Errors
from tests.conformance.exchanges import exchange, finding

FINE = LargeBody(exchange(200), exchange(200), None)
SOUND = Abandoned(exchange(200), 4, exchange(200))


@pytest.mark.parametrize(
    ("clause_id", "scene"),
    [("chunked-body", lambda one: Framings(exchange(200), one, exchange(200))),
     ("expect-continue", lambda one: Framings(exchange(200), exchange(200), one))],
)  # fmt: skip
@pytest.mark.parametrize(
    ("changed", "status"),
    [
        (exchange(200), Status.PASS),
        (exchange(411), Status.FAIL),
        (exchange(417), Status.FAIL),
        (exchange(None, error="no answer within 10 s"), Status.FAIL),
    ],
)
def test_a_body_may_end_as_http_allows(
    clause_id: str, scene: Callable[[Exchange], Framings], changed: Exchange, status: Status
) -> None:
    assert finding(clause_id, scene(changed)).status is status


def test_a_framing_that_is_refused_is_told_where_nothing_is_understood() -> None:
    assert finding("chunked-body", Framings(exchange(400), exchange(400), exchange(400))).status is Status.UNKNOWN
    assert finding("chunked-body", Framings(exchange(400), exchange(411), exchange(400))).status is Status.FAIL


@pytest.mark.parametrize(
    ("large", "status"),
    [
        (exchange(200), Status.PASS),
        (exchange(413), Status.FAIL),
        (exchange(None, error="connection reset"), Status.FAIL),
    ],
)
def test_a_transform_job_sends_more(large: Exchange, status: Status) -> None:
    assert finding("batch-body", FINE, SOUND, BatchBody(exchange(200), large)).status is status
    refused = LargeBody(exchange(200), exchange(413), exchange(413))
    assert finding("batch-body", refused, SOUND, BatchBody(exchange(200), large)).status is Status.SKIP


def test_a_worker_that_was_killed_over_a_large_body_decides_nothing() -> None:
    killed = replace(exchange(None, error="closed without an answer"), log=("[CRITICAL] WORKER TIMEOUT (pid:9)",))
    assert finding("large-body", LargeBody(exchange(200), killed, None)).status is Status.UNKNOWN


@pytest.mark.parametrize(("status", "expected"), [(400, Status.PASS), (200, Status.PASS), (None, Status.FAIL)])
def test_an_empty_body_is_answered(status: int | None, expected: Status) -> None:
    assert finding("empty-body", Errors((exchange(status, sent=b""),), ())).status is expected
