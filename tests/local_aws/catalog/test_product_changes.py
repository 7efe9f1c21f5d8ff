from typing import Any

import pytest

from tests.local_aws.listings import (
    BUYER,
    HOURLY,
    ROLE,
    TEXTS,
    change,
    creation,
    package,
    pricing,
    version,
    without,
)
from tests.local_aws.market_stand import Market, trust

NEXT = package("vehicles-2-0-0")


def visible(product: str, target: str) -> list[dict[str, Any]]:
    return [change("UpdateVisibility", {"TargetVisibility": target}, product)]


def options_of(market: Market, product: str) -> list[dict[str, Any]]:
    return [each["DeliveryOptions"][0] for each in market.entity(product)["Versions"]]


def restricting(*ids: str, product: str) -> list[dict[str, Any]]:
    return [change("RestrictDeliveryOptions", {"DeliveryOptionIds": list(ids)}, product)]


def test_a_version_is_a_package_that_is_completed_certified_and_unversioned(market: Market) -> None:
    product, _ = market.limited()
    assert market.faults([version(product, NEXT, "2.0.0")]) == ["ASSET_NOT_FOUND"]
    market.shelf.put(NEXT, ModelPackageStatus="InProgress")
    assert market.faults([version(product, NEXT, "2.0.0")]) == ["ASSET_VALIDATION_EXCEPTION"]
    market.shelf.put(NEXT, CertifyForMarketplace=False)
    assert market.faults([version(product, NEXT, "2.0.0")]) == ["ASSET_VALIDATION_EXCEPTION"]
    market.shelf.put(NEXT, ModelPackageGroupName="vehicles")
    assert market.faults([version(product, NEXT, "2.0.0")]) == ["INVALID_ASSET_ARN"]
    market.shelf.put(NEXT)
    market.made([version(product, NEXT, "2.0.0")])


def test_a_package_is_of_the_sellers_account_and_of_a_region_that_is_offered(market: Market) -> None:
    product, _ = market.limited()
    for arn, code in {
        package(account=BUYER): "ASSET_NOT_FOUND",
        package("vehicles/2"): "INVALID_ASSET_ARN",
        package(region="eu-south-1"): "INVALID_ASSET_ARN",
    }.items():
        market.shelf.put(arn)
        assert market.faults([version(product, arn, "2.0.0")]) == [code]
    elsewhere = package(region="eu-west-1")
    market.shelf.put(elsewhere)
    market.made([version(product, elsewhere, "2.0.0")])


def test_a_package_and_a_title_are_used_once(market: Market) -> None:
    product, _ = market.limited()
    market.shelf.put(NEXT)
    assert market.faults([version(product, package(), "2.0.0")]) == ["DUPLICATE_ASSET"]
    assert market.faults([version(product, NEXT, "1.0.0")]) == ["DUPLICATE_VERSION_TITLE"]


def test_every_fault_of_a_change_is_told(market: Market) -> None:
    product, _ = market.limited()
    found = market.faults([version(product, package(), "1.0.0", RecommendedInstanceTypes={"BatchTransform": "ml.x"})])
    assert found == ["DUPLICATE_VERSION_TITLE", "DUPLICATE_ASSET", "INVALID_RECOMMENDED_INSTANCE_TYPE"]


def test_the_role_is_the_sellers_and_trusts_the_service_that_reads_packages(market: Market) -> None:
    product, _ = market.limited()
    market.shelf.put(NEXT)
    market.roles["arn:aws:iam::111122223333:role/untrusting"] = trust("sagemaker.amazonaws.com")
    market.roles[f"arn:aws:iam::{BUYER}:role/of-others"] = trust("assets.marketplace.amazonaws.com")
    for role in ("111122223333:role/missing", "111122223333:role/untrusting", f"{BUYER}:role/of-others"):
        added = version(product, NEXT, "2.0.0", AccessRoleArn=f"arn:aws:iam::{role}")
        assert market.faults([added]) == ["INVALID_ACCESS_ROLE"]
    market.roles[ROLE] = trust("sagemaker.amazonaws.com", "assets.marketplace.amazonaws.com")
    market.made([version(product, NEXT, "2.0.0")])


@pytest.mark.parametrize("mode", ["BatchTransform", "RealtimeInference"])
def test_a_recommended_instance_type_is_supported(market: Market, mode: str) -> None:
    product, _ = market.limited()
    market.shelf.put(NEXT)
    recommended = {"RecommendedInstanceTypes": {mode: "ml.p3.2xlarge"}}
    assert market.faults([version(product, NEXT, "2.0.0", **recommended)]) == ["INVALID_RECOMMENDED_INSTANCE_TYPE"]


def test_a_version_with_other_instance_types_needs_their_prices(market: Market) -> None:
    product, offer = market.limited()
    market.shelf.put(NEXT, realtime=("ml.m5.large", "ml.g5.xlarge"))
    added = version(product, NEXT, "2.0.0")
    assert market.faults([added]) == ["UPDATE_PRICING_REQUIRED"]
    market.made([added, pricing(offer, {**HOURLY, "ml.g5.xlarge.m.i.r": "2"})])
    keys = [each["Key"] for each in market.entity(product)["Dimensions"]]
    assert keys == [
        "inference.count.m.i.c",
        "ml.m5.large.m.i.b",
        "ml.m5.xlarge.m.i.b",
        "ml.c5.xlarge.m.i.r",
        "ml.g5.xlarge.m.i.r",
        "ml.m5.large.m.i.r",
    ]


def test_a_version_is_copied_to_every_region_once(market: Market) -> None:
    market.limited()
    assert [arn.split(":")[3] for arn in market.shelf.copied] == ["us-east-1", "eu-west-1"]


