import copy
import json
from typing import Any

import pytest

from tests.local_aws.listings import (
    BUYER,
    HOURLY,
    OFFER,
    PRODUCT,
    SELLER,
    STRANGER,
    TEXTS,
    change,
    creation,
    package,
    pricing,
    usage_term,
    version,
)
from tests.local_aws.market_stand import Market, refused, with_options

CREATE = change("CreateProduct", {"ProductTitle": "Vehicle detector"}, name="CreateProductChange")


def texts(**changed: Any) -> list[dict[str, Any]]:
    return [CREATE, change("UpdateInformation", {**TEXTS, **changed}, PRODUCT)]


def versions(**changed: Any) -> list[dict[str, Any]]:
    return [CREATE, version(PRODUCT, package(), **changed)]


def offers(*changes: dict[str, Any]) -> list[dict[str, Any]]:
    return [CREATE, change("CreateOffer", {"ProductId": PRODUCT}, name="CreateOfferChange"), *changes]


LIMITS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "title": (texts(ProductTitle="x" * 73), "$.ProductTitle"),
    "blank title": (texts(ProductTitle=" x"), "$.ProductTitle"),
    "null title": (texts(ProductTitle=None), "$.ProductTitle"),
    "short description": (texts(ShortDescription="x" * 1001), "$.ShortDescription"),
    "long description": (texts(LongDescription="x" * 5001), "$.LongDescription"),
    "logo without TLS": (texts(LogoUrl="http://example.com/logo.png"), "$.LogoUrl"),
    "videos": (texts(VideoUrls=["https://a.example.com", "https://b.example.com"]), "$.VideoUrls"),
    "no highlight": (texts(Highlights=[]), "$.Highlights"),
    "highlights": (texts(Highlights=["x"] * 4), "$.Highlights"),
    "long highlight": (texts(Highlights=["x" * 501]), "$.Highlights[0]"),
    "resources": (texts(AdditionalResources=[{"Text": "x", "Url": "https://a.example.com"}] * 4), "Resources"),
    "resource without a URL": (texts(AdditionalResources=[{"Text": "x"}]), "$.AdditionalResources[0]"),
    "support": (texts(SupportDescription="x" * 2001), "$.SupportDescription"),
    "categories": (texts(Categories=["x"] * 4), "$.Categories"),
    "keywords": (texts(SearchKeywords=["x"] * 16), "$.SearchKeywords"),
    "long keyword": (texts(SearchKeywords=["x" * 51]), "$.SearchKeywords[0]"),
    "unsupported text": (texts(AssociatedProducts=["x"]), "AssociatedProducts"),
    "unknown text": (texts(Colour="blue"), "Colour"),
    "instructions": (versions(UsageInstructions="x" * 10001), "UsageInstructions"),
    "notebook": (versions(SampleNotebookUrl="https://a.example.com/" + "x" * 2000), "SampleNotebookUrl"),
    "package ARN": (versions(SageMakerModelPackageArn="vehicles"), "SageMakerModelPackageArn"),
    "role with a path": (versions(AccessRoleArn="arn:aws:iam::111122223333:role/a/b"), "AccessRoleArn"),
    "input": (versions(InputProperties={"Description": ""}), "InputProperties.Description"),
    "parameters": (versions(OutputProperties={"Parameters": [{"Name": "x"}] * 36}), "Parameters"),
    "parameter's name": (versions(OutputProperties={"Parameters": [{"Name": "ü"}]}), "Parameters[0].Name"),
    "parameter's constraint": (versions(OutputProperties={"Parameters": [{"Constraints": "x"}]}), "Constraints"),
    "sample": (versions(InputProperties={"SampleInput": {"RealtimeInferenceUrl": "a"}}), "RealtimeInferenceUrl"),
    "instance type": (versions(RecommendedInstanceTypes={"BatchTransform": "x" * 25}), "BatchTransform"),
    "title of a version": ([CREATE, version(PRODUCT, package(), "x" * 65)], "VersionTitle"),
    "buyer": (
        [CREATE, change("UpdateTargeting", {"PositiveTargeting": {"BuyerAccounts": ["me"]}}, PRODUCT)],
        "BuyerAccounts[0]",
    ),
    "buyers": (
        [CREATE, change("UpdateTargeting", {"PositiveTargeting": {"BuyerAccounts": [BUYER] * 101}}, PRODUCT)],
        "BuyerAccounts",
    ),
    "visibility": ([CREATE, change("UpdateVisibility", {"TargetVisibility": "Draft"}, PRODUCT)], "TargetVisibility"),
    "release that says something": ([CREATE, change("ReleaseProduct", {"Now": True}, PRODUCT)], "Now"),
    "offer's name": (
        [CREATE, change("CreateOffer", {"ProductId": PRODUCT, "Name": "x" * 151}, name="Offer")],
        "$.Name",
    ),
    "price as a number": (offers(pricing(OFFER, {**HOURLY, "ml.m5.large.m.i.b": 0.5})), "got `float`"),
    "price with too many decimals": (offers(pricing(OFFER, {"m.i.c": "0.000000001"})), "Price"),
    "price with a sign": (offers(pricing(OFFER, {"m.i.c": "-1"})), "Price"),
    "currency": (
        offers(
            change(
                "UpdatePricingTerms",
                {"PricingModel": "Usage", "Terms": [{**usage_term(HOURLY), "CurrencyCode": "EUR"}]},
                OFFER,
            )
        ),
        "CurrencyCode",
    ),
    "no terms": (offers(change("UpdatePricingTerms", {"PricingModel": "Free", "Terms": []}, OFFER)), "$.Terms"),
    "unknown term": (
        offers(change("UpdatePricingTerms", {"PricingModel": "Usage", "Terms": [{"Type": "Gift"}]}, OFFER)),
        "$.Terms[0].Type",
    ),
    "contract without its URL": (
        offers(
            change("UpdateLegalTerms", {"Terms": [{"Type": "LegalTerm", "Documents": [{"Type": "CustomEula"}]}]}, OFFER)
        ),
        "Url is required",
    ),
    "standard contract without its version": (
        offers(
            change(
                "UpdateLegalTerms", {"Terms": [{"Type": "LegalTerm", "Documents": [{"Type": "StandardEula"}]}]}, OFFER
            )
        ),
        "Version is required",
    ),
    "refund policy": (
        offers(change("UpdateSupportTerms", {"Terms": [{"Type": "SupportTerm", "RefundPolicy": "x" * 501}]}, OFFER)),
        "RefundPolicy",
    ),
    "day": (offers(change("UpdateAvailability", {"AvailabilityEndDate": "2027-02-29"}, OFFER)), "AvailabilityEndDate"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_change_beyond_its_shape_is_refused(market: Market, name: str) -> None:
    changes, place = LIMITS[name]
    with refused("ValidationException", place):
        market.start(changes)
    assert market.catalog().list_change_sets(Catalog="AWSMarketplace")["ChangeSetSummaryList"] == []


def test_a_set_has_one_to_twenty_changes(market: Market) -> None:
    many = [change("CreateProduct", {}, name=f"Product{letter}") for letter in "abcdefghijklmnopqrstu"]
    with refused("ValidationException", "'changeSet'"):
        market.start(many)
    assert market.start(many[:20])


def test_details_are_in_one_place(market: Market) -> None:
    text = {**CREATE, "Details": json.dumps(CREATE["DetailsDocument"])}
    with refused("ValidationException", "Details"):
        market.start([text])
    with refused("ValidationException", "Details"):
        market.start([{name: value for name, value in CREATE.items() if name != "DetailsDocument"}])
    del text["DetailsDocument"]
    with refused("ValidationException", "no JSON"):
        market.start([{**text, "Details": "{x}"}])
    assert market.ended([text])["ChangeSet"][0]["DetailsDocument"] == {"ProductTitle": "Vehicle detector"}


def test_long_details_are_refused_as_a_text_and_taken_as_a_document(market: Market) -> None:
    long = {**TEXTS, "LongDescription": "x" * 5000, "SupportDescription": "x" * 2000, "Sku": "x" * 5000}
    long |= {"Highlights": ["x" * 500] * 3, "ShortDescription": "x" * 1000, "VideoUrls": ["https://" + "x" * 3000]}
    changed = change("UpdateInformation", long, PRODUCT)
    text = {name: value for name, value in changed.items() if name != "DetailsDocument"}
    with refused("ValidationException", "16384"):
        market.start([CREATE, {**text, "Details": json.dumps(long)}])
    described = market.described(market.start([CREATE, changed]))["ChangeSet"][1]
    assert "Details" not in described
    assert described["DetailsDocument"] == long


def test_change_types_are_those_of_machine_learning_products(market: Market) -> None:
    with refused("ValidationException", "UpdatePricingDimensions", "AddDeliveryOptions"):
        market.start([CREATE, change("UpdatePricingDimensions", {}, PRODUCT)])
    with refused("NotSimulated", "AmiProduct@1.0"):
        market.start([{**CREATE, "Entity": {"Type": "AmiProduct@1.0"}}])


def test_an_entity_is_named_unless_it_is_new(market: Market) -> None:
    with refused("ValidationException", "must not name"):
        market.start([change("CreateProduct", {}, "prod-1234567890123")])
    with refused("ValidationException", "must name"):
        market.start([change("ReleaseProduct", {})])
    with refused("ValidationException", "neither an identifier nor a reference"):
        market.start([change("ReleaseProduct", {}, "prod 1")])


def test_a_reference_names_a_change_before(market: Market) -> None:
    release = change("ReleaseProduct", {}, PRODUCT)
    with refused("ValidationException", "CreateProductChange"):
        market.start([release, CREATE])
    with refused("ValidationException", "CreateProductChange"):
        market.start([{**CREATE, "ChangeName": "Other"}, release])
    with refused("ValidationException", "not unique"):
        market.start([CREATE, copy.deepcopy(CREATE)])
    of_offer = {**release, "ChangeType": "ReleaseOffer", "Entity": {"Type": "Offer@1.0", "Identifier": PRODUCT}}
    with refused("ValidationException", "creates MachineLearningProduct, not Offer"):
        market.start([CREATE, of_offer])
    assert market.start([CREATE, release])


def test_a_change_type_is_there_once_for_an_entity(market: Market) -> None:
    product, _ = market.limited()
    update = change("UpdateInformation", {"ShortDescription": "New."}, product)
    with refused("ValidationException", "2 times"):
        market.start([update, change("UpdateInformation", {"Sku": "1"}, f"{product}@1")])
    assert market.start([update])


def test_entities_are_there_and_the_callers(market: Market) -> None:
    product, offer = market.limited()
    update = change("UpdateInformation", {"ShortDescription": "New."}, product)
    with refused("ResourceNotFoundException", "prod-none000000000"):
        market.start([change("ReleaseProduct", {}, "prod-none000000000")])
    with refused("ResourceNotFoundException", offer):
        market.start([{**update, "Entity": {"Type": "MachineLearningProduct@1.0", "Identifier": offer}}])
    with refused("AccessDeniedException", STRANGER):
        market.start([update], account=STRANGER)
    assert market.start([update], account=SELLER)


def test_a_revision_is_the_present_one(market: Market) -> None:
    product, _ = market.limited()
    stale = change("UpdateInformation", {"ShortDescription": "New."}, f"{product}@7")
    with refused("ValidationException", "revision 1"):
        market.start([stale])
    assert (
        market.ended([{**stale, "Entity": {**stale["Entity"], "Identifier": f"{product}@1"}}])["Status"] == "SUCCEEDED"
    )
    with_options(market, checks_revisions=False)
    product, _ = market.limited()
    market.made([change("UpdateInformation", {"ShortDescription": "New."}, f"{product}@7")])


def test_the_catalog_is_the_only_one(market: Market) -> None:
    with refused("ValidationException", "AWSMarketplace"):
        market.catalog().start_change_set(Catalog="Elsewhere", ChangeSet=[CREATE])


def test_prices_as_numbers_are_an_option(market: Market) -> None:
    numbers = {key: float(price) for key, price in HOURLY.items()}
    with refused("ValidationException", "got `float`"):
        market.start(creation(numbers))
    with_options(market, takes_prices_as_numbers=True)
    _, offer = market.limited(prices=numbers)
    term = market.entity(offer)["Terms"][0]
    assert term["RateCards"][0]["RateCard"][0] == {"DimensionKey": "ml.m5.large.m.i.b", "Price": "0.5"}


def test_references_as_product_ids_are_an_option(market: Market) -> None:
    with_options(market, takes_references_as_product_id=False)
    with refused("ValidationException", "$.ProductId"):
        market.start(creation())


def test_the_old_spelling_is_an_option(market: Market) -> None:
    old = json.loads(json.dumps(creation()).replace("SageMakerModelPackageDelivery", "SagemakerModelPackageDelivery"))
    with refused("ValidationException", "SagemakerModelPackageDeliveryOptionDetails"):
        market.start(old)
    with_options(market, takes_old_spelling=True)
    assert market.ended(old)["Status"] == "SUCCEEDED"


def test_algorithms_are_refused(market: Market) -> None:
    algorithm = json.loads(
        json.dumps(creation()).replace("SageMakerModelPackageDeliveryOption", "SageMakerAlgorithmDeliveryOption")
    )
    with refused("ValidationException", "SageMakerAlgorithmDeliveryOptionDetails"):
        market.start(algorithm)
