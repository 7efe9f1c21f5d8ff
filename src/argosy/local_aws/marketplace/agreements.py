"""`marketplace-agreement`: a buyer's quotes and subscriptions.

Source: botocore's model of `marketplace-agreement`, whose texts say which filters go together (read 2026-11-23).
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from argosy.local_aws.marketplace import market
from argosy.local_aws.marketplace.agreement_search import Found, check_filters, matches, order_of
from argosy.local_aws.marketplace.pages import page
from argosy.local_aws.marketplace.refusal import conflict, invalid, not_found, not_simulated
from argosy.local_aws.marketplace.state import PRODUCT_TYPE, Agreement, AgreementRequest, Json, Offer, State
from argosy.local_aws.marketplace.surroundings import Surroundings
from argosy.local_aws.marketplace.terms import TRIAL, shown, terms_of

TYPE: Final = "PurchaseAgreement"
_PAGE: Final = 50
_UPFRONT: Final = "FixedUpfrontPricingTerm"
_UNSIMULATED: Final = ("ConfigurableUpfrontPricingTerm", "RenewalTerm")
_DAYS: Final = {"D": 1, "M": 30, "Y": 365}


class Agreements:
    """The subscriptions of all buyers.

    Args:
        surroundings: What AWS Marketplace works with.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings

    def create_request(self, account: str, request: Json, now: float) -> Json:
        """CreateAgreementRequest: a quote, which costs nothing and can be accepted for a while."""
        state, token, mark = self._around.store.state, request.get("clientToken"), _fingerprint(request)
        for there in state.requests.values():
            if token is not None and there.account == account and there.token == token:
                if there.fingerprint != mark:
                    raise conflict(f"clientToken {token} was given with another request.")
                return _quoted(there)
        offer = self._offer_of(account, request, now)
        terms = self._terms(account, offer, request["requestedTerms"], state)
        if any(each.offer_id == offer.id for each in market.active_agreements(account, offer.product_id, state, now)):
            raise conflict(f"Account {account} has an active agreement on offer {offer.id}.")
        quote = AgreementRequest(
            id=self._around.new_id("ar-"),
            account=account,
            offer_id=offer.id,
            terms=terms,
            created=now,
            expires=now + self._around.options.quote_s,
            fingerprint=mark,
            token=token,
        )
        self._around.store.keep(state.with_request(quote))
        return _quoted(quote)

    def accept_request(self, account: str, request: Json, now: float) -> Json:
        """AcceptAgreementRequest: the purchase. A quote gives one agreement, however often it is accepted."""
        state = self._around.store.state
        quote = state.requests.get(request["agreementRequestId"])
        if quote is None or quote.account != account:
            raise not_found(f"Agreement request {request['agreementRequestId']} was not found.")
        if quote.agreement_id is not None:
            return {"agreementId": quote.agreement_id}
        offer = state.offers[quote.offer_id]
        if now >= quote.expires:
            raise invalid(f"Agreement request {quote.id} has expired.", "CLOSED_AGREEMENT_REQUEST")
        if not market.sees_offer(account, offer, state) or not market.is_available(offer, now):
            raise invalid(f"Offer {offer.id} can no longer be taken.", "EXPIRED_AGREEMENT_PROPOSAL")
        wanted = [{"id": term["id"]} for term in quote.terms]
        if {term["id"] for term in wanted} - {term["id"] for term in terms_of(offer)}:
            raise invalid(f"Offer {offer.id} has other terms now.", "SUPERSEDED_AGREEMENT_PROPOSAL")
        self._terms(account, offer, wanted, state)
        agreement = self._agreement(account, offer, quote.terms, now)
        for before in market.active_agreements(account, offer.product_id, state, now):
            state = state.with_agreement(replace(before, closed=now, closed_as="REPLACED"))
        state = state.with_agreement(agreement).with_request(replace(quote, agreement_id=agreement.id))
        self._around.store.keep(state)
        return {"agreementId": agreement.id}

    def describe(self, account: str, request: Json, now: float) -> Json:
        """DescribeAgreement."""
        agreement = self._found(account, request["agreementId"])
        return {
            **_summary(agreement, now),
            "estimatedCharges": {"currencyCode": "USD", "agreementValue": _value(agreement.terms)},
            "freeTrialSummary": None if agreement.trial_ends is None else {"trialEndTime": _time(agreement.trial_ends)},
        }

    def terms(self, account: str, request: Json, now: float) -> Json:
        """GetAgreementTerms."""
        agreement = self._found(account, request["agreementId"])
        listed, token = page(agreement.terms, request.get("maxResults", _PAGE), request.get("nextToken"))
        return {"acceptedTerms": [shown(term) for term in listed], "nextToken": token}

    def entitlements(self, account: str, request: Json, now: float) -> Json:
        """GetAgreementEntitlements: PENDING for a moment after the purchase."""
        agreement = self._found(account, request["agreementId"])
        if agreement.status(now) != "ACTIVE":
            status, reason = "DEPROVISIONED", "AGREEMENT_INACTIVE"
        elif now < agreement.starts:
            status, reason = "SCHEDULED", "FUTURE_START_DATE"
        elif now < agreement.provisioned:
            status, reason = "PENDING", "PROVISIONING_IN_PROGRESS"
        else:
            status, reason = "PROVISIONED", "AGREEMENT_ACTIVE"
        license_arn = f"arn:aws:license-manager::{agreement.proposer}:license:l-{agreement.id.partition('-')[2]}"
        entitlement = {
            "resource": {"id": agreement.product_id, "type": PRODUCT_TYPE},
            "type": "AWSMarketplace:Usage",
            "status": status,
            "statusReasonCode": reason,
            "licenseArn": license_arn,
        }
        return {"agreementEntitlements": [entitlement]}

    def cancel(self, account: str, request: Json, now: float) -> Json:
        """CancelAgreement: by the acceptor, and not where a contract has been paid."""
        agreement = self._found(account, request["agreementId"])
        if agreement.acceptor != account:
            raise not_found(f"Agreement {agreement.id} was not found.")
        if agreement.status(now) != "ACTIVE":
            raise invalid(f"Agreement {agreement.id} is {agreement.status(now)}.", "INACTIVE_AGREEMENT")
        if any(term["type"] == _UPFRONT for term in agreement.terms):
            raise invalid(f"Agreement {agreement.id} is a contract, which cannot be cancelled.", "UNSUPPORTED_ACTION")
        cancelled = replace(agreement, closed=now, closed_as="CANCELLED")
        self._around.store.keep(self._around.store.state.with_agreement(cancelled))
        return {}

    def search(self, account: str, request: Json, now: float) -> Json:
        """SearchAgreements: the caller's as seller or as buyer."""
        if request.get("catalog", "AWSMarketplace") != "AWSMarketplace":
            raise invalid(f"There is no catalog {request['catalog']}.", "INVALID_CATALOG")
        filters = check_filters(request)
        mine = [
            each
            for each in self._around.store.state.agreements.values()
            if account == (each.acceptor if filters["PartyType"] == "Acceptor" else each.proposer)
            and matches(Found(each, now), filters)
        ]
        order = order_of(request, filters["PartyType"])
        falls = request.get("sort", {}).get("sortOrder", "DESCENDING") == "DESCENDING"
        mine.sort(key=lambda each: (order(Found(each, now)) or math.inf, each.accepted), reverse=falls)
        listed, token = page(mine, request.get("maxResults", _PAGE), request.get("nextToken"))
        return {"agreementViewSummaries": [_summary(each, now) for each in listed], "nextToken": token}

    def _offer_of(self, account: str, request: Json, now: float) -> Offer:
        """The offer that a quote is asked for."""
        if request["intent"] != "NEW":
            raise not_simulated(f"CreateAgreementRequest: intent {request['intent']} is not simulated; NEW is")
        if "sourceAgreementIdentifier" in request:
            reason = "INVALID_SOURCE_AGREEMENT_IDENTIFIER"
            raise invalid("sourceAgreementIdentifier is not possible with intent NEW.", reason)
        proposal, state = request.get("agreementProposalIdentifier"), self._around.store.state
        if proposal is None:
            reason = "MISSING_AGREEMENT_PROPOSAL_IDENTIFIER"
            raise invalid("agreementProposalIdentifier is needed with intent NEW.", reason)
        offers = [offer for offer in state.offers.values() if offer.proposal_id == proposal]
        if not offers or not market.sees_offer(account, offers[0], state):
            raise not_found(f"Agreement proposal {proposal} was not found.")
        offer = offers[0]
        if not market.is_available(offer, now):
            raise invalid(f"Agreement proposal {proposal} has expired.", "EXPIRED_AGREEMENT_PROPOSAL")
        if not market.may_buy(account, state.products[offer.product_id], self._around.options):
            raise invalid(f"Account {account} sells this product and cannot subscribe to it.", "UNSUPPORTED_ACTION")
        return offer

    def _terms(self, account: str, offer: Offer, wanted: Sequence[Json], state: State) -> tuple[dict[str, Any], ...]:
        """The terms that are asked for: all that the offer has; only the free trial may be left out."""
        offered = {term["id"]: term for term in terms_of(offer)}
        ids = [term["id"] for term in wanted]
        unknown = [id_ for id_ in ids if id_ not in offered]
        if unknown:
            raise invalid(f"Offer {offer.id} has no term {', '.join(unknown)}.", "INVALID_REQUESTED_TERM_ID")
        missing = [term["type"] for id_, term in offered.items() if id_ not in ids and term["type"] != TRIAL]
        if missing:
            raise invalid(f"The request lacks {', '.join(missing)}.", "MISSING_MANDATORY_TERMS")
        chosen = tuple(term for id_, term in offered.items() if id_ in ids)
        for term in chosen:
            if term["type"] in _UNSIMULATED:
                raise not_simulated(f"Agreements with a {term['type']} are not simulated")
        if any(term["type"] == TRIAL for term in chosen) and _had_trial(account, offer.product_id, state):
            reason = "INCOMPATIBLE_TERMS"
            raise invalid(f"Account {account} had a free trial of product {offer.product_id}.", reason)
        return chosen

    def _agreement(self, account: str, offer: Offer, terms: tuple[dict[str, Any], ...], now: float) -> Agreement:
        by_type = {term["type"]: term for term in terms}
        validity = by_type.get("ValidityTerm", {})
        starts = max(now, _midnight(validity["agreementStartDate"]) if "agreementStartDate" in validity else now)
        ends = _midnight(validity["agreementEndDate"]) if "agreementEndDate" in validity else None
        period = validity.get("agreementDuration") or by_type.get(_UPFRONT, {}).get("duration")
        if ends is None and period is not None:
            ends = starts + seconds_of(period)
        trial = by_type.get(TRIAL)
        return Agreement(
            id=self._around.new_id("agmt-"),
            acceptor=account,
            proposer=offer.account,
            product_id=offer.product_id,
            offer_id=offer.id,
            terms=terms,
            accepted=now,
            starts=starts,
            provisioned=starts + self._around.options.provisioning_ms / 1000,
            ends=ends,
            trial_ends=None if trial is None else now + seconds_of(trial["duration"]),
        )

    def _found(self, account: str, id_: str) -> Agreement:
        agreement = self._around.store.state.agreements.get(id_)
        if agreement is None or account not in (agreement.acceptor, agreement.proposer):
            raise not_found(f"Agreement {id_} was not found.")
        return agreement


