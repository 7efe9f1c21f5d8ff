import datetime
import io
from typing import Any

import numpy as np
import pandas
import pyarrow
import pytest
from pyarrow import parquet

from argosy.errors import DecodeError, NotAcceptableError
from argosy.serving.codecs import arrow, forms
from argosy.serving.inputs.kind import InputKind
from tests.serving.codecs.bodies import FRAME, content_type, find

ARROW, PARQUET = "application/vnd.apache.arrow.stream", "application/x-parquet"
both = pytest.mark.parametrize("name", [ARROW, PARQUET])


def decode(name: str, body: bytes, kind: InputKind) -> Any:
    return find(name).decode(body, kind, content_type(name))


def encode(name: str, prediction: object) -> bytes:
    return bytes(find(name).encode(prediction))


@both
def test_a_table_comes_back_as_it_went(name: str) -> None:
    table = pyarrow.table(
        {
            "age": [30, None, 41],
            "name": ["Ann", None, "Bob"],
            "when": [datetime.datetime(2026, 1, 1), None, None],
            "tags": [["a"], [], None],
            "at": [{"x": 1}, {"x": 2}, None],
            "coded": pyarrow.array(["a", "b", "a"]).dictionary_encode(),
        }
    )
    body = encode(name, table)
    assert decode(name, body, InputKind.TABLE).to_pylist() == table.to_pylist()
    assert decode(name, body, InputKind.RECORDS) == table.to_pylist()
    assert decode(name, body, InputKind.FRAME).shape == (3, 6)


@both
def test_a_frame_comes_back_without_its_index(name: str) -> None:
    pandas.testing.assert_frame_equal(decode(name, encode(name, FRAME), InputKind.FRAME), FRAME)
    indexed = pyarrow.Table.from_pandas(FRAME.set_index(pandas.Index([5, 6])))
    assert list(decode(name, encode(name, indexed), InputKind.FRAME).columns) == ["age", "score", "name"]


@both
@pytest.mark.parametrize(
    "prediction",
    [
        np.array([[1, 2.5], [3, 4]]),
        [[1, 2.5], [3, 4]],
        {"a": [1, 3], "b": [2.5, 4]},
        [{"a": 1, "b": 2.5}, {"a": 3, "b": 4}],
    ],
)
def test_numbers_are_an_array(name: str, prediction: object) -> None:
    decoded = decode(name, encode(name, prediction), InputKind.ARRAY)
    assert decoded.tolist() == [[1, 2.5], [3, 4]]


@both
def test_what_is_not_of_numbers_is_no_array(name: str) -> None:
    with pytest.raises(DecodeError, match="not of numbers") as refused:
        decode(name, encode(name, FRAME), InputKind.ARRAY)
    assert refused.value.where == "column 3"


@both
@pytest.mark.parametrize("prediction", ["text", object(), {"a": [1], "b": [1, 2]}, [[1, 2], [3]], [[[1]]]])
def test_what_is_no_table_is_not_acceptable(name: str, prediction: object) -> None:
    with pytest.raises(NotAcceptableError):
        find(name).encode(prediction)


@both
def test_an_empty_table_is_refused(name: str) -> None:
    with pytest.raises(DecodeError, match="no rows"):
        decode(name, encode(name, pyarrow.table({"a": pyarrow.array([], "f8")})), InputKind.TABLE)


@both
def test_a_table_larger_than_the_limit_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = encode(name, pyarrow.table({"a": np.zeros(200_000)}))
    assert decode(name, body, InputKind.TABLE).num_rows == 200_000
    monkeypatch.setattr(forms, "INFLATED_BYTES", 1_000_000)
    with pytest.raises(DecodeError, match="would be too large"):
        decode(name, body, InputKind.TABLE)


def test_a_parquet_file_whose_cells_inflate_is_refused() -> None:
    file = io.BytesIO()
    column = pyarrow.DictionaryArray.from_arrays(np.zeros(5000, np.int32), pyarrow.array(["x" * 100_000]))
    parquet.write_table(pyarrow.table({"a": column}), file, store_schema=False)
    assert len(file.getvalue()) < 200_000
    with pytest.raises(DecodeError, match="would be too large"):
        decode(PARQUET, file.getvalue(), InputKind.TABLE)


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_a_compressed_stream_is_refused_before_it_is_inflated(compression: str) -> None:
    file = io.BytesIO()
    table = pyarrow.table({"a": np.zeros(1000), "b": pyarrow.array(["x"] * 1000).dictionary_encode()})
    with pyarrow.ipc.new_stream(
        file, table.schema, options=pyarrow.ipc.IpcWriteOptions(compression=compression)
    ) as writer:
        writer.write_table(table)
    with pytest.raises(DecodeError, match="compressed"):
        decode(ARROW, file.getvalue(), InputKind.TABLE)


@pytest.mark.parametrize(
    "column",
    [
        pyarrow.array(["a"], pyarrow.string_view()),
        pyarrow.array([[1]], pyarrow.list_view(pyarrow.int8())),
        pyarrow.array([[None]], pyarrow.list_(pyarrow.null())),
        pyarrow.RunEndEncodedArray.from_arrays(pyarrow.array([5], "i4"), pyarrow.array(["a"])),
        pyarrow.array([{"a": [None]}]),
    ],
    ids=str,
)
def test_types_whose_cells_share_bytes_are_refused(column: Any) -> None:
    with pytest.raises(DecodeError, match="type of the column"):
        decode(ARROW, encode(ARROW, pyarrow.table({"a": column})), InputKind.TABLE)


def test_a_dictionary_that_would_be_written_out_too_often_is_refused() -> None:
    column = pyarrow.DictionaryArray.from_arrays(np.zeros(1000, np.int8), pyarrow.array(["x" * 1_000_000]))
    body = encode(ARROW, pyarrow.table({"a": column}))
    assert decode(ARROW, body, InputKind.TABLE).num_rows == 1000
    with pytest.raises(DecodeError, match="written out"):
        decode(ARROW, body, InputKind.RECORDS)


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(DecodeError, match="one name"):
        decode(ARROW, encode(ARROW, pyarrow.table([[1], [2]], names=["a", "a"])), InputKind.TABLE)


def test_an_encrypted_file_is_refused() -> None:
    with pytest.raises(DecodeError, match="not a Parquet file"):
        decode(PARQUET, encode(PARQUET, FRAME)[:-4] + b"PARE", InputKind.TABLE)
    assert arrow.ParquetCodec.kinds == arrow.ArrowCodec.kinds
