import datetime
import decimal
import json
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, NewType, Optional, Union

import numpy as np
import pandas as pd
import PIL.Image
import pyarrow as pa
import pytest
import scipy.sparse
from numpy.typing import NDArray

from argosy.errors import LoadError
from argosy.serving.inputs.annotation import output_schema, read
from argosy.serving.inputs.kind import InputKind
from argosy.serving.predictor import Predictor
from tests.serving.inputs import classes
from tests.serving.inputs.annotated import annotated, convert, fault

Length = NewType("Length", float)
KINDS: list[tuple[Any, InputKind, bool, bool]] = [
    (np.ndarray, InputKind.ARRAY, False, False),
    (NDArray[np.float64], InputKind.ARRAY, False, True),
    (NDArray[np.floating], InputKind.ARRAY, False, False),
    (NDArray[Any], InputKind.ARRAY, False, False),
    ("np.ndarray", InputKind.ARRAY, False, False),
    (np.ndarray | None, InputKind.ARRAY, False, False),
    (Annotated[np.ndarray, "rows"], InputKind.ARRAY, False, False),
    (dict[str, np.ndarray], InputKind.ARRAYS, False, False),
    (dict[str, NDArray[np.float32]], InputKind.ARRAYS, False, False),
    (scipy.sparse.csr_matrix, InputKind.SPARSE, False, True),
    (scipy.sparse.csr_array, InputKind.SPARSE, False, True),
    (pd.DataFrame, InputKind.FRAME, False, False),
    (pa.Table, InputKind.TABLE, False, False),
    (PIL.Image.Image, InputKind.IMAGE, False, False),
    (list[PIL.Image.Image], InputKind.IMAGE, True, True),
    (str, InputKind.TEXT, False, False),
    (bytes, InputKind.BYTES, False, False),
    (memoryview, InputKind.VIEW, False, False),
    (list[bytes], InputKind.BYTES, True, True),
    (list[str], InputKind.RECORDS, True, True),
    (list, InputKind.LIST, False, False),
    (list[Any], InputKind.LIST, False, False),
    (list[float], InputKind.LIST, False, True),
    (Sequence[int], InputKind.LIST, False, True),
    (list[list[float]], InputKind.LIST, False, True),
    (tuple[float, ...], InputKind.LIST, False, True),
    (tuple[float, str], InputKind.RECORDS, False, True),
    (dict, InputKind.DICT, False, False),
    (dict[str, Any], InputKind.DICT, False, False),
    (Mapping[str, object], InputKind.DICT, False, False),
    (dict[str, float], InputKind.DICT, False, True),
    (list[dict[str, int]], InputKind.RECORDS, True, True),
    (Any, InputKind.ANY, False, False),
    (object, InputKind.ANY, False, False),
    (float, InputKind.RECORDS, False, True),
    (Length, InputKind.RECORDS, False, True),
    (Optional[str], InputKind.RECORDS, False, True),  # noqa: UP045 - as users write it
    (Union[dict, list], InputKind.RECORDS, False, True),  # noqa: UP007 - as users write it
    (Literal["a", 1, None], InputKind.RECORDS, False, True),
    (classes.House, InputKind.RECORDS, False, True),
    ("classes.House", InputKind.RECORDS, False, True),
    ("list[classes.House]", InputKind.RECORDS, True, True),
    (list[classes.House | classes.Point], InputKind.RECORDS, True, True),
    (classes.Point3, InputKind.RECORDS, False, True),
    (list[classes.Struct], InputKind.RECORDS, True, True),
    (list[classes.Model], InputKind.RECORDS, True, True),
]


@pytest.mark.parametrize(("annotation", "kind", "is_list", "converts"), KINDS, ids=[str(row[0]) for row in KINDS])
def test_the_annotation_names_the_kind(annotation: Any, kind: InputKind, is_list: bool, converts: bool) -> None:
    spec = read(annotated(annotation))
    assert (spec.kind, spec.is_list, spec.convert is not None) == (kind, is_list, converts)


def test_without_an_annotation_anything_is_taken() -> None:
    def predict(inputs): ...  # type: ignore[no-untyped-def] # that is the point

    assert read(predict).kind is InputKind.ANY


@pytest.mark.parametrize(
    "annotation",
    [set, complex, "Missing", list | set, list[np.ndarray], dict[int, float], classes.Unknown, list[classes.Unknown]],
)
def test_other_annotations_are_refused(annotation: Any) -> None:
    with pytest.raises(LoadError, match="annotation"):
        read(annotated(annotation))


