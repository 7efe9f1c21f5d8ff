"""The answers of List operations: filtered, sorted, and cut into pages.

UNSURE: whether `NameContains` minds the case of letters; here it does not, as names do not.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from argosy.simulator.control.refusals import Refusal
from argosy.simulator.control.resources import Json, Resource

_CREATION_TIME: Final = "CreationTime"
_PAGE: Final = 10  # "This value defaults to 10": ListEndpoints and its kin


@dataclass(frozen=True, slots=True)
class Listing:
    """How one kind of resource is listed.

    Attributes:
        member: The answer's member that holds the summaries.
        summary: Makes the summary of one resource.
        is_descending: Whether `SortOrder` is Descending where none is given.
    """

    member: str
    summary: Callable[[Resource], Json]
    is_descending: bool = True


def page(listing: Listing, resources: Iterable[Resource], request: Json) -> Json:
    """The answer to a List operation.

    Args:
        listing: Of the kind.
        resources: All of the caller's region.
        request: Filters, order and page, as all List operations spell them.

    Raises:
        Refusal: `NextToken` is none of ours, or of another order.
    """
    falls = request.get("SortOrder", "Descending" if listing.is_descending else "Ascending") == "Descending"
    key, order = _key(request), f"{request.get('SortBy', _CREATION_TIME)} {falls}"
    rest = sorted((each for each in resources if _matches(each, request)), key=key, reverse=falls)
    if "NextToken" in request:
        last = _read(request["NextToken"], order)
        rest = [each for each in rest if (key(each) < last if falls else key(each) > last)]
    shown = rest[: int(request.get("MaxResults", _PAGE))]
    answer: dict[str, object] = {listing.member: [listing.summary(each) for each in shown]}
    if len(shown) < len(rest):
        answer["NextToken"] = base64.urlsafe_b64encode(json.dumps([order, *key(shown[-1])]).encode()).decode()
    return answer


def _matches(resource: Resource, request: Json) -> bool:
    status = request.get("StatusEquals")
    return (
        str(request.get("NameContains", "")).lower() in resource.name.lower()
        and (status is None or status == resource.status)
        and _is_between(resource.created, request.get("CreationTimeAfter"), request.get("CreationTimeBefore"))
        and _is_between(resource.modified, request.get("LastModifiedTimeAfter"), request.get("LastModifiedTimeBefore"))
    )


def _is_between(moment: float, after: float | None, before: float | None) -> bool:
    return (after is None or moment > after) and (before is None or moment < before)


_Key = tuple[str | float, str]


def _key(request: Json) -> Callable[[Resource], _Key]:
    by = request.get("SortBy", _CREATION_TIME)
    if by == "Name":
        return lambda resource: ("", resource.name.lower())
    if by == "Status":
        return lambda resource: (resource.status, resource.name.lower())
    return lambda resource: (resource.created, resource.name.lower())


def _read(token: str, order: str) -> _Key:
    """The last resource of the page before; it may be gone meanwhile."""
    try:
        of_order, value, name = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise Refusal("Invalid pagination token") from None
    kind = float if order.startswith(_CREATION_TIME) else str
    if of_order != order or not isinstance(value, kind) or not isinstance(name, str):
        raise Refusal("Invalid pagination token")
    return value, name
