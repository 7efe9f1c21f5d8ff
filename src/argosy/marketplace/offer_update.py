"""What has to change in an offer that is there, so that it is what argosy.toml says; and what cannot.

Source: AWS Marketplace Catalog API, "Update pricing terms"; AWS Marketplace seller guide, "Machine learning product
pricing"; aws-samples/sample-sagemaker-marketplace-onboarding-skill, for what cannot be changed back (read 2026-11-23).
"""

import datetime
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from argosy.errors import ProjectError
from argosy.marketplace.change_set import CatalogChange, ChangeSet, Entity
from argosy.marketplace.described import DescribedOffer, DescribedProduct, DescribedVersion, is_copy
from argosy.marketplace.rate_card import (
    INFERENCE_SUFFIX,
    is_per_inference,
    legal_terms,
    pricing_terms,
    rates,
    same_price,
    support_terms,
)
from argosy.marketplace.table import Marketplace, Pricing

FREEZE: Final = "after a change of prices AWS Marketplace takes no other for 90 days, nor other instance types"
"""What every change of prices brings with it."""
_PAID: Final = ("hourly", "per-inference")
_PLACE: Final = "argosy.toml [marketplace.pricing]"


def offer_changes(
    offer: DescribedOffer, table: Marketplace, product: DescribedProduct, own: str, sent_eula: str | None = None
) -> ChangeSet:
    """The changes that the public offer needs; none when it says what the table says.

    Types that only other versions support keep their prices: AWS wants a price for each type that any version supports.

    Args:
        offer: The public offer.
        table: What the seller says.
        product: Its product.
        own: ARN of the model package of the version that the table is of.
        sent_eula: The address of the license as it was last sent; None when that is not known.

    Raises:
        ProjectError: The pricing model cannot be changed into the one that the table says.
    """
    said, entity = table.pricing, Entity.offer(offer.id)
    changing = _changing_notes(offer, said)
    notes, changes = [], []
    wanted = rates(said, table.instances, product.inference_key)
    others = {key for version in _others(product, own) for key in version.hourly_keys}
    wanted |= {key: price for key, price in offer.rates.items() if key in others and key not in wanted}
    terms = pricing_terms(said, wanted)
    if not _is_priced(offer, said, wanted):
        changes.append(CatalogChange("UpdatePricingTerms", entity, terms))
        notes += [*changing, FREEZE]
    if not _is_licensed(offer, said, sent_eula):
        changes.append(CatalogChange("UpdateLegalTerms", entity, legal_terms(said)))
    elif any(is_copy(document.get("Url")) for document in offer.documents) and sent_eula is None:
        notes.append(
            f"AWS keeps a copy of the license, so whether `{said.eula}` is another one is not known: not sent again"
        )
    if offer.refund_policy.strip() != said.refund_policy.strip():
        changes.append(CatalogChange("UpdateSupportTerms", entity, support_terms(said)))
    if offer.state == "Draft":
        changes.append(CatalogChange("ReleaseOffer", entity))
    return ChangeSet(f"update {offer.id}", tuple(changes), tuple(notes))


def expiring(offer: DescribedOffer, day: datetime.date) -> ChangeSet:
    """The change of the last day on which a private offer can be accepted; none when it is that day already.

    Args:
        offer: The private offer.
        day: The last day.
    """
    until = day.isoformat()
    change = CatalogChange("UpdateAvailability", Entity.offer(offer.id), {"AvailabilityEndDate": until})
    return ChangeSet(f"expire {offer.id} {until}", () if (offer.expires or "").startswith(until) else (change,))


def _others(product: DescribedProduct, own: str) -> list[DescribedVersion]:
    return [version for version in product.versions if version.package_arn != own and not version.is_restricted]


def _changing_notes(offer: DescribedOffer, said: Pricing) -> list[str]:
    was = offer.model
    if {was, said.model} == set(_PAID):
        raise _unchangeable(offer, said, was, f'set model = "{was}", or publish a new product with the other model')
    if was == "free" and said.model in _PAID:
        raise _unchangeable(offer, said, was, 'set model = "free", or publish a new product that is paid for')
    if said.model == "free" and _costs(offer.rates):
        return ["what is free cannot be made paid again; prices of 0 by the hour can be raised later"]
    if was == "hourly" and said.model in _PAID and not _costs(offer.rates):
        return ["every price is 0 now: if it was published as free, AWS Marketplace refuses prices for it"]
    return []


def _unchangeable(offer: DescribedOffer, said: Pricing, was: str, hint: str) -> ProjectError:
    return ProjectError(
        "AWS Marketplace does not change this pricing model",
        got=f'model = "{said.model}"',
        want=f'"{was}", as `{offer.id}` has it',
        where=_PLACE,
        hint=hint,
    )


def _costs(prices: Mapping[str, str]) -> bool:
    try:
        return any(Decimal(price) > 0 for price in prices.values())
    except InvalidOperation:
        return True


def _is_priced(offer: DescribedOffer, said: Pricing, wanted: Mapping[str, str]) -> bool:
    if said.model == "byol":
        return offer.model == "byol"
    shown, wanted = _by_counted(offer.rates), _by_counted(wanted)
    if shown.keys() != wanted.keys() or not all(same_price(shown[key], price) for key, price in wanted.items()):
        return False
    trial = offer.trial
    if said.free_trial_days is None:
        return trial is None
    grants = _by_counted({grant["DimensionKey"]: "" for grant in (trial or {}).get("Grants") or ()})
    is_as_long = trial is not None and trial.get("Duration") == f"P{said.free_trial_days}D"
    return is_as_long and grants.keys() == wanted.keys()


def _by_counted(prices: Mapping[str, str]) -> dict[str, str]:
    """Prices by what is counted: an offer may show another key of a price per inference than its product does."""
    return {INFERENCE_SUFFIX if is_per_inference(key) else key: price for key, price in prices.items()}


def _is_licensed(offer: DescribedOffer, said: Pricing, sent_eula: str | None) -> bool:
    shown = offer.documents
    if len(shown) != 1:
        return False
    kind, url = shown[0].get("Type"), shown[0].get("Url")
    if said.eula == "standard":
        return bool(kind == "StandardEula")
    if kind != "CustomEula":
        return False
    return bool(url == said.eula or (is_copy(url) and sent_eula in (None, said.eula)))