def test_the_refusal_lists_what_is_taken() -> None:
    with pytest.raises(LoadError) as refused:
        read(annotated(complex))
    assert all(name in str(refused.value.want) for name in ("np.ndarray", "pandas.DataFrame", "dataclass", "pydantic"))


def test_predict_takes_one_argument() -> None:
    def two(inputs: Any, context: Any) -> None: ...

    def none() -> None: ...

    def optional(inputs: bytes, context: Any = None) -> None: ...

    with pytest.raises(LoadError, match="wrong arguments"):
        read(two)
    with pytest.raises(LoadError, match="wrong arguments"):
        read(none)
    assert read(optional).kind is InputKind.BYTES


def test_a_predictor_without_predict_cannot_be_made() -> None:
    class Half(Predictor): ...

    with pytest.raises(TypeError):
        Half()  # type: ignore[abstract] # that is the point


VALUES: list[tuple[Any, object, object]] = [
    (float, 3, 3.0),
    (int, 3.0, 3),
    (list[float], [1, 2.5], [1.0, 2.5]),
    (list[int], [1.0, 2], [1, 2]),
    (list[list[float]], [[1], [2.5]], [[1.0], [2.5]]),
    (tuple[int, str], [1, "a"], (1, "a")),
    (list[str], "one", ["one"]),
    (list[str], ["one", "two"], ["one", "two"]),
    (list[bytes], b"one", [b"one"]),
    (bytes | int, "b25l", b"one"),
    (int | float, 2.0, 2.0),
    (float | int, 2, 2),
    (str | None, None, None),
    (dict[str, float], {"a": 1}, {"a": 1.0}),
    (Literal["a", 1], 1.0, 1),
    (list[classes.Colour], ["red"], [classes.Colour.RED]),
    (list[datetime.datetime], ["2026-11-22T10:00:00z"], [datetime.datetime(2026, 11, 22, 10, tzinfo=datetime.UTC)]),
    (datetime.date, "2026-11-22", datetime.date(2026, 11, 22)),
    (datetime.time, "10:20", datetime.time(10, 20)),
    (
        uuid.UUID,
        "12345678-1234-5678-1234-567812345678",
        uuid.UUID(hex="12345678" * 1 + "1234567812345678" + "12345678"),
    ),
    (decimal.Decimal, "1.10", decimal.Decimal("1.10")),
    (decimal.Decimal, 1.1, decimal.Decimal("1.1")),
    (decimal.Decimal, decimal.Decimal("1.1"), decimal.Decimal("1.1")),
    (datetime.date, datetime.date(2026, 11, 22), datetime.date(2026, 11, 22)),
]


@pytest.mark.parametrize(("annotation", "value", "result"), VALUES, ids=[str(row[0]) for row in VALUES])
def test_a_value_becomes_what_is_annotated(annotation: Any, value: object, result: object) -> None:
    got = convert(annotation, value)
    assert (got, type(got)) == (result, type(result))


FAULTS: list[tuple[Any, object, str]] = [
    (float, "1", "got string, want number"),
    (float, True, "got boolean, want number"),
    (int, 1.5, "got number, want integer"),
    (str, 1, "TEXT"),
    (list[float], [1.0, "SECRET"], "entry 2: not what the predictor takes: got string, want number"),
    (list[float], [1, 10**400], "entry 2: not what the predictor takes: got integer, want number"),
    (list[list[float]], [[1.0], [1.0, None]], "row 2, entry 2: not what the predictor takes: got null, want number"),
    (list[list[float]], [[1.0], 1.0], "row 2: not what the predictor takes: got number, want array"),
    (list[str], ["a", 1], "row 2: not what the predictor takes: got integer, want string"),
    (dict[str, float], {"SECRET": 1, "b": []}, "entry 2: not what the predictor takes: got array, want number"),
    (tuple[int, int], [1], "got 1 entries, want 2 entries"),
    (int | None, "SECRET", "got string, want integer or null"),
    (Literal["a"], "SECRET", "got string, want one of its allowed values"),
    (uuid.UUID, "SECRET", "got string, want a UUID"),
    (datetime.datetime, "SECRET", "got string, want an ISO 8601 date and time"),
    (bytes | None, "SECRET!", "got string, want base64 text or null"),
]


