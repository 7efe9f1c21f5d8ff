"""Dimensions and prices of machine-learning products: what has to be priced, and what may change.

Source: Catalog API, "Update pricing terms" and "Add a new version" for machine learning; AWS Marketplace seller guide,
"Machine learning product pricing"; aws-samples/sample-sagemaker-marketplace-onboarding-skill for what cannot change
(all read 2026-11-23). `$0` prices are prices.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from argosy.local_aws.marketplace.state import Fault, Json, Offer, Product

USAGE: Final = "UsageBasedPricingTerm"
TRIAL: Final = "FreeTrialPricingTerm"
_UPFRONT: Final = ("FixedUpfrontPricingTerm", "ConfigurableUpfrontPricingTerm")
_OF_MODEL: Final[Mapping[str, tuple[str, ...]]] = {
    "Usage": (USAGE, TRIAL),
    "Free": (USAGE,),
    "Byol": ("ByolPricingTerm",),
    "Contract": _UPFRONT,
}
_TRIAL_DAYS: Final = range(5, 32)
"""Seller guide: 5 to 31 days."""

HOURLY: Final = "hourly"
PER_INFERENCE: Final = "per inference"
BATCH: Final = ".m.i.b"
REALTIME: Final = ".m.i.r"


def dimensions(product: Product, inference_key: str) -> list[dict[str, Any]]:
    """The dimensions that AWS makes of a product's instance types: price per inference, batch hours, endpoint hours.

    The texts are those of the entity in the tests of the published shapes.
    """
    made = [_dimension(inference_key, f"{inference_key} Inference Pricing", "Requests")] if product.versions else []
    for name in _types(version.batch_types for version in product.versions):
        text = f"Model inference on the {name} instance type, batch mode"
        made.append(_dimension(f"{name}{BATCH}", text, "HostHrs") | {"Name": f"{name} Inference (Batch)"})
    for name in _types(version.realtime_types for version in product.versions):
        text = f"Model inference on the {name} instance type, real-time mode"
        made.append(_dimension(f"{name}{REALTIME}", text, "HostHrs") | {"Name": f"{name} Inference (Real-Time)"})
    return made


def _dimension(key: str, text: str, unit: str) -> dict[str, Any]:
    return {"Name": text, "Description": text, "Key": key, "Unit": unit, "Types": ["Metered"]}


def _types(of_versions: Iterable[tuple[str, ...]]) -> list[str]:
    return sorted({name for types in of_versions for name in types})


def prices(terms: Iterable[Json]) -> dict[str, str]:
    """Prices of use: dimension key -> price."""
    return {
        item["DimensionKey"]: item["Price"]
        for term in terms
        if term["Type"] == USAGE
        for card in term["RateCards"]
        for item in card["RateCard"]
    }


def kind(keys: Iterable[str], inference_keys: Iterable[str]) -> str:
    """How endpoints are paid: by the hour, or per inference."""
    return PER_INFERENCE if set(keys) & set(inference_keys) else HOURLY


def faults_of_terms(model: str, terms: Iterable[Json], inference_keys: Iterable[str]) -> Iterator[Fault]:
    """What is wrong with pricing terms by themselves."""
    listed = list(terms)
    names = [term["Type"] for term in listed]
    possible = set(_OF_MODEL[model])
    if not set(names) <= possible or not set(names) & (possible - {TRIAL}):
        want = ", ".join(_OF_MODEL[model])
        yield Fault("INVALID_PRICING_MODEL", f"Pricing model {model} has {', '.join(names)}; it takes {want}.")
    if len(names) != len(set(names)):
        yield Fault("INVALID_PRICING_TERMS", "A type of pricing term is there more than once.")
    keys = [item["DimensionKey"] for term in listed if term["Type"] == USAGE for item in _items(term)]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield Fault("DUPLICATE_DIMENSION_KEY", f"Dimension key {key} is priced more than once.")
    if kind(keys, inference_keys) == PER_INFERENCE and any(key.endswith(REALTIME) for key in keys):
        yield Fault("INVALID_RATE_CARD", "Endpoints are priced by the hour and per inference; one of both is possible.")
    if model == "Free" and any(Decimal(price) > 0 for price in prices(listed).values()):
        yield Fault("INVALID_PRICING_MODEL", "A free product has a price above zero.")
    yield from _faults_of_trial(listed, set(keys))


def _items(term: Json) -> Iterator[Json]:
    for card in term["RateCards"]:
        yield from card["RateCard"]


def _faults_of_trial(terms: Iterable[Json], keys: set[str]) -> Iterator[Fault]:
    for term in terms:
        if term["Type"] == TRIAL:
            duration = term["Duration"]
            if duration not in {f"P{days}D" for days in _TRIAL_DAYS}:
                yield Fault("INVALID_DURATION", f"A free trial of {duration} is not possible; P5D to P31D are.")
            for grant in term["Grants"]:
                if grant["DimensionKey"] not in keys:
                    yield Fault(
                        "INVALID_DIMENSION_KEY", f"The trial grants {grant['DimensionKey']}, which has no price."
                    )


def missing_keys(product: Product, offer: Offer, inference_keys: tuple[str, ...]) -> list[str]:
    """Dimensions of a product that an offer does not price and has to."""
    priced = prices(offer.all_terms())
    if not priced:
        return []
    required = {f"{name}{BATCH}" for name in _types(version.batch_types for version in product.versions)}
    if kind(priced, inference_keys) == HOURLY:
        required |= {f"{name}{REALTIME}" for name in _types(version.realtime_types for version in product.versions)}
    return sorted(required - set(priced))


def unknown_keys(product: Product, offer: Offer, inference_keys: tuple[str, ...]) -> list[str]:
    """Keys that an offer prices and the product does not have."""
    known = {dimension["Key"] for dimension in dimensions(product, inference_keys[0])} | set(inference_keys)
    return sorted(set(prices(offer.all_terms())) - known)


def faults_of_change(before: Offer, after: Offer, inference_keys: tuple[str, ...]) -> Iterator[Fault]:
    """What an offer that has been released may not become."""
    old, new = prices(before.all_terms()), prices(after.all_terms())
    if before.pricing_model != after.pricing_model:
        yield Fault(
            "INCOMPATIBLE_PRICING_MODEL",
            f"The pricing model was {before.pricing_model} and cannot become {after.pricing_model}.",
        )
    elif old and new and kind(old, inference_keys) != kind(new, inference_keys):
        yield Fault(
            "INCOMPATIBLE_PRICING_MODEL",
            f"Prices were {kind(old, inference_keys)} and cannot become {kind(new, inference_keys)}.",
        )


def has_changed_price(before: Offer, after: Offer) -> bool:
    """Whether a dimension that had a price has another one."""
    old, new = prices(before.all_terms()), prices(after.all_terms())
    return any(key in new and Decimal(new[key]) != Decimal(price) for key, price in old.items())


def has_other_dimensions(before: Offer, after: Offer) -> bool:
    """Whether other dimensions are priced."""
    return set(prices(before.all_terms())) != set(prices(after.all_terms()))
