"""Entities as the Catalog API describes and lists them.

Source: the shapes MachineLearningProduct_1_0_EntityType and Offer_1_0 (OfferEntityDetail) of
awslabs/aws-marketplace-catalog-api-shapes-for-python 1.2.0, and the entities in their tests (read 2026-11-23).
"""

import fnmatch
import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from argosy.local_aws.catalog.change_sets import DETAILS_LENGTH
from argosy.local_aws.catalog.pricing import dimensions
from argosy.local_aws.catalog.requests import require_catalog
from argosy.local_aws.marketplace.options import MarketplaceOptions
from argosy.local_aws.marketplace.pages import page
from argosy.local_aws.marketplace.refusal import Refusal, denied, invalid, not_found, not_simulated
from argosy.local_aws.marketplace.state import OFFER_TYPE, PRODUCT_TYPE, Json, Offer, Product, Version
from argosy.local_aws.marketplace.surroundings import Surroundings, arn, moment

Entity = Product | Offer

_PAGE: Final = 20
_KINDS: Final = {PRODUCT_TYPE: "MachineLearningProduct", OFFER_TYPE: "Offer"}


class Entities:
    """The products and offers of all sellers.

    Args:
        surroundings: What AWS Marketplace works with.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings

    def describe(self, account: str, request: Json, now: float) -> Json:
        """DescribeEntity."""
        require_catalog(request)
        entity = self._found(account, request["EntityId"])
        document = _document(entity, self._around.options)
        text = json.dumps(document)
        return {**_head(entity), "Details": text if len(text) <= DETAILS_LENGTH else None, "DetailsDocument": document}

    def describe_many(self, account: str, request: Json, now: float) -> Json:
        """BatchDescribeEntities: what is not there, or not the caller's, is told beside the others."""
        details: dict[str, Json] = {}
        errors: dict[str, Json] = {}
        for asked in request["EntityRequestList"]:
            require_catalog(asked)
            try:
                entity = self._found(account, asked["EntityId"])
            except Refusal as refusal:
                errors[asked["EntityId"]] = {"ErrorCode": refusal.code, "ErrorMessage": refusal.message}
            else:
                document = _document(entity, self._around.options)
                details[asked["EntityId"]] = {**_head(entity), "DetailsDocument": document}
        return {"EntityDetails": details, "Errors": errors}

    def list(self, account: str, request: Json, now: float) -> Json:
        """ListEntities: the caller's own of one type, filtered by both kinds of filters."""
        require_catalog(request)
        type_ = request["EntityType"]
        if type_ not in _KINDS:
            raise not_simulated(f"ListEntities: entity type {type_} is not simulated; {', '.join(_KINDS)} are")
        state = self._around.store.state
        all_: Collection[Entity] = (state.products if type_ == PRODUCT_TYPE else state.offers).values()
        found = [each for each in all_ if each.account == account]
        if request.get("OwnershipType", "SELF") == "SHARED":
            found = []
        for name, filter_ in _filters(type_, request):
            found = [each for each in found if _matches(each, name, filter_)]
        by, falls = _order(type_, request)
        found.sort(key=lambda each: str(_value(each, by) or ""), reverse=falls)
        shown, token = page(found, request.get("MaxResults", _PAGE), request.get("NextToken"))
        return {"EntitySummaryList": [_summary(each) for each in shown], "NextToken": token}

    def _found(self, account: str, identifier: str) -> Entity:
        state = self._around.store.state
        entity = state.products.get(identifier) or state.offers.get(identifier)
        if entity is None:
            raise not_found(f"Entity '{identifier}' was not found.")
        if entity.account != account:
            raise denied(f"Account {account} is not authorized to describe entity '{identifier}'.")
        return entity


def _type(entity: Entity) -> str:
    return PRODUCT_TYPE if isinstance(entity, Product) else OFFER_TYPE


def _head(entity: Entity) -> dict[str, Any]:
    return {
        "EntityType": f"{_type(entity)}@1.0",
        "EntityIdentifier": f"{entity.id}@{entity.revision}",
        "EntityArn": arn(entity.account, _type(entity), entity.id),
        "LastModifiedDate": moment(entity.modified),
    }


