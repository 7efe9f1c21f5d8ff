"""What predictors return, as JSON, JSON Lines and CSV."""

import dataclasses
import datetime
import decimal
import enum
import io
import json
import math
import uuid
from collections import OrderedDict
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pandas
import pyarrow
import pyarrow.ipc
import pyarrow.parquet
import pydantic
import pytest
from scipy import sparse

from argosy.errors import NotAcceptableError, PredictError
from tests.serving.codecs.bodies import find


class Colour(enum.Enum):
    RED = "red"


class Words(str, enum.Enum):  # noqa: UP042 - as users of older Pythons write it
    RED = "red"


@dataclasses.dataclass
class Score:
    label: str
    values: Any


class Pair(NamedTuple):
    left: int
    right: float


class Struct(msgspec.Struct, rename="camel", tag=True):
    first_score: float
    rows: Any = None


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)

    first_score: float = pydantic.Field(serialization_alias="firstScore")
    when: datetime.date
    rows: Any = None


DAY = datetime.date(2026, 1, 2)
FRAME = pandas.DataFrame({"a": [1, 2], "b": [0.5, math.nan], "c": ["x", None]})


@pytest.mark.parametrize(
    ("prediction", "want"),
    [
        (FRAME, [{"a": 1, "b": 0.5, "c": "x"}, {"a": 2, "b": None, "c": None}]),
        (FRAME["a"], [1, 2]),
        ({"frame": FRAME[["a"]]}, {"frame": [{"a": 1}, {"a": 2}]}),
        ([pandas.Timestamp(2026, 1, 2), pandas.NaT, pandas.NA], ["2026-01-02T00:00:00", None, None]),
        (pyarrow.table({"a": [1], "day": [DAY]}), [{"a": 1, "day": "2026-01-02"}]),
        (sparse.csr_matrix([[0, 1.5]]), [[0, 1.5]]),
        (Score("yes", np.array([0.5, math.nan])), {"label": "yes", "values": [0.5, None]}),
        ([Score("no", FRAME[["a"]])], [{"label": "no", "values": [{"a": 1}, {"a": 2}]}]),
        (Struct(0.5, np.array([[1]])), {"type": "Struct", "firstScore": 0.5, "rows": [[1]]}),
        ([Struct(0.5, FRAME[["a"]])], [{"type": "Struct", "firstScore": 0.5, "rows": [{"a": 1}, {"a": 2}]}]),
        (Model(first_score=1, when=DAY, rows=np.ones(2)), {"firstScore": 1, "when": "2026-01-02", "rows": [1, 1]}),
        (decimal.Decimal("0.10"), 0.1),
        ([decimal.Decimal("NaN")], [None]),
        (Colour.RED, "red"),
        (datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC), "2026-01-02T03:00:00+00:00"),
        (Pair(1, 0.5), {"left": 1, "right": 0.5}),
        (OrderedDict(a=(1, 2)), {"a": [1, 2]}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (np.float32(0.5), 0.5),
        (np.array(["2026-01-02"], dtype="M8[D]"), ["2026-01-02T00:00:00"]),
    ],
)
def test_predictions_of_every_library_are_plain_json(prediction: object, want: object) -> None:
    assert json.loads(bytes(find("application/json").encode(prediction))) == want


def test_a_decimal_keeps_its_digits() -> None:
    assert find("application/json").encode(decimal.Decimal("0.1000000000000000000001")) == b"0.1000000000000000000001"


@pytest.mark.parametrize(
    "prediction", [np.array([1j]), np.zeros(1, dtype=[("a", "f8")]), {"a": object()}, Struct(1, object())]
)
def test_what_has_no_json_form_is_the_predictors_fault(prediction: object) -> None:
    for name in ("application/json", "application/jsonlines"):
        with pytest.raises(PredictError):
            find(name).encode(prediction)


def test_what_holds_itself_is_the_predictors_fault() -> None:
    ring: list[object] = []
    ring.append(ring)
    with pytest.raises(PredictError):
        find("application/json").encode(ring)


@pytest.mark.parametrize(
    ("prediction", "want"),
    [
        (np.array([[1, 2], [3, 4]]), b"[1,2]\n[3,4]\n"),
        (np.array([0.5, math.nan]), b"0.5\nnull\n"),
        ([{"a": 1}, {"a": np.array([2])}], b'{"a":1}\n{"a":[2]}\n'),
        (FRAME[["a"]], b'{"a":1}\n{"a":2}\n'),
        (FRAME["a"], b"1\n2\n"),
        (pyarrow.table({"a": [1]}), b'{"a":1}\n'),
        ({"predictions": [{"score": 1}, {"score": 2}]}, b'{"score":1}\n{"score":2}\n'),
        ({"a": [1, 2]}, b'{"a":[1,2]}\n'),
        ("text", b'"text"\n'),
        (Pair(1, 0.5), b'{"left":1,"right":0.5}\n'),
        ([Pair(1, 0.5)], b'{"left":1,"right":0.5}\n'),
        (Score("a", 1), b'{"label":"a","values":1}\n'),
        (None, b"null\n"),
        ([], b""),
        (b"as it is", b"as it is"),
    ],
)
def test_json_lines_are_one_item_a_line(prediction: object, want: bytes) -> None:
    assert find("application/jsonlines").encode(prediction) == want


