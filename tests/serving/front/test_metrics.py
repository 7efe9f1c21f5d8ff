"""What is counted is what is shown: in Prometheus' text format, and in CloudWatch's lines."""

import itertools
import json
import math
from collections.abc import Sequence
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.serving.frames import Timings
from argosy.serving.front.metrics import BATCH_BOUNDS, TIME_BOUNDS, Ending, Gauges, Metrics, emf_line
from tests.serving.front import exposition

GAUGES = Gauges(
    is_ready=True,
    queue_length=3,
    queue_bytes=4096,
    receiving_bytes=8192,
    loading=1,
    idle=2,
    busy=4,
    open_connections=64,
    started=1_795_000_000.25,
    resident_bytes=123_456_789,
    dropped_log_lines=5,
    conversations=6,
)
SECONDS = st.floats(0, 200) | st.sampled_from(TIME_BOUNDS)
INVOCATIONS = st.lists(st.tuples(st.sampled_from([200, 400, 415, 500, 503]), SECONDS, SECONDS))
SIZES = st.integers(0, 200_000) | st.sampled_from([int(bound) + shift for bound in BATCH_BOUNDS for shift in (0, 1)])
FRAMES = st.lists(st.tuples(SIZES, st.builds(Timings, SIZES, SECONDS, SECONDS, SECONDS, st.just(0.0))))


@settings(max_examples=60, deadline=None)
@given(INVOCATIONS, FRAMES, st.lists(st.sampled_from(get_args(Ending))))
def test_what_was_counted_is_what_prometheus_reads(
    invocations: list[tuple[int, float, float]], frames: list[tuple[int, Timings]], endings: list[Ending]
) -> None:
    metrics = Metrics()
    for invocation in invocations:
        metrics.answered(invocation[0], [0.0], invocation[2], invocation[1])
    for frame in frames:
        metrics.worked(*frame)
    for ending in endings:
        metrics.process_ended(ending)
    families = exposition.read(metrics.render(GAUGES))
    for status in {status for status, _, _ in invocations} | {200}:
        told = families["argosy_invocations_total"].value("argosy_invocations_total", status=str(status))
        assert told == sum(invocation[0] == status for invocation in invocations)
    observed: dict[str, Sequence[float]] = {
        "argosy_invocation_duration_seconds": [seconds for _, seconds, _ in invocations],
        "argosy_queue_duration_seconds": [queued for _, _, queued in invocations],
        "argosy_predict_duration_seconds": [frame.predict for _, frame in frames],
        "argosy_batch_invocations": [count for count, _ in frames],
        "argosy_batch_rows": [frame.rows for _, frame in frames],
    }
    for name, values in observed.items():
        assert_histogram_holds(name, families[name], values)
    for stage in ("decode", "encode"):
        name = f"argosy_{stage}_seconds_total"
        assert families[name].value(name) == pytest.approx(sum(getattr(frame, stage) for _, frame in frames))
    for reason in get_args(Ending):
        name = "argosy_model_process_restarts_total"
        assert families[name].value(name, reason=reason) == endings.count(reason)


def assert_histogram_holds(name: str, family: exposition.Family, values: Sequence[float]) -> None:
    buckets = [(sample, dict(labels)["le"]) for sample, labels in family.samples if sample == f"{name}_bucket"]
    for sample, bound in buckets:
        assert family.value(sample, le=bound) == sum(value <= float(bound) for value in values)
    assert family.value(f"{name}_sum") == pytest.approx(sum(values))
    assert family.value(f"{name}_count") == len(values)


def test_the_gauges_are_shown_as_they_are() -> None:
    metrics = Metrics()
    metrics.metered(7)
    metrics.metered(2)
    families = exposition.read(metrics.render(GAUGES))
    plain = {name: family.value(name) for name, family in families.items() if (name, ()) in family.samples}
    assert plain == {
        "argosy_decode_seconds_total": 0,
        "argosy_encode_seconds_total": 0,
        "argosy_metered_units_total": 9,
        "argosy_ready": 1,
        "argosy_queue_length": 3,
        "argosy_queue_bytes": 4096,
        "argosy_receiving_bytes": 8192,
        "argosy_open_connections": 64,
        "argosy_log_lines_dropped_total": 5,
        "argosy_conversations": 6,
        "process_start_time_seconds": 1_795_000_000.25,
        "process_resident_memory_bytes": 123_456_789,
    }
    states = families["argosy_model_processes"]
    assert [states.value("argosy_model_processes", state=x) for x in ("loading", "idle", "busy")] == [1, 2, 4]


def test_memory_that_is_not_known_is_not_shown() -> None:
    gauges = Gauges(False, 0, 0, 0, 1, 0, 0, 0, 1.0)
    families = exposition.read(Metrics().render(gauges))
    assert "process_resident_memory_bytes" not in families
    assert families["argosy_ready"].value("argosy_ready") == 0


def test_prometheus_is_shown_round_bounds() -> None:
    families = exposition.read(Metrics().render(GAUGES))
    samples = families["argosy_invocation_duration_seconds"].samples
    bounds = [dict(labels)["le"] for name, labels in samples if name.endswith("_bucket")]
    assert bounds[:4] == ["0.0001", "0.00025", "0.0005", "0.001"]
    assert bounds[-3:] == ["50", "100", "+Inf"]


