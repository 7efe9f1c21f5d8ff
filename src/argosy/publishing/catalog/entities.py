"""Products and offers of the seller, found and read.

Source: AWS Marketplace Catalog API, ListEntities and DescribeEntity in botocore's marketplace-catalog 2018-09-17 model
(read 2026-11-23).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.errors import PlanError
from argosy.marketplace.change_set import PRODUCT_TYPE
from argosy.marketplace.described import DescribedOffer, DescribedProduct
from argosy.publishing.catalog.change_sets import catalog_call

_ABSENT: Final = ("ResourceNotFoundException",)
_PRODUCTS: Final = PRODUCT_TYPE.partition("@")[0]


@dataclass(frozen=True, slots=True)
class Found:
    """A product as it is now.

    Attributes:
        product: The product.
        revision: Of the product: its id with a number that grows with each change.
        offer: Its public offer; None when it has none.
        offer_revision: Of the offer; empty for none.
    """

    product: DescribedProduct
    revision: str
    offer: DescribedOffer | None = None
    offer_revision: str = ""

    @property
    def entities(self) -> tuple[str, ...]:
        """The ids of product and offer."""
        return (self.product.id,) if self.offer is None else (self.product.id, self.offer.id)


def describing(entity_id: str) -> Call:
    """The call that reads a product or an offer."""
    return catalog_call("DescribeEntity", EntityId=entity_id)


def listing_products(title: str) -> Call:
    """The call that finds products by their title."""
    filters = {"MachineLearningProductFilters": {"ProductTitle": {"ValueList": [title]}}}
    return catalog_call("ListEntities", EntityType=_PRODUCTS, EntityTypeFilters=filters)


def listing_offers(product_id: str) -> Call:
    """The call that finds the offers of a product."""
    filters = {"OfferFilters": {"ProductId": {"ValueList": [product_id]}}}
    return catalog_call("ListEntities", EntityType="Offer", EntityTypeFilters=filters)


def describe(reader: Reader, entity_id: str, kind: str = _PRODUCTS) -> Mapping[str, Any] | None:
    """An entity as DescribeEntity answers; None when there is none, or it is of another kind.

    Raises:
        AwsError: AWS refuses or does not answer.
    """
    answer: Mapping[str, Any] | None = reader.ask(describing(entity_id), _ABSENT)
    if not answer or str(answer.get("EntityType", kind)).partition("@")[0] != kind:
        return None
    return answer


def product_titled(reader: Reader, title: str) -> str | None:
    """The id of the product of a title; None when there is none.

    Raises:
        AwsError: AWS refuses or does not answer.
        PlanError: There are several.
    """
    found = [
        str(summary["EntityId"])
        for page in reader.pages(listing_products(title))
        for summary in page.get("EntitySummaryList") or ()
        if _title(summary) == title
    ]
    if len(found) > 1:
        raise PlanError(
            "several products have this title",
            got=", ".join(f"`{one}`" for one in found),
            want="one",
            where=f"`{title}`",
            hint=f"--product {found[0]}",
        )
    return found[0] if found else None


def public_offer(reader: Reader, product_id: str, known_id: str | None) -> Mapping[str, Any] | None:
    """The public offer of a product as DescribeEntity answers; None when it has none.

    Args:
        reader: AWS.
        product_id: The product's id.
        known_id: Id of the offer that an earlier run has made, asked first.

    Raises:
        AwsError: AWS refuses or does not answer.
    """
    if known_id:
        answer = describe(reader, known_id, "Offer")
        if answer is not None and DescribedOffer.of(answer).product_id == product_id:
            return answer
    for entity_id in _public(reader, product_id):
        answer = describe(reader, entity_id, "Offer")
        if answer is not None and not DescribedOffer.of(answer).buyer_accounts:
            return answer
    return None


def offers(reader: Reader, product_id: str) -> Iterator[Mapping[str, Any]]:
    """The summaries of all offers of a product.

    Raises:
        AwsError: AWS refuses or does not answer.
    """
    for page in reader.pages(listing_offers(product_id)):
        for summary in page.get("EntitySummaryList") or ():
            if (summary.get("OfferSummary") or {}).get("ProductId", product_id) == product_id:
                yield summary


def _public(reader: Reader, product_id: str) -> list[str]:
    """Offers that nobody in particular is named in, those that are released first."""
    found = []
    for summary in offers(reader, product_id):
        shown = summary.get("OfferSummary") or {}
        if not shown.get("BuyerAccounts") and "BuyerAccounts" not in (shown.get("Targeting") or ()):
            found.append((shown.get("State") != "Released", str(summary["EntityId"])))
    return [entity_id for _, entity_id in sorted(found)]


def _title(summary: Mapping[str, Any]) -> str:
    shown = summary.get("MachineLearningProductSummary") or {}
    return str(shown.get("ProductTitle") or summary.get("Name") or "")
