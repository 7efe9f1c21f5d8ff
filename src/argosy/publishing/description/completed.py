"""What the seller says, and where it is silent what was found out: field by field."""

from typing import Any, Final, TypeVar

import msgspec

from argosy.marketplace.listing import Input, Output, OutputParameter, Parameter, Sample
from argosy.marketplace.table import Marketplace
from argosy.publishing.description.description import Description

_Struct = TypeVar("_Struct", bound=msgspec.Struct)
_Named = TypeVar("_Named", Parameter, OutputParameter)
_INNER: Final = (Input, Output)


def completed(table: Marketplace, description: Description) -> Marketplace:
    """The table with what a description knows wherever the seller says nothing.

    Of a list of parameters that the seller wrote, the same holds for each field of a parameter that both name; none is
    added to it.

    Args:
        table: What the seller says.
        description: What was found out of the image.
    """
    listing = table.listing
    if not listing.speed.strip() and description.speed:
        listing = msgspec.structs.replace(listing, speed=description.speed)
    usage = _filled(table.usage, description.usage)
    return msgspec.structs.replace(table, listing=listing, usage=usage)


def _filled(said: _Struct, found: _Struct) -> _Struct:
    """A table whose empty fields are those of another one."""
    changes: dict[str, Any] = {}  # Any: each field has a type of its own, the same in both
    for name in said.__struct_fields__:
        own, other = getattr(said, name), getattr(found, name)
        if isinstance(own, _INNER):
            changes[name] = _filled(own, other)
        elif name in ("parameters", "custom_attributes") and own:
            changes[name] = tuple(_parameter(one, other) for one in own)
        elif _is_empty(own):
            changes[name] = other
    return msgspec.structs.replace(said, **changes)


def _parameter(said: _Named, found: tuple[_Named, ...]) -> _Named:
    same = next((one for one in found if one.name == said.name), None)
    return said if same is None else _filled(said, same)


def _is_empty(value: object) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return value in (None, (), Sample())
