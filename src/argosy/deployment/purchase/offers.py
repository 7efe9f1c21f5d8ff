"""What a product is offered for: the public offer, or a private one that its seller has made for this account."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from argosy.aws.api import Reader
from argosy.aws.call import MARKETPLACE_REGION, Call
from argosy.deployment.purchase.terms import Terms, read_terms
from argosy.errors import PlanError

_NOT_BY_ITSELF: Final = frozenset({"PRIVATE_PRICING", "FUTURE_DATED", "REPLACEMENT_OFFER"})
"""Badges of offers that are taken only when somebody names them."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer.

    Attributes:
        id: `offer-…`.
        name: As its seller calls it.
        product: The id of its product.
        product_name: What its product is called.
        seller: Who sells.
        proposal: What an agreement request names it by.
        pricing: `USAGE`, `FREE`, `CONTRACT` or `BYOL`.
        expires: When it cannot be taken any more; empty: never.
        replaces: The agreement that it replaces; None where it replaces none.
        terms: What a buyer accepts.
    """

    id: str
    name: str
    product: str
    product_name: str
    seller: str
    proposal: str
    pricing: str
    expires: str
    replaces: str | None
    terms: Terms

    def lines(self) -> Iterator[str]:
        """The quote, a line each."""
        yield f"{self.product_name} ({self.product}), sold by {self.seller}"
        yield f"offer {self.id}{f' ({self.name})' if self.name else ''}, {self.pricing.lower()}"
        if self.expires:
            yield f"it can be taken until {self.expires}"
        yield from self.terms.price_list()
        if self.terms.trial_id:
            yield f"free trial of {self.terms.trial}, where this account had none before"
        yield from (f"licence, {licence}" for licence in self.terms.licences)
        if self.terms.refunds:
            yield f"refunds: {self.terms.refunds}"


def call(operation: str, parameters: Mapping[str, Any]) -> Call:
    """A call of the discovery API. Any: JSON."""
    return Call("marketplace-discovery", operation, MARKETPLACE_REGION, parameters)


def options_call(product: str) -> Call:
    """The call that lists what a product is offered for."""
    return call("ListPurchaseOptions", {"filters": [{"filterType": "PRODUCT_ID", "filterValues": [product]}]})


def choose(reader: Reader, product: str) -> str | None:
    """The id of the offer that is for everybody; None where nobody was asked, as in a plan without an account.

    Raises:
        AwsError: AWS refuses or does not answer.
        PlanError: There is none, or more than one.
    """
    pages = list(reader.pages(options_call(product)))
    if not pages:
        return None
    options = [option for page in pages for option in page.get("purchaseOptions", ())]
    open_ones = [one for one in options if not _badges(one) & _NOT_BY_ITSELF and one["purchaseOptionType"] == "OFFER"]
    if len(open_ones) == 1:
        return str(open_ones[0]["purchaseOptionId"])
    named = [f"{one['purchaseOptionId']} ({', '.join(sorted(_badges(one))) or 'public'})" for one in options]
    raise PlanError(
        "the product has no offer that is for everybody" if not open_ones else "the product has several offers",
        got=", ".join(named) or "none that this account may see",
        where=product,
        hint="argosy subscribe PRODUCT_ID --offer OFFER_ID" if named else "the id is on the product's page: prod-...",
    )


def read_offer(reader: Reader, offer: str, product: str) -> Offer:
    """An offer with its terms.

    Raises:
        AwsError: There is none, or not for this account, or AWS does not answer.
        PlanError: It is of another product.
    """
    found: Any = reader.ask(call("GetOffer", {"offerId": offer}))  # Any: JSON of the API
    entities: Sequence[Any] = found.get("associatedEntities", ())
    products = [entity.get("product", {}) for entity in entities]
    own = next((one for one in products if one.get("productId") == product), None)
    if own is None:
        got = ", ".join(str(one.get("productId")) for one in products)
        raise PlanError("the offer is of another product", got=got, want=product, where=offer)
    pages = reader.pages(call("GetOfferTerms", {"offerId": offer}))
    return Offer(
        offer,
        str(found.get("offerName", "")),
        product,
        str(own.get("productName", product)),
        str(found.get("sellerOfRecord", {}).get("displayName", "its seller")),
        str(found["agreementProposalId"]),
        str(found["pricingModel"]["pricingModelType"]),
        str(found.get("expirationTime", "")),
        found.get("replacementAgreementId"),
        read_terms([term for page in pages for term in page.get("offerTerms", ())]),
    )


def _badges(option: Any) -> frozenset[str]:
    return frozenset(str(badge["badgeType"]) for badge in option.get("badges", ()))
