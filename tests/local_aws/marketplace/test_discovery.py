import json
from typing import Any

from tests.local_aws.listings import BUYER, HOURLY, SELLER, STRANGER, TEXTS, change, package, private_offer
from tests.local_aws.market_stand import Market, refused


def options(market: Market, account: str = BUYER, **filters: str) -> list[dict[str, Any]]:
    given = [{"filterType": name, "filterValues": [value]} for name, value in filters.items()]
    found: list[dict[str, Any]] = market.discovery(account).list_purchase_options(filters=given)["purchaseOptions"]
    return found


def test_a_limited_product_is_found_by_the_seller_and_whom_it_is_shown(market: Market) -> None:
    product, offer = market.limited()
    for account in (BUYER, SELLER):
        assert [each["purchaseOptionId"] for each in options(market, account, PRODUCT_ID=product)] == [offer]
        assert market.discovery(account).get_product(productId=product)["productName"] == TEXTS["ProductTitle"]
    assert options(market, STRANGER, PRODUCT_ID=product) == []
    with refused("ResourceNotFoundException", product):
        market.discovery(STRANGER).get_product(productId=product)
    market.made([change("UpdateVisibility", {"TargetVisibility": "Public"}, product)])
    assert len(options(market, STRANGER, PRODUCT_ID=product)) == 1


def test_a_product_and_its_listing_say_what_the_seller_said(market: Market) -> None:
    product, offer = market.limited()
    found = market.discovery().get_product(productId=product)
    assert (found["longDescription"], found["highlights"]) == (TEXTS["LongDescription"], TEXTS["Highlights"])
    assert found["fulfillmentOptionSummaries"][0]["fulfillmentOptionType"] == "SAGEMAKER_MODEL"
    listing = market.discovery().get_listing(listingId=found["listingId"])
    assert listing["associatedEntities"][0]["product"]["productId"] == product
    assert [each["pricingModelType"] for each in listing["pricingModels"]] == ["USAGE"]
    with refused("ResourceNotFoundException", "prodview-none"):
        market.discovery().get_listing(listingId="prodview-none")
    with refused("ResourceNotFoundException"):
        market.discovery(STRANGER).get_listing(listingId=found["listingId"])
    assert market.discovery().get_offer(offerId=offer)["pricingModel"]["pricingModelType"] == "USAGE"


def test_terms_have_prices_units_and_a_contract(market: Market) -> None:
    _, offer = market.limited(trial_days=14)
    terms = market.discovery().get_offer_terms(offerId=offer)["offerTerms"]
    assert [next(iter(term)) for term in terms] == [
        "usageBasedPricingTerm",
        "freeTrialPricingTerm",
        "legalTerm",
        "supportTerm",
    ]
    items = terms[0]["usageBasedPricingTerm"]["rateCards"][0]["rateCard"]
    assert {item["dimensionKey"]: item["price"] for item in items} == HOURLY
    assert items[0]["displayName"] == "ml.m5.large Inference (Batch)"
    assert {item["unit"] for item in items} == {"HostHrs"}
    assert terms[1]["freeTrialPricingTerm"]["duration"] == "P14D"
    assert terms[2]["legalTerm"]["documents"][0]["url"].startswith("https://")
    first = market.discovery().get_offer_terms(offerId=offer, maxResults=3)
    rest = market.discovery().get_offer_terms(offerId=offer, maxResults=3, nextToken=first["nextToken"])
    assert [*first["offerTerms"], *rest["offerTerms"]] == terms


def test_no_answer_tells_the_arn_of_a_package(market: Market) -> None:
    product, offer = market.limited()
    discovery = market.discovery()
    listing = discovery.get_product(productId=product)["listingId"]
    answers = [
        discovery.list_purchase_options(filters=[{"filterType": "PRODUCT_ID", "filterValues": [product]}]),
        discovery.get_offer(offerId=offer),
        discovery.get_offer_terms(offerId=offer),
        discovery.get_product(productId=product),
        discovery.get_listing(listingId=listing),
        discovery.list_fulfillment_options(productId=product),
    ]
    told = json.dumps(answers, default=str)
    assert package() not in told
    assert "model-package" not in told


def test_fulfillment_options_are_versions(market: Market) -> None:
    product, _ = market.limited()
    found = market.discovery().list_fulfillment_options(productId=product)["fulfillmentOptions"]
    option = found[0]["sageMakerModelFulfillmentOption"]
    assert option["fulfillmentOptionVersion"] == "1.0.0"
    assert option["recommendation"]["recommendedRealtimeInferenceInstanceType"] == "ml.m5.large"
    assert option["supportedContentTypes"] == ["application/json"]


def test_a_private_offer_is_for_its_buyer_until_its_last_day(market: Market) -> None:
    product, public = market.limited()
    market.made([change("UpdateVisibility", {"TargetVisibility": "Public"}, product)])
    private = market.made(private_offer(product))[-1]
    assert [each["purchaseOptionId"] for each in options(market, PRODUCT_ID=product)] == [public, private]
    assert [each["purchaseOptionId"] for each in options(market, STRANGER, PRODUCT_ID=product)] == [public]
    with refused("ResourceNotFoundException", private):
        market.discovery(STRANGER).get_offer(offerId=private)
    offer = market.discovery().get_offer(offerId=private)
    assert offer["expirationTime"].isoformat() == "2027-02-01T00:00:00+00:00"
    market.now = offer["expirationTime"].timestamp()
    assert [each["purchaseOptionId"] for each in options(market, PRODUCT_ID=product)] == [public]
    expired = options(market, PRODUCT_ID=product, AVAILABILITY_STATUS="EXPIRED")
    assert [each["purchaseOptionId"] for each in expired] == [private]
    with refused("ValidationException", reason="EXPIRED_AGREEMENT_PROPOSAL"):
        market.agreement().create_agreement_request(
            intent="NEW", agreementProposalIdentifier=offer["agreementProposalId"], requestedTerms=[{"id": "x"}]
        )


def test_drafts_are_not_found(market: Market) -> None:
    product, _ = market.limited()
    (draft,) = market.made([change("CreateOffer", {"ProductId": product}, name="Draft")])
    with refused("ResourceNotFoundException", draft):
        market.discovery().get_offer(offerId=draft)


def test_a_list_is_of_a_product_or_of_private_offers(market: Market) -> None:
    with refused("ValidationException", "PRODUCT_ID", reason="MALFORMED_REQUEST_PARAMETERS"):
        options(market, AVAILABILITY_STATUS="AVAILABLE")
    with refused("ValidationException"):
        market.discovery().list_purchase_options(filters=[{"filterType": "COLOUR", "filterValues": ["blue"]}])


def test_what_is_not_simulated_says_so(market: Market) -> None:
    with refused("NotSimulated", "SearchListings", "GetProduct"):
        market.discovery().search_listings(searchText="vehicles")
