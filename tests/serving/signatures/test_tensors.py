import io
from typing import Any

import numpy as np
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pyarrow import parquet

from argosy.serving.inputs.signature import ModelSignature, TensorSpec
from tests.serving.signatures.asked import CSV, HEADED, JSON, LINES, NPY, NPZ, ask, npy, npz

FLOWERS = ModelSignature((TensorSpec("x", "float32", (None, 3)),), features=("a", "b", "c"), row_wise=True)
PLAIN = ModelSignature((TensorSpec("x", "float32", (None, 3)),), row_wise=True)
TOKENS = ModelSignature((TensorSpec("ids", "int64", (None, None)),), row_wise=True)
IMAGES = ModelSignature((TensorSpec("pixels", "uint8", (None, 2, 2, 1)),))
SEVERAL = ModelSignature(
    (
        TensorSpec("ids", "int64", (None, 2)),
        TensorSpec("text", "str", (None,)),
        TensorSpec("weight", "float32", (None, 1)),
    ),
    row_wise=True,
)
SCALARS = ModelSignature((TensorSpec("a", "float32", (None, 1)), TensorSpec("b", "int64", (None, 1))), row_wise=True)
ONE_ROW = {"ids": [[1, 2]], "text": ["x"], "weight": [[1.5]]}


@pytest.mark.parametrize(
    "body",
    [
        [[1, 2, 3]],
        [1, 2, 3],
        {"x": [[1, 2, 3]]},
        {"inputs": [[1, 2, 3]]},
        {"inputs": {"x": [[1, 2, 3]]}},
        {"instances": [[1, 2, 3]]},
        {"instances": [{"features": [1, 2, 3]}]},
        {"instances": [{"c": 3, "a": 1, "b": 2}]},
        [{"c": 3, "b": 2, "a": 1}],
        [{"c": 3, "b": 2, "a": 1, "more": "ignored"}],
        {"c": 3, "b": 2, "a": 1},
        {"c": [3], "b": [2], "a": [1]},
    ],
)
def test_a_table_of_numbers_in_all_forms_that_clients_send(body: object) -> None:
    got = ask(FLOWERS, JSON, body).value
    assert got.dtype == np.float32
    assert got.tolist() == [[1, 2, 3]]
    assert got.flags.c_contiguous


def test_names_put_columns_into_the_order_of_the_model() -> None:
    assert ask(FLOWERS, HEADED, b"c,a,b\n3,1,2\n6,4,5\n").value.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert ask(FLOWERS, LINES, b'{"c":3,"a":1,"b":2}\n{"a":4,"b":5,"c":6}\n').value.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert ask(FLOWERS, "application/x-parquet", _parquet(c=[3.0], a=[1.0], b=[2.0])).value.tolist() == [[1, 2, 3]]
    numbered = _parquet(**{"0": [1.0], "1": [2.0], "2": [3.0]})
    assert ask(FLOWERS, "application/x-parquet", numbered).value.tolist() == [[1, 2, 3]]


def test_names_that_the_model_does_not_know_are_refused_only_where_it_knows_some() -> None:
    assert "want `c`" in ask(FLOWERS, HEADED, b"z,a,b\n3,1,2\n").refusal
    assert "want `c`" in ask(FLOWERS, "application/x-parquet", _parquet(z=[3.0], a=[1.0], b=[2.0])).refusal
    assert ask(PLAIN, HEADED, b"z,a,b\n1,2,3\n").value.tolist() == [[1, 2, 3]]
    assert ask(PLAIN, "application/x-parquet", _parquet(z=[1.0], a=[2.0], b=[3.0])).value.tolist() == [[1, 2, 3]]


def test_null_is_nan_with_and_without_names() -> None:
    for body in ([[1, None, 3]], [{"a": 1, "b": None, "c": 3}]):
        assert np.isnan(ask(FLOWERS, JSON, body).value[0, 1])
    assert np.isnan(ask(FLOWERS, CSV, b"1,,3\n").value[0, 1])


