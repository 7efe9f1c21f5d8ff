import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.serving.pool.batching import BatchPolicy
from argosy.serving.settings import Batching


def policy(max_batch_size: int = 64, max_delay_ms: float = 0.0, *, joins: bool = True) -> BatchPolicy:
    found = BatchPolicy(Batching(max_batch_size, max_delay_ms))
    found.joins = joins
    return found


def fed(found: BatchPolicy, waiting: int, frames: int, fixed: float, each: float) -> list[int]:
    """The sizes of frames of a predictor that costs so much a call and a row, while so many wait."""
    sizes = []
    for _ in range(frames):
        count = min(found.limit, waiting)
        busy = fixed + each * count
        found.learn(count, count, busy + 0.0001, busy)
        sizes.append(count)
    return sizes


seconds = st.sampled_from([0.0, 1e-7, 1e-5, 0.001, 0.1, 60.0])


@settings(max_examples=200)
@given(
    st.integers(1, 5000),
    st.booleans(),
    st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 100_000), seconds, seconds), max_size=60),
)
def test_whatever_it_learns_its_answers_are_within_bounds(
    most: int, joins: bool, frames: list[tuple[int, int, float, float]]
) -> None:
    found = policy(most, joins=joins)
    for count, rows, total, busy in frames:
        found.learn(count, rows, total, busy)
        assert 1 <= found.limit <= max(most, 64)
        for waiting, answered in ((0, 1), (0, count), (count, count), (5000, 1)):
            pause, together = found.linger(waiting, answered)
            assert 0 <= pause <= 0.002
            assert not pause or waiting < together <= min(waiting + answered, found.limit)
        if not joins:
            assert found.limit <= 64
            assert found.linger(0, count) == (0, 0)


@given(st.integers(1, 500), st.integers(1, 40))
def test_no_frame_has_more_rows_than_allowed(most: int, rows: int) -> None:
    found = policy(most)
    for _ in range(200):
        count = found.limit
        found.learn(count, count * rows, 0.02, 0.02)
    if rows <= most:
        assert found.limit * rows <= most + rows  # the learned mean comes near, from below
    else:
        assert found.limit == 1


def test_the_first_frame_holds_one() -> None:
    assert policy().limit == 1


def test_what_gains_from_batches_gets_large_ones() -> None:
    assert fed(policy(), 64, 200, 0.02, 0.0001)[-1] == 64


def test_what_gains_nothing_gets_small_ones_and_the_same_throughput() -> None:
    sizes = fed(policy(), 64, 2000, 0.0, 0.02)
    assert sorted(sizes[-500:])[490] <= 2  # but for the few with which larger ones are tried


def test_it_stops_where_larger_frames_are_no_cheaper() -> None:
    """Each invocation costs 1 ms up to 16 in a call, and more beyond: 16 it is."""
    found = policy()
    sizes = []
    for _ in range(3000):
        count = found.limit
        busy = 0.016 if count <= 16 else 0.0016 * count
        found.learn(count, count, busy, busy)
        sizes.append(count)
    usual = sorted(sizes[-500:])[250]
    assert 8 <= usual <= 16


def test_when_fewer_wait_than_would_be_best_all_are_taken() -> None:
    assert fed(policy(), 10, 300, 0.02, 0.0001)[-1] == 10


def test_a_frame_that_the_kernel_delayed_changes_little() -> None:
    found = policy()
    fed(found, 64, 300, 0.02, 0.0001)
    found.learn(64, 64, 5.0, 5.0)
    assert found.limit >= 32
    sizes = fed(found, 64, 300, 0.02, 0.0001)
    assert sorted(sizes)[150] == 64


def test_a_slow_first_call_is_forgotten() -> None:
    """What is loaded or compiled at the first call costs seconds once."""
    found = policy()
    found.learn(1, 1, 3.0, 3.0)
    sizes = fed(found, 64, 3000, 0.0, 0.001)
    assert sorted(sizes[-200:])[100] <= 4


def test_what_costs_more_than_it_used_to_is_learned_again() -> None:
    found = policy()
    fed(found, 64, 1000, 0.02, 0.0)
    sizes = fed(found, 64, 6000, 0.0, 0.02)
    assert sorted(sizes[-200:])[100] <= 4


def test_quick_predictors_that_are_not_joined_get_several_at_a_time() -> None:
    assert fed(policy(joins=False), 64, 300, 0.0, 0.00001)[-1] >= 16
    assert fed(policy(joins=False), 64, 300, 0.0, 0.0002)[-1] <= 2
    assert fed(policy(joins=False), 64, 300, 0.0, 0.02)[-1] == 1


def test_a_quick_predictor_that_turns_slow_is_handed_one_again() -> None:
    found = policy(joins=False)
    fed(found, 64, 300, 0.0, 0.00001)
    sizes = fed(found, 64, 40, 0.0, 0.05)
    assert sizes[-1] == 1


@pytest.mark.parametrize(
    ("fixed", "each", "low", "high"),
    [
        (0.02, 0.0001, 0.002, 0.002),  # what a call costs is shared: worth the longest pause
        (0.003, 0.00001, 0.0003, 0.0006),  # a share of the service time
        (0.0001, 0.000001, 0, 0),  # quick
        (0.0, 0.001, 0, 0),  # slow, and nothing to be gained
    ],
)
def test_the_pause_is_a_share_of_the_service_time_where_it_saves_something(
    fixed: float, each: float, low: float, high: float
) -> None:
    found = policy()
    fed(found, 64, 200, fixed, each)
    pause, together = found.linger(0, 32)
    assert low <= pause <= high
    assert together == (32 if high else 0)
    assert found.linger(0, 1) == (0, 0), "a single client never waits"


def test_the_projects_delay_is_told_in_seconds() -> None:
    assert policy(8, 50).max_delay_s == 0.05
    assert policy().max_delay_s == 0
