from argosy.serving.inputs.definitions import Definitions, with_references


def test_classes_of_one_name_have_two_definitions() -> None:
    first, second = type("A", (), {}), type("A", (), {})
    definitions = Definitions()
    assert definitions.reference(first, lambda: {"title": "first"}) == {"$ref": "#/$defs/A"}
    assert definitions.reference(second, lambda: {"title": "second"}) == {"$ref": "#/$defs/A.2"}
    assert definitions.reference(first, dict) == {"$ref": "#/$defs/A"}
    assert definitions.close({})["$defs"] == {"A": {"title": "first"}, "A.2": {"title": "second"}}


def test_adopted_parts_are_renamed_together_when_one_is_taken() -> None:
    definitions = Definitions()
    definitions.adopt({}, {"A": {"$ref": "#/$defs/B"}, "B": {"type": "string"}})
    again = definitions.adopt({"$ref": "#/$defs/A"}, {"A": {"$ref": "#/$defs/B"}, "B": {"type": "string"}})
    other = definitions.adopt({"$ref": "#/$defs/A"}, {"A": {"$ref": "#/$defs/B"}, "B": {"type": "number"}})
    assert again == {"$ref": "#/$defs/A"}
    assert other == {"$ref": "#/$defs/A.2"}
    assert definitions.schemas["A.2"] == {"$ref": "#/$defs/B.2"}
    assert definitions.schemas["B.2"] == {"type": "number"}


def test_values_inside_a_schema_are_left_alone() -> None:
    schema = {"properties": {"$ref": {"$ref": "old"}, "default": {"$ref": "old"}}, "default": {"$ref": "old"}}
    assert with_references(schema, lambda target: "new") == {
        "properties": {"$ref": {"$ref": "new"}, "default": {"$ref": "new"}},
        "default": {"$ref": "old"},
    }


def test_a_name_that_openapi_cannot_hold_is_changed() -> None:
    assert Definitions().reference(type("Größe", (), {}), dict) == {"$ref": "#/$defs/Gr__e"}
