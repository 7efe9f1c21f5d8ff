from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.marketplace.limits import LONGEST_NAME, MOST_PARAMETERS
from argosy.publishing.description.interface import Field, Interface, read_interface


def document(taken: Any, given: Any = None, **components: Any) -> dict[str, Any]:
    """An OpenAPI document of an invocation that takes and gives JSON."""
    return {
        "info": {"title": "Iris"},
        "paths": {
            "/invocations": {
                "post": {
                    "requestBody": {"content": {"application/json": {"schema": taken}}},
                    "responses": {"200": {"content": {"application/json": {"schema": given or {}}}}},
                }
            }
        },
        "components": {"schemas": components},
    }


def read(taken: Any, given: Any = None, **components: Any) -> Interface:
    found = read_interface(document(taken, given, **components))
    assert found is not None
    return found


FLOWER = {
    "title": "Flower",
    "type": "object",
    "properties": {
        "sepal": {"type": "number", "description": "Its length in cm.", "minimum": 0, "exclusiveMaximum": 10},
        "colour": {"enum": ["red", "blue"], "default": "red"},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 9}, "maxItems": 3},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "is_wild": {"type": "boolean", "default": False},
    },
    "required": ["sepal"],
}


def test_members_are_told_with_what_they_may_be() -> None:
    found = read({"$ref": "#/components/schemas/Flower"}, Flower=FLOWER)
    assert found.title == "Iris"
    assert found.taken.forms == {"application/json": "`Flower` object"}
    assert found.taken.fields == (
        Field("sepal", "Its length in cm.", "number, at least 0, less than 10", True),
        Field("colour", "One of `red`, `blue`.", "default `red`", False),
        Field("tags", "Array of string.", "at most 3 items", False),
        Field("note", "String; or null.", "", False),
        Field("is_wild", "Boolean.", "default false", False),
    )


def test_one_record_or_many_have_the_same_members() -> None:
    reference = {"$ref": "#/components/schemas/Flower"}
    instances = {"type": "object", "properties": {"instances": {"type": "array", "items": reference}}}
    found = read({"anyOf": [reference, {"type": "array", "items": reference}, instances]}, Flower=FLOWER)
    assert found.taken.fields[0].name == "sepal"
    assert found.taken.forms["application/json"] == (
        "`Flower` object; or array of `Flower` object; or object with `instances`"
    )


def test_members_of_members_are_named_by_their_way_and_required_where_all_of_it_is() -> None:
    inner = {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}
    record = {
        "type": "object",
        "properties": {"at": inner, "maybe": inner, "points": {"type": "array", "items": inner}},
        "required": ["at", "points"],
    }
    fields = {field.name: field.is_required for field in read(record).taken.fields}
    assert fields == {"at": True, "at.x": True, "maybe": False, "maybe.x": False, "points": True, "points[].x": False}


def test_what_is_no_record_has_no_members() -> None:
    found = read({"type": "array", "items": {"type": "array", "items": {"type": "number"}}}, {"type": "string"})
    assert found.taken.fields == ()
    assert found.taken.forms == {"application/json": "array of array of number"}
    assert found.given.forms == {"application/json": "string"}
    assert read({}).taken.forms == {"application/json": "any value"}


def test_the_first_record_is_found_behind_what_is_none() -> None:
    numbers = {"type": "array", "items": {"type": "number"}}
    assert read({"oneOf": [numbers, FLOWER]}).taken.fields[0].name == "sepal"
    assert (
        read({"allOf": [FLOWER, {"type": "object"}]}).taken.forms["application/json"] == "`Flower` object; and object"
    )


def test_no_text_of_a_stranger_steers_a_terminal() -> None:
    record = {
        "title": "A\x1b[31m\nB",
        "properties": {"x": {"description": "red\x1b[31m\x07\nnext", "default": "\x1b[2J"}},
    }
    found = read({"type": "object", **record})
    (field,) = found.taken.fields
    told = f"{found.taken.forms['application/json']} {field.description} {field.constraints}"
    assert told.isprintable()
    assert field.description.startswith("red")


def test_other_media_types_are_told_in_the_documents_words_and_ranges_are_none() -> None:
    said = document({})
    content = said["paths"]["/invocations"]["post"]["requestBody"]["content"]
    content |= {"text/csv": {"schema": {"type": "string", "description": "rows"}}, "image/*": {}, "audio/wav": {}}
    found = read_interface(said)
    assert found is not None
    assert found.taken.forms == {"application/json": "any value", "text/csv": "rows", "audio/wav": ""}


def test_a_schema_that_holds_itself_ends_and_names_that_none_takes_are_left_out() -> None:
    tree = {"type": "object", "properties": {"left": {"$ref": "#/components/schemas/Tree"}, "größe": {}, "n" * 101: {}}}
    fields = read({"$ref": "#/components/schemas/Tree"}, Tree=tree).taken.fields
    assert [field.name for field in fields] == ["left", "left.left", "left.left.left"]


def test_no_more_members_are_told_than_a_listing_takes() -> None:
    record = {"type": "object", "properties": {f"p{number}": {} for number in range(50)}}
    assert len(read(record).taken.fields) == MOST_PARAMETERS


@pytest.mark.parametrize("found", [None, [], {}, {"paths": {}}, {"paths": {"/invocations": {"get": {}}}}, {"paths": 1}])
def test_what_describes_no_invocation_is_no_interface(found: object) -> None:
    assert read_interface(found) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.fixed_dictionaries(
            {},
            optional={
                "$ref": st.just("#/components/schemas/A") | inner,
                "type": st.sampled_from(["object", "array", "number"]) | inner,
                "properties": st.dictionaries(st.text(max_size=3), inner, max_size=3) | inner,
                **dict.fromkeys(["anyOf", "items", "required", "enum", "title", "description", "default"], inner),
            },
        )
    ),
    max_leaves=20,
)


@settings(max_examples=150)
@given(JSON, JSON, JSON)
def test_a_strangers_document_is_never_too_much(taken: Any, given_: Any, component: Any) -> None:
    found = read_interface(document(taken, given_, A=component))
    for content in (found.taken, found.given) if found is not None else ():
        assert all(1 <= len(field.name) <= LONGEST_NAME and field.description for field in content.fields)