@settings(max_examples=60, deadline=None)
@given(INVOCATIONS, INVOCATIONS, FRAMES)
def test_a_cloudwatch_line_tells_what_happened_since_the_one_before(
    before: list[tuple[int, float, float]], after: list[tuple[int, float, float]], frames: list[tuple[int, Timings]]
) -> None:
    metrics = Metrics()
    for invocation in before:
        metrics.answered(invocation[0], [0.0], invocation[2], invocation[1])
    metrics.process_ended("killed")
    earlier = metrics.snapshot()
    for invocation in after:
        metrics.answered(invocation[0], [0.0], invocation[2], invocation[1])
    for frame in frames:
        metrics.worked(*frame)
    metrics.process_ended("stuck")
    metrics.metered(3)
    line = emf_line("Argosy", metrics.snapshot().since(earlier), 1_795_000_000.1234)
    told = assert_embedded_metric_format(line)
    assert told["_aws"]["Timestamp"] == 1_795_000_000_123
    assert told["Invocations"] == len(after)
    assert told["Errors4xx"] == sum(400 <= status < 499 for status, _, _ in after), "499: a client that left"
    assert told["Errors5xx"] == sum(500 <= status < 600 for status, _, _ in after)
    assert (told["ModelProcessRestarts"], told["MeteredUnits"]) == (1, 3)
    assert_distribution(told.get("Latency"), [seconds * 1000 for _, seconds, _ in after])
    assert_distribution(told.get("QueueTime"), [queued * 1000 for _, _, queued in after])
    assert_distribution(told.get("PredictTime"), [frame.predict * 1000 for _, frame in frames])
    assert ("BatchSize" in told) == bool(frames)


def assert_distribution(told: dict[str, Any] | None, milliseconds: list[float]) -> None:
    """Count and sum are exact; each value is within a bucket of the truth, where the buckets reach."""
    if told is None:
        assert not milliseconds
        return
    values, counts = told["Values"], told["Counts"]
    spread = itertools.chain.from_iterable([value] * int(n) for value, n in zip(values, counts, strict=True))
    for value, true in zip(spread, sorted(milliseconds), strict=True):
        assert value == pytest.approx(true, rel=0.29) or not 0.1 < true < 100_000
    assert told["Count"] == len(milliseconds)
    assert told["Sum"] == pytest.approx(sum(milliseconds), rel=1e-6, abs=1e-6)
    assert (told["Min"], told["Max"]) == (min(values), max(values))
    assert told["Min"] <= told["Sum"] / told["Count"] * 1.000001
    assert told["Sum"] / told["Count"] <= told["Max"] * 1.000001


def assert_embedded_metric_format(line: bytes) -> dict[str, Any]:
    """The rules of the specification that `emf_line` names."""
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    told: dict[str, Any] = json.loads(line)
    assert isinstance(told["_aws"]["Timestamp"], int)
    (directive,) = told["_aws"]["CloudWatchMetrics"]
    assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
    assert 1 <= len(directive["Namespace"]) <= 1024
    assert directive["Dimensions"] == [[]]
    names = [metric["Name"] for metric in directive["Metrics"]]
    assert len(names) == len(set(names)) <= 100
    assert set(names) == set(told) - {"_aws"}
    for metric in directive["Metrics"]:
        assert metric["Unit"] in {"Count", "Milliseconds"}
        target = told[metric["Name"]]
        if isinstance(target, dict):
            assert 1 <= len(target["Values"]) == len(target["Counts"]) <= 100
            assert all(math.isfinite(value) for value in target["Values"])
            assert all(count > 0 for count in target["Counts"])
        else:
            assert isinstance(target, int | float) and math.isfinite(target)
    return told


MOMENTS = st.integers(0, 300 * 1024).map(lambda ticks: ticks / 1024)
"""Differences of these are exact: no rounding decides where one counts."""


@given(st.lists(MOMENTS, min_size=1, max_size=40), MOMENTS)
def test_many_at_once_count_like_one_by_one(arrived: list[float], after: float) -> None:
    now = max(arrived) + after
    together, apart = Metrics(), Metrics()
    together.answered(200, arrived, max(arrived), now)
    for one in arrived:
        apart.answered(200, [one], max(arrived), now)
    found, want = together.snapshot(), apart.snapshot()
    assert (found.duration.counts, found.queue.counts) == (want.duration.counts, want.queue.counts)
    assert found.duration.sums == pytest.approx(want.duration.sums, abs=1e-9)
    assert found.queue.sums == pytest.approx(want.queue.sums, abs=1e-9)


def test_a_line_at_its_fullest_keeps_the_limits() -> None:
    metrics = Metrics()
    for seconds in (*TIME_BOUNDS, 1000.0):
        metrics.answered(200, [0.0], seconds, seconds)
        metrics.worked(1, Timings(1, seconds, seconds, seconds))
    line = emf_line("x" * 1024, metrics.snapshot(), 1.0)
    assert_embedded_metric_format(line)
    assert len(line) < 16_384  # a longer one is cut in two by Docker's log drivers
