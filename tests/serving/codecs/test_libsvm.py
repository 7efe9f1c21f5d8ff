from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy import sparse

from argosy.errors import DecodeError, NotAcceptableError
from argosy.media_type import parse
from argosy.serving.codecs.libsvm import LibsvmCodec
from argosy.serving.inputs.kind import InputKind

codec = LibsvmCodec()


def decode(body: bytes, kind: InputKind = InputKind.ARRAY, content_type: str = "text/libsvm") -> Any:
    parsed = parse(content_type)
    assert parsed is not None
    return codec.decode(body, kind, parsed)


def test_golden_lines() -> None:
    assert codec.encode(sparse.csr_matrix([[0, 1.5, 0], [2, 0, -3]])) == b"0 2:1.5\n0 1:2.0 3:-3.0\n"
    assert codec.encode([[0, 1.5], [0, 0]]) == b"0 2:1.5\n0\n"
    assert codec.encode(b"as it is") == b"as it is"


@pytest.mark.parametrize(
    ("body", "want"),
    [
        (b"1 1:0.5 3:2\n", [[0.5, 0, 2]]),
        (b"1 0:0.5 2:2\n", [[0.5, 0, 2]]),
        (b"0:1 1:2\n1:3\n", [[1, 2], [0, 3]]),
        (b"1:1 2:2\n2:3\n", [[1, 2], [0, 3]]),
        (b"-1 qid:7 1:1e-3 # why\r\n\r\n+1 2:.5\n", [[0.001, 0], [0, 0.5]]),
        (b"1 1:2 1:3\n", [[5]]),
    ],
)
def test_lines_are_rows(body: bytes, want: list[list[float]]) -> None:
    np.testing.assert_array_equal(decode(body), want)


def test_the_content_type_may_say_where_counting_begins_and_how_wide_a_row_is() -> None:
    assert decode(b"1 1:5\n", content_type="text/libsvm; indexing_mode=0; features=3").tolist() == [[0, 5, 0]]
    assert decode(b"1 1:5\n", content_type="text/x-libsvm; indexing_mode=1; features=2").tolist() == [[5, 0]]
    assert decode(b"1\n", content_type="text/libsvm; features=2").tolist() == [[0, 0]]
    for wrong in ("indexing_mode=1", "features=0", "features=x"):
        with pytest.raises(DecodeError):
            decode(b"1 0:5\n", content_type=f"text/libsvm; {wrong}")


@given(arrays.arrays(np.float64, (4, 6), elements=st.just(0.0) | st.floats(allow_nan=False)))
def test_rows_come_back_as_they_went(dense: NDArray[np.float64]) -> None:
    body = bytes(codec.encode(sparse.csr_matrix(dense)))
    wide = decode(body, InputKind.SPARSE, "text/libsvm; indexing_mode=1; features=6")
    np.testing.assert_array_equal(wide.toarray(), dense)


def test_a_sparse_row_too_wide_to_be_dense_is_refused_as_an_array_only() -> None:
    assert decode(b"1 99999999999:1\n", InputKind.SPARSE).shape == (1, 99999999999)
    with pytest.raises(DecodeError, match="made dense, would be too large"):
        decode(b"1 99999999999:1\n")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "no rows"),
        (b"1\n", "nobody knows its columns"),
        (b"x 1:1\n", "label is not a number"),
        (b"1 1:1\n1 1\n", "line 2, entry 1"),
        (b"1 1:x\n", "line 1, entry 1"),
        (b"1 1:1 -2:1\n", "line 1, entry 2"),
        (b"1 1:1_0\n", "line 1, entry 1"),
    ],
)
def test_broken_lines_are_refused_with_their_place(body: bytes, sentence: str) -> None:
    with pytest.raises(DecodeError, match=sentence):
        decode(body)


@pytest.mark.parametrize("prediction", [{"a": 1}, [{"a": 1}], ["text"], [[None]]])
def test_what_is_no_table_of_numbers_is_not_acceptable(prediction: object) -> None:
    with pytest.raises(NotAcceptableError):
        codec.encode(prediction)
