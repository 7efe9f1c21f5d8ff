"""JSON, JSON Lines and CSV bodies in every form that a predictor may ask for."""

import math
from typing import Any

import numpy as np
import pandas
import pytest
from scipy import sparse

from argosy.errors import DecodeError
from argosy.media_type import parse
from argosy.serving.inputs.kind import InputKind
from tests.serving.codecs.bodies import find

JSON, LINES, CSV = "application/json", "application/jsonlines", "text/csv"
DENSE = {"features": [1, 2]}
DEEPER = b'{"data": {"features": {"values": [1, 2]}}}'
SPARSE = b'{"data": {"features": {"keys": [0, 2], "shape": [3], "values": [1.5, 2]}}}'


def decode(name: str, body: bytes, kind: InputKind) -> Any:
    parsed = parse(name)
    codec = find(name.partition(";")[0])
    assert parsed is not None
    return codec.decode(body, kind, parsed)


@pytest.mark.parametrize(
    "body",
    [
        b'{"instances": [{"features": [1, 2]}, {"features": [3, 4]}], "configuration": {}}',
        b'{"instances": [{"data": {"features": {"values": [1, 2]}}}, {"data": {"features": {"values": [3, 4]}}}]}',
        b'{"instances": [[1, 2], [3, 4]]}',
        b'[{"features": [1, 2]}, {"features": [3, 4]}]',
    ],
)
def test_the_built_in_shapes_are_rows(body: bytes) -> None:
    assert decode(JSON, body, InputKind.ARRAY).tolist() == [[1, 2], [3, 4]]
    assert decode(JSON, body, InputKind.SPARSE).toarray().tolist() == [[1, 2], [3, 4]]
    assert decode(JSON, body, InputKind.FRAME).to_numpy().tolist() == [[1, 2], [3, 4]]


def test_the_sparse_built_in_shape_is_a_sparse_matrix() -> None:
    body = b'{"instances": [' + SPARSE + b", " + SPARSE.replace(b"2]}", b"2]}") + b"]}"
    for name, text in ((JSON, body), (LINES, SPARSE + b"\n" + SPARSE + b"\n")):
        matrix = decode(name, text, InputKind.SPARSE)
        assert isinstance(matrix, sparse.csr_matrix)
        assert matrix.toarray().tolist() == [[1.5, 0, 2]] * 2
        assert decode(name, text, InputKind.ARRAY).tolist() == [[1.5, 0, 2]] * 2


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ((b"[0, 2]", b"[0, 3]"), "instance 2 has a key that is not an index"),
        ((b"[0, 2]", b"[0]"), "not as many keys"),
        ((b"[3]", b"[4]"), "another shape"),
        ((b"[3]", b"[3, 1]"), "no `shape`"),
        ((b"[1.5, 2]", b"[1.5, true]"), "not a number"),
        ((b'"keys": [0, 2], ', b""), "instance 2 is not sparse"),
    ],
)
def test_a_broken_sparse_instance_is_named(change: tuple[bytes, bytes], sentence: str) -> None:
    body = b'{"instances": [' + SPARSE + b", " + SPARSE.replace(*change) + b"]}"
    with pytest.raises(DecodeError, match=sentence):
        decode(JSON, body, InputKind.ARRAY)


def test_sparse_rows_too_large_to_be_dense_are_refused_as_an_array_only() -> None:
    body = b'{"instances": [' + SPARSE.replace(b"[3]", b"[99999999]") + b"]}"
    assert decode(JSON, body, InputKind.SPARSE).shape == (1, 99999999)
    with pytest.raises(DecodeError, match="made dense, would be too large"):
        decode(JSON, body, InputKind.ARRAY)


@pytest.mark.parametrize(
    "body",
    [
        b'[{"a": 1, "b": "x"}, {"a": 2, "b": null}]',
        b'{"instances": [{"a": 1, "b": "x"}, {"a": 2}]}',
        b'{"a": [1, 2], "b": ["x", null]}',
        b'{"columns": ["a", "b"], "data": [[1, "x"], [2, null]]}',
        b'{"dataframe_split": {"columns": ["a", "b"], "data": [[1, "x"], [2, null]]}}',
        b'{"dataframe_records": [{"a": 1, "b": "x"}, {"a": 2, "b": null}]}',
    ],
)
def test_frames_and_tables_are_records_or_columns(body: bytes) -> None:
    frame = decode(JSON, body, InputKind.FRAME)
    pandas.testing.assert_frame_equal(frame, pandas.DataFrame({"a": [1, 2], "b": ["x", None]}))
    assert decode(JSON, body, InputKind.TABLE).to_pylist() == [{"a": 1, "b": "x"}, {"a": 2, "b": None}]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"3", "not a list of records"),
        (b"[]", "not a list of records"),
        (b"{}", "number of columns"),
        (b'{"a": [1], "b": [1, 2]}', "differ in length"),
        (b'[{"a": 1}, 2]', "record 2 is not an object"),
        (b"[[1, 2], [3]]", "row 2 has another length"),
        (b"[[1, 2], 3]", "row 2 is not a list"),
        (b'{"columns": ["a", "a"], "data": []}', "different names"),
        (b'[{"a": 1}, {"a": "x"}]', "column 1: a column holds values of different kinds"),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(body: bytes, sentence: str) -> None:
    with pytest.raises(DecodeError, match=sentence):
        decode(JSON, body, InputKind.TABLE)


def test_records_without_a_field_in_common_do_not_become_a_huge_table() -> None:
    body = b"[" + b",".join(b'{"%d": 1}' % n for n in range(5000)) + b"]"
    with pytest.raises(DecodeError, match="field in common"):
        decode(JSON, body, InputKind.FRAME)