@pytest.mark.parametrize(
    ("signature", "content_type", "body", "told"),
    [
        (FLOWERS, JSON, [[1, 2]], "input `x`: the array has another shape: got (1, 2), want (any, 3)"),
        (FLOWERS, CSV, b"1,2\n", "got (1, 2), want (any, 3)"),
        (FLOWERS, NPY, npy(np.zeros((3, 2))), "got (3, 2), want (any, 3)"),
        (FLOWERS, JSON, [[1, 2, 1e39]], "input `x`: a number is too large: want what `float32` holds"),
        (FLOWERS, JSON, [{"a": 1, "b": 2, "c": 1e39}], "`c`: a number is too large: want what `float32` holds"),
        (FLOWERS, CSV, b"1,2,1e39\n", "input `x`: a number is too large"),
        (FLOWERS, NPY, npy(np.array([[1, 2, 1e39]])), "input `x`: a number is too large"),
        (FLOWERS, JSON, [[1, 2, "secret"]], "row 1, column 3 is not a number: got a string"),
        (FLOWERS, JSON, [{"a": 1, "b": "secret", "c": 3}], "`b`: cell 1 is none of the model's: got a string"),
        (FLOWERS, JSON, [{"a": 1, "b": 2, "c": 3}, {"a": 1}], "row 2: a field is missing: want `b`"),
        (FLOWERS, JSON, {"a": [1, 2], "b": [1], "c": [1, 2]}, "the columns differ in length"),
        (TOKENS, JSON, [[1, 2.5]], "input `ids`: the array has other values: got `float64`, want `int64`"),
        (TOKENS, JSON, [[1, None]], "cell 2 is none of the model's: got null"),
        (TOKENS, JSON, [[1, True]], "cell 2 is none of the model's: got a boolean"),
        (TOKENS, JSON, [[1, 2], [3]], "the rows are not alike"),
        (TOKENS, NPY, npy(np.array([[1.5]])), "got `float64`, want `int64`"),
        (IMAGES, JSON, [[[[1], [2]], [[3], [400]]]], "got `int64`, want `uint8`"),
        (IMAGES, JSON, [[[[1], [2]], [[3], [-4]]]], "want `uint8`"),
        (SEVERAL, JSON, {"ids": [[1, 2]]}, "a field is missing: got 1 others, want `text`"),
        (
            SEVERAL,
            JSON,
            {**ONE_ROW, "text": ["x", "y"]},
            "the inputs differ in rows: got `ids` 1, `text` 2, `weight` 1",
        ),
        (SEVERAL, JSON, {**ONE_ROW, "text": [7]}, "input `text`: cell 1 is not text: got a number"),
        (
            SEVERAL,
            JSON,
            {**ONE_ROW, "ids": [["secret", 1]]},
            "input `ids`: cell 1 is none of the model's: got a string",
        ),
        (SCALARS, CSV, b"1,2\n3\n", "row 2 has not a cell for each input: got 1 cells, want 2 cells, or names"),
        (SCALARS, CSV, b"1,2.5\n", "input `b`: a cell is not what the model takes: want a number"),
        (SCALARS, CSV, b"1_0,2\n", "input `a`: a cell is not what the model takes: want a number"),
        (SCALARS, CSV, b"1,secret\n", "input `b`: a cell is not what the model takes: want a number"),
    ],
)
def test_what_the_model_does_not_take_is_refused_with_got_and_want(
    signature: ModelSignature, content_type: str, body: object, told: str
) -> None:
    refusal = ask(signature, content_type, body).refusal
    assert told in refusal
    assert "secret" not in refusal


def test_infinity_is_a_number_like_others() -> None:
    assert ask(FLOWERS, NPY, npy(np.array([[1, 2, np.inf]]))).value.tolist() == [[1, 2, np.inf]]
    assert ask(FLOWERS, NPY, npy(np.array([[1, 2, 1e-50]]))).value.tolist() == [[1, 2, 0]]


def test_whole_numbers_keep_all_their_digits() -> None:
    large = 2**53 + 1
    for body in ([[large, 1]], {"ids": [[large, 1]]}, [{"ids": [large, 1]}]):
        assert ask(TOKENS, JSON, body).value.tolist() == [[large, 1]]
    assert ask(TOKENS, NPY, npy(np.array([[large, 1]]))).value.tolist() == [[large, 1]]
    assert "too large" in ask(TOKENS, CSV, f"{large},1\n".encode()).refusal


@pytest.mark.parametrize(
    ("content_type", "body", "rows"),
    [
        (JSON, [[[[1], [2]], [[3], [4]]]], 1),
        (JSON, [[[1], [2]], [[3], [4]]], 1),
        (JSON, [1, 2, 3, 4], 1),
        (JSON, [[1, 2, 3, 4], [1, 2, 3, 4]], 2),
        (CSV, b"1,2,3,4\n1,2,3,4\n", 2),
        (NPY, npy(np.array([1, 2, 3, 4] * 3, np.uint8).reshape(3, 2, 2, 1)), 3),
        (NPY, npy(np.asfortranarray(np.array([1, 2, 3, 4] * 3, np.uint8).reshape(3, 2, 2, 1))), 3),
    ],
)
def test_cells_in_a_row_become_the_inner_dimensions(content_type: str, body: object, rows: int) -> None:
    got = ask(IMAGES, content_type, body).value
    assert got.dtype == np.uint8
    assert got.tolist() == [[[[1], [2]], [[3], [4]]]] * rows


