from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.billing.bill import Bill, Hours, make
from argosy.billing.rates import PricingModel, Rates
from argosy.billing.usage import Usage

TYPE = "ml.m5.large"


def rates(model: str, **values: Any) -> Rates:
    defaults: dict[str, Any] = {"inference": None, "realtime": {TYPE: Decimal("0.5")}, "batch": {TYPE: Decimal("0.9")}}
    return Rates(PricingModel(model), **{**defaults, **values})


METERED = rates("per-inference", inference=Decimal("0.0025"), free_trial_days=14)
HOURLY = rates("hourly", free_trial_days=5)


def bill(of: Rates, usage: Usage | None = None, *hours: Hours, is_trial: bool = False) -> Bill:
    return make("shop", of, usage, hours, is_trial=is_trial)


def units(count: int) -> Usage:
    return Usage(requests=count, charged=count, units=Decimal(count))


def test_units_cost_the_price_of_an_inference_and_endpoints_hours_nothing() -> None:
    found = bill(METERED, units(7), Hours(TYPE, 2, Decimal(720)))
    assert [(line.dimension, line.quantity, line.amount) for line in found.lines] == [
        ("inference.count", Decimal(7), Decimal("0.0175"))
    ]
    assert found.total == Decimal("0.0175")


def test_transform_jobs_are_charged_by_the_hour_whatever_the_header_counts() -> None:
    found = bill(METERED, None, Hours(TYPE, 3, Decimal("1.5"), is_batch=True))
    assert [(line.dimension, line.quantity, line.amount) for line in found.lines] == [
        (f"{TYPE}.m.i.b", Decimal(270), Decimal("4.05"))
    ]


def test_what_is_sold_by_the_hour_charges_no_invocation() -> None:
    found = bill(HOURLY, units(1000), Hours(TYPE, 1, Decimal(10)))
    assert found.total == Decimal(5)
    assert "invocations cost nothing more" in found.notes[0]


@pytest.mark.parametrize(("hours", "minutes"), [("1", 60), ("0.01", 1), ("1.001", 61), ("0", 0)])
def test_hours_are_prorated_to_the_minute(hours: str, minutes: int) -> None:
    assert Hours(TYPE, 1, Decimal(hours)).minutes == minutes


def test_a_part_of_a_cent_without_an_end_is_rounded_at_the_twelfth_decimal() -> None:
    assert bill(HOURLY, None, Hours(TYPE, 1, Decimal("0.01"))).total == Decimal("0.008333333333")


def test_instances_of_a_type_are_added_up() -> None:
    found = bill(HOURLY, None, Hours(TYPE, 1, Decimal(1)), Hours(TYPE, 2, Decimal(1)))
    assert [line.quantity for line in found.lines] == [180]
    assert found.total == Decimal("1.5")


def test_the_free_trial_covers_what_lies_in_it() -> None:
    found = bill(HOURLY, None, Hours(TYPE, 2, Decimal(5 * 24 + 1)), is_trial=True)
    (line,) = found.lines
    assert (line.quantity - line.free, line.amount) == (Decimal(120), Decimal(1))
    assert bill(METERED, units(7), is_trial=True).total == 0
    assert "There is no free trial." in bill(rates("hourly"), None, is_trial=True).notes


@pytest.mark.parametrize("model", ["free", "byol"])
def test_what_is_not_sold_here_costs_nothing(model: str) -> None:
    free = rates(model, realtime={}, batch={})
    assert bill(free, units(7), Hours(TYPE, 1, Decimal(9)), Hours(TYPE, 1, Decimal(9), is_batch=True)).total == 0


counts = st.integers(0, 2**63 - 1)
prices = st.decimals(0, 99_999_999, places=8)


@given(counts, counts, prices)
def test_the_bill_of_two_files_is_the_sum_of_their_bills(one: int, other: int, price: Decimal) -> None:
    of = rates("per-inference", inference=price)
    both = bill(of, units(one) + units(other)).total
    with localcontext(prec=60):
        assert both == bill(of, units(one)).total + bill(of, units(other)).total


@given(
    st.lists(st.tuples(st.sampled_from(["ml.m5.large", "ml.c5.large"]), st.integers(1, 9)), max_size=6), st.randoms()
)
def test_the_order_of_instances_does_not_matter(instances: list[tuple[str, int]], chance: Any) -> None:
    of = rates("hourly", realtime={"ml.m5.large": Decimal("0.1"), "ml.c5.large": Decimal("0.07")})
    hours = [Hours(name, count, Decimal(1)) for name, count in instances]
    mixed = list(hours)
    chance.shuffle(mixed)
    assert make("shop", of, None, hours, is_trial=False).total == make("shop", of, None, mixed, is_trial=False).total
