"""msgspec Structs and pydantic models: validated by their libraries, told in our words."""

import datetime
import re
from typing import Any

import msgspec
import pydantic
import pytest

from argosy.errors import LoadError
from argosy.serving.inputs.annotation import output_schema, read
from tests.serving.inputs.annotated import annotated, convert, fault
from tests.serving.inputs.classes import Inner, Later, Model, Part, Struct, Whole

STRUCT = {"area": 70, "rooms": 3}


def test_a_struct_is_made_of_its_fields() -> None:
    assert convert(list[Struct], [STRUCT, STRUCT | {"kind": "villa", "unknown": 1}]) == [
        Struct(70.0, 3),
        Struct(70.0, 3, kind="villa"),
    ]
    assert convert(list[Struct], STRUCT) == [Struct(70.0, 3)]
    assert convert(Whole, {"parts": [{"partId": 1}]}) == Whole([Part(1)])


def test_a_model_is_made_of_its_fields() -> None:
    assert convert(list[Model], [STRUCT | {"inner": {"zip": "10115"}}]) == [
        Model(area=70, rooms=3, inner=Inner(zip="10115"))
    ]
    now = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
    assert convert(Later, {"timestamp": now.isoformat()}) == Later(timestamp=now)


def test_a_dataclass_of_pydantic_is_pydantic_s() -> None:
    @pydantic.dataclasses.dataclass
    class Size:
        width: float = pydantic.Field(gt=0)

    assert convert(list[Size], [{"width": "2"}]) == [Size(2.0)]
    assert "row 1, field `width`" in fault(list[Size], [{"width": 0}])
    assert convert(list[Size], [["2"]], is_text=True) == [Size(2.0)]


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        (Struct, [STRUCT, STRUCT | {"area": "SECRET"}], "row 2, field `area`: .*: got string, want number"),
        (Struct, [STRUCT | {"kind": "SECRET"}], "row 1, field `kind`: .*: want one of its allowed values"),
        (Struct, [{"area": 1}], "row 1, field `rooms`: a field is missing: got nothing"),
        (Struct, [STRUCT, 1], "row 2: .*: got integer, want object"),
        (Whole, [{"parts": [{"partId": 1}, {"partId": "SECRET"}]}], "row 1, field `parts`, entry 2, field `partId`: "),
        (Whole, [{"parts": [{}]}], "row 1, field `parts`, entry 1, field `partId`: a field is missing"),
        (
            Whole,
            [{"parts": [{"partId": 1, "amounts": {"SECRET": "SECRET"}}]}],
            "entry 1, field `amounts`: .* got string, want integer",
        ),
        (Whole, [{"parts": [{"partId": 1, "size": -1}]}], "field `parts`, entry 1, field `size`: .* want `float` > 0"),
        (Whole, [{"parts": [], "SECRET": 1}], "row 1: not what the predictor takes$"),
        (Model, [STRUCT, STRUCT | {"area": "SECRET"}], "row 2, field `area`: .*: got string, want a valid number$"),
        (Model, [{"area": 1}], "row 1, field `rooms`: a field is missing: got nothing"),
        (Model, [STRUCT | {"rooms": 0}], "row 1, field `rooms`: .*: got integer, want greater than 0"),
        (Model, [STRUCT | {"inner": {"zip": "S"}}], "row 1, field `inner.zip`: .*at least 2 characters"),
        (Model, [STRUCT | {"amounts": {"SECRET": "SECRET"}}], "row 1, field `amounts`: .*want a valid integer"),
        (
            Model,
            [STRUCT | {"area": 666}],
            "row 1, field `area`: .*: got integer, want what pydantic takes, not `value_",
        ),
        (Model, [STRUCT, 1], "row 2: .*: got integer"),
        (Later, [{"timestamp": "SECRET"}], "row 1, field `timestamp`: .*: got string, want .*datetime"),
        (Later, [{"timestamp": "2026-11-22", "SECRET": 1}], "row 1: .*not `extra_forbidden`"),
    ],
)
def test_their_errors_name_row_and_field_and_never_a_value(annotation: Any, value: object, message: str) -> None:
    said = fault(_list(annotation), value)
    assert re.search(message, said), said
    assert "SECRET" not in said
    assert "666" not in said


def _list(annotation: Any) -> Any:
    return list.__class_getitem__(annotation)


@pytest.mark.parametrize("annotation", [Struct, Model])
def test_cells_become_fields_by_name_or_position(annotation: Any) -> None:
    assert convert(_list(annotation), [{"area": "1.5", "rooms": "2"}], is_text=True) == [annotation(area=1.5, rooms=2)]
    assert convert(annotation, [{"area": "1.5", "rooms": "2"}], is_text=True) == annotation(area=1.5, rooms=2)
    assert "row 1: not what the predictor takes: got 1 cells" in fault(_list(annotation), [["1"]], is_text=True)
    assert "row 1, field `rooms`" in fault(_list(annotation), [{"area": "1.5", "rooms": "SECRET"}], is_text=True)
    assert "row 1, field `rooms`" in fault(_list(annotation), [{"area": "1.5", "rooms": ""}], is_text=True)
    assert "row 1" in fault(_list(annotation), ["text"], is_text=True)


def test_an_empty_cell_is_null_or_not_given() -> None:
    assert convert(list[Struct], [["1", "2", "", ""]], is_text=True) == [Struct(1.0, 2, "")]
    assert convert(list[Model], [{"area": "1", "rooms": "2", "inner": "", "weight": ""}], is_text=True) == [
        Model(area=1, rooms=2)
    ]


def test_a_struct_that_is_an_array_stays_one() -> None:
    class Pair(msgspec.Struct, array_like=True):
        first: int
        second: float | None = None

    assert convert(list[Pair], [[1, 2.5], [1]]) == [Pair(1, 2.5), Pair(1)]


def test_the_answer_is_described_as_it_is_written() -> None:
    class Sum(pydantic.BaseModel):
        a: int

        @pydantic.computed_field
        def twice(self) -> int:
            return self.a * 2

    parts: Any = output_schema(annotated(Any, Sum))["$defs"]
    assert "twice" in parts["Sum"]["properties"]
    assert "twice" not in str(read(annotated(Sum)).schema)


class Own:
    """A type that neither library knows."""


def test_a_field_of_the_user_s_own_type_leaves_the_schema_open() -> None:
    class Held(msgspec.Struct):
        own: Own | None = None

    class Kept(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
        own: Own | None = None
        size: int = 0

    assert read(annotated(Held)).schema == {"type": "object"}
    assert convert(Kept, {"size": 2}) == Kept(size=2)
    assert "field `size`" in fault(Kept, {"size": "SECRET"})


def test_a_model_that_pydantic_cannot_make_is_refused() -> None:
    class Unfinished(pydantic.BaseModel):
        other: "Nowhere"  # type: ignore[name-defined]  # noqa: F821 - that is the point

    with pytest.raises(LoadError, match="Unfinished"):
        read(annotated(Unfinished))


def test_a_model_of_pydantic_1_is_refused() -> None:
    with pytest.raises(LoadError):
        read(annotated(type("BaseModel", (), {"__module__": "pydantic.v1.main", "__fields__": {}})))
