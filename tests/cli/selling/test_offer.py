import datetime

import msgspec
import pytest

from argosy.cli.selling.offer import require_sound, special_pricing
from argosy.errors import UsageError
from argosy.marketplace.offer_changes import PrivateOffer
from argosy.marketplace.table import Marketplace, Pricing
from argosy.publishing.catalog.sale import Sale
from tests.marketplace.offers import CLEAN

TABLE = msgspec.convert(CLEAN, Marketplace)
BY_INFERENCE = Pricing(model="per-inference", per_inference="0.001", batch={"ml.m5.large": "0.50"})


def priced(*said: str) -> Pricing:
    return special_pricing(TABLE.pricing, TABLE.instances, said)


def test_one_price_is_that_of_every_hour_and_no_trial_is_given() -> None:
    found = priced("0.10")
    assert set(found.realtime.values()) == set(found.batch.values()) == {"0.10"}
    assert found.realtime.keys() == TABLE.pricing.realtime.keys()
    assert found.free_trial_days is None


def test_a_type_has_a_price_of_its_own_in_both_modes_or_in_one() -> None:
    found = priced("ml.m5.large=0.20", "ml.m5.xlarge/batch=0.30")
    assert found.realtime == {"ml.m5.large": "0.20", "ml.c5.xlarge": "0.80"}
    assert found.batch == {"ml.m5.large": "0.20", "ml.m5.xlarge": "0.30"}
    assert priced("ml.m5.large/realtime=0.20").batch["ml.m5.large"] == "0.50"


def test_nothing_said_is_what_everybody_pays() -> None:
    found = priced()
    assert (found.realtime, found.batch) == (TABLE.pricing.realtime, TABLE.pricing.batch)


def test_where_inferences_are_sold_one_price_is_that_of_an_inference() -> None:
    found = special_pricing(BY_INFERENCE, TABLE.instances, ("0.0005",))
    assert found.per_inference == "0.0005"
    assert found.batch == {"ml.m5.large": "0.50"}


@pytest.mark.parametrize("said", ["ten", "ml.m5.large", "ml.m5.large=", "=0.1", "-1"])
def test_what_is_no_price_is_refused(said: str) -> None:
    with pytest.raises(UsageError, match="this is no price"):
        priced(said)


def test_a_type_that_is_not_sold_is_refused() -> None:
    with pytest.raises(UsageError, match="this type is not sold"):
        priced("ml.p3.2xlarge=1")
    with pytest.raises(UsageError, match="this type is not sold"):
        priced("ml.c5.xlarge/batch=1")


def test_an_offer_that_aws_would_refuse_is_refused_before() -> None:
    past = PrivateOffer("For one", ("12",), datetime.date(2020, 1, 1), 365, priced("0.10"))
    with pytest.raises(UsageError, match="no AWS account") as refused:
        require_sound(past, Sale(TABLE))
    assert "it expires on 2020-01-01" in str(refused.value)