@pytest.mark.parametrize(("annotation", "value", "message"), FAULTS[:3] + FAULTS[4:], ids=str)
def test_a_fault_names_its_place_and_never_the_value(annotation: Any, value: object, message: str) -> None:
    said = fault(annotation, value)
    assert message in said
    assert "SECRET" not in said


def test_a_body_nested_too_deeply_is_the_client_s_fault() -> None:
    deep: dict[str, Any] = {"value": 1, "children": []}
    for _ in range(5000):
        deep = {"value": 1, "children": [deep]}
    assert "deeper nesting" in fault(classes.Tree, deep)


CELLS: list[tuple[Any, object, object]] = [
    (list[float], [["1", "2.5"]], [1.0, 2.5]),
    (list[float], [["1"], ["2.5"]], [1.0, 2.5]),
    (list[str], [["1"], ["b"]], ["1", "b"]),
    (list[str], [{"text": "1"}, {"text": "b"}], ["1", "b"]),
    (list[str | classes.Tree], [["1"], ["b"]], ["1", "b"]),
    (list[list[float]], [["1", "2"], ["3", "4"]], [[1.0, 2.0], [3.0, 4.0]]),
    (list[list[int]], [[1.0, 2.0]], [[1, 2]]),
    (list[bool | None], [["TRUE", "0", ""]], [True, False, None]),
    (list[dict[str, Any]], [{"a": "1.5", "b": "x", "c": ""}], [{"a": 1.5, "b": "x", "c": ""}]),
    (list[int | str | None], [["1", "x", ""]], [1, "x", None]),
    (list[Literal["a", 1, True, None]], [["a", "1.0", "true", ""]], ["a", 1, True, None]),
]


@pytest.mark.parametrize(("annotation", "rows", "result"), CELLS, ids=[str(row[0]) for row in CELLS])
def test_text_cells_become_what_is_annotated(annotation: Any, rows: object, result: object) -> None:
    assert convert(annotation, rows, is_text=True) == result


@pytest.mark.parametrize(
    ("annotation", "rows", "message"),
    [
        (list[float], [["1"], ["SECRET"]], "entry 2: not what the predictor takes: got text, want number"),
        (list[float], [["1", "2"], ["3", "4"]], "row 1: not what the predictor takes: got 2 cells, want 1 cell"),
        (list[int], [["1_0"]], "got text, want integer"),
        (list[float], [["1_0"]], "got text, want number"),
        (list[int], [["inf"]], "got text, want integer"),
        (list[bool], [["yes"]], "got text, want boolean"),
        (list[float], [[""]], "got an empty cell, want number"),
        (list[float], "text", "got text, want rows"),
    ],
)
def test_a_fault_among_cells_is_named(annotation: Any, rows: object, message: str) -> None:
    assert message in fault(annotation, rows, is_text=True).replace("got string, want rows", "got text, want rows")


OUTPUTS: list[tuple[Any, Any]] = [
    (None, {"type": "null"}),
    (bytes, {}),
    (classes.Unknown, {}),
    ("Missing", {}),
    (Any, {}),
    (list[float], {"type": "array", "items": {"type": "number"}}),
    (Iterator[str], {"type": "string"}),
    (AsyncIterator[dict[str, int]], {"type": "object", "additionalProperties": {"type": "integer"}}),
]


@pytest.mark.parametrize(("annotation", "schema"), OUTPUTS, ids=str)
def test_the_return_annotation_is_the_schema_of_the_answer(annotation: Any, schema: object) -> None:
    assert output_schema(annotated(Any, annotation)) == schema


@pytest.mark.parametrize("annotation", [np.ndarray, NDArray[np.float32], pd.DataFrame, dict[str, np.ndarray], pa.Table])
def test_answers_of_libraries_have_a_schema_too(annotation: Any) -> None:
    assert "type" in output_schema(annotated(Any, annotation))


def test_a_predictor_without_a_return_annotation_has_no_output_schema() -> None:
    def predict(inputs: Any): ...  # type: ignore[no-untyped-def] # that is the point

    assert output_schema(predict) == {}


def test_no_library_is_imported_to_read_annotations() -> None:
    program = """
import json, sys
from dataclasses import dataclass
from argosy.serving.inputs.annotation import read
@dataclass
class Row:
    a: float
def predict(rows: list[Row]): ...
read(predict).convert([{"a": 1.0}], False)
libraries = {"numpy", "pandas", "pyarrow", "PIL", "scipy", "msgspec", "pydantic"}
print(json.dumps(sorted(libraries & sys.modules.keys())))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert json.loads(done.stdout) == []
