"""Units add up, whatever the order; nothing but 2xx is charged."""

from decimal import Decimal
from functools import reduce
from operator import add

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.billing.assumptions import Assumptions, Counted
from argosy.billing.request_file import Recorded
from argosy.billing.usage import Finding, Seen, Usage, usage_of

STRICT = Assumptions()


def header(units: object, dimension: str = "inference.count") -> str:
    return f'{{"Dimension": "{dimension}", "ConsumedUnits": {units}}}'


def counted(seen: Seen, assumptions: Assumptions = STRICT, expected: int | None = None) -> Usage:
    return usage_of(Recorded("r:1", "text/csv", b"1", expected=expected), seen, assumptions)


@pytest.mark.parametrize(("value", "units", "stated"), [(None, 1, 0), (header(3), 3, 1), (header("2.0"), 2, 1)])
def test_a_success_is_charged_as_its_header_says_or_as_one_unit(value: str | None, units: int, stated: int) -> None:
    found = counted(Seen(200, value))
    assert (found.charged, found.units, found.stated, found.faults) == (1, Decimal(units), stated, 0)


@pytest.mark.parametrize("value", ["nonsense", header(2.5), header(-1), header(3, "tokens")])
def test_a_header_that_cannot_be_charged_is_told_and_counted_as_assumed(value: str) -> None:
    for malformed, units in ((Counted.ONE_UNIT, 1), (Counted.NOTHING, 0)):
        found = counted(Seen(201, value), Assumptions(malformed=malformed))
        assert (found.charged, found.units, found.stated, found.faults) == (1, Decimal(units), 0, 1)
        assert found.findings[0].place == "r:1"


def test_zero_units_are_nothing_unless_it_is_assumed_otherwise() -> None:
    assert counted(Seen(200, header(0))).units == 0
    found = counted(Seen(200, header(0)), Assumptions(zero=Counted.ONE_UNIT))
    assert (found.units, found.faults) == (Decimal(1), 1)


def test_a_metered_error_is_told_and_not_charged() -> None:
    found = counted(Seen(400, header(3)))
    assert (found.units, found.charged, found.errors) == (Decimal(0), 0, ((400, 1),))
    assert found.findings == (
        Finding("r:1", "an answer with 400 has `X-Amzn-Inference-Metering`, which is not charged"),
    )


def test_an_unexpected_count_is_told() -> None:
    assert counted(Seen(200, header(3)), expected=3).faults == 0
    assert counted(Seen(200), expected=3).findings[0].sentence == "it is charged as 1, and 3 were expected"
    told = counted(Seen(424, note="too late"), expected=3).findings[0].sentence
    assert told == "it is charged as 0, and 3 were expected: it was answered with 424, too late"


seen = st.builds(
    Seen,
    st.integers(100, 599),
    st.none() | st.text(max_size=20) | st.decimals(-10, 10**12, places=2).map(header) | st.integers().map(header),
)
series = st.lists(seen, max_size=8)


def total(answers: list[Seen]) -> Usage:
    return reduce(add, (counted(one) for one in answers), Usage())


@given(series, series)
def test_two_series_come_to_their_sum(one: list[Seen], other: list[Seen]) -> None:
    assert total(one + other) == total(one) + total(other)


@given(series, st.randoms(use_true_random=False))
def test_the_order_does_not_matter(answers: list[Seen], chance: object) -> None:
    mixed = list(answers)
    chance.shuffle(mixed)  # type: ignore[attr-defined]  # Hypothesis' Random has no type of its own
    first, second = total(answers), total(mixed)
    assert (first.units, first.charged, first.stated, first.faults, first.errors) == (
        *(second.units, second.charged, second.stated, second.faults, second.errors),
    )


@given(seen.filter(lambda one: not 200 <= one.status < 300))
def test_an_error_is_never_charged(answer: Seen) -> None:
    for assumptions in (STRICT, Assumptions(Counted.ONE_UNIT, Counted.ONE_UNIT)):
        found = counted(answer, assumptions)
        assert (found.units, found.charged) == (Decimal(0), 0)


@given(seen)
def test_no_answer_is_worth_less_than_nothing(answer: Seen) -> None:
    assert counted(answer).units >= 0


def test_only_the_first_findings_are_kept_and_all_are_counted() -> None:
    found = total([Seen(200, "nonsense")] * 150)
    assert (found.faults, len(found.findings)) == (150, 100)
