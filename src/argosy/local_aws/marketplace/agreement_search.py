"""The filters of SearchAgreements: which there are, which go together, what each asks.

Source: the texts of botocore's model of `marketplace-agreement`, SearchAgreements (read 2026-11-23).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from argosy.local_aws.marketplace.refusal import invalid
from argosy.local_aws.marketplace.state import PRODUCT_TYPE, Agreement, Json

_TYPE: Final = "PurchaseAgreement"
_ENDS: Final = frozenset({"BeforeEndTime", "AfterEndTime"})
_SUBJECTS: Final = frozenset({"ResourceIdentifier", "ResourceType", "OfferId", "OfferSetId"})
_OF_ACCEPTORS: Final = frozenset({"AgreementType", "PartyType", "Status", *_ENDS, *_SUBJECTS})


@dataclass(frozen=True, slots=True)
class Found:
    """An agreement at a moment."""

    agreement: Agreement
    now: float


_EQUAL: Final[Mapping[str, Callable[[Found], str | None]]] = {
    "AgreementType": lambda found: _TYPE,
    "ResourceIdentifier": lambda found: found.agreement.product_id,
    "ResourceType": lambda found: PRODUCT_TYPE,
    "AcceptorAccountId": lambda found: found.agreement.acceptor,
    "OfferId": lambda found: found.agreement.offer_id,
    "OfferSetId": lambda found: None,
    "Status": lambda found: found.agreement.status(found.now),
    "InitialAgreementId": lambda found: found.agreement.id,
}
_MOMENTS: Final[Mapping[str, Callable[[Found], float | None]]] = {
    "EndTime": lambda found: found.agreement.ends,
    "StartTime": lambda found: found.agreement.starts,
    "LastUpdateTime": lambda found: found.agreement.closed or found.agreement.accepted,
}


def check_filters(request: Json) -> dict[str, str]:
    """The filters of a request, one value each.

    Raises:
        Refusal: One is not known, PartyType or AgreementType is missing, or a buyer's do not go together.
    """
    filters: dict[str, str] = {}
    for given in request.get("filters", ()):
        name, values = given.get("name"), given.get("values")
        if not name:
            raise invalid("A filter has no name.", "MISSING_FILTER_NAME")
        if not values:
            raise invalid(f"Filter {name} has no values.", "MISSING_FILTER_VALUES")
        moment = name.removeprefix("Before").removeprefix("After")
        if name != "PartyType" and name not in _EQUAL and (moment == name or moment not in _MOMENTS):
            raise invalid(f"Filter {name} is not supported.", "INVALID_FILTER_NAME")
        filters[name] = values[0]
    if filters.get("PartyType") not in ("Acceptor", "Proposer"):
        reason = "INVALID_FILTER_VALUES" if "PartyType" in filters else "MISSING_PARTY_TYPE"
        raise invalid("PartyType has to be Proposer or Acceptor.", reason)
    if filters.get("AgreementType") != _TYPE:
        raise invalid(f"Filter AgreementType is needed, and has to be {_TYPE}.", "UNSUPPORTED_FILTERS")
    if filters["PartyType"] == "Acceptor":
        _require_combination(set(filters))
    return filters


def matches(found: Found, filters: Mapping[str, str]) -> bool:
    """Whether an agreement is what all filters ask."""
    return all(_matches(found, name, value) for name, value in filters.items())


def order_of(request: Json, party: str) -> Callable[[Found], float | None]:
    """What agreements are sorted by: buyers' by their end alone.

    Raises:
        Refusal: It is nothing that this party can sort by.
    """
    by = request.get("sort", {}).get("sortBy", "EndTime")
    if by not in _MOMENTS or (party == "Acceptor" and by != "EndTime"):
        raise invalid(f"A party that is {party} cannot sort by {by}.", "INVALID_SORT_BY")
    return _MOMENTS[by]


def _require_combination(names: set[str]) -> None:
    """A buyer names at most one subject; a resource type goes with no status."""
    subjects = names & _SUBJECTS
    if names - _OF_ACCEPTORS or len(subjects) > 1 or (subjects == {"ResourceType"} and "Status" in names):
        listed = ", ".join(sorted(names - {"PartyType"}))
        raise invalid(f"An acceptor cannot filter by {listed} together.", "UNSUPPORTED_FILTERS")


def _matches(found: Found, name: str, value: str) -> bool:
    if name == "PartyType":
        return True
    if name in _EQUAL:
        return _EQUAL[name](found) == value
    is_before = name.startswith("Before")
    moment = _MOMENTS[name.removeprefix("Before").removeprefix("After")](found)
    if moment is None:
        return False
    limit = _seconds(name, value)
    return moment < limit if is_before else moment > limit


def _seconds(name: str, value: str) -> float:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise invalid(f"{name} {value} is no time.", "INVALID_FILTER_VALUES") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
