"""What an image takes and gives, read from the OpenAPI document that it serves; nothing that is not in it.

Source: OpenAPI 3.1.0, "Media Type Object" and "Schema Object"; JSON Schema 2020-12, validation (read 2026-11-23).
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from argosy import media_type
from argosy.conformance.probes import printable
from argosy.marketplace.limits import LONGEST_NAME, MOST_PARAMETERS

_DEEPEST: Final = 3
_MOST_VALUES: Final = 20
_LONGEST_FORM: Final = 1000
_ALTERNATIVES: Final = ("anyOf", "oneOf", "allOf")

Schema = Mapping[str, Any]
"""A schema as it came in JSON; Any: it says itself what it holds."""


@dataclass(frozen=True, slots=True)
class Field:
    """A member of what is taken or given.

    Attributes:
        name: As `petal`, or `flowers[].petal` for a member of a member.
        description: What the document says of it; else what type it has.
        constraints: What it may be.
        is_required: Whether it is always there.
    """

    name: str
    description: str
    constraints: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class Content:
    """What one side of an invocation holds.

    Attributes:
        forms: Media type -> what a body of it is, as a clause; empty where the document says nothing.
        fields: The members of its JSON form.
    """

    forms: Mapping[str, str]
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Interface:
    """What an image takes and gives.

    Attributes:
        title: What the document calls it.
        taken: The body of an invocation.
        given: The body of its answer.
    """

    title: str
    taken: Content
    given: Content


def read_interface(document: object) -> Interface | None:
    """The interface that a document describes; None when it is none, or says nothing of `POST /invocations`.

    Args:
        document: What `/openapi.json` answered, decoded.
    """
    if not isinstance(document, Mapping):
        return None
    reader = _Reader(document)
    invoke = reader.at("paths", "/invocations", "post")
    if invoke is None:
        return None
    taken = reader.at("requestBody", "content", of=invoke) or {}
    given = reader.at("responses", "200", "content", of=invoke) or {}
    title = _told((reader.at("info") or {}).get("title"))
    return Interface(title, reader.content(taken), reader.content(given))


class _Reader:
    """Reads schemas of one document.

    Args:
        document: The whole of it, for its references.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def at(self, *steps: str, of: Schema | None = None) -> Schema | None:
        """The object at the end of some steps, references followed; None when there is none."""
        found: object = self._document if of is None else of
        for step in steps:
            found = self._followed(found).get(step)
        return self._followed(found) or None

    def content(self, types: Schema) -> Content:
        """What bodies of some media types hold."""
        forms: dict[str, str] = {}
        fields: tuple[Field, ...] = ()
        for name, said in types.items():
            parsed = media_type.parse(name)
            if parsed is None or "*" in parsed.essence:
                continue
            schema = self._followed(self._followed(said).get("schema"))
            is_json = parsed.essence == "application/json" or parsed.essence.endswith("+json")
            form = self._form(schema) if is_json else _told(schema.get("description"))
            forms[name] = form[:_LONGEST_FORM]
            if is_json and not fields:
                record = self._record(schema)
                fields = () if record is None else tuple(itertools.islice(self._fields(record), MOST_PARAMETERS))
        return Content(forms, fields)

    def _followed(self, found: object, seen: tuple[str, ...] = ()) -> Schema:
        """An object, or the one that it refers to; empty when it is none, or refers to itself."""
        if not isinstance(found, Mapping):
            return {}
        target = found.get("$ref")
        if not isinstance(target, str):
            return found
        if not target.startswith("#/") or target in seen:
            return {}
        inner: object = self._document
        for step in target.removeprefix("#/").split("/"):
            key = step.replace("~1", "/").replace("~0", "~")
            inner = inner.get(key) if isinstance(inner, Mapping) else None
        return self._followed(inner, (*seen, target))

    def _members(self, schema: Schema) -> Iterator[Schema]:
        """A schema's alternatives, or itself where it has none."""
        found = next((members for key in _ALTERNATIVES if (members := _listed(schema.get(key)))), None)
        if found is None:
            yield schema
            return
        for one in found[:_MOST_VALUES]:
            yield self._followed(one)

    def _record(self, schema: Schema, depth: int = 0) -> Schema | None:
        """The first object with members among what a schema allows, also one in an array."""
        for one in self._members(schema):
            if isinstance(one.get("properties"), Mapping):
                return one
            items = self._followed(one.get("items"))
            if items and depth < _DEEPEST and (found := self._record(items, depth + 1)) is not None:
                return found
        return None

    def _fields(self, record: Schema, prefix: str = "", depth: int = 1, is_required: bool = True) -> Iterator[Field]:
        required = _listed(record.get("required"))
        for key, said in record["properties"].items():
            name, schema = f"{prefix}{key}", self._followed(said)
            always = is_required and key in required
            if not (1 <= len(name) <= LONGEST_NAME and name.isascii() and name.isprintable()):
                continue
            told = _told(schema.get("description"))
            form = self._form(schema)
            described = told or f"{form[:1].upper()}{form[1:]}."
            yield Field(name, described, _constraints(schema, form if told else ""), always)
            inner, suffix = self._inner(schema)
            if inner is not None and depth < _DEEPEST:
                yield from self._fields(inner, f"{name}{suffix}.", depth + 1, always and not suffix)

    def _inner(self, schema: Schema) -> tuple[Schema | None, str]:
        """The object that a member is or has in an array, and how that is written behind the member's name."""
        for one in self._members(schema):
            if isinstance(one.get("properties"), Mapping):
                return one, ""
            items = self._followed(one.get("items"))
            if isinstance(items.get("properties"), Mapping):
                return items, "[]"
        return None, ""

    def _form(self, schema: Schema, depth: int = 0) -> str:
        """What a value is, as a clause: `number`, `array of string`, `Flower; or array of Flower`."""
        if depth > _DEEPEST:
            return "value"
        alternatives = list(self._members(schema))
        if alternatives != [schema]:
            glue = "; and " if "allOf" in schema else "; or "
            return glue.join(dict.fromkeys(self._form(one, depth + 1) for one in alternatives)) or "value"
        if values := _listed(schema.get("enum")):
            return "one of " + ", ".join(_literal(value) for value in values[:_MOST_VALUES])
        if "const" in schema:
            return _literal(schema["const"])
        kind = schema.get("type")
        names = [kind] if isinstance(kind, str) else [str(one) for one in _listed(kind)]
        if names == ["array"]:
            items = self._followed(schema.get("items"))
            return f"array of {self._form(items, depth + 1)}" if items else "array"
        if names == ["object"] or (not names and isinstance(schema.get("properties"), Mapping)):
            return self._object(schema)
        return _told(" or ".join(names)) or "any value"

    def _object(self, schema: Schema) -> str:
        if title := _told(schema.get("title")):
            return f"`{title}` object"
        members = schema.get("properties")
        keys = list(members) if isinstance(members, Mapping) else []
        return f"object with {', '.join(map(_literal, keys[:_MOST_VALUES]))}" if keys else "object"


