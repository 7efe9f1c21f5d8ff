"""The judgements on scenes that no server of `tests/projects` plays."""

import json
from collections.abc import Callable

import pytest

from argosy.conformance.check import Status
from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.bodies import LargeBody
from argosy.conformance.scenes.endpoint import (
    Busy,
    Errors,
    ExecutionParameters,
    Honesty,
    Invocations,
    Start,
    Stop,
    Survival,
)
from tests.conformance.exchanges import HEALTHY, exchange, finding, ping_exchange


def busy(*connects: float | None) -> Busy:
    pings = tuple(ping_exchange(200 if seconds is not None else None, connect_s=seconds) for seconds in connects)
    return Busy(pings, ((200, 10),), 4)


@pytest.mark.parametrize(
    ("connects", "status"),
    [
        ((0.001, 0.002, 0.001, 0.002, 0.25), Status.PASS),
        ((0.001, 0.3, 0.002, 0.001, 0.002), Status.UNKNOWN),
        ((0.001,), Status.UNKNOWN),
        ((0.3, 0.3, 0.3), Status.FAIL),
        ((0.001, None, None, None), Status.FAIL),
    ],
)
def test_connections_are_to_be_accepted_in_time(connects: tuple[float | None, ...], status: Status) -> None:
    assert finding("accept-connection", busy(*connects)).status is status


@pytest.mark.parametrize(
    ("probes", "status"),
    [
        ((200, 415), Status.PASS),
        ((400, 415), Status.UNKNOWN),
        ((500, 500), Status.UNKNOWN),
        ((404, 405), Status.FAIL),
        ((None, None), Status.FAIL),
    ],
)
def test_an_image_is_not_failed_for_not_understanding_a_generic_request(
    probes: tuple[int | None, ...], status: Status
) -> None:
    assert finding("invocations", Invocations((), tuple(map(exchange, probes)))).status is status


@pytest.mark.parametrize(("status", "expected"), [(200, Status.PASS), (400, Status.FAIL), (None, Status.FAIL)])
def test_a_sample_is_to_be_understood(status: int | None, expected: Status) -> None:
    assert finding("invocations", Invocations((exchange(status),), (exchange(200),))).status is expected


@pytest.mark.parametrize(
    ("probes", "baseline"),
    [((415, 400, 200), 200), ((500, 415, 400), 400), ((500, 415), 500), ((404, 404), 404), ((None,), None)],
)
def test_the_baseline_is_the_best_understood(probes: tuple[int | None, ...], baseline: int | None) -> None:
    chosen = Invocations((), tuple(map(exchange, probes))).baseline
    assert (chosen.status if chosen else None) == baseline


@pytest.mark.parametrize(
    ("sample", "probes", "baseline"),
    [(201, (200,), 201), (400, (200,), 200), (500, (400,), 400), (400, (422,), 400), (None, (500,), 500)],
)
def test_a_sample_comes_first_among_those_that_are_understood_as_well(
    sample: int | None, probes: tuple[int, ...], baseline: int
) -> None:
    chosen = Invocations((exchange(sample),), tuple(map(exchange, probes))).baseline
    assert chosen is not None
    assert chosen.status == baseline


@pytest.mark.parametrize(
    ("large", "small", "status"),
    [
        (exchange(200), 200, Status.PASS),
        (exchange(400), 200, Status.PASS),
        (exchange(413), 200, Status.FAIL),
        (exchange(None, error="connection reset"), 200, Status.FAIL),
        (exchange(None, error="no answer within 60 s"), 200, Status.UNKNOWN),
        (exchange(502), 400, Status.FAIL),
        (exchange(500), 500, Status.UNKNOWN),
        (exchange(415), 415, Status.UNKNOWN),
    ],
)
def test_a_large_body_is_to_reach_the_model(large: Exchange, small: int, status: Status) -> None:
    scene = LargeBody(exchange(small), large, None)
    assert finding("large-body", scene).status is status


def test_a_large_body_that_is_refused_as_input_is_not_called_answered() -> None:
    found = finding("large-body", LargeBody(exchange(400), exchange(400), None))
    assert "refused as input with 400" in found.verdict.reason


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, b"", Status.PASS),
        (200, {"MaxConcurrentTransforms": 4, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}, Status.PASS),
        (200, {"MaxConcurrentTransforms": 4, "BatchStrategy": "MultiRecord", "MaxPayloadInMB": 6}, Status.FAIL),
        (200, {"MaxConcurrentTransforms": "4"}, Status.FAIL),
        (200, [], Status.FAIL),
        (200, b"ok", Status.FAIL),
        (500, b"", Status.FAIL),
    ],
)
def test_execution_parameters_are_absent_or_right(status: int, body: object, expected: Status) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    assert finding("execution-parameters", ExecutionParameters(exchange(status, content))).status is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error": "no such column"}', Status.FAIL),
        (b'{"status": "failed"}', Status.FAIL),
        (b'"Error: no"', Status.FAIL),
        (b"Traceback (most recent call last):", Status.FAIL),
        (b'{"prediction": "a", "error": null}', Status.UNKNOWN),
        (b'{"prediction": "errors are human"}', Status.UNKNOWN),
        (b"[0.5]", Status.UNKNOWN),
    ],
)
def test_only_what_says_that_it_is_an_error_is_an_error_paid_for(body: bytes, expected: Status) -> None:
    assert finding("error-status", Errors((exchange(200, body),), ())).status is expected