def test_named_arrays_have_the_shape_that_json_has() -> None:
    arrays = decode(JSON, b'{"ids": [1, 2], "x": [[1], [null]]}', InputKind.ARRAYS)
    assert arrays["ids"].tolist() == [1, 2]
    assert arrays["x"].shape == (2, 1)
    with pytest.raises(DecodeError, match="array 2: row 1, column 1 is not a number"):
        decode(JSON, b'{"a": [1], "b": [["x"]]}', InputKind.ARRAYS)
    with pytest.raises(DecodeError, match="named arrays"):
        decode(JSON, b"[1]", InputKind.ARRAYS)


@pytest.mark.parametrize(
    ("body", "want"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'[{"a": 1}]', [{"a": 1}]),
        (b'{"instances": [{"a": 1}]}', {"instances": [{"a": 1}]}),
    ],
)
def test_records_are_the_value_itself(body: bytes, want: object) -> None:
    assert decode(JSON, body, InputKind.RECORDS) == want


@pytest.mark.parametrize(
    "body", [b"[1, []]", b'{"instances": [1, []]}', b'{"instances": [1, []], "configuration": {}}']
)
def test_a_list_is_the_value_itself_or_its_instances(body: bytes) -> None:
    assert decode(JSON, body, InputKind.LIST) == [1, []]


@pytest.mark.parametrize("body", [b"{}", b"1", b'{"instances": 1}', b'{"instances": [1], "more": 2}'])
def test_what_is_no_list_is_refused_as_one(body: bytes) -> None:
    with pytest.raises(DecodeError, match="not a JSON array"):
        decode(JSON, body, InputKind.LIST)


def test_json_of_another_charset_is_believed() -> None:
    assert decode("application/json; charset=utf-16", "[1]".encode("utf-16"), InputKind.LIST) == [1]
    assert decode("application/json; charset=UTF-8", b"[1]", InputKind.LIST) == [1]


@pytest.mark.parametrize(
    ("body", "want"),
    [
        (b"[1, 2]\n[3, 4]\n", [[1, 2], [3, 4]]),
        (b"[1,2]\r\n\r\n[3,null]", [[1, 2], [3, math.nan]]),
        (b'{"features": [1, 2]}\n' + DEEPER + b"\n", [[1, 2], [1, 2]]),
        (b"5\n6\n", [[5], [6]]),
        (b"[[1, 2]]\n[[3, 4]]\n", [[[1, 2]], [[3, 4]]]),
    ],
)
def test_a_line_is_a_row(body: bytes, want: list[object]) -> None:
    np.testing.assert_array_equal(decode(LINES, body, InputKind.ARRAY), np.array(want, dtype=float))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "no lines"),
        (b"\n \n", "no lines"),
        (b"[1]\n[2", "line 2: the line is not JSON"),
        (b"[1]\n\n2]\n[3", "line 3: the line is not JSON"),
        (b"[1, 2]\n[3]\n", "row 2 has another length"),
        (b"[1],[2]\n", "line 1: the line is not JSON"),
    ],
)
def test_a_broken_line_is_named(body: bytes, sentence: str) -> None:
    with pytest.raises(DecodeError, match=sentence):
        decode(LINES, body, InputKind.ARRAY)


def test_lines_are_records() -> None:
    body = b'{"a": 1}\n{"a": 2}\n'
    assert decode(LINES, body, InputKind.RECORDS) == decode(LINES, body, InputKind.ANY) == [{"a": 1}, {"a": 2}]
    assert decode("application/x-ndjson", body, InputKind.FRAME)["a"].tolist() == [1, 2]


CELLS = b'age,name,score,id\n30,"Ann, B",0.5,007\n41,,,x\n'


def test_csv_with_a_header_has_names() -> None:
    frame = decode("text/csv; header=present", CELLS, InputKind.FRAME)
    assert frame["age"].dtype == np.int64
    assert frame["score"].dtype == np.float64
    assert frame["name"].tolist()[0] == "Ann, B"
    assert frame["name"].isna().tolist() == [False, True]
    assert frame["id"].tolist() == ["007", "x"]
    table = decode("text/csv; header=present", CELLS, InputKind.TABLE)
    assert table.to_pylist()[0] == {"age": 30, "name": "Ann, B", "score": 0.5, "id": "007"}
    records = decode("text/csv; header=present", CELLS, InputKind.RECORDS)
    assert records[1] == {"age": "41", "name": "", "score": "", "id": "x"}


def test_csv_without_a_header_is_numbered() -> None:
    frame = decode(CSV, b"1,x\n2,y\n", InputKind.FRAME)
    assert list(frame.columns) == [0, 1]
    assert frame[1].tolist() == ["x", "y"]
    assert decode(CSV, b"1,x\n2\n", InputKind.RECORDS) == [["1", "x"], ["2"]]
    assert decode(CSV, b"1,0\n0,2\n", InputKind.SPARSE).nnz == 2


@pytest.mark.parametrize("kind", [InputKind.FRAME, InputKind.TABLE, InputKind.RECORDS])
def test_a_ragged_or_nameless_csv_is_refused(kind: InputKind) -> None:
    with pytest.raises(DecodeError, match="row 2 has another length"):
        decode("text/csv; header=present", b"a,b\n1,2\n3\n", kind)
    with pytest.raises(DecodeError, match="column 2 of the header"):
        decode("text/csv; header=present", b"a,a\n1,2\n", kind)
    with pytest.raises(DecodeError, match="no rows"):
        decode("text/csv; header=present", b"a,b\n", kind)
