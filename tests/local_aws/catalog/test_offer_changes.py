from typing import Any

import pytest

from tests.local_aws.catalog.test_product_changes import NEXT, visible
from tests.local_aws.listings import (
    BUYER,
    HOURLY,
    OFFER,
    PER_INFERENCE,
    SELLER,
    STRANGER,
    change,
    creation,
    legal,
    pricing,
    private_offer,
    support,
    trial_term,
    usage_term,
    version,
    without,
)
from tests.local_aws.market_stand import Market

DAY = 86400


def dearer(key: str = "ml.m5.large.m.i.r") -> dict[str, str]:
    return {**HOURLY, key: "9.99"}


def terms(*listed: dict[str, Any], model: str = "Usage", entity: str = OFFER) -> dict[str, Any]:
    return change("UpdatePricingTerms", {"PricingModel": model, "Terms": list(listed)}, entity)


def priced(*listed: dict[str, Any], model: str = "Usage") -> list[dict[str, Any]]:
    """A creation with these pricing terms."""
    return [terms(*listed, model=model) if each["ChangeType"] == "UpdatePricingTerms" else each for each in creation()]


FIXED = {
    "Type": "FixedUpfrontPricingTerm",
    "CurrencyCode": "USD",
    "Price": "1000",
    "Duration": "P180D",
    "Grants": [{"DimensionKey": "ml.m5.large.m.i.r", "MaxQuantity": 1}],
}
FAULTY: dict[str, tuple[list[dict[str, Any]], str]] = {
    "an instance type without a price": (
        priced(usage_term({key: "1" for key in HOURLY if key != "ml.c5.xlarge.m.i.r"})),
        "UPDATE_PRICING_REQUIRED",
    ),
    "a transform job without a price": (priced(usage_term({"m.i.c": "1"})), "UPDATE_PRICING_REQUIRED"),
    "an instance type that is not supported": (
        priced(usage_term({**HOURLY, "ml.p3.2xlarge.m.i.r": "1"})),
        "INVALID_DIMENSION_KEY",
    ),
    "training": (priced(usage_term({**HOURLY, "ml.m5.large.a.t": "1"})), "INVALID_DIMENSION_KEY"),
    "by the hour and per inference": (priced(usage_term({**HOURLY, "m.i.c": "1"})), "INVALID_RATE_CARD"),
    "two terms of a kind": (priced(usage_term(HOURLY), usage_term(HOURLY)), "INVALID_PRICING_TERMS"),
    "free and not free": (priced(usage_term(HOURLY), model="Free"), "INVALID_PRICING_MODEL"),
    "a trial alone": (priced(trial_term(14, HOURLY)), "INVALID_PRICING_MODEL"),
    "a license": (priced({"Type": "ByolPricingTerm"}), "INVALID_PRICING_MODEL"),
    "a public contract": (priced(FIXED, model="Contract"), "INVALID_PRICING_MODEL"),
    "a short trial": (priced(usage_term(HOURLY), trial_term(4, HOURLY)), "INVALID_DURATION"),
    "a long trial": (priced(usage_term(HOURLY), trial_term(32, HOURLY)), "INVALID_DURATION"),
    "a trial of something else": (priced(usage_term(HOURLY), trial_term(14, ["x"])), "INVALID_DIMENSION_KEY"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_prices_that_cannot_be(market: Market, name: str) -> None:
    changes, code = FAULTY[name]
    assert code in market.faults(changes)
    assert market.catalog().list_entities(Catalog="AWSMarketplace", EntityType="Offer")["EntitySummaryList"] == []


@pytest.mark.parametrize(
    "changes",
    [
        creation(HOURLY),
        creation(PER_INFERENCE),
        creation(HOURLY, trial_days=31),
        creation(HOURLY, trial_days=5),
        creation(dict.fromkeys(HOURLY, "0"), "Free"),
        priced({"Type": "ByolPricingTerm"}, model="Byol"),
    ],
)
def test_prices_that_can_be(market: Market, changes: list[dict[str, Any]]) -> None:
    market.made(changes)


def test_both_keys_of_a_price_per_inference_are_taken(market: Market) -> None:
    prices = {**{key: price for key, price in PER_INFERENCE.items() if key != "m.i.c"}, "inference.count.m.i.c": "1"}
    market.limited(prices=prices)


def test_a_dimension_is_priced_once(market: Market) -> None:
    term = usage_term(HOURLY)
    term["RateCards"][0]["RateCard"] *= 2
    assert set(market.faults(priced(term))) == {"DUPLICATE_DIMENSION_KEY"}


@pytest.mark.parametrize("type_", ["UpdatePricingTerms", "UpdateLegalTerms", "UpdateSupportTerms"])
def test_an_offer_is_released_with_all_its_terms(market: Market, type_: str) -> None:
    described = market.ended(without(creation(), type_))
    faults = described["ChangeSet"][-1]["ErrorDetailList"]
    assert [fault["ErrorCode"] for fault in faults] == ["MISSING_MANDATORY_TERMS"]
    assert type_ in faults[0]["ErrorMessage"]


def test_an_offer_is_released_after_its_product_and_once(market: Market) -> None:
    assert "INCOMPATIBLE_PRODUCT_STATUS" in market.faults(without(creation(), "ReleaseProduct"))
    _, offer = market.limited()
    assert market.faults([change("ReleaseOffer", {}, offer)]) == ["INCOMPATIBLE_OFFER_STATUS"]


def test_a_product_has_one_public_offer(market: Market) -> None:
    product, _ = market.limited()
    create = change("CreateOffer", {"ProductId": product}, name="CreateOfferChange")
    another = [create, pricing(OFFER, HOURLY), legal(OFFER), support(OFFER), change("ReleaseOffer", {}, OFFER)]
    assert market.faults(another) == ["DUPLICATE_PUBLIC_OFFER"]


def test_offers_are_of_the_sellers_products(market: Market) -> None:
    product, _ = market.limited()
    create = change("CreateOffer", {"ProductId": product}, name="CreateOfferChange")
    change_set = market.start([create, legal(OFFER)], account=STRANGER)
    market.now += 1
    described = market.described(change_set, STRANGER)
    codes = [[fault["ErrorCode"] for fault in each["ErrorDetailList"]] for each in described["ChangeSet"]]
    assert codes == [["PRODUCT_NOT_FOUND"], ["DEPENDENCY_FAILED"]]


def test_hourly_prices_do_not_become_prices_per_inference(market: Market) -> None:
    _, offer = market.limited()
    assert market.faults([pricing(offer, PER_INFERENCE)]) == ["INCOMPATIBLE_PRICING_MODEL"]


def test_prices_per_inference_do_not_become_hourly_prices(market: Market) -> None:
    _, offer = market.limited(prices=PER_INFERENCE)
    assert market.faults([pricing(offer, HOURLY)]) == ["INCOMPATIBLE_PRICING_MODEL"]


def test_a_free_product_stays_free(market: Market) -> None:
    _, free = market.limited(prices=dict.fromkeys(HOURLY, "0"), model="Free")
    assert market.faults([pricing(free, HOURLY)]) == ["INCOMPATIBLE_PRICING_MODEL"]


def test_a_pricing_model_stays(market: Market) -> None:
    _, offer = market.limited()
    assert market.faults([terms({"Type": "ByolPricingTerm"}, model="Byol", entity=offer)]) == [
        "INCOMPATIBLE_PRICING_MODEL"
    ]


def test_a_public_offer_keeps_the_terms_of_public_offers(market: Market) -> None:
    _, offer = market.limited()
    validity = {"Terms": [{"Type": "ValidityTerm", "AgreementDuration": "P30D"}]}
    assert market.faults([change("UpdateValidityTerms", validity, offer)]) == ["INCOMPATIBLE_TERMS"]
    assert market.faults([change("UpdateSupportTerms", {"Terms": []}, offer)]) == ["MISSING_MANDATORY_TERMS"]
    market.made([support(offer), legal(offer)])


def test_a_product_for_nothing_may_cost_something_later(market: Market) -> None:
    _, offer = market.limited(prices=dict.fromkeys(HOURLY, "0.00"))
    market.made([pricing(offer, HOURLY)])


def test_a_price_of_a_public_product_is_fixed_for_ninety_days_after_a_change(market: Market) -> None:
    product, offer = market.limited()
    market.made([pricing(offer, dearer())])
    market.made(visible(product, "Public"))
    market.made([pricing(offer, HOURLY)])
    assert market.faults([pricing(offer, dearer())]) == ["PRICE_CHANGE_FROZEN"]
    market.made([pricing(offer, {key: f"{price}00" for key, price in HOURLY.items()})])

    market.shelf.put(NEXT, realtime=("ml.m5.large", "ml.g5.xlarge"))
    added = [version(product, NEXT, "2"), pricing(offer, {**HOURLY, "ml.g5.xlarge.m.i.r": "2"})]
    assert market.faults(added) == ["PRICE_CHANGE_FROZEN"]
    assert market.faults(added[:1]) == ["UPDATE_PRICING_REQUIRED"]
    market.now += 90 * DAY
    market.made(added)
    market.made([pricing(offer, {**dearer(), "ml.g5.xlarge.m.i.r": "2"})])


def test_a_private_offer_says_for_whom_until_when_and_how_long(market: Market) -> None:
    product, _ = market.limited()
    changes = private_offer(product)
    for type_ in ("UpdateAvailability", "UpdateValidityTerms"):
        described = market.ended(without(changes, type_))
        fault = described["ChangeSet"][-1]["ErrorDetailList"][0]
        assert (fault["ErrorCode"], type_ in fault["ErrorMessage"]) == ("MISSING_MANDATORY_TERMS", True)
    offer = market.made(changes)[-1]
    rules = {rule["Type"]: rule for rule in market.entity(offer)["Rules"]}
    assert rules["TargetingRule"]["PositiveTargeting"] == {"BuyerAccounts": [BUYER]}
    assert rules["AvailabilityRule"]["AvailabilityEndDate"] == "2027-01-31T23:59:59.999Z"


def test_a_private_offer_is_not_for_the_seller(market: Market) -> None:
    product, _ = market.limited()
    assert market.faults(private_offer(product, SELLER)) == ["INVALID_TARGETING"]


def test_a_private_offer_that_is_released_changes_its_last_day_alone(market: Market) -> None:
    product, _ = market.limited()
    offer = market.made(private_offer(product))[-1]
    assert market.faults([pricing(offer, HOURLY)]) == ["INCOMPATIBLE_OFFER_STATUS"]
    assert market.faults([legal(offer)]) == ["INCOMPATIBLE_OFFER_STATUS"]
    other = {"PositiveTargeting": {"BuyerAccounts": [STRANGER]}}
    assert market.faults([change("UpdateTargeting", other, offer)]) == ["INCOMPATIBLE_OFFER_STATUS"]
    market.made([change("UpdateAvailability", {"AvailabilityEndDate": "2027-02-28"}, offer)])
    market.made([change("UpdateInformation", {"Name": "Renamed"}, offer)])
    assert market.entity(offer)["Name"] == "Renamed"


def test_a_public_offer_stays_public(market: Market) -> None:
    _, offer = market.limited()
    private = {"PositiveTargeting": {"BuyerAccounts": [BUYER]}}
    assert market.faults([change("UpdateTargeting", private, offer)]) == ["INCOMPATIBLE_OFFER_STATUS"]
    market.made([change("UpdateTargeting", {"NegativeTargeting": {"CountryCodes": ["XX"]}}, offer)])


def test_days_are_still_to_come(market: Market) -> None:
    product, _ = market.limited()
    offer = market.made(private_offer(product)[:1])[0]
    past = {"AvailabilityEndDate": "2026-11-22"}
    assert market.faults([change("UpdateAvailability", past, offer)]) == ["INVALID_AVAILABILITY"]
    for term in (
        {"AgreementDuration": "P30D", "AgreementEndDate": "2027-01-01"},
        {},
        {"AgreementEndDate": "2026-11-23"},
        {"AgreementStartDate": "2026-11-22", "AgreementEndDate": "2027-01-01"},
    ):
        update = change("UpdateValidityTerms", {"Terms": [{"Type": "ValidityTerm", **term}]}, offer)
        assert market.faults([update]) == ["INVALID_VALIDITY_TERM"]


def test_the_payments_of_a_contract_make_up_its_price(market: Market) -> None:
    product, _ = market.limited()

    def contract(*amounts: str) -> list[dict[str, Any]]:
        items = [{"ChargeDate": f"2027-0{day + 1}-01", "ChargeAmount": amount} for day, amount in enumerate(amounts)]
        schedule = {"Terms": [{"Type": "PaymentScheduleTerm", "CurrencyCode": "USD", "Schedule": items}]}
        changes = without(without(private_offer(product), "UpdateValidityTerms"), "UpdatePricingTerms")
        return [
            *changes[:-1],
            terms(FIXED, model="Contract"),
            change("UpdatePaymentScheduleTerms", schedule, OFFER),
            changes[-1],
        ]

    assert market.faults(contract("500", "400")) == ["INVALID_PAYMENT_SCHEDULE"]
    market.made(contract("500", "500.00"))