@pytest.mark.parametrize(
    "body",
    [
        b'Traceback (most recent call last):\n  File "/opt/x.py", line 3',
        b'{"detail": "java.lang.X\\n"}\n  at com.acme.Model.predict(Model.java:17)\n',
        b"TypeError: x\n    at Object.<anonymous> (/opt/app/server.js:10:5)",
        b"goroutine 1 [running]:",
    ],
)
def test_a_stack_trace_of_any_language_is_found(body: bytes) -> None:
    assert finding("error-traceback", Errors((exchange(400, body),), ())).status is Status.FAIL


def test_an_honest_message_is_no_stack_trace() -> None:
    body = b'{"error": "line 3: want 4 columns, got 3"}'
    assert finding("error-traceback", Errors((exchange(400, body),), ())).status is Status.PASS


BARE = Start(limit_s=9.0, accepted_s=0.1, healthy_s=0.2, pings=(ping_exchange(200),))
LOADING = Start(limit_s=9.0, accepted_s=0.1, healthy_s=0.2, pings=(ping_exchange(503), ping_exchange(200)))
ENDED = Start(limit_s=9.0, exit_code=1)


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        (Honesty(LOADING, None), Status.PASS),
        (Honesty(HEALTHY, exchange(200)), Status.UNKNOWN),
        (Honesty(HEALTHY, exchange(200), ENDED), Status.PASS),
        (Honesty(HEALTHY, exchange(200), BARE, exchange(500)), Status.FAIL),
        (Honesty(HEALTHY, exchange(200), BARE, exchange(200)), Status.UNKNOWN),
    ],
)
def test_a_static_ping_is_only_failed_where_it_is_proved(scene: Honesty, expected: Status) -> None:
    assert finding("ping-honest", scene).status is expected


def stop(exit_code: int | None, held: Exchange | None, baseline: int = 200) -> Stop:
    return Stop(exit_code, 0.1, 30.0, exchange(baseline), held)


@pytest.mark.parametrize(
    ("clause_id", "scene", "expected"),
    [
        ("stop-grace", stop(143, None), Status.PASS),
        ("stop-grace", stop(None, None), Status.FAIL),
        ("stop-exit-code", stop(143, None), Status.FAIL),
        ("stop-exit-code", stop(0, None), Status.PASS),
        ("stop-exit-code", stop(None, None), Status.SKIP),
        ("stop-drain", stop(0, exchange(200)), Status.PASS),
        ("stop-drain", stop(0, exchange(503)), Status.FAIL),
        ("stop-drain", stop(0, exchange(None, error="connection reset")), Status.FAIL),
        ("stop-drain", stop(0, None), Status.UNKNOWN),
        ("stop-drain", stop(0, exchange(400), 400), Status.UNKNOWN),
        ("stop-drain", stop(0, exchange(500), 500), Status.UNKNOWN),
        ("stop-drain", stop(0, exchange(None, error="connection reset"), 400), Status.FAIL),
    ],
)
def test_the_end_is_judged(clause_id: str, scene: Stop, expected: Status) -> None:
    assert finding(clause_id, scene).status is expected


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        (Survival(exchange(400), ping_exchange(200), None), Status.PASS),
        (Survival(exchange(400), ping_exchange(503), None), Status.FAIL),
        (Survival(exchange(None, error="connection reset"), None, 139), Status.FAIL),
    ],
)
def test_a_server_is_to_survive(scene: Survival, expected: Status) -> None:
    assert finding("error-survival", scene).status is expected


CALM_PINGS = (ping_exchange(200),) * 8


@pytest.mark.parametrize("statuses", [(), ((400, 900),), ((500, 12), (400, 1))])
def test_a_container_whose_model_never_worked_was_not_busy(statuses: tuple[tuple[int, int], ...]) -> None:
    for clause_id in ("ping-busy", "accept-connection"):
        found = finding(clause_id, Busy(CALM_PINGS, statuses, 4))
        assert found.status is Status.UNKNOWN
        assert "--sample" in found.verdict.decide
        assert all(str(status) in found.verdict.reason for status, _ in statuses)


def test_a_busy_container_that_answers_its_health_checks_passes() -> None:
    found = finding("ping-busy", Busy(CALM_PINGS, ((200, 30), (503, 2)), 4))
    assert found.status is Status.PASS
    assert "32 invocations answered (30 with 200, 2 with 503)" in found.verdict.reason


def test_a_health_check_that_fails_under_load_fails_whatever_the_load_was_answered_with() -> None:
    scene = Busy((ping_exchange(200), ping_exchange(200, seconds=3.0)), ((400, 9),), 4)
    assert finding("ping-busy", scene).status is Status.FAIL


@pytest.mark.parametrize("answer", [lambda: exchange(None, error="connection reset"), lambda: exchange(500)])
def test_broken_input_is_to_be_refused_with_4xx(answer: Callable[[], Exchange]) -> None:
    found = finding("error-client", Errors((exchange(400), answer()), ()))
    assert found.status is (Status.FAIL if answer().status else Status.PASS)
