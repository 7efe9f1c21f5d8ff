import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.conformance.observing import recorder
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.recorder import Recorder, pause_after
from argosy.conformance.probes import Exchange, Request, invocation, ping
from argosy.conformance.recording import Kind, Life, Moment
from argosy.conformance.run import Subject, examine
from tests.conformance.servers import launch_server


def answered(request: Request, status: int | None, seconds: float, ended_at: float) -> Exchange:
    return Exchange(request, status, total_s=seconds, ended_at=ended_at)


def recorded(*exchanges: tuple[Request, int | None, float, float]) -> Life:
    """The life of a container whose exchanges have status, seconds, and seconds after its start when they ended."""
    made = Recorder()
    track = made.track("endpoint")
    begun = time.monotonic()
    track.start(lambda: 1)
    for request, status, seconds, ended_s in exchanges:
        track.exchange(answered(request, status, seconds, begun + ended_s))
    track.close()
    (life,) = made.recording().lives
    return life


def test_a_container_that_was_never_started_has_no_life() -> None:
    made = Recorder()
    made.track("endpoint").close()
    assert made.recording().lives == ()


def test_an_exchange_is_named_and_placed_by_its_beginning() -> None:
    body = b"x" * 17
    life = recorded(
        (invocation("text/csv", body, "CSV row"), 400, 0.5, 3.0),
        (ping(), None, 1.0, 2.0),
        (Request("GET", "/execution-parameters"), 404, 0.1, 4.0),
    )
    assert [(each.kind, each.name, each.status, each.sent_bytes) for each in life.exchanges] == [
        (Kind.HEALTH_CHECK, "GET /ping", None, 0),
        (Kind.INVOCATION, "CSV row", 400, 17),
        (Kind.OTHER, "GET /execution-parameters", 404, 0),
    ]
    assert [each.at_s for each in life.exchanges] == pytest.approx([1.0, 2.5, 3.9], abs=0.05)
    assert [each.seconds for each in life.exchanges] == [1.0, 0.5, 0.1]


def test_the_first_of_each_turn_counts() -> None:
    made = Recorder()
    track = made.track("endpoint")
    track.start(lambda: None)
    for at_s in (1.0, 2.0):
        track.turn(Moment.ENDED, time.monotonic() + at_s)
    track.close()
    (life,) = made.recording().lives
    assert [turn.moment for turn in life.turns] == [Moment.STARTED, Moment.ENDED]
    assert life.when(Moment.ENDED) == pytest.approx(1.0, abs=0.1)
    assert life.memory == ()


def test_memory_is_sampled_until_the_end_and_by_nobody_after_it() -> None:
    made = Recorder()
    track = made.track("endpoint")
    seen = threading.Event()
    asked: list[int] = []

    def memory_bytes() -> int:
        asked.append(len(asked))
        if len(asked) == 3:
            seen.set()
        return len(asked)

    track.start(memory_bytes)
    assert seen.wait(20)
    track.close()
    (life,) = made.recording().lives
    assert [sample.bytes for sample in life.memory] == [number + 1 for number in asked]
    assert not [thread for thread in threading.enumerate() if thread.name == "memory"]


def test_a_sample_that_takes_long_is_taken_seldom() -> None:
    assert pause_after(0.001) == 0.2
    assert pause_after(0.05) == 2.0


@given(st.lists(st.tuples(st.floats(0.001, 60), st.floats(0, 600), st.sampled_from([200, 400, None])), max_size=80))
def test_what_is_left_out_is_never_the_slowest_and_the_numbers_are_of_all(
    drawn: list[tuple[float, float, int | None]],
) -> None:
    request = invocation("text/csv", b"1", "CSV row")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recorder, "_MOST_POINTS", 10)
        life = recorded(*((request, status, seconds, at_s + seconds) for seconds, at_s, status in drawn))
    assert len(life.exchanges) <= 10
    if drawn:
        slowest = max(seconds for seconds, _, _ in drawn)
        assert max(each.seconds for each in life.exchanges) == pytest.approx(slowest, abs=1e-5)
    seconds = [took for took, _, status in drawn if status is not None]
    if seconds:
        (latency,) = life.latencies
        assert latency.count == len(seconds) == sum(count for _, count in latency.buckets)
        assert latency.slowest_s == pytest.approx(max(seconds), abs=1e-5)
        assert min(seconds) - 1e-5 <= latency.median_s <= latency.p90_s <= latency.p99_s <= latency.slowest_s
        assert latency.buckets[-1][0] >= latency.slowest_s


def test_a_container_s_life_is_recorded_with_its_memory() -> None:
    report = examine(Subject("clean"), Bench(launch_server("clean"), is_read_only=True))
    life = report.recording.lives[0]
    assert life.act == "endpoint"
    assert [turn.moment for turn in life.turns] == [
        Moment.STARTED,
        Moment.ACCEPTED,
        Moment.HEALTHY,
        Moment.TERMINATED,
        Moment.ENDED,
    ]
    assert {latency.kind for latency in life.latencies} == set(Kind)
    assert any(exchange.sent_bytes == 25 * 2**20 for exchange in life.exchanges)
    assert all(exchange.at_s + exchange.seconds <= life.seconds + 0.01 for exchange in life.exchanges)
    assert life.most_memory is not None and life.most_memory.bytes > 2**20


def test_a_container_that_ends_by_itself_is_recorded_as_such() -> None:
    report = examine(Subject("missing_module"), Bench(launch_server("missing_module"), is_read_only=True))
    life = report.recording.lives[0]
    assert life.when(Moment.HEALTHY) is life.when(Moment.TERMINATED) is None
    assert life.turns[-1].moment is Moment.ENDED
    assert 200 not in {exchange.status for exchange in life.exchanges}
