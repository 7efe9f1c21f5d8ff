"""What buyers pay, as terms of an offer: a price for each dimension, the trial, the license, the refunds.

Source: AWS Marketplace Catalog API, "Update pricing terms" of machine-learning products; the typed terms of `Offer@1.0`
in awslabs/aws-marketplace-catalog-api-shapes-for-python 1.2.0, which want prices as texts where the page's example has
numbers (read 2026-11-23).
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from argosy.marketplace.table import Instances, Pricing, price_text

BATCH_SUFFIX: Final = ".m.i.b"
REALTIME_SUFFIX: Final = ".m.i.r"
INFERENCE_SUFFIX: Final = "m.i.c"
"""How the key of a dimension ends: an hour of a transform job, an hour of an endpoint, one inference."""
USAGE_TERM: Final = "UsageBasedPricingTerm"
TRIAL_TERM: Final = "FreeTrialPricingTerm"
BYOL_TERM: Final = "ByolPricingTerm"
STANDARD_EULA: Final = {"Type": "StandardEula", "Version": "2022-07-14"}
"""AWS Marketplace's standard contract, in its only version."""

_MODELS: Final = {"free": "Free", "byol": "Byol"}
_NO_PRICE: Final = "0.00"


def is_per_inference(key: str) -> bool:
    """Whether a dimension counts inferences: `m.i.c`, or with the name of what is counted in front.

    >>> is_per_inference("m.i.c"), is_per_inference("inference.count.m.i.c"), is_per_inference("ml.m5.large.m.i.b")
    (True, True, False)
    """
    return key == INFERENCE_SUFFIX or key.endswith(f".{INFERENCE_SUFFIX}")


def rates(pricing: Pricing, instances: Instances, inference_key: str | None = None) -> dict[str, str]:
    """Key of each dimension that buyers are charged in -> its price in dollars.

    Each supported type has a price in both modes, but endpoints that are charged by inference have none by the hour.
    A type whose price is not said is left out; `argosy check` says so. `byol` has no prices.

    Args:
        pricing: `[marketplace.pricing]`.
        instances: `[marketplace.instances]`.
        inference_key: The key of the price per inference, as the product's dimensions have it; None: that of `pricing`.
    """
    found: dict[str, str] = {}
    if pricing.model == "byol":
        return found
    if pricing.model == "per-inference" and pricing.per_inference is not None:
        found[inference_key or pricing.inference_key] = price_text(pricing.per_inference)
    modes = [(instances.batch, pricing.batch, BATCH_SUFFIX)]
    if pricing.model != "per-inference":
        modes.append((instances.realtime, pricing.realtime, REALTIME_SUFFIX))
    for types, prices, suffix in modes:
        for name in types:
            if pricing.model == "free":
                found[name + suffix] = _NO_PRICE
            elif name in prices:
                found[name + suffix] = price_text(prices[name])
    return found


def pricing_terms(pricing: Pricing, prices: Mapping[str, str], *, has_trial: bool = True) -> dict[str, Any]:
    """The details of UpdatePricingTerms.

    UNSURE: which terms a free product has. The shape wants one at least, and the page names no other kind, so a free
    product has a price of 0 for each dimension.

    Args:
        pricing: `[marketplace.pricing]`.
        prices: Key of each dimension -> its price.
        has_trial: Whether the free trial is given, where one is said: a private offer has none.
    """
    if pricing.model == "byol":
        return {"PricingModel": "Byol", "Terms": [{"Type": BYOL_TERM}]}
    card = [{"DimensionKey": key, "Price": price} for key, price in prices.items()]
    terms: list[dict[str, Any]] = [{"Type": USAGE_TERM, "CurrencyCode": "USD", "RateCards": [{"RateCard": card}]}]
    if has_trial and pricing.free_trial_days is not None:
        terms.append(
            {
                "Type": TRIAL_TERM,
                "Duration": f"P{pricing.free_trial_days}D",
                "Grants": [{"DimensionKey": key} for key in prices],
            }
        )
    return {"PricingModel": _MODELS.get(pricing.model or "", "Usage"), "Terms": terms}


def legal_terms(pricing: Pricing) -> dict[str, Any]:
    """The details of UpdateLegalTerms."""
    document = STANDARD_EULA if pricing.eula == "standard" else {"Type": "CustomEula", "Url": pricing.eula}
    return {"Terms": [{"Type": "LegalTerm", "Documents": [dict(document)]}]}


def support_terms(pricing: Pricing) -> dict[str, Any]:
    """The details of UpdateSupportTerms."""
    return {"Terms": [{"Type": "SupportTerm", "RefundPolicy": pricing.refund_policy.strip()}]}


def shown_rates(terms: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Key of each dimension -> its price, of the terms of an offer."""
    return {
        rate["DimensionKey"]: rate["Price"]
        for term in terms
        if term.get("Type") == USAGE_TERM
        for cards in term.get("RateCards") or ()
        for rate in cards.get("RateCard") or ()
    }


def same_price(one: str, other: str) -> bool:
    """Whether two prices are the same amount; what is no amount is the same as itself.

    >>> same_price("0.5", "0.50000000"), same_price("0.5", "0.51"), same_price("free", "0")
    (True, False, False)
    """
    try:
        return one == other or Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False