def test_one_dimension_takes_a_row_or_a_column() -> None:
    flat = ModelSignature((TensorSpec("x", "float64", (None,)),))
    for content_type, body in ((JSON, [1, 2, 3]), (JSON, [[1], [2], [3]]), (CSV, b"1\n2\n3\n")):
        assert ask(flat, content_type, body).value.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "body",
    [
        ONE_ROW,
        {"inputs": ONE_ROW},
        [{"ids": [1, 2], "text": "x", "weight": [1.5]}],
        {"instances": [{"ids": [1, 2], "text": "x", "weight": 1.5}]},
        {"ids": [1, 2], "text": ["x"], "weight": 1.5},
    ],
)
def test_several_arrays_in_all_forms_that_clients_send(body: object) -> None:
    got = ask(SEVERAL, JSON, body).value
    assert {name: (array.dtype.kind, array.tolist()) for name, array in got.items()} == {
        "ids": ("i", [[1, 2]]),
        "text": ("O", ["x"]),
        "weight": ("f", [[1.5]]),
    }


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (CSV, b"1,2\n3,4\n"),
        (HEADED, b"b,a\n2,1\n4,3\n"),
        (JSON, [[1, 2], [3, 4]]),
        (LINES, b"[1,2]\n[3,4]\n"),
        (LINES, b'{"b":2,"a":1}\n{"a":3,"b":4}\n'),
        (NPY, npy(np.array([[1.0, 2.0], [3.0, 4.0]]))),
        (NPZ, npz({"b": np.array([[2], [4]]), "a": np.array([[1.0], [3.0]])})),
    ],
)
def test_several_columns_by_position_and_by_name(content_type: str, body: object) -> None:
    got = ask(SCALARS, content_type, body).value
    assert [got["a"].tolist(), got["b"].tolist()] == [[[1], [3]], [[2], [4]]]
    assert [got["a"].dtype, got["b"].dtype] == [np.float32, np.int64]


def test_texts_and_truths() -> None:
    texts = ModelSignature((TensorSpec("t", "str", (None,)),))
    for content_type, body in ((JSON, ["a", "b"]), (JSON, {"t": ["a", "b"]}), (CSV, b"a\nb\n")):
        assert ask(texts, content_type, body).value["t"].tolist() == ["a", "b"]
    truths = ModelSignature((TensorSpec("is", "bool", (None, 2)),))
    forms: list[tuple[str, object]] = [
        (JSON, [[True, False]]),
        (CSV, b"true,0\n"),
        (JSON, {"is": [[True, False]]}),
    ]
    for media_type, truth in forms:
        assert ask(truths, media_type, truth).value["is"].tolist() == [[True, False]]
    assert "want `bool`" in ask(truths, JSON, [[True, 1.5]]).refusal


@given(
    arrays.arrays(
        st.sampled_from(["f2", "f4", "f8", "i1", "i4", "i8", "u2", ">f8", ">i4"]),
        st.tuples(st.integers(1, 4), st.just(3)),
    ),
    st.booleans(),
)
def test_npy_of_the_model_s_dtype_arrives_bit_for_bit(rows: Any, is_fortran: bool) -> None:
    native = rows.dtype.newbyteorder("=")
    signature = ModelSignature((TensorSpec("x", native.name, (None, 3)),))
    got = ask(signature, NPY, npy(np.asfortranarray(rows) if is_fortran else rows)).value
    assert got.dtype == native
    assert got.tobytes() == np.ascontiguousarray(rows.astype(native)).tobytes()
    assert got.flags.c_contiguous


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c", "x", "ids"]), inner),
)


@given(JSON_VALUES)
def test_whatever_comes_as_json_is_taken_or_refused(body: object) -> None:
    for signature in (FLOWERS, TOKENS, IMAGES, SEVERAL, SCALARS):
        told = ask(signature, JSON, body)
        assert told.refusal or told.value is not None


def _parquet(**columns: list[float]) -> bytes:
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), file)
    return file.getvalue()