def seconds_of(period: str) -> float:
    """The length of a period, a month as 30 and a year as 365 days.

    >>> seconds_of("P1Y14D") / 86400
    379.0
    """
    days, number = 0, ""
    for letter in period.removeprefix("P"):
        if letter.isdigit():
            number += letter
        else:
            days, number = days + int(number) * _DAYS[letter], ""
    return timedelta(days=days).total_seconds()


def _had_trial(account: str, product_id: str, state: State) -> bool:
    """Whether an account ever had a free trial of a product: one is possible (seller guide)."""
    return any(
        each.acceptor == account and each.product_id == product_id and each.trial_ends is not None
        for each in state.agreements.values()
    )


def _fingerprint(request: Json) -> str:
    kept = {name: value for name, value in request.items() if name != "clientToken"}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()


def _quoted(quote: AgreementRequest) -> dict[str, Any]:
    value = _value(quote.terms)
    return {
        "agreementRequestId": quote.id,
        "agreementType": TYPE,
        "chargeSummary": {"currencyCode": "USD", "newAgreementValue": value, "expectedCharges": []},
        "status": "DRAFT" if quote.agreement_id is None else "ACCEPTED",
        "approvalRequirement": "NOT_REQUIRED",
        "createdAt": _time(quote.created),
    }


def _value(terms: Sequence[Mapping[str, Any]]) -> str:
    """What is paid at once: nothing, unless it is a contract."""
    return str(sum((Decimal(term["price"]) for term in terms if term["type"] == _UPFRONT), Decimal("0.00")))


def _summary(agreement: Agreement, now: float) -> dict[str, Any]:
    return {
        "agreementId": agreement.id,
        "acceptor": {"accountId": agreement.acceptor},
        "proposer": {"accountId": agreement.proposer},
        "acceptanceTime": _time(agreement.accepted),
        "startTime": _time(agreement.starts),
        "endTime": None if agreement.ends is None else _time(agreement.ends),
        "lastUpdateTime": _time(agreement.closed or agreement.accepted),
        "agreementType": TYPE,
        "proposalSummary": {
            "resources": [{"id": agreement.product_id, "type": PRODUCT_TYPE}],
            "offerId": agreement.offer_id,
        },
        "status": agreement.status(now),
        "initialAgreementId": agreement.id,
        "freeTrialEndTime": None if agreement.trial_ends is None else _time(agreement.trial_ends),
    }


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _midnight(day: str) -> float:
    return datetime.combine(date.fromisoformat(day), time(), UTC).timestamp()
