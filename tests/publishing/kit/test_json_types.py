"""Schemas become types that Python and mypy understand."""

import json
import typing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.publishing.kit.json_types import Types, class_name
from tests.publishing.kit.kits import BOX, IMAGE


@pytest.mark.parametrize(
    ("schema", "expression"),
    [
        ({}, "Json"),
        (True, "Json"),
        ({"type": "string", "minLength": 1}, "str"),
        ({"type": ["number", "null"]}, "float | None"),
        ({"type": ["null", "integer"]}, "int | None"),
        ({"type": "array"}, "Sequence[Json]"),
        ({"type": "array", "items": {"type": "array", "items": {"type": "number"}}}, "Sequence[Sequence[float]]"),
        ({"type": "object"}, "Mapping[str, Json]"),
        ({"type": "object", "additionalProperties": {"type": "boolean"}}, "Mapping[str, bool]"),
        ({"const": "a"}, 'Literal["a"]'),
        ({"enum": ["a", 1, None, True]}, 'Literal["a", 1, None, True]'),
        ({"enum": ['a"b\\c\n']}, 'Literal["a\\"b\\\\c\\n"]'),
        ({"enum": [1.5]}, "Json"),
        ({"enum": []}, "Json"),
        ({"anyOf": [{"type": "string"}, {"type": "string"}]}, "str"),
        ({"anyOf": [{"type": "string"}, {}]}, "Json"),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, "str | None"),
        ({"allOf": [{"type": "string"}]}, "str"),
        ({"$ref": "#/components/schemas/Absent"}, "Json"),
        ({"type": "unheard of"}, "Json"),
        ({"type": "object", "properties": {}}, "Mapping[str, Json]"),
    ],
)
def test_a_schema_is_a_type(schema: Any, expression: str) -> None:
    assert Types().expression(schema, "Input") == expression


def test_objects_become_classes_and_refer_to_themselves() -> None:
    types = Types({"Box": BOX})
    assert types.expression({"$ref": "#/components/schemas/Box"}, "Output") == "Box"
    assert types.expression({"$ref": "#/components/schemas/Box"}, "Output") == "Box"
    text = types.definitions["Box"]
    assert "class Box(_Box, _MoreBox):" not in text  # `class` is among what is needed
    namespace = run(types)
    hints = namespace["Box"].__annotations__
    assert set(hints) == {"x", "class", "kind", "parts"}
    assert namespace["Box"].__required_keys__ == {"x", "class"}


def test_fields_that_may_be_left_out_may_be_left_out() -> None:
    types = Types({"Image": IMAGE})
    types.expression({"$ref": "#/components/schemas/Image"}, "Input")
    namespace = run(types)
    assert namespace["Image"].__required_keys__ == {"pixels"}
    assert namespace["Image"].__optional_keys__ == {"camera", "options"}


def test_names_never_meet() -> None:
    types = Types({"Json": {"type": "object", "properties": {"a": {}}}}, frozenset({"JsonType"}))
    assert types.expression({"$ref": "#/components/schemas/Json"}, "Input") == "JsonTypeType"


def run(types: Types) -> dict[str, Any]:
    """The definitions, as Python understands them."""
    namespace: dict[str, Any] = {
        **{name: getattr(typing, name) for name in ("Any", "Literal", "Mapping", "Sequence", "TypeAlias", "TypedDict")}
    }
    source = "from __future__ import annotations\n" + "\n".join(types.definitions.values())
    exec(compile(source, "types", "exec"), namespace)
    return namespace


names = st.sampled_from(["a", "b-c", "class", "größe", "3", "", "Json", "Sequence"])
schemas = st.recursive(
    st.sampled_from(
        [
            {},
            {"type": "string"},
            {"type": ["number", "null"]},
            {"enum": ["x", 'y"']},
            {"$ref": "#/components/schemas/A"},
        ]
    ),
    lambda inner: st.one_of(
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(lambda members: {"anyOf": members}, st.lists(inner, max_size=3)),
        st.builds(
            lambda properties, required: {"type": "object", "properties": properties, "required": required},
            st.dictionaries(names, inner, max_size=3),
            st.lists(names, max_size=3),
        ),
        st.builds(lambda value: {"type": "object", "additionalProperties": value}, inner),
    ),
    max_leaves=8,
)


@settings(max_examples=50)
@given(schemas, schemas)
def test_whatever_the_schema_the_types_are_python(schema: dict[str, Any], component: dict[str, Any]) -> None:
    types = Types({"A": component})
    expression = types.expression(schema, "Input")
    namespace = run(types)
    compile(expression, "expression", "eval")
    assert set(types.definitions) <= set(namespace)
    json.dumps(schema)


@given(st.text())
def test_any_text_makes_the_name_of_a_class(text: str) -> None:
    assert class_name(text).isidentifier()
