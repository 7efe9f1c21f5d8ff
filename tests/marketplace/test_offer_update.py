import datetime
from typing import Any

import msgspec
import pytest

from argosy.errors import ProjectError
from argosy.marketplace.change_set import ChangeSet, Entity
from argosy.marketplace.described import DescribedOffer, DescribedProduct
from argosy.marketplace.offer_changes import creating_private_offer
from argosy.marketplace.offer_update import FREEZE, expiring, offer_changes
from argosy.marketplace.product_changes import Version, add_version, creating_product
from argosy.marketplace.table import Marketplace
from tests.marketplace.entities import PRODUCT_ID, Shop
from tests.marketplace.test_offer_changes import OFFER, TABLE
from tests.marketplace.test_product_changes import VERSION, table_of

COPY = "https://aws-mp-offer-legal-artifacts-us-east-1-prod.s3.amazonaws.com/offer-x/eula.pdf"
EULA = "https://vehicles.example.com/eula.pdf"
BY_INFERENCE = {
    "model": "per-inference",
    "per_inference": "0.001",
    "realtime": {},
    "batch": {"ml.m5.large": "0.50", "ml.m5.xlarge": "0.90"},
    "refund_policy": "No refund is given, since a subscription alone costs nothing.",
}


def sold(table: Marketplace) -> Shop:
    shop = Shop()
    shop.apply(creating_product(table, VERSION))
    return shop


def with_pricing(**fields: Any) -> Marketplace:
    return msgspec.structs.replace(TABLE, pricing=msgspec.structs.replace(TABLE.pricing, **fields))


def update(shop: Shop, table: Marketplace, sent: str | None = None) -> ChangeSet:
    product = DescribedProduct.of(shop.described_product())
    return offer_changes(DescribedOffer.of(shop.described_offer()), table, product, VERSION.package_arn, sent)


def test_the_same_prices_written_otherwise_change_nothing() -> None:
    table = with_pricing(realtime={"ml.m5.large": 0.5, "ml.c5.xlarge": "0.8000"})
    assert update(sold(TABLE), table).changes == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"realtime": {"ml.m5.large": "0.51", "ml.c5.xlarge": "0.80"}},
        {"free_trial_days": None},
        {"free_trial_days": 30},
        {"model": "byol"},
    ],
)
def test_other_prices_are_sent_whole_and_freeze_them(fields: dict[str, Any]) -> None:
    shop, table = sold(TABLE), with_pricing(**fields)
    changes = update(shop, table)
    assert [change.type for change in changes.changes] == ["UpdatePricingTerms"]
    assert FREEZE in changes.notes
    shop.apply(changes)
    assert update(shop, table) == ChangeSet(changes.title)


def test_other_refunds_and_another_license_are_sent_alone() -> None:
    table = with_pricing(refund_policy="A refund is given within a week.", eula=EULA)
    changes = update(sold(TABLE), table)
    assert [change.type for change in changes.changes] == ["UpdateLegalTerms", "UpdateSupportTerms"]
    assert FREEZE not in changes.notes


@pytest.mark.parametrize(("sent", "types"), [(None, []), (EULA, []), (EULA + "?old", ["UpdateLegalTerms"])])
def test_a_license_that_aws_copied_is_sent_again_only_where_another_was_sent(
    sent: str | None, types: list[str]
) -> None:
    table = with_pricing(eula=EULA)
    shop = sold(table)
    legal = next(term for term in shop.offer["Terms"] if term["Type"] == "LegalTerm")
    legal["Documents"][0]["Url"] = COPY
    changes = update(shop, table, sent)
    assert [change.type for change in changes.changes] == types
    assert bool(changes.notes) is (sent is None)


def test_a_standard_contract_takes_the_place_of_an_own_one() -> None:
    changes = update(sold(with_pricing(eula=EULA)), TABLE)
    assert [change.type for change in changes.changes] == ["UpdateLegalTerms"]


