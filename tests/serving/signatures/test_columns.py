import io
import math

import pyarrow
import pytest
from pyarrow import parquet

from argosy.serving.inputs.signature import ColumnSpec, ModelSignature
from tests.serving.signatures.asked import CSV, HEADED, JSON, LINES, ask

CARS = ModelSignature((ColumnSpec("price", "float64"), ColumnSpec("brand", "str"), ColumnSpec("doors", "int64", False)))
RECORD = {"price": 1, "brand": "x", "doors": 3}


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (JSON, [RECORD]),
        (JSON, RECORD),
        (JSON, {"instances": [RECORD]}),
        (JSON, {"price": [1], "brand": ["x"], "doors": [3]}),
        (JSON, {"columns": ["brand", "price", "doors"], "data": [["x", 1, 3]]}),
        (JSON, {"dataframe_split": {"columns": ["brand", "price", "doors"], "data": [["x", 1, 3]]}}),
        (JSON, {"dataframe_records": [RECORD]}),
        (JSON, [[1, "x", 3]]),
        (LINES, b'{"brand":"x","price":1,"doors":3}\n'),
        (CSV, b"1,x,3\n"),
        (HEADED, b"doors,brand,price\n3,x,1\n"),
    ],
)
def test_a_table_in_all_forms_that_clients_send(content_type: str, body: object) -> None:
    frame = ask(CARS, content_type, body).value
    assert list(frame.columns) == ["price", "brand", "doors"]
    assert frame.to_dict("records") == [RECORD]
    assert [str(frame.dtypes["price"]), str(frame.dtypes["doors"])] == ["float64", "int64"]


def test_text_stays_text_whatever_it_looks_like() -> None:
    assert ask(CARS, CSV, b"1,007,3\n").value["brand"].tolist() == ["007"]


@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_columns_of_one_dtype_are_one_block(dtype: str) -> None:
    pair = ModelSignature((ColumnSpec("a", dtype), ColumnSpec("b", dtype, False)))
    frame = ask(pair, JSON, [{"b": 2, "a": 1}, {"a": 3, "b": 4}]).value
    assert frame.to_dict("list") == {"a": [1, 3], "b": [2, 4]}
    assert {str(found) for found in frame.dtypes} == {dtype}
    assert list(ask(pair, JSON, [{"a": 1}]).value.columns) == ["a"]


@pytest.mark.parametrize(("dtype", "one", "two"), [("float64", 1.5, 2.5), ("str", "x", "y")])
def test_rows_of_an_only_column_need_no_name(dtype: str, one: object, two: object) -> None:
    only = ModelSignature((ColumnSpec("a", dtype),))
    for content_type, body in (
        (JSON, [[one], [two]]),
        (JSON, [{"a": one}, {"a": two}]),
        (CSV, f"{one}\n{two}\n".encode()),
    ):
        assert ask(only, content_type, body).value["a"].tolist() == [one, two]


def test_columns_of_arrow_are_found_by_name() -> None:
    file = io.BytesIO()
    parquet.write_table(pyarrow.table({"doors": [3], "brand": ["x"], "price": [1.0]}), file)
    assert ask(CARS, "application/x-parquet", file.getvalue()).value.to_dict("records") == [RECORD]


def test_missing_cells_are_missing_and_optional_columns_may_be_left_out() -> None:
    frame = ask(CARS, JSON, [{"price": None, "brand": None}]).value
    assert list(frame.columns) == ["price", "brand"]
    assert math.isnan(frame["price"][0])
    assert frame["brand"].isna().all()
    assert ask(CARS, CSV, b",,3\n").value["brand"].isna().all()


@pytest.mark.parametrize("missing", [math.nan, None])
def test_a_missing_text_is_the_same_whatever_rows_are_beside_it(missing: float | None) -> None:
    cars = ModelSignature((ColumnSpec("brand", "str", missing=missing),))
    alone = ask(cars, JSON, [{"brand": None}]).value["brand"].tolist()
    beside = ask(cars, JSON, [{"brand": None}, {"brand": "x"}]).value["brand"].tolist()
    written = ask(cars, CSV, b'""\nx\n').value["brand"].tolist()
    for found in (*alone, beside[0], written[0]):
        assert found is None if missing is None else math.isnan(found)


@pytest.mark.parametrize(
    ("content_type", "body", "told"),
    [
        (JSON, [{"brand": "x"}], "row 1: a field is missing: want `price`"),
        (JSON, {"price": [[1, 2]], "brand": ["x"]}, "column `price`: a cell holds several values: want `float64`"),
        (JSON, [{"price": "secret", "brand": "x"}], "column `price`: cell 1 is none of the model's: got a string"),
        (JSON, [{"price": 1, "brand": 7}], "column `brand`: row 1 is not text"),
        (JSON, [{"price": 1, "brand": "x", "doors": 2.5}], "column `doors`: the array has other values"),
        (JSON, {"price": [1, 2], "brand": ["x"]}, "the columns differ in length"),
        (JSON, {"price": 1, "brand": ["x"]}, "the columns differ in length"),
        (CSV, b"1,x\n", "row 1 has not a cell for each input: got 2 cells, want 3 cells, or names"),
        (CSV, b"secret,x,3\n", "column `price`: a cell is not what the model takes"),
        (HEADED, b"brand,doors\nx,3\n", "a field is missing: want `price`"),
        (JSON, "secret", "the body has no rows"),
        (JSON, [], "the body has no rows"),
    ],
)
def test_what_the_model_does_not_take_is_refused_with_got_and_want(content_type: str, body: object, told: str) -> None:
    refusal = ask(CARS, content_type, body).refusal
    assert told in refusal
    assert "secret" not in refusal
