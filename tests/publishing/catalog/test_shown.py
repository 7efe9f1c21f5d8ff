from typing import Any

from argosy.marketplace.change_set import CatalogChange, ChangeSet, Entity
from argosy.marketplace.described import DescribedOffer, DescribedProduct
from argosy.publishing.catalog.shown import price_changes, shown
from tests.local_aws.listings import usage_term

OFFER = DescribedOffer("offer-1", "prod-1", "Public", "Released", (usage_term({"a.m.i.b": "0.50", "b.m.i.b": "1"}),))
PRODUCT = DescribedProduct("prod-1", {"ProductTitle": "Old", "Sku": None}, (), (), ("444455556666",), "Limited")


def pricing(prices: dict[str, str], offer: str = OFFER.id) -> CatalogChange:
    terms = {"PricingModel": "Usage", "Terms": [usage_term(prices)]}
    return CatalogChange("UpdatePricingTerms", Entity.offer(offer), terms)


def documents(*changes: CatalogChange) -> list[Any]:
    found: list[Any] = shown(ChangeSet("x", changes), PRODUCT, OFFER)["ChangeSet"]
    return [one.get("DetailsDocument") for one in found]


def test_each_change_stands_beside_what_is_there_and_what_is_not_there_beside_nothing() -> None:
    product = Entity.product("prod-1")
    assert documents(
        CatalogChange("UpdateInformation", product, {"ProductTitle": "New", "Sku": "1"}),
        CatalogChange("AddDeliveryOptions", product, {}),
        CatalogChange("UpdateTargeting", product, {}),
        CatalogChange("UpdateVisibility", product, {"TargetVisibility": "Public"}),
        CatalogChange("UpdatePricingTerms", Entity.offer("$CreateOfferChange.Entity.Identifier"), {}),
    ) == [
        {"ProductTitle": "Old"},
        None,
        {"PositiveTargeting": {"BuyerAccounts": ["444455556666"]}},
        {"TargetVisibility": "Limited"},
        None,
    ]


def test_prices_stand_beside_those_of_their_own_dimension_in_whatever_order() -> None:
    (document,) = documents(pricing({"b.m.i.b": "2", "c.m.i.b": "3", "a.m.i.b": "0.5"}))
    assert document["Terms"][0]["RateCards"][0]["RateCard"] == [
        {"DimensionKey": "b.m.i.b", "Price": "1"},
        {},
        {"DimensionKey": "a.m.i.b", "Price": "0.50"},
    ]


def test_what_is_paid_and_will_be_is_said_of_the_prices_that_change() -> None:
    changes = ChangeSet("x", (pricing({"b.m.i.b": "2", "c.m.i.b": "3", "a.m.i.b": "0.5"}),))
    assert list(price_changes(changes, OFFER)) == [
        "b.m.i.b: 1 dollars -> 2 dollars",
        "c.m.i.b: no price -> 3 dollars",
    ]
    gone = ChangeSet("x", (pricing({"a.m.i.b": "0.5"}),))
    assert list(price_changes(gone, OFFER)) == ["b.m.i.b: 1 dollars -> no price"]
    assert list(price_changes(ChangeSet("x", (pricing({}, "offer-2"),)), OFFER)) == []