def test_types_of_older_versions_keep_their_prices() -> None:
    shop = sold(TABLE)
    newer = Version(VERSION.package_arn.replace("1-0-0", "1-1-0"), VERSION.access_role)
    table = msgspec.structs.replace(
        TABLE,
        instances=msgspec.structs.replace(TABLE.instances, realtime=("ml.m5.large",)),
        pricing=msgspec.structs.replace(TABLE.pricing, realtime={"ml.m5.large": "0.50"}),
    )
    product = DescribedProduct.of(shop.described_product())
    offer = DescribedOffer.of(shop.described_offer())
    assert offer_changes(offer, table, product, newer.package_arn).changes == ()
    shop.product["Versions"][0]["DeliveryOptions"][0]["Visibility"] = "Restricted"
    shop.supported = {"BatchTransform": ["ml.m5.large", "ml.m5.xlarge"], "RealtimeInference": ["ml.m5.large"]}
    shop.apply(ChangeSet("add", (add_version(Entity.product(PRODUCT_ID), table, newer),)))
    product = DescribedProduct.of(shop.described_product())
    (change,) = offer_changes(offer, table, product, newer.package_arn).changes
    card = change.details["Terms"][0]["RateCards"][0]["RateCard"]
    assert "ml.c5.xlarge.m.i.r" not in [rate["DimensionKey"] for rate in card]


@pytest.mark.parametrize(
    ("was", "becomes", "hint"),
    [
        (TABLE, table_of("pricing", BY_INFERENCE), 'set model = "hourly", or publish a new product'),
        (table_of("pricing", BY_INFERENCE), TABLE, 'set model = "per-inference", or publish a new product'),
    ],
)
def test_hours_and_inferences_are_never_changed_into_each_other(
    was: Marketplace, becomes: Marketplace, hint: str
) -> None:
    with pytest.raises(ProjectError, match=r"\[marketplace\.pricing\]: AWS Marketplace does not change") as refused:
        update(sold(was), becomes)
    assert refused.value.hint is not None
    assert refused.value.hint.startswith(hint)


def test_what_is_free_is_never_paid_for() -> None:
    shop = sold(TABLE)
    shop.offer["Terms"] = [term for term in shop.offer["Terms"] if "Pricing" not in term["Type"]]
    with pytest.raises(ProjectError, match='got model = "hourly", want "free"'):
        update(shop, TABLE)


def test_what_becomes_free_stays_so_and_the_seller_is_told() -> None:
    table = with_pricing(model="free", realtime={}, batch={}, free_trial_days=None)
    changes = update(sold(TABLE), table)
    assert any("cannot be made paid again" in note for note in changes.notes)


def test_prices_of_nothing_can_be_raised_unless_it_was_published_as_free() -> None:
    free = with_pricing(model="free", realtime={}, batch={}, free_trial_days=None)
    changes = update(sold(free), TABLE)
    assert [change.type for change in changes.changes] == ["UpdatePricingTerms"]
    assert any("if it was published as free" in note for note in changes.notes)


@pytest.mark.parametrize("key", ["m.i.c", "inference.count.m.i.c"])
def test_either_key_of_the_price_per_inference_is_the_same_and_the_products_own_is_sent(key: str) -> None:
    table = table_of("pricing", BY_INFERENCE)
    shop = sold(table)
    shop.product["Dimensions"].append({"Key": key})
    assert update(shop, table).changes == ()
    dearer = table_of("pricing", {**BY_INFERENCE, "per_inference": "0.002"})
    (change,) = update(shop, dearer).changes
    assert change.details["Terms"][0]["RateCards"][0]["RateCard"][0] == {"DimensionKey": key, "Price": "0.002"}


def test_an_offer_that_was_never_released_is() -> None:
    shop = sold(TABLE)
    shop.offer["State"] = "Draft"
    assert [change.type for change in update(shop, TABLE).changes] == ["ReleaseOffer"]


def test_a_private_offer_gets_another_last_day() -> None:
    shop = Shop()
    shop.apply(creating_private_offer("prod-abcdefghijklm", OFFER, TABLE.instances))
    offer = DescribedOffer.of(shop.described_offer())
    assert expiring(offer, OFFER.expires).changes == ()
    (change,) = expiring(offer, datetime.date(2027, 1, 31)).changes
    assert change.details == {"AvailabilityEndDate": "2027-01-31"}
