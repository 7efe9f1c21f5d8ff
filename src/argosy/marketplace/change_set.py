"""Changes of products and offers, as StartChangeSet is told of them: values, nothing here calls AWS.

Source: AWS Marketplace Catalog API, StartChangeSet in botocore's marketplace-catalog 2018-09-17 model, and "Machine
learning products" (read 2026-11-23).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from argosy.errors import UsageError
from argosy.marketplace.limits import MOST_CHANGES

CATALOG: Final = "AWSMarketplace"
PRODUCT_TYPE: Final = "MachineLearningProduct@1.0"
OFFER_TYPE: Final = "Offer@1.0"
_NAME: Final = re.compile(r"[^\w\s+=.:@-]")
_LONGEST_NAME: Final = 100

Intent = Literal["VALIDATE", "APPLY"]
"""What AWS does with a change set: only judge it, or also do it."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A product or an offer that a change is made to.

    Attributes:
        type: `MachineLearningProduct@1.0` or `Offer@1.0`.
        identifier: Its id, or a reference to a change that makes it; None for the change that makes it.
    """

    type: str
    identifier: str | None = None

    @classmethod
    def product(cls, identifier: str | None = None) -> "Entity":
        """A machine-learning product."""
        return cls(PRODUCT_TYPE, identifier)

    @classmethod
    def offer(cls, identifier: str | None = None) -> "Entity":
        """An offer of one."""
        return cls(OFFER_TYPE, identifier)


@dataclass(frozen=True, slots=True)
class CatalogChange:
    """One change of a change set.

    Attributes:
        type: Change type, as `UpdateInformation`.
        entity: What is changed.
        details: The `DetailsDocument`, member by member as the API spells it.
        name: By which other changes of the set refer to the entity that it makes; None for most.
    """

    type: str
    entity: Entity
    details: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None

    @property
    def reference(self) -> str:
        """How other changes of the set name the entity that this one makes.

        >>> CatalogChange("CreateProduct", Entity.product(), name="CreateProductChange").reference
        '$CreateProductChange.Entity.Identifier'
        """
        return f"${self.name}.Entity.Identifier"

    def request(self) -> dict[str, Any]:
        """The member of `ChangeSet` that says it."""
        entity = {"Type": self.entity.type}
        if self.entity.identifier is not None:
            entity["Identifier"] = self.entity.identifier
        said: dict[str, Any] = {"ChangeType": self.type, "Entity": entity, "DetailsDocument": dict(self.details)}
        return said if self.name is None else {**said, "ChangeName": self.name}


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Changes that AWS makes together or not at all.

    Attributes:
        title: What the seller finds it by: `ChangeSetName`.
        changes: In their order. None means that nothing is to be changed, and no call is to be made.
        notes: What a person should know before they are sent, one sentence each.
    """

    title: str
    changes: tuple[CatalogChange, ...] = ()
    notes: tuple[str, ...] = ()

    def request(self, intent: Intent) -> dict[str, Any]:
        """The request to StartChangeSet, without its token.

        Args:
            intent: `VALIDATE` or `APPLY`.

        Raises:
            UsageError: It has no change, or more than AWS takes at a time.
        """
        if not 1 <= len(self.changes) <= MOST_CHANGES:
            raise UsageError(
                "a change set cannot be sent", got=f"{len(self.changes)} changes", want=f"1 to {MOST_CHANGES}"
            )
        return {
            "Catalog": CATALOG,
            "ChangeSet": [change.request() for change in self.changes],
            "ChangeSetName": _NAME.sub("-", self.title)[:_LONGEST_NAME],
            "Intent": intent,
        }


def changed_members(said: Mapping[str, Any], shown: Mapping[str, Any], unordered: Iterable[str] = ()) -> dict[str, Any]:
    """The members that are said and that AWS shows otherwise.

    Nothing is taken for changed that says the same: a missing flag is a false one, a missing list an empty one.

    Args:
        said: What the seller wants, as a `DetailsDocument` has it.
        shown: What is there, in the same form.
        unordered: The members whose lists have no order.
    """
    loose = frozenset(unordered)
    return {
        member: value
        for member, value in said.items()
        if _essence(value, member in loose) != _essence(shown.get(member), member in loose)
    }


def _essence(value: Any, is_unordered: bool = False) -> Any:
    """A value without what says nothing: empty, false and missing members, blanks around a text."""
    if isinstance(value, Mapping):
        inner = {key: _essence(one) for key, one in value.items()}
        return {key: one for key, one in inner.items() if one not in (None, "", [], {}, False)} or None
    if isinstance(value, list | tuple):
        items = [_essence(one) for one in value]
        return (sorted(items, key=repr) if is_unordered else items) or None
    if isinstance(value, str):
        return value.strip() or None
    return value or None
