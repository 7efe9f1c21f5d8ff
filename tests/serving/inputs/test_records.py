import dataclasses
import datetime
from collections.abc import Callable
from types import GenericAlias
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.errors import DecodeError, LoadError
from argosy.serving.inputs.annotation import read
from tests.serving.inputs.annotated import annotated, convert, fault
from tests.serving.inputs.classes import Address, Colour, Extended, House, Point, Point3, Row, Strict, Tree

HOUSE = {"area": 70, "rooms": 3.0, "address": {"zip": "10115"}}


def test_a_dataclass_is_made_of_its_fields() -> None:
    assert convert(House, HOUSE) == House(70.0, 3, Address("10115"))
    full = HOUSE | {"colour": "blue", "kind": 3, "tags": ["a"], "built": "2026-11-22", "unknown": "ignored"}
    assert convert(House, full) == House(70.0, 3, Address("10115"), Colour.BLUE, 3, ["a"], datetime.date(2026, 11, 22))


def test_one_record_becomes_a_list_of_one() -> None:
    assert convert(list[House], HOUSE) == convert(list[House], [HOUSE]) == [convert(House, HOUSE)]


def test_a_record_may_hold_itself() -> None:
    assert convert(Tree, {"value": 1, "children": [{"value": 2}]}) == Tree(1, [Tree(2)])
    assert fault(Tree, {"value": 1, "children": [{"value": 2, "children": [{"value": ""}]}]}).startswith(
        "field `children`, entry 1, field `children`, entry 1, field `value`: "
    )


def test_a_typed_dict_knows_what_is_required() -> None:
    assert convert(Point, {"x": 1, "other": 2}) == {"x": 1.0}
    assert convert(Point3, {"x": 1, "y": 2, "z": 3, "label": "a"}) == {"x": 1.0, "y": 2.0, "z": 3, "label": "a"}
    assert convert(Extended, {"x": 1}) == {"x": 1}
    assert "field `z`: a field is missing: got nothing, want integer" in fault(Point3, {"x": 1})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([HOUSE, 1], "row 2: not what the predictor takes: got integer, want object"),
        ([HOUSE, HOUSE, {"area": 1}], "row 3, field `rooms`: a field is missing: got nothing, want integer"),
        ([HOUSE | {"address": {"zip": 1}}], "row 1, field `address.zip`: not what the predictor takes: got integer"),
        ([HOUSE | {"tags": ["a", 0]}], "row 1, field `tags`, entry 2: not what the predictor takes: got integer"),
        ([HOUSE | {"colour": "SECRET"}], "row 1, field `colour`: not what the predictor takes: got string, want one"),
    ],
)
def test_a_fault_names_row_and_field(value: object, message: str) -> None:
    said = fault(list[House], value)
    assert said.startswith(message)
    assert "SECRET" not in said


def test_what_the_class_itself_refuses_is_the_client_s_fault_without_its_words() -> None:
    made = convert(Strict, {"scale": 2})
    assert isinstance(made, Strict)
    assert made.made == 2
    said = fault(list[Strict], [{"scale": 2}, {"scale": -7.5}])
    assert said == "row 2: `Strict` refuses the record with `ValueError`"
    assert fault(list[Strict], [{"scale": 101}]) == "row 1: the scale is too large: want at most 100"


def test_a_predictor_for_one_record_says_how_to_take_several() -> None:
    rows = [["1", "2", "1", "a", ""]] * 2
    with pytest.raises(DecodeError, match="got 2 rows, want one") as refused:
        convert(Row, [*rows], is_text=True)
    assert "list[...]" in str(refused.value.hint)
    assert "got array, want object" in fault(Row, [HOUSE, HOUSE])


def test_a_row_of_cells_gives_the_fields_by_position() -> None:
    cells = ["1.5", "2", "true", "007", "", "3"]
    assert convert(list[Row], [cells], is_text=True) == [Row(1.5, 2, True, "007", None, 3.0)]
    assert convert(Row, [cells], is_text=True) == Row(1.5, 2, True, "007", None, 3.0)
    assert "row 2: not what the predictor takes: got 2 cells, want 6 cells" in fault(
        list[Row], [cells, cells[:2]], is_text=True
    )
    assert "got array, want object" in fault(list[Row], [cells])


def test_an_empty_cell_is_null_or_text_or_not_given() -> None:
    cells = {"area": "1", "rooms": "2", "is_sold": "0", "name": "", "price": "", "weight": ""}
    assert convert(Row, cells, is_text=True) == Row(1.0, 2, False, "", None, 1.5)
    assert "row 1, field `rooms`: not what the predictor takes: got an empty cell, want integer" in fault(
        list[Row], [cells | {"rooms": ""}], is_text=True
    )


def test_a_field_that_nothing_can_be_decoded_to_is_named() -> None:
    with pytest.raises(LoadError, match=r"Broken\.second"):
        read(annotated(dataclasses.make_dataclass("Broken", [("first", int), ("second", complex)])))
    with pytest.raises(LoadError, match="not imported"):
        read(annotated(dataclasses.make_dataclass("Broken", [("first", "Missing")])))


KINDS: dict[str, tuple[Any, st.SearchStrategy[Any], Callable[[Any], str]]] = {
    "number": (float, st.floats(allow_nan=False, allow_infinity=False), repr),
    "integer": (int, st.integers(-(2**63), 2**63 - 1), str),
    "boolean": (bool, st.booleans(), lambda value: str(value).lower()),
    "string": (str, st.text(max_size=5), str),
    "null": (float | None, st.none() | st.floats(allow_nan=False), lambda v: "" if v is None else repr(v)),
}
WRONG = {"number": "SECRET", "integer": 1.5, "boolean": "SECRET", "string": 4711, "null": "SECRET"}


@st.composite
def record_classes(draw: st.DrawFn) -> tuple[Any, list[str]]:
    """A dataclass of 1 to 5 fields, and the kind of each."""
    kinds = draw(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=5))
    return dataclasses.make_dataclass("Drawn", [(f"f{i}", KINDS[k][0]) for i, k in enumerate(kinds)]), kinds


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_records_come_back_equal_and_one_changed_field_is_named(data: st.DataObject) -> None:
    owner, kinds = data.draw(record_classes())
    rows = data.draw(st.lists(st.tuples(*(KINDS[k][1] for k in kinds)), min_size=1, max_size=4))
    records = [owner(*row) for row in rows]
    body: list[dict[str, Any]] = [dataclasses.asdict(record) for record in records]
    assert convert(GenericAlias(list, owner), body) == records
    row = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(0, len(kinds) - 1))
    body[row][f"f{column}"] = WRONG[kinds[column]]
    said = fault(GenericAlias(list, owner), body)
    assert said.startswith(f"row {row + 1}, field `f{column}`: not what the predictor takes: got ")
    assert "SECRET" not in said
    assert "4711" not in said


@settings(max_examples=60, deadline=None)
@given(st.data(), st.booleans())
def test_cells_come_back_as_the_record_that_they_were(data: st.DataObject, has_names: bool) -> None:
    owner, kinds = data.draw(record_classes())
    rows = data.draw(st.lists(st.tuples(*(KINDS[k][1] for k in kinds)), min_size=1, max_size=4))
    cells = [[KINDS[k][2](value) for k, value in zip(kinds, row, strict=True)] for row in rows]
    named = [{f"f{i}": cell for i, cell in enumerate(row)} for row in cells]
    assert convert(GenericAlias(list, owner), named if has_names else cells, is_text=True) == [
        owner(*row) for row in rows
    ]
