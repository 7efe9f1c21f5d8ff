"""What is there of the changes that are asked for, in the same form: one half of a difference."""

from collections.abc import Iterator, Mapping
from typing import Any

from argosy.marketplace.change_set import OFFER_TYPE, CatalogChange, ChangeSet
from argosy.marketplace.described import DescribedOffer, DescribedProduct
from argosy.marketplace.product_changes import OPTION
from argosy.marketplace.rate_card import same_price, shown_rates


def shown(change_set: ChangeSet, product: DescribedProduct, offer: DescribedOffer | None) -> dict[str, Any]:
    """The details of each change as they are now; of what is not there, nothing.

    Args:
        change_set: What is to be changed.
        product: As AWS shows it.
        offer: Its public offer, or another that the changes are about.

    Returns:
        A part of the request to StartChangeSet. Any: JSON.
    """
    found = []
    for change in change_set.changes:
        if change.entity.type == OFFER_TYPE:
            details = {} if offer is None or change.entity.identifier != offer.id else _of_offer(change, offer)
        else:
            details = _of_product(change, product)
        found.append({"DetailsDocument": _told(details)} if details else {})
    return {"ChangeSet": found}


def price_changes(change_set: ChangeSet, offer: DescribedOffer) -> Iterator[str]:
    """What is paid for each dimension and what will be, a sentence each, of those whose price changes.

    Args:
        change_set: What is to be changed.
        offer: The offer.
    """
    for change in change_set.changes:
        if change.type != "UpdatePricingTerms" or change.entity.identifier != offer.id:
            continue
        wanted = shown_rates(change.details.get("Terms") or ())
        for key in dict.fromkeys((*offer.rates, *wanted)):
            was, will_be = offer.rates.get(key), wanted.get(key)
            if was is None or will_be is None or not same_price(was, will_be):
                yield f"{key}: {_dollars(was)} -> {_dollars(will_be)}"


def _dollars(price: str | None) -> str:
    return "no price" if price is None else f"{price} dollars"


def _of_product(change: CatalogChange, product: DescribedProduct) -> Mapping[str, Any]:
    if change.type == "UpdateInformation":
        return product.information
    if change.type == "UpdateTargeting":
        return {"PositiveTargeting": {"BuyerAccounts": list(product.buyer_accounts)}}
    if change.type == "UpdateVisibility":
        return {"TargetVisibility": product.visibility}
    if change.type == "UpdateDeliveryOptions":
        for option in change.details.get("DeliveryOptions") or ():
            for version in product.versions:
                if version.option_id == option.get("Id"):
                    details = {"Id": version.option_id, "Details": {OPTION: version.details}}
                    return {"Version": version.texts, "DeliveryOptions": [details]}
    return {}


def _of_offer(change: CatalogChange, offer: DescribedOffer) -> Mapping[str, Any]:
    if change.type == "UpdatePricingTerms":
        terms = change.details.get("Terms")
        return {"PricingModel": change.details.get("PricingModel"), "Terms": _with_prices(terms, offer.rates)}
    if change.type == "UpdateLegalTerms":
        return {"Terms": [{"Type": "LegalTerm", "Documents": [dict(one) for one in offer.documents]}]}
    if change.type == "UpdateSupportTerms":
        return {"Terms": [{"Type": "SupportTerm", "RefundPolicy": offer.refund_policy}]}
    if change.type == "UpdateAvailability":
        return {"AvailabilityEndDate": offer.expires}
    return {}


def _with_prices(value: Any, rates: Mapping[str, str]) -> Any:
    """The terms that are asked for, with the prices that are paid now, and no dimension that has none."""
    if isinstance(value, Mapping):
        if "DimensionKey" in value and "Price" in value:
            key = value["DimensionKey"]
            return {"DimensionKey": key, "Price": rates[key]} if key in rates else {}
        return {name: _with_prices(inner, rates) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_prices(inner, rates) for inner in value]
    return value


def _told(value: Any) -> Any:
    """Without what says nothing."""
    if isinstance(value, Mapping):
        return {name: _told(inner) for name, inner in value.items() if inner not in (None, "", [], {})}
    if isinstance(value, list | tuple):
        return [_told(inner) for inner in value]
    return value
