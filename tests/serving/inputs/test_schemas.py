"""The validator and the schema that it writes are one truth: over random annotations and values they agree."""

import dataclasses
import decimal
import uuid
from types import GenericAlias
from typing import Any, Literal, NotRequired, TypedDict

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.errors import DecodeError
from argosy.serving.inputs.annotation import read
from tests.serving.inputs.annotated import annotated
from tests.serving.inputs.classes import Colour, House, Later, Model, Point3, Struct, Tree, Whole

NAMES = st.sampled_from(["a", "b", "c", "value", "children"])
SINGLE = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([1.0, "red", "a", "", "YWI=", "YWI", "1.5", "1e5", str(uuid.UUID(int=1))])
    | st.text(max_size=3)
)
JSON: st.SearchStrategy[Any] = st.recursive(
    SINGLE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=6,
)
LEAVES: list[Any] = [int, float, bool, str, bytes, Any, None, Literal["a", 1, True], Literal[1.0, None], Colour]
LEAVES += [uuid.UUID, decimal.Decimal, Tree, list, dict]


def _dataclass(kinds: list[Any], defaults: list[bool]) -> Any:
    required = [(f"{name}", kind) for name, kind, has in zip("abc", kinds, defaults, strict=False) if not has]
    optional = [
        (f"{name}", kind, dataclasses.field(default=None))
        for name, kind, has in zip("abc", kinds, defaults, strict=False)
        if has
    ]
    return dataclasses.make_dataclass("Drawn", [*required, *optional])


def _typed_dict(kinds: list[Any], defaults: list[bool]) -> Any:
    fields = {name: NotRequired[kind] if has else kind for name, kind, has in zip("abc", kinds, defaults, strict=False)}
    return TypedDict("Drawn", fields)  # type: ignore[operator]  # drawn, not written


def _union(members: list[Any]) -> Any:
    union = members[0]
    for member in members[1:]:
        union = union | member
    return union


def _larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    flags = st.lists(st.booleans(), min_size=3, max_size=3)
    return (
        inner.map(lambda kind: GenericAlias(list, kind))
        | inner.map(lambda kind: GenericAlias(dict, (str, kind)))
        | several.map(lambda kinds: GenericAlias(tuple, tuple(kinds)))
        | st.lists(inner.filter(lambda kind: kind is not None), min_size=2, max_size=3).map(_union)
        | st.builds(_dataclass, several, flags)
        | st.builds(_typed_dict, several, flags)
    )


ANNOTATIONS = st.recursive(st.sampled_from(LEAVES), _larger, max_leaves=6)


@settings(max_examples=200, deadline=None)
@given(ANNOTATIONS, JSON, st.data())
def test_the_schema_is_valid_for_exactly_what_is_converted(annotation: Any, value: Any, data: st.DataObject) -> None:
    # inside an object, so that no rule for whole bodies (a list of one record is a record) applies
    spec = read(annotated(dict[str, annotation]))
    if spec.convert is None:
        return
    validator = jsonschema_rs.validator_for(dict(spec.schema))
    fitting = data.draw(fitting_values(spec.schema))
    for candidate in ({"a": value}, {"a": fitting}, {"a": [fitting]}):
        try:
            spec.convert(candidate, False)
            is_taken = True
        except DecodeError:
            is_taken = False
        assert is_taken == validator.is_valid(candidate), (annotation, candidate, spec.schema)


def fitting_values(schema: Any) -> st.SearchStrategy[Any]:
    """Values that are likely valid for the item of a mapping's schema, some of their parts replaced by anything."""
    return _fitting(schema["additionalProperties"], schema.get("$defs", {}), 4)


def _fitting(schema: Any, parts: Any, depth: int) -> st.SearchStrategy[Any]:
    if depth == 0 or not schema or schema.keys() <= {"default"}:
        return JSON
    inner = depth - 1
    if "$ref" in schema:
        return _fitting(parts[schema["$ref"].removeprefix("#/$defs/")], parts, inner)
    if "anyOf" in schema:
        return st.one_of([_fitting(member, parts, inner) for member in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "prefixItems" in schema:
        return st.tuples(*(_fitting(item, parts, inner) for item in schema["prefixItems"])).map(list)
    if schema["type"] == "array":
        return st.lists(_fitting(schema.get("items"), parts, inner), max_size=2)
    if schema["type"] == "object" and "properties" in schema:
        fields = {name: _fitting(field, parts, inner) for name, field in schema["properties"].items()}
        required = schema.get("required", [])
        return st.fixed_dictionaries(
            {name: fields[name] for name in required},
            optional={name: field for name, field in fields.items() if name not in required} | {"z": JSON},
        )
    if schema["type"] == "object":
        return st.dictionaries(NAMES, _fitting(schema.get("additionalProperties"), parts, inner), max_size=2)
    return st.one_of(SINGLE.filter(lambda value: jsonschema_rs.is_valid(schema, value)), JSON)


@pytest.mark.parametrize("annotation", [House, Tree, Point3, Struct, Whole, Model, Later, list[House], list[Model]])
def test_every_schema_is_one_of_json_schema_2020_12(annotation: Any) -> None:
    schema = dict(read(annotated(annotation)).schema)
    jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema)
    jsonschema_rs.validator_for(schema)


def test_a_list_of_records_may_be_one_record() -> None:
    validator = jsonschema_rs.validator_for(dict(read(annotated(list[Point3])).schema))
    assert validator.is_valid({"x": 1, "z": 2})
    assert validator.is_valid([{"x": 1, "z": 2}])
    assert not validator.is_valid([{"x": 1}])