@pytest.mark.parametrize(
    ("prediction", "want"),
    [
        (FRAME, b"1,0.5,x\n2,nan,nan\n"),
        (FRAME["a"], b"1\n2\n"),
        (pyarrow.table({"a": [1, None], "b": ["x", "y"]}), b"1,x\n,y\n"),
        (sparse.csr_matrix([[0, 1.5]]), b"0.0,1.5\n"),
        (np.array([[1, 2]], dtype=np.float32), b"1.0,2.0\n"),
        (np.array([[0.1], [math.inf]]), b"0.1\ninf\n"),
        (np.asfortranarray([[1, 2], [3, 4]]), b"1,2\n3,4\n"),
        (np.array([[1.5, 2]], dtype=">f8"), b"1.5,2.0\n"),
        (np.array([True, False]), b"True\nFalse\n"),
        (np.zeros((0, 2)), b""),
        ([(np.float32(0.5), np.int64(2))], b"0.5,2\n"),
        ([[DAY, decimal.Decimal("0.10")]], b"2026-01-02,0.10\n"),
        ([{"a": 1, "b": "x"}, {"b": 'y "z"', "c": True}], b'1,x,\n,"y ""z""",True\n'),
        ({"a": 1, "b": None}, b"1,\n"),
        (Score("yes", 0.5), b"yes,0.5\n"),
        ([Score("yes", np.float32(0.5)), Score("no", np.int64(2))], b"yes,0.5\nno,2\n"),
        ([Pair(1, 0.5)], b"1,0.5\n"),
        (Pair(1, 0.5), b"1,0.5\n"),
        ([Struct(0.5, Colour.RED)], b"Struct,0.5,red\n"),
        ([Model(first_score=1, when=DAY)], b"1.0,2026-01-02,\n"),
        ([MappingProxyType({"a": uuid.UUID(int=1)})], b"00000000-0000-0000-0000-000000000001\n"),
        ([Words.RED], b"red\n"),
        ([], b""),
    ],
)
def test_csv_is_one_row_a_line(prediction: object, want: bytes) -> None:
    assert find("text/csv").encode(prediction) == want


NO_TABLES = [
    [{"a": 1}, 2],
    [{}],
    [{"a": 1}, [2]],
    [{1: 0, "1": 0}],
    [{str(n): n} for n in range(2000)],
]


@pytest.mark.parametrize("prediction", [np.zeros((1, 1, 1)), [{"a": [1]}], [{"a": {"b": 1}}], {"a": [1]}, *NO_TABLES])
def test_what_is_no_table_has_no_csv(prediction: object) -> None:
    with pytest.raises(NotAcceptableError):
        find("text/csv").encode(prediction)


def read(name: str, body: bytes) -> pyarrow.Table:
    if name == "application/x-parquet":
        return pyarrow.parquet.read_table(io.BytesIO(body))
    return pyarrow.ipc.open_stream(body).read_all()


TABLES = ["application/x-parquet", "application/vnd.apache.arrow.stream"]


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize(
    ("prediction", "want"),
    [
        ([{"a": 1}, {"a": 2, "b": "x"}], [{"a": 1, "b": None}, {"a": 2, "b": "x"}]),
        ({"a": [1, 2], "b": np.array([0.5, 1.5])}, [{"a": 1, "b": 0.5}, {"a": 2, "b": 1.5}]),
        ({"a": "yes", "b": [1, 2]}, [{"a": "yes", "b": [1, 2]}]),
        ({"a": "yes", "b": "no"}, [{"a": "yes", "b": "no"}]),
        ([Score("yes", np.array([0.5, 1]))], [{"label": "yes", "values": [0.5, 1.0]}]),
        (Score("yes", Score("in", {Colour.RED})), [{"label": "yes", "values": {"label": "in", "values": ["red"]}}]),
        ([Pair(1, 0.5)], [{"left": 1, "right": 0.5}]),
        ([Struct(0.5, None)], [{"type": "Struct", "firstScore": 0.5, "rows": None}]),
        ([Model(first_score=1, when=DAY, rows=1)], [{"firstScore": 1.0, "when": DAY, "rows": 1}]),
        (
            [{"id": uuid.UUID(int=1), "at": decimal.Decimal("0.10")}],
            [{"id": str(uuid.UUID(int=1)), "at": decimal.Decimal("0.10")}],
        ),
    ],
)
def test_records_are_tables_with_their_names(name: str, prediction: object, want: object) -> None:
    assert read(name, bytes(find(name).encode(prediction))).to_pylist() == want


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("prediction", [[{"a": 1}, {"a": "x"}], [{"a": 2**70}], [{"a": object()}], *NO_TABLES])
def test_what_is_no_table_has_no_columns(name: str, prediction: object) -> None:
    with pytest.raises(NotAcceptableError):
        find(name).encode(prediction)


def test_a_record_without_fields_in_a_record_has_no_form_in_parquet() -> None:
    with pytest.raises(NotAcceptableError):
        find("application/x-parquet").encode([{"a": {}}])
