"""A StartChangeSet request, read: its changes as values, or the refusal that AWS gives before anything is started.

Source: botocore's model of `marketplace-catalog`; AWS Marketplace Catalog API, "StartChangeSet" (read 2026-11-23).
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from argosy.local_aws.catalog.judgement import REFERENCE, references
from argosy.local_aws.catalog.offer_shapes import OFFER_SHAPES
from argosy.local_aws.catalog.product_changes import DETAILS
from argosy.local_aws.catalog.product_shapes import PRODUCT_SHAPES
from argosy.local_aws.marketplace.options import MarketplaceOptions
from argosy.local_aws.marketplace.refusal import Refusal, denied, invalid, not_found
from argosy.local_aws.marketplace.state import OFFER_TYPE, PRODUCT_TYPE, Change, Json, State

CATALOG: Final = "AWSMarketplace"
_SHAPES: Final[Mapping[str, Mapping[str, type[msgspec.Struct]]]] = {
    f"{PRODUCT_TYPE}@1.0": PRODUCT_SHAPES,
    f"{OFFER_TYPE}@1.0": OFFER_SHAPES,
}
_CREATES: Final = frozenset({"CreateProduct", "CreateOffer"})
_NAME: Final = re.compile(r"[A-Za-z][\w-]{0,71}")
_IDENTIFIER: Final = re.compile(r"[\w-]{1,240}(@\d{1,9})?")
_OLD_SPELLING: Final = "SagemakerModelPackageDeliveryOptionDetails"
_ANY_PRODUCT: Final = "prod-0000000000000"


def require_catalog(request: Json) -> None:
    """Refuse a catalog that is not the only one there is."""
    if request["Catalog"] != CATALOG:
        raise invalid(f"Catalog {request['Catalog']} does not exist; it is {CATALOG}.")


def changes_of(request: Json, options: MarketplaceOptions) -> tuple[Change, ...]:
    """The changes of a request, each of the shape of its change type.

    Raises:
        Refusal: ValidationException.
    """
    require_catalog(request)
    changes = tuple(_change(number, item, options) for number, item in enumerate(request["ChangeSet"]))
    names = [change.name for change in changes if change.name is not None]
    if len(names) != len(set(names)):
        raise invalid("ChangeName is not unique in the change set.")
    _require_known(changes)
    _require_single(changes)
    return changes


def fingerprint(request: Json) -> str:
    """What two requests have in common that are the same, whatever their token."""
    kept = {name: value for name, value in request.items() if name != "ClientRequestToken"}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()


def check_entities(changes: Sequence[Change], state: State, account: str, options: MarketplaceOptions) -> None:
    """Refuse entities that are not there, or not the caller's, or in another revision than the one named.

    Raises:
        Refusal: ResourceNotFoundException, AccessDeniedException, ValidationException.
    """
    for change in changes:
        if not change.entity_id or REFERENCE.fullmatch(change.entity_id):
            continue
        id_, _, revision = change.entity_id.partition("@")
        entity = (state.products if change.entity_type == PRODUCT_TYPE else state.offers).get(id_)
        if entity is None:
            raise not_found(f"Entity '{id_}' of type {change.entity_type} was not found.")
        if entity.account != account:
            raise denied(f"Account {account} is not authorized to change entity '{id_}'.")
        if options.checks_revisions and revision and int(revision) != entity.revision:
            raise invalid(f"Entity '{id_}' has revision {entity.revision}, not {revision}.")


def _require_known(changes: Sequence[Change]) -> None:
    """A reference is to a change before, and an entity to one of its type."""
    known: dict[str, str] = {}
    for number, change in enumerate(changes):
        for name in references([change.entity_id, change.details]):
            if name not in known:
                raise invalid(f"ChangeSet[{number}] refers to {name}, which no change before it creates.")
        for name in references(change.entity_id):
            if known[name] != change.entity_type:
                raise invalid(f"ChangeSet[{number}]: {name} creates {known[name]}, not {change.entity_type}.")
        if change.name is not None and change.type in _CREATES:
            known[change.name] = change.entity_type


def _require_single(changes: Sequence[Change]) -> None:
    """Within one change set a change type is possible once for an entity (StartChangeSet)."""
    counted = Counter((change.type, change.entity_id.partition("@")[0]) for change in changes if change.entity_id)
    for (type_, entity), count in counted.items():
        if count > 1:
            raise invalid(f"Change type {type_} is there {count} times for entity '{entity}'; it may be there once.")


def _change(number: int, item: Json, options: MarketplaceOptions) -> Change:
    place = f"ChangeSet[{number}]"
    entity, type_ = item["Entity"], item["ChangeType"]
    shapes = _SHAPES.get(entity["Type"])
    if shapes is None:
        want = " and ".join(_SHAPES)
        raise Refusal("NotSimulated", f"{place}: entity type {entity['Type']} is not simulated; {want} are.")
    shape = shapes.get(type_)
    if shape is None:
        raise invalid(f"{place}: change type {type_} is not supported for {entity['Type']}: {', '.join(shapes)}.")
    name, identifier = item.get("ChangeName"), entity.get("Identifier", "")
    if name is not None and not _NAME.fullmatch(name):
        raise invalid(f"{place}: ChangeName {name} is no name.")
    if bool(identifier) == (type_ in _CREATES):
        what = "must not name" if identifier else "must name"
        raise invalid(f"{place}: {type_} {what} an Entity.Identifier.")
    if identifier and not (_IDENTIFIER.fullmatch(identifier) or REFERENCE.fullmatch(identifier)):
        raise invalid(f"{place}: Entity.Identifier {identifier} is neither an identifier nor a reference.")
    details = _details(place, item, options)
    try:
        msgspec.convert(_without_reference(details) if options.takes_references_as_product_id else details, shape)
    except msgspec.ValidationError as error:
        raise invalid(f"{place}: {type_}: {error}") from None
    return Change(type_, entity["Type"].partition("@")[0], details, identifier, name)


def _details(place: str, item: Json, options: MarketplaceOptions) -> dict[str, Any]:
    """What a change says: in `DetailsDocument`, or as a text in `Details`; not both (botocore's model of Change)."""
    if ("Details" in item) == ("DetailsDocument" in item):
        raise invalid(f"{place}: one of Details and DetailsDocument is needed, and not both.")
    details = item.get("DetailsDocument")
    if "Details" in item:
        try:
            details = json.loads(item["Details"])
        except (ValueError, RecursionError):
            raise invalid(f"{place}: Details is no JSON.") from None
    if not isinstance(details, dict):
        raise invalid(f"{place}: the details are no JSON object.")
    if options.takes_prices_as_numbers and item["ChangeType"] == "UpdatePricingTerms":
        details = _priced_in_texts(details)
    return _with_new_spelling(details) if options.takes_old_spelling else details


def _with_new_spelling(value: Any) -> Any:
    if isinstance(value, dict):
        return {DETAILS if name == _OLD_SPELLING else name: _with_new_spelling(each) for name, each in value.items()}
    return [_with_new_spelling(each) for each in value] if isinstance(value, list) else value


def _without_reference(details: dict[str, Any]) -> dict[str, Any]:
    """The details with some product in the place of a reference to one, which the shapes' pattern refuses."""
    return {**details, "ProductId": _ANY_PRODUCT} if any(references(details.get("ProductId"))) else details


def _priced_in_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: format(member, "f").rstrip("0").rstrip(".") or "0"
            if name == "Price" and isinstance(member, int | float) and not isinstance(member, bool)
            else _priced_in_texts(member)
            for name, member in value.items()
        }
    return [_priced_in_texts(each) for each in value] if isinstance(value, list) else value
