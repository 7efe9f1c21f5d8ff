import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.conformance.reporting.plot import linear, logarithmic, megabytes, seconds

POSITIVE = st.floats(1e-4, 1e5)


@given(POSITIVE, POSITIVE)
def test_a_linear_axis_has_a_few_round_ticks_and_keeps_the_order(high: float, value: float) -> None:
    axis = linear(high)
    assert axis.ticks[0] == 0
    assert 2 <= len(axis.ticks) <= 6
    assert axis.ticks[-1] <= high * 1.001
    assert 0 <= axis.part(value / 2) <= axis.part(value) <= 1
    assert axis.part(high) == 1


@given(POSITIVE, POSITIVE)
def test_a_logarithmic_axis_holds_everything_between_its_powers_of_ten(first: float, second: float) -> None:
    low, high = sorted((first, second))
    axis = logarithmic(low, high)
    assert axis.low <= low * 1.001 and high <= axis.high * 1.001
    assert len(axis.ticks) >= 2
    assert 0 <= axis.part(low) <= axis.part(high) <= 1
    assert axis.y(low, 100) >= axis.y(high, 100)


@pytest.mark.parametrize("high", [0.0, -1.0])
def test_an_axis_of_nothing_is_an_axis(high: float) -> None:
    assert linear(high).high == 1.0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.0, "0 s"), (0.000048, "0.048 ms"), (0.00153, "1.5 ms"), (0.0996, "99.6 ms"), (0.25, "250 ms")),
        *((1.0, "1 s"), (12.04, "12 s"), (33.82, "33.8 s"), (600.0, "600 s")),
    ],
)
def test_a_time_is_as_exact_as_people_want_it(value: float, text: str) -> None:
    assert seconds(value) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 MB"), (32881664, "31 MB"), (3 * 2**30, "3.0 GB")])
def test_a_size_is_as_exact_as_people_want_it(count: int, text: str) -> None:
    assert megabytes(count) == text