def _document(entity: Entity, options: MarketplaceOptions) -> dict[str, Any]:
    return _product(entity, options) if isinstance(entity, Product) else _offer(entity)


def _product(product: Product, options: MarketplaceOptions) -> dict[str, Any]:
    texts = product.texts
    described = ("ProductTitle", "ShortDescription", "LongDescription", "Sku", "Highlights", "SearchKeywords")
    return {
        "Versions": [_version(version) for version in product.versions],
        "Description": {
            **{name: texts.get(name) for name in (*described, "Categories")},
            "ProductCode": product.code,
            "Visibility": product.visibility,
            "ProductState": "Draft" if product.visibility == "Draft" else "Active",
        },
        "Targeting": {"PositiveTargeting": {"BuyerAccounts": list(product.buyer_accounts)}},
        "PromotionalResources": {
            "LogoUrl": _logo(texts.get("LogoUrl"), options),
            "Videos": [{"Type": "Link", "Url": url} for url in texts.get("VideoUrls", ())],
            "AdditionalResources": [{"Type": "Link", **link} for link in texts.get("AdditionalResources", ())],
        },
        "SupportInformation": {"Description": texts.get("SupportDescription")},
        "Dimensions": dimensions(product, options.inference_keys[0]),
        "RegionAvailability": {"FutureRegionSupport": None, "Restrict": [], "Regions": list(options.regions)},
    }


def _logo(url: str | None, options: MarketplaceOptions) -> str | None:
    """The address of AWS's own copy, whose name has nothing to do with the seller's."""
    if url is None or not options.copies_logos:
        return url
    return f"https://awsmp-logos.s3.amazonaws.com/{hashlib.sha256(url.encode()).hexdigest()[:16]}"


def _version(version: Version) -> dict[str, Any]:
    kind, details = "SageMakerModelPackage", version.details
    return {
        "Id": version.id,
        "VersionTitle": version.title,
        "ReleaseNotes": version.notes,
        "CreationDate": _precise(version.created),
        "Sources": [{"Type": kind, "Id": version.source_id, "ModelPackageArn": version.package_arn}],
        "DeliveryOptions": [
            {
                "Id": version.option_id,
                "Type": kind,
                "SourceId": version.source_id,
                "Title": "SageMaker Model",
                "ShortDescription": "SageMaker ModelDelivery Option",
                "Instructions": {
                    "Usage": details["UsageInstructions"],
                    **{
                        name: details[name]
                        for name in ("SampleNotebookUrl", "RepositoryUrl", "InputProperties", "OutputProperties")
                    },
                },
                "RecommendedInstanceTypes": details["RecommendedInstanceTypes"],
                "SupportedInstanceTypes": {
                    "BatchTransform": list(version.batch_types),
                    "RealtimeInference": list(version.realtime_types),
                },
                "Visibility": "Public" if version.restricted is None else "Restricted",
            }
        ],
    }


def _offer(offer: Offer) -> dict[str, Any]:
    targeting: dict[str, Any] = {"Type": "TargetingRule"}
    if offer.positive_targeting:
        targeting["PositiveTargeting"] = {name: list(values) for name, values in offer.positive_targeting.items()}
    if offer.negative_targeting:
        targeting["NegativeTargeting"] = {name: list(values) for name, values in offer.negative_targeting.items()}
    availability = {"Type": "AvailabilityRule", "AvailabilityEndDate": f"{offer.available_until}T23:59:59.999Z"}
    return {
        "Id": offer.id,
        "Name": offer.name,
        "Description": offer.description,
        "State": offer.state,
        "ProductId": offer.product_id,
        "MarkupPercentage": None,
        "PreExistingAgreement": None,
        "Rules": [
            *([targeting] if len(targeting) > 1 else []),
            *([availability] if offer.available_until is not None else []),
        ],
        "Terms": list(offer.all_terms()),
    }


