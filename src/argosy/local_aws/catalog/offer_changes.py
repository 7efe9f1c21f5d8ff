"""The change types of offers: what each makes of an offer, and when it cannot.

AWS's documents name no error codes for offers of machine-learning products; the codes are this file's own.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from argosy.local_aws.catalog import pricing
from argosy.local_aws.catalog.setting import ChangeFaults, Setting, refuse
from argosy.local_aws.marketplace.state import Fault, Json, Offer, State

PRICING: Final = "UpdatePricingTerms"
LEGAL: Final = "UpdateLegalTerms"
SUPPORT: Final = "UpdateSupportTerms"
VALIDITY: Final = "UpdateValidityTerms"
SCHEDULE: Final = "UpdatePaymentScheduleTerms"
RENEWAL: Final = "UpdateRenewalTerms"
DAY_S: Final = 86400
_UPFRONT: Final = "FixedUpfrontPricingTerm"
_PRIVATE_TERMS: Final = "Validity and payment schedule are possible in private offers only."

Apply = Callable[[Offer, Json, State, Setting], Offer]


def created(details: Json, state: State, setting: Setting) -> Offer:
    """CreateOffer, of a product of the same seller."""
    product = state.products.get(details["ProductId"].partition("@")[0])
    if product is None or product.account != setting.account:
        raise refuse("PRODUCT_NOT_FOUND", f"Account {setting.account} has no product {details['ProductId']}.")
    if product.visibility == "Restricted":
        raise refuse("INCOMPATIBLE_PRODUCT_STATUS", f"Product {product.id} is restricted.")
    return Offer(
        id=setting.new_id("offer-"),
        account=setting.account,
        product_id=product.id,
        proposal_id=setting.new_id("at-"),
        modified=setting.now,
        revision=0,
        name=details.get("Name"),
    )


def update_information(offer: Offer, details: Json, state: State, setting: Setting) -> Offer:
    """UpdateInformation."""
    return replace(
        offer, name=details.get("Name", offer.name), description=details.get("Description", offer.description)
    )


def update_pricing(offer: Offer, details: Json, state: State, setting: Setting) -> Offer:
    """UpdatePricingTerms: all pricing terms are replaced; those of a released offer within what may change."""
    keys = setting.options.inference_keys
    model, terms = details["PricingModel"], tuple(details["Terms"])
    faults = list(pricing.faults_of_terms(model, terms, keys))
    changed = replace(offer, pricing_model=model, terms={**offer.terms, PRICING: terms})
    if offer.state == "Released":
        _require_unreleased_when_private(offer)
        faults += pricing.faults_of_change(offer, changed, keys)
        faults += _faults_of_freeze(offer, changed, setting)
    if faults:
        raise ChangeFaults(faults)
    is_sold = state.products[offer.product_id].visibility == "Public" and offer.state == "Released"
    if is_sold and pricing.has_changed_price(offer, changed):
        return replace(changed, price_changed=setting.now)
    return changed


def _faults_of_freeze(before: Offer, after: Offer, setting: Setting) -> Iterator[Fault]:
    """90 days after a price has changed neither prices nor instance types may change."""
    if before.price_changed is None:
        return
    until = before.price_changed + setting.options.freeze_days * DAY_S
    if setting.now < until and (
        pricing.has_changed_price(before, after) or pricing.has_other_dimensions(before, after)
    ):
        day = datetime.fromtimestamp(until, UTC).date().isoformat()
        yield Fault("PRICE_CHANGE_FROZEN", f"A price has changed; prices and instance types are fixed until {day}.")


def _terms_of(change_type: str) -> Apply:
    """A change type that replaces one kind of terms."""

    def update(offer: Offer, details: Json, state: State, setting: Setting) -> Offer:
        _require_unreleased_when_private(offer)
        terms = tuple(details["Terms"])
        if offer.state == "Released":
            _require_public_terms(change_type, terms)
        faults = [fault for term in terms for fault in _faults_of_term(change_type, term, setting)]
        if faults:
            raise ChangeFaults(faults)
        return replace(offer, terms={**offer.terms, change_type: terms})

    return update


def _require_public_terms(change_type: str, terms: tuple[Json, ...]) -> None:
    """A released public offer keeps the terms that it had to have, and gets none of private offers."""
    if change_type in (VALIDITY, SCHEDULE) and terms:
        raise refuse("INCOMPATIBLE_TERMS", _PRIVATE_TERMS)
    if change_type == SUPPORT and not terms:
        raise refuse("MISSING_MANDATORY_TERMS", "A public offer has a SupportTerm.")


def _faults_of_term(change_type: str, term: Json, setting: Setting) -> Iterator[Fault]:
    if change_type == VALIDITY:
        has_duration, has_end = "AgreementDuration" in term, "AgreementEndDate" in term
        if has_duration == has_end:
            yield Fault("INVALID_VALIDITY_TERM", "One of AgreementDuration and AgreementEndDate is needed.")
        elif has_end and _date(term["AgreementEndDate"]) <= _today(setting):
            yield Fault("INVALID_VALIDITY_TERM", f"AgreementEndDate {term['AgreementEndDate']} has passed.")
        if "AgreementStartDate" in term and _date(term["AgreementStartDate"]) < _today(setting):
            yield Fault("INVALID_VALIDITY_TERM", f"AgreementStartDate {term['AgreementStartDate']} has passed.")


def update_targeting(offer: Offer, details: Json, state: State, setting: Setting) -> Offer:
    """UpdateTargeting: accounts make a draft private; a released offer stays public or private."""
    positive = {name: tuple(values) for name, values in details.get("PositiveTargeting", {}).items()}
    negative = {name: tuple(values) for name, values in details.get("NegativeTargeting", {}).items()}
    changed = replace(offer, positive_targeting=positive, negative_targeting=negative)
    if offer.state == "Released" and changed.is_private != offer.is_private:
        raise refuse("INCOMPATIBLE_OFFER_STATUS", "A released offer stays public or private.")
    _require_unreleased_when_private(offer)
    if offer.account in changed.buyer_accounts:
        raise refuse("INVALID_TARGETING", "The seller's own account cannot be the buyer of a private offer.")
    return changed


def update_availability(offer: Offer, details: Json, state: State, setting: Setting) -> Offer:
    """UpdateAvailability: the last day of an offer, also of a released one."""
    if _date(details["AvailabilityEndDate"]) < _today(setting):
        raise refuse("INVALID_AVAILABILITY", f"AvailabilityEndDate {details['AvailabilityEndDate']} has passed.")
    return replace(offer, available_until=details["AvailabilityEndDate"])


def release(offer: Offer, details: Json, state: State, setting: Setting) -> Offer:
    """ReleaseOffer; whether it is complete is seen when the whole set has been made."""
    if offer.state == "Released":
        raise refuse("INCOMPATIBLE_OFFER_STATUS", f"Offer {offer.id} is released already.")
    return replace(offer, state="Released", released=setting.now)


def faults_of_release(offer: Offer, state: State) -> Iterator[Fault]:
    """What an offer lacks that is to be released, in the state that the whole set makes."""
    missing = [name for name in (PRICING, LEGAL) if not offer.terms.get(name)]
    if offer.is_private:
        missing += [] if offer.available_until else ["UpdateAvailability"]
        missing += [VALIDITY] if offer.pricing_model == "Usage" and not offer.terms.get(VALIDITY) else []
    else:
        missing += [] if offer.terms.get(SUPPORT) else [SUPPORT]
        yield from _faults_of_public(offer, state)
    if missing:
        yield Fault("MISSING_MANDATORY_TERMS", f"The offer lacks what {', '.join(missing)} would set.")
    if state.products[offer.product_id].visibility not in ("Limited", "Public"):
        yield Fault("INCOMPATIBLE_PRODUCT_STATUS", "The product has to be released first.")
    yield from _faults_of_schedule(offer)


def _faults_of_public(offer: Offer, state: State) -> Iterator[Fault]:
    others = [other for other in state.offers_of(offer.product_id) if other.id != offer.id]
    if any(other.state == "Released" and not other.is_private for other in others):
        yield Fault("DUPLICATE_PUBLIC_OFFER", "The product has a public offer; name buyer accounts.")
    if offer.pricing_model == "Contract":
        yield Fault("INVALID_PRICING_MODEL", "A contract is possible in private offers only.")
    if offer.terms.get(VALIDITY) or offer.terms.get(SCHEDULE):
        yield Fault("INCOMPATIBLE_TERMS", _PRIVATE_TERMS)


def _faults_of_schedule(offer: Offer) -> Iterator[Fault]:
    fixed = [term for term in offer.terms.get(PRICING, ()) if term["Type"] == _UPFRONT]
    for term in offer.terms.get(SCHEDULE, ()):
        total = sum(Decimal(item["ChargeAmount"]) for item in term["Schedule"])
        if not fixed or total != Decimal(fixed[0]["Price"]):
            yield Fault("INVALID_PAYMENT_SCHEDULE", f"Payments of {total} do not make up the price of a contract.")


def _require_unreleased_when_private(offer: Offer) -> None:
    """UNSURE: what may change in a private offer that buyers can see; here its name, description and last day."""
    if offer.state == "Released" and offer.is_private:
        raise refuse("INCOMPATIBLE_OFFER_STATUS", f"Private offer {offer.id} is released; make another one.")


def _date(text: Any) -> date:
    return date.fromisoformat(text)


def _today(setting: Setting) -> date:
    return datetime.fromtimestamp(setting.now, UTC).date()


OFFER_CHANGES: Final[Mapping[str, Apply]] = {
    "UpdateInformation": update_information,
    PRICING: update_pricing,
    **{name: _terms_of(name) for name in (LEGAL, SUPPORT, VALIDITY, SCHEDULE, RENEWAL)},
    "UpdateTargeting": update_targeting,
    "UpdateAvailability": update_availability,
    "ReleaseOffer": release,
}
"""What a change type makes of an offer that is there."""
