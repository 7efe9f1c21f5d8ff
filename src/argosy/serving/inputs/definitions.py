"""The named parts of a JSON Schema: `#/$defs/NAME`, each class once, no two classes under one name."""

import re
from collections.abc import Callable, Mapping
from typing import Final

Schema = dict[str, object]

PREFIX: Final = "#/$defs/"
_LITERAL: Final = frozenset({"const", "enum", "default", "example", "examples"})
"""Keywords whose values are instances, in which `$ref` would be a field like any other."""


class Definitions:
    """The `$defs` of one schema while it is written.

    Attributes:
        schemas: Name -> schema.
    """

    def __init__(self) -> None:
        self.schemas: dict[str, Schema] = {}
        self._names: dict[object, str] = {}

    def reference(self, owner: type, write: Callable[[], Schema]) -> Schema:
        """A reference to a class's schema, which is written at the first call; a class may refer to itself."""
        if owner not in self._names:
            name = self._free(owner.__name__)
            self._names[owner] = name
            self.schemas[name] = {}
            self.schemas[name] = write()
        return {"$ref": PREFIX + self._names[owner]}

    def adopt(self, schema: Schema, parts: Mapping[str, Schema]) -> Schema:
        """A schema that a library wrote, its parts among ours, under new names if one of them is taken."""
        is_taken = any(self.schemas.get(name, part) != part for name, part in parts.items())
        names = {name: self._free(name) if is_taken else name for name in parts}
        rename = {PREFIX + old: PREFIX + new for old, new in names.items()}
        for old, part in parts.items():
            self.schemas[names[old]] = with_references(part, lambda target: rename.get(target, target))
        return with_references(schema, lambda target: rename.get(target, target))

    def close(self, schema: Schema) -> Schema:
        """The schema with its parts."""
        return {**schema, "$defs": dict(self.schemas)} if self.schemas else schema

    def _free(self, name: str) -> str:
        plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
        return next(n for n in (plain, *(f"{plain}.{i}" for i in range(2, 10_000))) if n not in self.schemas)


def with_references(schema: Mapping[str, object], change: Callable[[str], str]) -> Schema:
    """A copy whose `$ref` targets are changed.

    >>> with_references({"items": {"$ref": "#/$defs/A"}}, lambda target: target.replace("$defs", "parts"))
    {'items': {'$ref': '#/parts/A'}}
    """
    return {key: value if key in _LITERAL else _changed(key, value, change) for key, value in schema.items()}


def _changed(key: str, value: object, change: Callable[[str], str]) -> object:
    if key == "$ref" and isinstance(value, str):
        return change(value)
    if key in ("properties", "$defs") and isinstance(value, dict):
        return {name: _changed("", part, change) for name, part in value.items()}
    if isinstance(value, dict):
        return with_references(value, change)
    if isinstance(value, list):
        return [_changed("", part, change) for part in value]
    return value
