from dataclasses import replace

import pytest

from argosy.conformance.check import Status
from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.endpoint import Abandoned, Concurrency
from tests.conformance.exchanges import exchange, finding

ALONE = exchange(200, b'{"score": 0.25, "label": "a"}')
OTHER = exchange(200, b'{"score": 0.75, "label": "b"}', sent=b"[]")


def at_once(*answers: Exchange, again: Exchange = ALONE) -> Concurrency:
    return Concurrency(((ALONE, again), (OTHER, OTHER)), answers, 8)


@pytest.mark.parametrize(
    ("scene", "status"),
    [
        (at_once(ALONE, OTHER, ALONE), Status.PASS),
        (at_once(replace(ALONE, body=b'{"score": 0.2500001, "label": "a"}')), Status.PASS),
        (at_once(replace(ALONE, body=OTHER.body)), Status.FAIL),
        (at_once(replace(ALONE, body=b'{"score": 0.26, "label": "a"}')), Status.FAIL),
        (at_once(exchange(500)), Status.FAIL),
        (at_once(exchange(None, error="connection reset")), Status.FAIL),
        (at_once(exchange(503), ALONE), Status.PASS),
        (at_once(exchange(503), exchange(429)), Status.UNKNOWN),
        (at_once(ALONE, again=replace(ALONE, body=b'{"id": "8f"}')), Status.PASS),
    ],
)
def test_answers_at_once_are_those_one_after_the_other(scene: Concurrency, status: Status) -> None:
    if scene.serial[0][1].body != ALONE.body:
        scene = replace(scene, parallel=(replace(ALONE, body=b"anything"), OTHER))  # ALONE decides nothing any more
    assert finding("concurrency", scene).status is status


def test_a_model_that_never_answers_twice_alike_is_not_judged() -> None:
    scene = Concurrency(((ALONE, replace(ALONE, body=b"other")),), (ALONE,), 8)
    assert finding("concurrency", scene).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        (200, 200, Status.PASS),
        (200, 503, Status.FAIL),
        (200, None, Status.FAIL),
        (400, 400, Status.PASS),
        (400, None, Status.FAIL),
        (500, 500, Status.UNKNOWN),
    ],
)
def test_clients_that_leave_harm_nobody(before: int, after: int | None, status: Status) -> None:
    assert finding("abandoned-invocations", Abandoned(exchange(before), 4, exchange(after))).status is status
