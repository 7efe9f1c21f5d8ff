"""The terms of an offer or an agreement: prices by instance type, free trial, licence, what is due at once.

Source: API references of AWS Marketplace discovery and agreements, the unions of terms; "Machine learning product
pricing" and "Update pricing terms" for the keys of dimensions (read 2026-11-23).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

REALTIME: Final = "realtime"
TRANSFORM: Final = "transform"
INFERENCE: Final = "inference"

_SUFFIXES: Final = ((".m.i.r", REALTIME), (".m.i.b", TRANSFORM), ("m.i.c", INFERENCE))
_UNCONFIGURED: Final = frozenset({"configurableUpfrontPricingTerm", "variablePaymentTerm"})
"""Terms that a buyer has to fill in: quantities and durations, which is done on the product's page."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a buyer accepts.

    Attributes:
        ids: Of all terms, in their order.
        trial_id: Of the free trial; None where there is none.
        trial: How long it is: `P14D`.
        currency: Of the prices.
        hourly: Mode and instance type -> price an hour, as the API has it.
        inference: Price of an inference; None where hours are paid.
        upfront: What is due at once, or by a schedule.
        licences: Kind and URL of each legal document.
        refunds: What the seller says of refunds.
        unconfigured: Names of terms that cannot be accepted without more to say about them.
    """

    ids: tuple[str, ...] = ()
    trial_id: str | None = None
    trial: str = ""
    currency: str = "USD"
    hourly: Mapping[tuple[str, str], str] = field(default_factory=dict)
    inference: str | None = None
    upfront: Decimal = Decimal(0)
    licences: tuple[str, ...] = ()
    refunds: str = ""
    unconfigured: tuple[str, ...] = ()

    def without_trial(self) -> Sequence[str]:
        """The ids of all terms but the free trial."""
        return [one for one in self.ids if one != self.trial_id]

    def price_list(self) -> Iterator[str]:
        """The prices, a line each."""
        if self.inference is not None:
            yield f"{self.inference} {self.currency} an inference at an endpoint"
        for (mode, kind), price in self.hourly.items():
            where = "at an endpoint" if mode == REALTIME else "in a transform job"
            yield f"{price} {self.currency} an hour of {kind} {where}"
        if self.upfront:
            yield f"{self.upfront} {self.currency} as such, whatever is used"


def read_terms(found: Iterable[Mapping[str, Any]]) -> Terms:
    """The terms of GetOfferTerms or GetAgreementTerms.

    Args:
        found: Unions, each with one member by the name of its kind. Any: JSON of the API.
    """
    unions = [(kind, term) for union in found for kind, term in union.items() if isinstance(term, Mapping)]
    terms = dict(unions)
    usage = terms.get("usageBasedPricingTerm", {})
    trial = terms.get("freeTrialPricingTerm", {})
    hourly: dict[tuple[str, str], str] = {}
    inference = None
    for key, price in _rates(usage):
        mode, kind = _mode_of(key)
        if mode == INFERENCE:
            inference = price
        elif mode:
            hourly[mode, kind] = price
    return Terms(
        tuple(str(term["id"]) for _, term in unions if "id" in term),
        trial.get("id"),
        str(trial.get("duration", "")),
        str(next((term["currencyCode"] for _, term in unions if "currencyCode" in term), "USD")),
        dict(sorted(hourly.items())),
        inference,
        sum((_upfront(kind, term) for kind, term in unions), Decimal(0)),
        tuple(f"{one['type']}: {one['url']}" for one in terms.get("legalTerm", {}).get("documents", ())),
        str(terms.get("supportTerm", {}).get("refundPolicy", "")),
        tuple(kind for kind, _ in unions if kind in _UNCONFIGURED),
    )


def _rates(usage: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for card in usage.get("rateCards", ()):
        for rate in card.get("rateCard", ()):
            yield str(rate["dimensionKey"]), str(rate["price"])


def _mode_of(key: str) -> tuple[str, str]:
    """What a dimension's key is about: mode and instance type; empty for what is no model's."""
    for suffix, mode in _SUFFIXES:
        if key.endswith(suffix):
            return mode, key.removesuffix(suffix)
    return "", ""


def _upfront(kind: str, term: Mapping[str, Any]) -> Decimal:
    """A price that is due whatever is used; a schedule of payments says when, and not how much more."""
    if kind not in ("fixedUpfrontPricingTerm", "recurringPaymentTerm"):
        return Decimal(0)
    try:
        return Decimal(str(term.get("price", "0")))
    except InvalidOperation:
        return Decimal(0)
