"""Products and offers as DescribeEntity shows them, and what a change set makes of them: all in memory.

The way from a change to what is shown is written here a second time, from the entity types of
awslabs/aws-marketplace-catalog-api-shapes-for-python, and knows nothing of how the sources read them.
"""

import copy
import uuid
from collections.abc import Mapping
from typing import Any

from argosy.marketplace.change_set import CatalogChange, ChangeSet

OPTION = "SageMakerModelPackageDeliveryOptionDetails"
PRODUCT_ID = "prod-abcdefghijklm"
OFFER_ID = "offer-nopqrstuvwxyz"
SUPPORTED = {"BatchTransform": ["ml.m5.large", "ml.m5.xlarge"], "RealtimeInference": ["ml.m5.large", "ml.c5.xlarge"]}
_PAGE = {"ProductTitle", "ShortDescription", "LongDescription", "Sku", "Highlights", "SearchKeywords", "Categories"}


class Shop:
    """One product and one offer of it.

    Args:
        supported: Mode -> instance types, of each package that is added.
    """

    def __init__(self, supported: Mapping[str, list[str]] = SUPPORTED) -> None:
        self.supported = supported
        self.product: dict[str, Any] = {"Description": {"Visibility": "Draft"}, "Versions": [], "Dimensions": []}
        self.offer: dict[str, Any] = {"State": "Draft", "Terms": [], "Rules": []}

    def apply(self, changes: ChangeSet) -> None:
        """Do all changes of a set, in their order."""
        for change in changes.changes:
            document = copy.deepcopy(dict(change.details))
            getattr(self, f"_{change.entity.type.partition('@')[0].lower()}")(change, document)

    def described_product(self) -> dict[str, Any]:
        """The answer of DescribeEntity for the product."""
        return {"EntityIdentifier": f"{PRODUCT_ID}@3", "DetailsDocument": copy.deepcopy(self.product)}

    def described_offer(self) -> dict[str, Any]:
        """The same for the offer."""
        return {"EntityIdentifier": f"{OFFER_ID}@1", "DetailsDocument": copy.deepcopy(self.offer)}

    def _machinelearningproduct(self, change: CatalogChange, said: dict[str, Any]) -> None:
        shown = self.product
        match change.type:
            case "CreateProduct":
                shown["Description"]["ProductTitle"] = said["ProductTitle"]
            case "UpdateInformation":
                self._page(said)
            case "AddDeliveryOptions":
                shown["Versions"].append(self._version(said))
                keys = [f"{name}.m.i.b" for name in self.supported["BatchTransform"]]
                keys += [f"{name}.m.i.r" for name in self.supported["RealtimeInference"]]
                have = [dimension["Key"] for dimension in shown["Dimensions"]]
                shown["Dimensions"] += [{"Key": key} for key in keys if key not in have]
            case "UpdateDeliveryOptions":
                self._update_version(said)
            case "RestrictDeliveryOptions":
                for option in (version["DeliveryOptions"][0] for version in shown["Versions"]):
                    if option["Id"] in said["DeliveryOptionIds"]:
                        option["Visibility"] = "Restricted"
            case "UpdateTargeting":
                shown["Targeting"] = said
            case "UpdateVisibility":
                shown["Description"]["Visibility"] = said["TargetVisibility"]
            case "ReleaseProduct":
                shown["Description"]["Visibility"] = "Limited"
            case other:
                raise AssertionError(other)

    def _page(self, said: dict[str, Any]) -> None:
        shown = self.product
        shown["Description"] |= {key: value for key, value in said.items() if key in _PAGE}
        promotion = shown.setdefault("PromotionalResources", {})
        if "LogoUrl" in said:
            promotion["LogoUrl"] = said["LogoUrl"]
        if "VideoUrls" in said:
            promotion["Videos"] = [{"Type": "Link", "Title": "Video", "Url": url} for url in said["VideoUrls"]]
        if "AdditionalResources" in said:
            promotion["AdditionalResources"] = [{"Type": "Link", **link} for link in said["AdditionalResources"]]
        if "SupportDescription" in said:
            shown["SupportInformation"] = {"Description": said["SupportDescription"]}

    def _version(self, said: dict[str, Any]) -> dict[str, Any]:
        details = said["DeliveryOptions"][0]["Details"][OPTION]
        number = len(self.product["Versions"])
        return {
            "Id": str(uuid.UUID(int=number)),
            **said["Version"],
            "CreationDate": "2026-11-23T00:00:00.000Z",
            "Sources": [{"Type": "SageMakerModelPackage", "ModelPackageArn": details["SageMakerModelPackageArn"]}],
            "DeliveryOptions": [
                {
                    "Id": str(uuid.UUID(int=100 + number)),
                    "Type": "SageMakerModelPackage",
                    "Title": "SageMaker Model",
                    "Instructions": _instructions(details),
                    "RecommendedInstanceTypes": details["RecommendedInstanceTypes"],
                    "SupportedInstanceTypes": dict(self.supported),
                    "Visibility": "Public",
                }
            ],
        }

    def _update_version(self, said: dict[str, Any]) -> None:
        option = said["DeliveryOptions"][0]
        version = next(one for one in self.product["Versions"] if one["DeliveryOptions"][0]["Id"] == option["Id"])
        version |= said.get("Version", {})
        details = option.get("Details", {}).get(OPTION, {})
        shown = version["DeliveryOptions"][0]
        shown["Instructions"] |= _instructions(details)
        if "RecommendedInstanceTypes" in details:
            shown["RecommendedInstanceTypes"] = details["RecommendedInstanceTypes"]

    def _offer(self, change: CatalogChange, said: dict[str, Any]) -> None:
        match change.type:
            case "CreateOffer":
                self.offer |= {"ProductId": PRODUCT_ID, "Name": said["Name"]}
            case "UpdateInformation":
                self.offer |= said
            case "ReleaseOffer":
                self.offer["State"] = "Released"
            case "UpdateTargeting":
                self.offer["Rules"].append({"Type": "TargetingRule", **said})
            case "UpdateAvailability":
                until = f"{said['AvailabilityEndDate']}T23:59:59.999Z"
                others = [rule for rule in self.offer["Rules"] if rule["Type"] != "AvailabilityRule"]
                self.offer["Rules"] = [*others, {"Type": "AvailabilityRule", "AvailabilityEndDate": until}]
            case _:
                kinds = {term["Type"] for term in said["Terms"]}
                if change.type == "UpdatePricingTerms":
                    kinds = {term["Type"] for term in self.offer["Terms"] if "Pricing" in term["Type"]} | kinds
                kept = [term for term in self.offer["Terms"] if term["Type"] not in kinds]
                self.offer["Terms"] = [*kept, *said["Terms"]]


def _instructions(details: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        "UsageInstructions": "Usage",
        "SampleNotebookUrl": "SampleNotebookUrl",
        "RepositoryUrl": "RepositoryUrl",
        "InputProperties": "InputProperties",
        "OutputProperties": "OutputProperties",
    }
    return {name: details[member] for member, name in names.items() if member in details}
