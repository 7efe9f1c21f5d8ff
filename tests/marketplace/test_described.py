import json

import pytest

from argosy.marketplace.described import DescribedOffer, DescribedProduct
from argosy.marketplace.product_changes import creating_product
from tests.marketplace.entities import Shop
from tests.marketplace.test_product_changes import VERSION, table_of


def test_a_product_is_read_whichever_way_its_details_come() -> None:
    shop = Shop()
    shop.apply(creating_product(table_of(), VERSION))
    answer = shop.described_product()
    product = DescribedProduct.of(answer)
    text = {"EntityIdentifier": answer["EntityIdentifier"], "Details": json.dumps(answer["DetailsDocument"])}
    assert DescribedProduct.of(text) == product
    assert product.id == "prod-abcdefghijklm"
    assert product.visibility == "Limited"
    (version,) = product.versions
    assert (version.title, version.package_arn, version.is_restricted) == ("1.0.0", VERSION.package_arn, False)
    assert set(version.hourly_keys) == set(product.dimensions)


def test_a_draft_shows_little() -> None:
    answer = {"EntityIdentifier": "prod-x@1", "DetailsDocument": {"Versions": [{}], "Sku": None}}
    product = DescribedProduct.of(answer)
    assert (product.id, product.visibility, product.buyer_accounts) == ("prod-x", "", ())
    assert product.versions[0].option_id == ""
    assert DescribedProduct.of({"EntityIdentifier": "prod-x@1"}).versions == ()
    assert DescribedOffer.of({"EntityIdentifier": "offer-x@1"}).model == "free"


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        (["ml.m5.large.m.i.b"], None),
        (["ml.m5.large.m.i.b", "m.i.c"], "m.i.c"),
        (["inference.count.m.i.c"], "inference.count.m.i.c"),
    ],
)
def test_the_product_tells_its_key_of_the_price_per_inference(keys: list[str], found: str | None) -> None:
    dimensions = {"Dimensions": [{"Key": key} for key in keys]}
    assert DescribedProduct.of({"EntityIdentifier": "x", "DetailsDocument": dimensions}).inference_key == found


def test_a_private_offer_shows_its_buyers_and_its_last_day() -> None:
    rules = [
        {"Type": "TargetingRule", "PositiveTargeting": {"BuyerAccounts": ["210987654321"]}},
        {"Type": "AvailabilityRule", "AvailabilityEndDate": "2026-12-31T23:59:59.999Z"},
    ]
    offer = DescribedOffer.of({"EntityIdentifier": "offer-x@2", "DetailsDocument": {"Rules": rules, "Name": "n"}})
    assert (offer.id, offer.buyer_accounts, offer.name) == ("offer-x", ("210987654321",), "n")
    assert offer.expires == "2026-12-31T23:59:59.999Z"