def _precise(seconds: float) -> str:
    """A time as documents have it: `2025-06-12T20:57:59.172Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _summary(entity: Entity) -> dict[str, Any]:
    common = {
        "Name": _value(entity, "Name"),
        "EntityType": _type(entity),
        "EntityId": entity.id,
        "EntityArn": arn(entity.account, _type(entity), entity.id),
        "LastModifiedDate": moment(entity.modified),
        "Visibility": _value(entity, "Visibility"),
    }
    if isinstance(entity, Product):
        of_product = {"ProductTitle": _value(entity, "ProductTitle"), "Visibility": entity.visibility}
        return {**common, "MachineLearningProductSummary": of_product}
    names = ("Name", "ProductId", "ReleaseDate", "AvailabilityEndDate", "State")
    of_offer = {name: _value(entity, name) for name in names}
    accounts = {"BuyerAccounts": list(entity.buyer_accounts), "Targeting": _targeting(entity)}
    return {**common, "OfferSummary": {**of_offer, **accounts, "CreatedBySource": "Seller"}}


def _targeting(offer: Offer) -> list[str]:
    return sorted({*offer.positive_targeting, *offer.negative_targeting}) or ["None"]


_OF_PRODUCTS: Final[Mapping[str, Callable[[Product], object]]] = {
    "EntityId": lambda product: product.id,
    "Name": lambda product: product.texts.get("ProductTitle"),
    "ProductTitle": lambda product: product.texts.get("ProductTitle"),
    "Visibility": lambda product: product.visibility,
    "LastModifiedDate": lambda product: moment(product.modified),
}
_OF_OFFERS: Final[Mapping[str, Callable[[Offer], object]]] = {
    "EntityId": lambda offer: offer.id,
    "Name": lambda offer: offer.name,
    "ProductId": lambda offer: offer.product_id,
    "ReleaseDate": lambda offer: None if offer.released is None else moment(offer.released),
    "AvailabilityEndDate": lambda offer: offer.available_until and f"{offer.available_until}T23:59:59Z",
    "State": lambda offer: offer.state,
    "LastModifiedDate": lambda offer: moment(offer.modified),
    "BuyerAccounts": lambda offer: offer.buyer_accounts,
    "Targeting": _targeting,
}


def _value(entity: Entity, name: str) -> object:
    """What an entity has under the name of a filter or of an order."""
    if isinstance(entity, Product):
        return _OF_PRODUCTS[name](entity) if name in _OF_PRODUCTS else None
    return _OF_OFFERS[name](entity) if name in _OF_OFFERS else None


def _filters(type_: str, request: Json) -> list[tuple[str, Json]]:
    """Both kinds of filters, as names with what they ask for."""
    given = request.get("EntityTypeFilters", {})
    kind = f"{_KINDS[type_]}Filters"
    if set(given) - {kind}:
        raise invalid(f"EntityTypeFilters has {', '.join(given)} and EntityType is {type_}.")
    filters = [(filter_.get("Name", ""), filter_) for filter_ in request.get("FilterList", ())]
    filters += [*given.get(kind, {}).items()]
    known = _OF_PRODUCTS if type_ == PRODUCT_TYPE else _OF_OFFERS
    for name, _ in filters:
        if name not in known:
            raise invalid(f"Entities of type {type_} cannot be filtered by {name}; {', '.join(known)} are possible.")
    return filters


def _matches(entity: Entity, name: str, filter_: Json) -> bool:
    value = _value(entity, name)
    values = [*value] if isinstance(value, list | tuple) else [value]
    if "ValueList" in filter_:
        return any(each in filter_["ValueList"] for each in values)
    if "WildCardValue" in filter_:
        pattern = f"*{filter_['WildCardValue'].lower()}*"
        return any(each is not None and fnmatch.fnmatchcase(str(each).lower(), pattern) for each in values)
    asked = filter_.get("DateRange", {})
    low, high = asked.get("AfterValue", ""), asked.get("BeforeValue", "9999")
    return value is not None and low <= str(value) <= high


def _order(type_: str, request: Json) -> tuple[str, bool]:
    sort = request.get("EntityTypeSort", {}).get(f"{_KINDS[type_]}Sort") or request.get("Sort", {})
    by = sort.get("SortBy", "LastModifiedDate")
    if by not in (_OF_PRODUCTS if type_ == PRODUCT_TYPE else _OF_OFFERS):
        raise invalid(f"Entities of type {type_} cannot be sorted by {by}.")
    return by, sort.get("SortOrder", "DESCENDING") == "DESCENDING"
