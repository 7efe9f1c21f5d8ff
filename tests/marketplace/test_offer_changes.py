"""Private offers, held against a golden one."""

import datetime
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from argosy.marketplace.offer_changes import PrivateOffer, creating_private_offer, private_offer_faults
from argosy.marketplace.table import Pricing
from tests.marketplace.test_product_changes import table_of

GOLDEN = Path(__file__).parents[1] / "golden/create-private-offer.json"
TODAY = datetime.date(2026, 11, 23)
TABLE = table_of()
OFFER = PrivateOffer(
    name="Vehicle detector for Example Corp",
    buyer_accounts=("210987654321",),
    expires=datetime.date(2026, 12, 31),
    agreement_days=365,
    pricing=TABLE.pricing,
    description="A tenth less.",
)


def priced(**fields: Any) -> PrivateOffer:
    return replace(OFFER, pricing=msgspec.structs.replace(TABLE.pricing, **fields))


def test_the_private_offer_is_the_golden_one() -> None:
    changes = creating_private_offer("prod-abcdefghijklm", OFFER, TABLE.instances)
    assert changes.request("APPLY") == json.loads(GOLDEN.read_text())
    assert private_offer_faults(OFFER, TABLE, TODAY) == ()


def test_the_products_own_key_is_used_and_no_description_changes_nothing() -> None:
    said = Pricing(model="per-inference", per_inference=1, batch=dict.fromkeys(TABLE.instances.batch, "0.1"))
    offer = replace(OFFER, pricing=said, description=" ")
    changes = creating_private_offer("prod-x", offer, TABLE.instances, "inference.count.m.i.c").changes
    assert "UpdateInformation" not in [change.type for change in changes]
    terms = next(change for change in changes if change.type == "UpdatePricingTerms").details["Terms"]
    assert terms[0]["RateCards"][0]["RateCard"][0] == {"DimensionKey": "inference.count.m.i.c", "Price": "1"}


@pytest.mark.parametrize(
    ("offer", "fault"),
    [
        (replace(OFFER, name=""), "the name has 0 characters"),
        (replace(OFFER, name="n" * 151), "the name has 151 characters, want 1 to 150"),
        (replace(OFFER, description="d" * 256), "the description has 256 characters, want at most 255"),
        (replace(OFFER, buyer_accounts=()), "0 buyers are named, want 1 to 100"),
        (replace(OFFER, buyer_accounts=("me",)), "`me` is no AWS account: want twelve digits"),
        (replace(OFFER, expires=TODAY), "it expires on 2026-11-23, and today is 2026-11-23"),
        (replace(OFFER, agreement_days=0), "an agreement lasts 0 days, want 1 at least"),
        (priced(model="byol"), "it is priced `byol`, want one of: hourly, per-inference"),
        (priced(model="per-inference"), "it is priced `per-inference`, and the product is sold `hourly`"),
        (priced(realtime={"ml.m5.large": "0.40"}), "`ml.c5.xlarge.m.i.r` has no price"),
        (
            priced(batch={**TABLE.pricing.batch, "ml.m5.large": "a tenth"}),
            "the price of `ml.m5.large.m.i.b` is `a tenth`",
        ),
    ],
)
def test_what_aws_would_refuse_is_said_before_it_is_asked(offer: PrivateOffer, fault: str) -> None:
    (found,) = private_offer_faults(offer, TABLE, TODAY)
    assert found.startswith(fault)
