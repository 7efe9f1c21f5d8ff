"""The changes that make offers: the public one of `[marketplace.pricing]`, and private ones.

Source: the shapes of `Offer@1.0` in awslabs/aws-marketplace-catalog-api-shapes-for-python 1.2.0; AWS Marketplace
Catalog API, "Working with offers" and its examples of private offers (read 2026-11-23).
"""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from argosy.marketplace.change_set import CatalogChange, ChangeSet, Entity
from argosy.marketplace.limits import AMOUNT, LONGEST_OFFER, LONGEST_OFFER_DESCRIPTION, MOST_BUYERS
from argosy.marketplace.rate_card import legal_terms, pricing_terms, rates, support_terms
from argosy.marketplace.table import Instances, Marketplace, Pricing

_ACCOUNT: Final = re.compile(r"\d{12}")
_SOLD: Final = ("hourly", "per-inference")


@dataclass(frozen=True, slots=True)
class PrivateOffer:
    """An offer that only some accounts see.

    Attributes:
        name: By which seller and buyer find it, at most 150 characters.
        buyer_accounts: The accounts that see it.
        expires: The last day on which it can be accepted.
        agreement_days: How long an agreement lasts, from the day on which it is accepted.
        pricing: What is paid; the prices of `[marketplace.pricing]` or others, of the same model. A trial is not given.
        description: For the buyer, at most 255 characters.
    """

    name: str
    buyer_accounts: tuple[str, ...]
    expires: datetime.date
    agreement_days: int
    pricing: Pricing
    description: str = ""


def creating_offer(table: Marketplace, product_id: str) -> tuple[CatalogChange, ...]:
    """The changes that make the public offer of a product, and release it.

    Args:
        table: What the seller says.
        product_id: The product's id, or a reference to the change that makes it.
    """
    said = table.pricing
    create = CatalogChange(
        "CreateOffer",
        Entity.offer(),
        {"ProductId": product_id, "Name": table.listing.title.strip()},
        "CreateOfferChange",
    )
    offer = Entity.offer(create.reference)
    return (
        create,
        CatalogChange("UpdatePricingTerms", offer, pricing_terms(said, rates(said, table.instances))),
        CatalogChange("UpdateLegalTerms", offer, legal_terms(said)),
        CatalogChange("UpdateSupportTerms", offer, support_terms(said)),
        CatalogChange("ReleaseOffer", offer),
    )


def creating_private_offer(
    product_id: str, private: PrivateOffer, instances: Instances, inference_key: str | None = None
) -> ChangeSet:
    """The change set that makes a private offer, and releases it to its buyers.

    Args:
        product_id: The product's id.
        private: The offer.
        instances: The types that the product supports: each has a price.
        inference_key: The key of the price per inference, as the product's dimensions have it.
    """
    create = CatalogChange(
        "CreateOffer", Entity.offer(), {"ProductId": product_id, "Name": private.name}, "CreateOfferChange"
    )
    offer = Entity.offer(create.reference)
    prices = rates(private.pricing, instances, inference_key)
    changes = [create]
    if private.description.strip():
        changes.append(CatalogChange("UpdateInformation", offer, {"Description": private.description.strip()}))
    validity = {"Terms": [{"Type": "ValidityTerm", "AgreementDuration": f"P{private.agreement_days}D"}]}
    targeting = {"PositiveTargeting": {"BuyerAccounts": list(private.buyer_accounts)}}
    changes += [
        CatalogChange("UpdateTargeting", offer, targeting),
        CatalogChange("UpdatePricingTerms", offer, pricing_terms(private.pricing, prices, has_trial=False)),
        CatalogChange("UpdateLegalTerms", offer, legal_terms(private.pricing)),
        CatalogChange("UpdateAvailability", offer, {"AvailabilityEndDate": private.expires.isoformat()}),
        CatalogChange("UpdateValidityTerms", offer, validity),
        CatalogChange("ReleaseOffer", offer),
    ]
    return ChangeSet(f"offer {private.name}", tuple(changes))


def private_offer_faults(private: PrivateOffer, table: Marketplace, today: datetime.date) -> tuple[str, ...]:
    """What AWS would refuse of a private offer, one sentence each; no clause of `argosy check` sees one.

    Args:
        private: The offer.
        table: What the product is sold as publicly.
        today: The day on which it is sent.
    """
    return tuple(_faults(private, table, today))


def _faults(private: PrivateOffer, table: Marketplace, today: datetime.date) -> Iterator[str]:
    if not 1 <= len(private.name) <= LONGEST_OFFER or private.name[0].isspace():
        yield f"the name has {len(private.name)} characters, want 1 to {LONGEST_OFFER}, the first no blank"
    if len(private.description) > LONGEST_OFFER_DESCRIPTION:
        yield f"the description has {len(private.description)} characters, want at most {LONGEST_OFFER_DESCRIPTION}"
    if not 1 <= len(private.buyer_accounts) <= MOST_BUYERS:
        yield f"{len(private.buyer_accounts)} buyers are named, want 1 to {MOST_BUYERS}"
    for account in private.buyer_accounts:
        if not _ACCOUNT.fullmatch(account):
            yield f"`{account[:80]}` is no AWS account: want twelve digits"
    if private.expires <= today:
        yield f"it expires on {private.expires}, and today is {today}"
    if private.agreement_days < 1:
        yield f"an agreement lasts {private.agreement_days} days, want 1 at least"
    if private.pricing.model not in _SOLD:
        yield f"it is priced `{private.pricing.model}`, want one of: {', '.join(_SOLD)}"
    elif private.pricing.model != table.pricing.model:
        yield f"it is priced `{private.pricing.model}`, and the product is sold `{table.pricing.model}`"
    else:
        yield from _price_faults(private, table)


def _price_faults(private: PrivateOffer, table: Marketplace) -> Iterator[str]:
    prices = rates(private.pricing, table.instances)
    for key in rates(table.pricing, table.instances):
        if key not in prices:
            yield f"`{key}` has no price"
    for key, price in prices.items():
        if not re.fullmatch(AMOUNT, price):
            yield f"the price of `{key}` is `{price[:40]}`: want dollars as 0.50, at most 8 decimals"