_RANGES: Final = (
    ("minimum", "at least {}"),
    ("exclusiveMinimum", "more than {}"),
    ("maximum", "at most {}"),
    ("exclusiveMaximum", "less than {}"),
    ("multipleOf", "a multiple of {}"),
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("minItems", "at least {} items"),
    ("maxItems", "at most {} items"),
    ("pattern", "as the pattern {}"),
    ("format", "format {}"),
    ("contentEncoding", "encoded as {}"),
)
"""What JSON Schema says of a value -> how it is told."""


def _constraints(schema: Schema, form: str) -> str:
    told = [form] if form else []
    told += [text.format(_told(str(schema[key]))) for key, text in _RANGES if key in schema]
    if schema.get("default") is not None:
        told.append(f"default {_literal(schema['default'])}")
    return ", ".join(told)


def _told(value: object) -> str:
    """A stranger's text in one line, with nothing that could steer a terminal."""
    return printable(" ".join(value.split())) if isinstance(value, str) else ""


def _listed(value: object) -> list[Any]:
    """A list, or an empty one for what is none: a stranger wrote it."""
    return value if isinstance(value, list) else []


def _literal(value: object) -> str:
    if isinstance(value, str):
        return f"`{_told(value)}`"
    return str(value).lower() if isinstance(value, bool) else _told(str(value))
