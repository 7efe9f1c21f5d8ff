"""Change sets without a fault, as plain JSON, written by hand from AWS's documents."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

SELLER = "111122223333"
BUYER = "444455556666"
STRANGER = "777788889999"
REGION = "us-east-1"
ROLE = f"arn:aws:iam::{SELLER}:role/marketplace-ingestion"
PRODUCT = "$CreateProductChange.Entity.Identifier"
OFFER = "$CreateOfferChange.Entity.Identifier"
HOURLY = {
    "ml.m5.large.m.i.b": "0.50",
    "ml.m5.xlarge.m.i.b": "0.90",
    "ml.m5.large.m.i.r": "0.50",
    "ml.c5.xlarge.m.i.r": "0.80",
}
PER_INFERENCE = {"ml.m5.large.m.i.b": "0.50", "ml.m5.xlarge.m.i.b": "0.90", "m.i.c": "0.001"}
SAMPLE = {"RealtimeInferenceText": '{"x": 1}', "BatchTransformUrl": "https://github.com/example/vehicles/one.json"}


def package(name: str = "vehicles-1-0-0", region: str = REGION, account: str = SELLER) -> str:
    """The ARN of a seller's package."""
    return f"arn:aws:sagemaker:{region}:{account}:model-package/{name}"


def option(arn: str, **changed: Any) -> dict[str, Any]:
    """`SageMakerModelPackageDeliveryOptionDetails`."""
    return {
        "SageMakerModelPackageArn": arn,
        "AccessRoleArn": ROLE,
        "UsageInstructions": "Create an endpoint, then invoke it.",
        "SampleNotebookUrl": "https://github.com/example/vehicles/notebook.ipynb",
        "RepositoryUrl": "https://github.com/example/vehicles",
        "InputProperties": {
            "Description": "JSON",
            "Limitations": "Small images only.",
            "SampleInput": SAMPLE,
            "Parameters": [{"Name": "x", "Description": "A number", "Constraints": "above 0", "Required": True}],
        },
        "OutputProperties": {
            "Description": "JSON",
            "SampleOutput": SAMPLE,
            "Parameters": [{"Name": "y", "Description": "A number", "AlwaysReturned": True}],
        },
        "RecommendedInstanceTypes": {"BatchTransform": "ml.m5.large", "RealtimeInference": "ml.m5.large"},
        **changed,
    }


def change(type_: str, details: Mapping[str, Any], entity: str = "", name: str | None = None) -> dict[str, Any]:
    """One change; the entity is a product unless it says that it is an offer."""
    is_offer = "Offer" in type_ or "Terms" in type_ or "Offer" in entity or entity.startswith("offer-")
    of = {"Type": "Offer@1.0" if is_offer else "MachineLearningProduct@1.0"}
    made: dict[str, Any] = {"ChangeType": type_, "Entity": of, "DetailsDocument": copy.deepcopy(dict(details))}
    if entity:
        of["Identifier"] = entity
    if name is not None:
        made["ChangeName"] = name
    return made


TEXTS = {
    "ProductTitle": "Vehicle detector",
    "ShortDescription": "Finds vehicles.",
    "LongDescription": "Finds cars, lorries and buses in aerial images.",
    "LogoUrl": "https://vehicle-detector-public.s3.amazonaws.com/logo.png",
    "Highlights": ["Counts vehicles."],
    "SupportDescription": "Write to support@example.com.",
    "Categories": ["Computer Vision"],
    "SearchKeywords": ["vehicles"],
}


def version(entity: str, arn: str, title: str = "1.0.0", **changed: Any) -> dict[str, Any]:
    """AddDeliveryOptions."""
    details = {"SageMakerModelPackageDeliveryOptionDetails": option(arn, **changed)}
    said = {"VersionTitle": title, "ReleaseNotes": "First."}
    return change("AddDeliveryOptions", {"Version": said, "DeliveryOptions": [{"Details": details}]}, entity)


def usage_term(prices: Mapping[str, Any]) -> dict[str, Any]:
    """UsageBasedPricingTerm."""
    card = [{"DimensionKey": key, "Price": price} for key, price in prices.items()]
    return {"Type": "UsageBasedPricingTerm", "CurrencyCode": "USD", "RateCards": [{"RateCard": card}]}


def trial_term(days: int, keys: Iterable[str]) -> dict[str, Any]:
    """FreeTrialPricingTerm."""
    return {"Type": "FreeTrialPricingTerm", "Duration": f"P{days}D", "Grants": [{"DimensionKey": key} for key in keys]}


def pricing(entity: str, prices: Mapping[str, Any], model: str = "Usage", trial_days: int = 0) -> dict[str, Any]:
    """UpdatePricingTerms."""
    terms = [usage_term(prices), *([trial_term(trial_days, prices)] if trial_days else [])]
    return change("UpdatePricingTerms", {"PricingModel": model, "Terms": terms}, entity)


def legal(entity: str) -> dict[str, Any]:
    """UpdateLegalTerms."""
    term = {"Type": "LegalTerm", "Documents": [{"Type": "StandardEula", "Version": "2022-07-14"}]}
    return change("UpdateLegalTerms", {"Terms": [term]}, entity)


def support(entity: str) -> dict[str, Any]:
    """UpdateSupportTerms."""
    return change("UpdateSupportTerms", {"Terms": [{"Type": "SupportTerm", "RefundPolicy": "None."}]}, entity)


def creation(prices: Mapping[str, Any] = HOURLY, model: str = "Usage", trial_days: int = 0) -> list[dict[str, Any]]:
    """Everything that a new product and its public offer need, released to Limited."""
    return [
        change("CreateProduct", {"ProductTitle": "Vehicle detector"}, name="CreateProductChange"),
        change("UpdateInformation", TEXTS, PRODUCT),
        version(PRODUCT, package()),
        change("UpdateTargeting", {"PositiveTargeting": {"BuyerAccounts": [BUYER]}}, PRODUCT),
        change("ReleaseProduct", {}, PRODUCT),
        change("CreateOffer", {"ProductId": PRODUCT, "Name": "Public offer"}, name="CreateOfferChange"),
        pricing(OFFER, prices, model, trial_days),
        legal(OFFER),
        support(OFFER),
        change("ReleaseOffer", {}, OFFER),
    ]


def without(changes: Iterable[Mapping[str, Any]], type_: str) -> list[Any]:
    """The changes but those of a type."""
    return [each for each in changes if each["ChangeType"] != type_]


def private_offer(product: str, buyer: str = BUYER) -> list[dict[str, Any]]:
    """A private offer with prices of its own."""
    targets = {"PositiveTargeting": {"BuyerAccounts": [buyer]}}
    validity = {"Terms": [{"Type": "ValidityTerm", "AgreementDuration": "P365D"}]}
    return [
        change("CreateOffer", {"ProductId": product, "Name": "For one"}, name="CreateOfferChange"),
        change("UpdateTargeting", targets, OFFER),
        pricing(OFFER, dict.fromkeys(HOURLY, "0.10")),
        legal(OFFER),
        change("UpdateAvailability", {"AvailabilityEndDate": "2027-01-31"}, OFFER),
        change("UpdateValidityTerms", validity, OFFER),
        change("ReleaseOffer", {}, OFFER),
    ]