def test_texts_of_a_version_change_and_its_package_does_not(market: Market) -> None:
    product, _ = market.limited()
    option = options_of(market, product)[0]

    def update(**details: Any) -> list[dict[str, Any]]:
        said = {"Id": option["Id"], "Details": {"SageMakerModelPackageDeliveryOptionDetails": details}}
        titles = {"VersionTitle": "1.0.1", "ReleaseNotes": "Second."}
        return [change("UpdateDeliveryOptions", {"Version": titles, "DeliveryOptions": [said]}, product)]

    faults = market.faults(update(RecommendedInstanceTypes={"BatchTransform": "ml.x"}))
    assert faults == ["INVALID_RECOMMENDED_INSTANCE_TYPE"]
    market.made(update(UsageInstructions="Otherwise."))
    version_ = market.entity(product)["Versions"][0]
    assert (version_["VersionTitle"], version_["ReleaseNotes"]) == ("1.0.1", "Second.")
    changed = version_["DeliveryOptions"][0]["Instructions"]
    assert (changed["Usage"], changed["RepositoryUrl"]) == ("Otherwise.", option["Instructions"]["RepositoryUrl"])


def test_texts_of_a_version_that_is_not_there_do_not_change(market: Market) -> None:
    product, _ = market.limited()
    none = "00000000-0000-0000-0000-000000000000"
    assert market.faults([change("UpdateDeliveryOptions", {"DeliveryOptions": [{"Id": none}]}, product)]) == [
        "INVALID_DELIVERY_OPTION_ID"
    ]
    assert market.faults([change("UpdateDeliveryOptions", {"Version": {"VersionTitle": "2"}}, product)]) == [
        "INVALID_DELIVERY_OPTION_ID"
    ]


def test_the_last_version_stays_open(market: Market) -> None:
    product, _ = market.limited()
    market.shelf.put(NEXT)
    market.made([version(product, NEXT, "2.0.0")])
    first, second = (option["Id"] for option in options_of(market, product))
    assert market.faults(restricting(first, second, product=product)) == ["LAST_DELIVERY_OPTION"]
    market.made(restricting(first, product=product))
    assert [option["Visibility"] for option in options_of(market, product)] == ["Restricted", "Public"]
    assert market.faults(restricting(second, product=product)) == ["LAST_DELIVERY_OPTION"]
    assert market.faults(restricting(first, product=product)) == ["INVALID_DELIVERY_OPTION_ID"]


@pytest.mark.parametrize("text", sorted({*TEXTS} - {"ProductTitle"}))
def test_a_product_is_released_with_all_its_texts(market: Market, text: str) -> None:
    changes = creation()
    del changes[1]["DetailsDocument"][text]
    described = market.ended(changes)
    faults = [each["ErrorDetailList"] for each in described["ChangeSet"] if each["ChangeType"] == "ReleaseProduct"]
    assert faults[0][0]["ErrorCode"] == "INCOMPLETE_PRODUCT"
    assert text in faults[0][0]["ErrorMessage"]


def test_a_product_is_released_with_a_version(market: Market) -> None:
    assert "INCOMPLETE_PRODUCT" in market.faults(without(creation(), "AddDeliveryOptions"))


def test_a_product_is_released_once(market: Market) -> None:
    product, _ = market.limited()
    assert market.faults([change("ReleaseProduct", {}, product)]) == ["INCOMPATIBLE_PRODUCT_STATUS"]


def test_a_product_becomes_public_then_restricted_and_stays_so(market: Market) -> None:
    product, _ = market.limited()
    assert market.faults(visible(product, "Limited")) == ["INCOMPATIBLE_PRODUCT_STATUS"]
    market.made(visible(product, "Public"))
    assert market.entity(product)["Description"]["Visibility"] == "Public"
    assert market.faults(visible(product, "Limited")) == ["INCOMPATIBLE_PRODUCT_STATUS"]
    market.made(visible(product, "Restricted"))
    assert market.faults(visible(product, "Public")) == ["INCOMPATIBLE_PRODUCT_STATUS"]
    market.shelf.put(NEXT)
    assert market.faults([version(product, NEXT, "2.0.0")]) == ["INCOMPATIBLE_PRODUCT_STATUS"]
    assert market.faults([change("UpdateInformation", {"Sku": "1"}, product)]) == ["INCOMPATIBLE_PRODUCT_STATUS"]


def test_a_draft_is_not_made_public(market: Market) -> None:
    (product,) = market.made([change("CreateProduct", {"ProductTitle": "Draft"})])
    assert market.faults(visible(product, "Public")) == ["INCOMPATIBLE_PRODUCT_STATUS"]


def test_a_product_without_a_public_offer_does_not_become_public(market: Market) -> None:
    alone = [each for each in creation() if each["Entity"]["Type"].startswith("Machine")]
    product = market.made(alone)[0]
    assert market.faults(visible(product, "Public")) == ["INCOMPATIBLE_PRODUCT_STATUS"]


def test_new_buyers_are_not_shown_a_restricted_version(market: Market) -> None:
    product, _ = market.limited()
    market.shelf.put(NEXT)
    market.made([version(product, NEXT, "2.0.0")])
    market.made(restricting(options_of(market, product)[0]["Id"], product=product))
    found = market.discovery().list_fulfillment_options(productId=product)["fulfillmentOptions"]
    assert [each["sageMakerModelFulfillmentOption"]["fulfillmentOptionVersion"] for each in found] == ["2.0.0"]


def test_texts_are_merged(market: Market) -> None:
    product, _ = market.limited()
    market.made([change("UpdateInformation", {"ShortDescription": "New.", "VideoUrls": []}, product)])
    description = market.entity(product)["Description"]
    assert (description["ShortDescription"], description["ProductTitle"]) == ("New.", TEXTS["ProductTitle"])
