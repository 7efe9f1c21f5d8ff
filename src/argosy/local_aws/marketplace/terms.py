"""Terms of offers as buyers see them: in small first letters, each with an identifier.

A term's identifier is made of what it says, so that a quote for a price that is no longer offered cannot be accepted.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any, Final

from argosy.local_aws.marketplace.state import Offer

TRIAL: Final = "FreeTrialPricingTerm"
_DATES: Final = frozenset({"agreementStartDate", "agreementEndDate", "chargeDate"})
_STANDARD_CONTRACT: Final = (
    "https://s3.amazonaws.com/aws-mp-standard-contracts/Standard-Contact-for-AWS-Marketplace-{}.pdf"
)
_UNITS: Final = {"b": "HostHrs", "r": "HostHrs", "c": "Requests"}
_MODES: Final = {"b": "Inference (Batch)", "r": "Inference (Real-Time)"}
_IDENTIFIER_LENGTH: Final = 40


def terms_of(offer: Offer) -> tuple[dict[str, Any], ...]:
    """The terms of an offer: each with `type`, `id` and its own members."""
    return tuple(_term(offer, term) for term in offer.all_terms())


def shown(term: Mapping[str, Any]) -> dict[str, Any]:
    """A term under the name of its type: `{"legalTerm": {...}}`; dates become times."""
    name = term["type"][:1].lower() + term["type"][1:]
    return {name: _timed(term)}


def _term(offer: Offer, term: Mapping[str, Any]) -> dict[str, Any]:
    digest = hashlib.sha256(json.dumps([offer.id, term], sort_keys=True).encode()).hexdigest()
    return {**_small(term), "id": f"term-{digest[:_IDENTIFIER_LENGTH]}"}


def _small(value: Any) -> Any:
    """The same with small first letters, and with what buyers are told beside it; Any: JSON."""
    if isinstance(value, Mapping):
        members = {name[:1].lower() + name[1:]: _small(member) for name, member in value.items()}
        if "dimensionKey" in members:
            key = members["dimensionKey"]
            members |= {"displayName": _display_name(key), "unit": _UNITS.get(key.rpartition(".")[2], "Units")}
        if members.get("type", "").startswith("Standard"):
            members["url"] = _STANDARD_CONTRACT.format(members["version"])
        return members
    if isinstance(value, list | tuple):
        return [_small(member) for member in value]
    return value


def _display_name(key: str) -> str:
    instance, _, mode = key.partition(".m.i.")
    return f"{instance} {_MODES[mode]}" if mode in _MODES else f"{key} Inference Pricing"


def _timed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: datetime.combine(date.fromisoformat(member), time(), UTC) if name in _DATES else _timed(member)
            for name, member in value.items()
        }
    if isinstance(value, list | tuple):
        return [_timed(member) for member in value]
    return value
