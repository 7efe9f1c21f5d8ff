"""A whole change set, judged: the state that it makes, or why it makes none. Nothing is looked up and nothing is kept.

Either every change of a set is made or none.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from argosy.local_aws.catalog import offer_changes, pricing, product_changes
from argosy.local_aws.catalog.setting import ChangeFaults, Setting, refuse
from argosy.local_aws.marketplace.state import PRODUCT_TYPE, Change, Fault, Offer, State

REFERENCE: Final = re.compile(r"\$([A-Za-z][\w-]*)\.Entity\.Identifier")
"""How a change names the entity of another one in its set (aws-samples/aws-marketplace-reference-code)."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of a change set.

    Attributes:
        state: With all of its changes; as it was when there is a fault.
        changes: The same, with the identifiers of their entities or the faults.
    """

    state: State
    changes: tuple[Change, ...]

    @property
    def is_refused(self) -> bool:
        """Whether any change has a fault."""
        return any(change.faults for change in self.changes)


def judge(state: State, changes: Sequence[Change], setting: Setting) -> Judgement:
    """Make all changes of a set in order, or find every reason why it cannot be done."""
    after = state
    identities: dict[str, str] = {}
    ids: list[str] = []
    faults: list[tuple[Fault, ...]] = []
    for change in changes:
        try:
            resolved = _resolved(change, identities)
            after, entity_id = _made(after, resolved, setting)
        except ChangeFaults as refused:
            ids.append("")
            faults.append(refused.faults)
            continue
        ids.append(entity_id)
        faults.append(())
        if change.name is not None:
            identities[change.name] = entity_id
    if not any(faults):
        faults = [
            tuple(_faults_of_whole(change, id_, after, setting)) for change, id_ in zip(changes, ids, strict=True)
        ]
    if any(faults):
        paired = zip(changes, faults, strict=True)
        return Judgement(state, tuple(replace(change, faults=found) for change, found in paired))
    after = _revised(after, set(ids), setting.now)
    return Judgement(
        after,
        tuple(
            replace(change, entity_id=id_, identifier=_identifier(after, id_))
            for change, id_ in zip(changes, ids, strict=True)
        ),
    )


def references(value: Any) -> Iterator[str]:
    """The names of changes that a value refers to; Any: JSON."""
    if isinstance(value, str):
        found = REFERENCE.fullmatch(value)
        if found is not None:
            yield found.group(1)
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from references(member)


def _resolved(change: Change, identities: Mapping[str, str]) -> Change:
    """The change with entities in the place of references; one that failed has none."""
    details = _filled(change.details, identities)
    return replace(change, entity_id=_filled(change.entity_id, identities), details=details)


def _filled(value: Any, identities: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        found = REFERENCE.fullmatch(value)
        if found is None:
            return value
        if found.group(1) not in identities:
            raise refuse("DEPENDENCY_FAILED", f"Change {found.group(1)}, which this one needs, failed.")
        return identities[found.group(1)]
    if isinstance(value, Mapping):
        return {name: _filled(member, identities) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(member, identities) for member in value]
    return value


def _made(state: State, change: Change, setting: Setting) -> tuple[State, str]:
    """The state with one change, and the entity that it is about."""
    if change.entity_type == PRODUCT_TYPE:
        if change.type == "CreateProduct":
            product = product_changes.created(change.details, setting)
        else:
            apply = product_changes.PRODUCT_CHANGES[change.type]
            product = apply(state.products[change.entity_id], change.details, setting)
        return state.with_product(product), product.id
    if change.type == "CreateOffer":
        offer = offer_changes.created(change.details, state, setting)
    else:
        offer = offer_changes.OFFER_CHANGES[change.type](state.offers[change.entity_id], change.details, state, setting)
    return state.with_offer(offer), offer.id


def _faults_of_whole(change: Change, id_: str, after: State, setting: Setting) -> Iterator[Fault]:
    """What is seen only when all changes have been made; each is told at the change that brings it about."""
    keys = setting.options.inference_keys
    if change.type == "ReleaseProduct":
        missing = product_changes.missing_of_release(after.products[id_])
        if missing:
            yield Fault("INCOMPLETE_PRODUCT", f"The product lacks {', '.join(missing)}.")
    goes_public = change.type == "UpdateVisibility" and change.details["TargetVisibility"] == "Public"
    if goes_public and not any(each.state == "Released" and not each.is_private for each in after.offers_of(id_)):
        yield Fault("INCOMPATIBLE_PRODUCT_STATUS", "The product has no public offer that is released.")
    if change.type == "AddDeliveryOptions":
        for offer in _priced_offers(after, id_):
            missing = pricing.missing_keys(after.products[id_], offer, keys)
            if missing:
                yield Fault("UPDATE_PRICING_REQUIRED", f"Offer {offer.id} has no price for {', '.join(missing)}.")
    if change.type == "ReleaseOffer":
        yield from offer_changes.faults_of_release(after.offers[id_], after)
    if change.type in ("ReleaseOffer", offer_changes.PRICING):
        yield from _faults_of_prices(after, after.offers[id_], keys)


def _priced_offers(state: State, product_id: str) -> Iterator[Offer]:
    """The public offers; what a private one sells stays as it was."""
    for offer in state.offers_of(product_id):
        if not offer.is_private:
            yield offer


def _faults_of_prices(state: State, offer: Offer, keys: tuple[str, ...]) -> Iterator[Fault]:
    product = state.products[offer.product_id]
    if product.versions:
        unknown = pricing.unknown_keys(product, offer, keys)
        if unknown:
            yield Fault("INVALID_DIMENSION_KEY", f"The product has no dimension {', '.join(unknown)}.")
        missing = pricing.missing_keys(product, offer, keys)
        if missing:
            yield Fault("UPDATE_PRICING_REQUIRED", f"There is no price for {', '.join(missing)}.")


def _revised(state: State, ids: set[str], now: float) -> State:
    for id_ in sorted(ids):
        if id_ in state.products:
            product = state.products[id_]
            state = state.with_product(replace(product, revision=product.revision + 1, modified=now))
        else:
            offer = state.offers[id_]
            state = state.with_offer(replace(offer, revision=offer.revision + 1, modified=now))
    return state


def _identifier(state: State, id_: str) -> str:
    entity = state.products.get(id_) or state.offers[id_]
    return f"{id_}@{entity.revision}"
