"""A subscription to a product: quoted, agreed to by somebody, accepted once, and waited for.

Accepting is the purchase. It is sent once, and its request's id is noted before: a run after one that was killed there
asks AWS what became of that request, and never accepts on suspicion.

Source: API reference of AWS Marketplace agreements, CreateAgreementRequest, AcceptAgreementRequest,
GetAgreementRequest, GetAgreementEntitlements (read 2026-11-23). UNSURE: by which code a free trial that was used before
is refused; the request is made again without it, whatever the code, since a request alone costs nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.deployment.purchase import agreements, offers
from argosy.deployment.purchase.offers import Offer
from argosy.errors import AwsError, PlanError
from argosy.planning.polling import poll
from argosy.planning.step import Change, Consent, Kind, Later, Outputs, Risk, Work

KEY: Final = "subscription"
_LIMIT_S: Final = 1800.0
_REFUSED: Final = frozenset({"ValidationException", "ConflictException", "ResourceNotFoundException"})
_OPEN: Final = frozenset({"DRAFT", "APPROVED"})
_DECIDED: Final = frozenset({"PROVISIONED", "SCHEDULED", "FAILED", "DEPROVISIONED"})
_ENDED: Final = frozenset({"REJECTED", "CANCELLED"})


@dataclass(frozen=True, slots=True)
class SubscriptionStep:
    """An agreement on a product that is in force, with its entitlement.

    Attributes:
        product: Its id.
        offer: The id of a private offer, or of one of several; None takes the one for everybody.
    """

    product: str
    offer: str | None = None
    key: str = KEY

    def look(self, reader: Reader, known: Outputs) -> Change:
        """The agreement that is there, or what one would cost.

        Raises:
            AwsError: AWS refuses or does not answer.
            PlanError: There is no offer, or one that cannot be taken in this way.
        """
        found = agreements.active(reader, self.product)
        if found is not None and self.offer in (None, _offer_of(found)):
            return self._there(reader, str(found["agreementId"]))
        earlier = known.get(KEY, {}).get("accepting")
        if earlier and _is_bought(reader, earlier):
            return self._change(Kind.WAIT, {"request": earlier})
        chosen = self.offer or offers.choose(reader, self.product)
        if chosen is None:
            later = {"agreementProposalIdentifier": Later(KEY, "offer"), "requestedTerms": Later(KEY, "terms")}
            return self._change(Kind.CREATE, {}, (_create_call(later), _accept_call(Later(KEY, "request"))))
        offer = offers.read_offer(reader, chosen, self.product)
        _check(offer)
        wanted = _wanted(offer, offer.terms.ids)
        writes = (_create_call(wanted), _accept_call(Later(KEY, "request")))
        notes = tuple(offer.lines())
        return self._change(Kind.CREATE, {}, writes, notes, _consent(offer))

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """Accept what was quoted, once, and wait for the entitlement.

        Raises:
            AwsError: AWS refuses or does not answer.
            PlanError: The quote is not what was agreed to, or nothing came of the purchase.
        """
        agreement = change.outputs.get("agreement")
        if agreement is None and change.kind is Kind.WAIT:
            agreement = _awaited_agreement(work, change.outputs["request"])
        if agreement is None:
            request = self._request(change, work)
            work.note({"accepting": request})
            answer: Any = work.api.write(_accept_call(request))
            agreement = answer.get("agreementId") or _awaited_agreement(work, request)
        work.note({"agreement": agreement})
        work.report(f"agreement {agreement} on {self.product}: accepted")
        _await_entitlement(work, agreement)
        return {"agreement": agreement, "product": self.product, "accepting": ""}

    def _there(self, reader: Reader, agreement: str) -> Change:
        """An agreement that is in force; its entitlement may be on its way."""
        given = {"agreement": agreement, "product": self.product}
        statuses = [one.get("status") for one in agreements.entitlements(reader, agreement)]
        is_open = "PROVISIONED" not in statuses and "PENDING" in statuses
        return self._change(Kind.WAIT if is_open else Kind.NOTHING, given)

    def _change(
        self,
        kind: Kind,
        outputs: Mapping[str, str],
        writes: tuple[Call, ...] = (),
        notes: tuple[str, ...] = (),
        consent: Consent | None = None,
    ) -> Change:
        title = f"subscription to {self.product}"
        possible = (_create_call({"intent": "NEW"}), _accept_call(Later(KEY, "request")))
        reads = self._reads()
        return Change(KEY, title, kind, writes, reads, consent=consent, notes=notes, outputs=outputs, possible=possible)

    def _reads(self) -> tuple[Call, ...]:
        agreement = Later(KEY, "agreement")
        return (
            agreements.search_call("ResourceIdentifier", self.product),
            agreements.call("GetAgreementEntitlements", {"agreementId": agreement}),
            _request_call(Later(KEY, "request")),
            _describe_call(agreement),
            offers.options_call(self.product),
            offers.call("GetOffer", {"offerId": Later(KEY, "offer")}),
            offers.call("GetOfferTerms", {"offerId": Later(KEY, "offer")}),
        )

    def _request(self, change: Change, work: Work) -> str:
        """The id of an agreement request for what was agreed to; it costs nothing by itself."""
        create = change.writes[0]
        chosen = self.offer or offers.choose(work.api, self.product)
        offer = offers.read_offer(work.api, str(chosen), self.product)
        if _consent(offer) != change.consent:
            raise PlanError(
                "the offer has changed meanwhile", where=offer.id, hint="run it again, and look at the plan"
            )
        try:
            quote: Any = work.api.write(create)
        except AwsError as error:
            if offer.terms.trial_id is None or error.refusal not in _REFUSED:
                raise
            work.report(f"AWS does not grant the free trial ({error.refusal}): without it")
            terms = [{"id": one} for one in offer.terms.without_trial()]
            quote = work.api.write(_create_call({**create.parameters, "requestedTerms": terms}))
        said = quote.get("chargeSummary", {}).get("newAgreementValue")
        due = _amount(said)
        if due is None or due > offer.terms.upfront:
            raise PlanError(
                "AWS asks for more than the offer says",
                got=f"{said} {offer.terms.currency}",
                want=f"{offer.terms.upfront} {offer.terms.currency}",
                where=offer.id,
                hint="subscribe on the product's page, which shows what is due",
            )
        return str(quote["agreementRequestId"])


def _wanted(offer: Offer, terms: Sequence[str]) -> dict[str, Any]:
    """What an agreement request asks for. Any: JSON.

    UNSURE: whether a private offer beside an agreement that is in force wants REPLACE; it does where the offer says so.
    """
    wanted: dict[str, Any] = {
        "intent": "NEW",
        "agreementProposalIdentifier": offer.proposal,
        "requestedTerms": [{"id": one} for one in terms],
    }
    if offer.replaces is None:
        return wanted
    return {**wanted, "intent": "REPLACE", "sourceAgreementIdentifier": offer.replaces}


def _check(offer: Offer) -> None:
    if offer.terms.unconfigured:
        raise PlanError(
            "the offer asks for quantities or durations",
            got=", ".join(offer.terms.unconfigured),
            want="an offer that is paid by use",
            where=offer.id,
            hint="subscribe on the product's page, then run argosy deploy",
        )


def _consent(offer: Offer) -> Consent:
    """What somebody agrees to: the quote as it was shown, and the very terms that are accepted."""
    terms = offer.terms
    due = f"{terms.upfront} {terms.currency} are due" if terms.upfront else "nothing is due until it is used"
    sentence = f"subscribing to {offer.product_name} by offer {offer.id} accepts its prices and its licence; {due}"
    return Consent(Risk.COST, sentence, "\n".join((offer.proposal, *terms.ids, *offer.lines())))


def _is_bought(reader: Reader, request: str) -> bool:
    """Whether a request whose acceptance was sent became an agreement that is in force, or still may."""
    found: Any = reader.ask(_request_call(request), ("ResourceNotFoundException",)) or {}  # Any: JSON of the API
    if found.get("status") in (None, *_OPEN, *_ENDED):
        return False
    agreement = found.get("agreementId")
    return agreement is None or reader.ask(_describe_call(str(agreement))).get("status") == "ACTIVE"


def _awaited_agreement(work: Work, request: str) -> str:
    """The agreement that became of a request that was accepted before."""

    def look() -> Any:
        return work.api.ask(_request_call(request))

    work.report(f"agreement request {request} is accepted; it may wait for an approval of your organization")
    found = poll(look, lambda one: bool(one.get("agreementId")) or one.get("status") in _ENDED, request, _LIMIT_S)
    if not found.get("agreementId"):
        raise PlanError(f"the agreement request was {found.get('status')}", where=request, hint="run it again")
    return str(found["agreementId"])


def _await_entitlement(work: Work, agreement: str) -> None:
    """Wait until the product can be used."""

    def look() -> Sequence[Any]:
        return agreements.entitlements(work.api, agreement)

    def is_over(found: Sequence[Any]) -> bool:
        return any(one.get("status") in _DECIDED for one in found)

    found = poll(look, is_over, f"the entitlement of {agreement}", _LIMIT_S)
    if not any(one.get("status") in ("PROVISIONED", "SCHEDULED") for one in found):
        reasons = ", ".join(f"{one.get('status')}: {one.get('statusReasonCode', 'no reason')}" for one in found)
        raise PlanError("the purchase gave no right to use the product", got=reasons, where=agreement)


def _offer_of(agreement: Any) -> str:
    return str(agreement.get("proposalSummary", {}).get("offerId"))


def _amount(text: object) -> Decimal | None:
    """A sum of money, nothing where none is said; None where it cannot be read, which is not nothing."""
    try:
        found = Decimal(str(text or "0"))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _create_call(wanted: Mapping[str, Any]) -> Call:
    return agreements.call("CreateAgreementRequest", wanted)


def _accept_call(request: str | Later) -> Call:
    return agreements.call("AcceptAgreementRequest", {"agreementRequestId": request})


def _describe_call(agreement: str | Later) -> Call:
    return agreements.call("DescribeAgreement", {"agreementId": agreement})


def _request_call(request: str | Later) -> Call:
    return agreements.call("GetAgreementRequest", {"agreementRequestId": request})
