from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from argosy.billing.rates import PricingModel, Rates
from argosy.errors import ProjectError
from argosy.marketplace.table import Marketplace

WHERE = Path("argosy.toml")


def rates(**pricing: Any) -> Rates:
    return Rates.of(msgspec.convert({"pricing": pricing}, Marketplace), WHERE)


def test_prices_are_as_exact_as_they_are_written() -> None:
    found = rates(model="per-inference", per_inference="0.00000001", batch={"ml.m5.large": 0.1}, free_trial_days=14)
    assert found.inference == Decimal("0.00000001")
    assert found.hour("ml.m5.large", is_batch=True) == Decimal("0.1")
    assert found.free_trial_days == 14


def test_what_is_not_paid_for_has_no_price() -> None:
    metered = rates(model="per-inference", per_inference=1, realtime={"ml.m5.large": 3})
    assert metered.hour("ml.m5.large", is_batch=False) == 0
    for model in ("free", "byol"):
        found = rates(model=model, per_inference=1, realtime={"ml.m5.large": 3}, free_trial_days=14)
        assert (found.inference, found.hour("ml.m5.large", is_batch=False), found.free_trial_days) == (
            *(None, Decimal(0), 0),
        )
    assert rates(model="hourly", per_inference=1).inference is None


@pytest.mark.parametrize(
    ("pricing", "fault"),
    [
        ({}, "does not say how buyers pay: got nothing"),
        ({"model": "monthly"}, "got `monthly`"),
        ({"model": "per-inference"}, "`marketplace.pricing.per_inference` is not said"),
        ({"model": "per-inference", "per_inference": "a dime"}, "got `a dime`"),
        ({"model": "per-inference", "per_inference": "-1"}, "got `-1`"),
        ({"model": "per-inference", "per_inference": "1e3"}, "got `1e3`"),
        ({"model": "hourly", "realtime": {"ml.m5.large": "NaN"}}, "`marketplace.pricing.realtime.ml.m5.large`"),
    ],
)
def test_a_table_without_usable_prices_is_refused(pricing: dict[str, Any], fault: str) -> None:
    with pytest.raises(ProjectError) as raised:
        rates(**pricing)
    assert fault in str(raised.value)


@pytest.mark.parametrize("is_batch", [True, False])
def test_an_instance_type_without_a_price_is_refused(is_batch: bool) -> None:
    found = rates(model="hourly", realtime={"ml.m5.large": "1"}, batch={"ml.m5.large": "1"})
    assert found.model is PricingModel.HOURLY
    with pytest.raises(ProjectError, match=r"has no price of `ml\.c5\.large`"):
        found.hour("ml.c5.large", is_batch=is_batch)
