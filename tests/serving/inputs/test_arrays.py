from typing import Any

import numpy as np
import pytest
import scipy.sparse
from numpy.typing import NDArray

from argosy.errors import DecodeError
from argosy.serving.inputs.arrays import array_kind
from tests.serving.inputs.annotated import convert


@pytest.mark.parametrize(
    ("module", "name", "is_known"),
    [
        ("pandas", "DataFrame", True),
        ("pandas.core.frame", "DataFrame", True),
        ("pyarrow", "Table", True),
        ("pyarrow.lib", "Table", True),
        ("scipy.sparse", "csr_matrix", True),
        ("scipy.sparse.csr", "csr_matrix", True),
        ("scipy.sparse._csr", "csr_array", True),
        ("PIL.Image", "Image", True),
        ("scipy", "csr_matrix", False),
        ("mine", "DataFrame", False),
        ("pandas", "Series", False),
    ],
)
def test_types_are_known_wherever_their_library_keeps_them(module: str, name: str, is_known: bool) -> None:
    assert (array_kind(type(name, (), {"__module__": module})) is not None) == is_known


def test_an_array_gets_the_dtype_annotated() -> None:
    rows = np.array([[1.0, 2.5], [3.0, np.nan]])
    single: Any = convert(NDArray[np.float32], rows)
    assert single.dtype == np.float32
    np.testing.assert_array_equal(single, rows.astype(np.float32))
    assert convert(NDArray[np.float64], rows) is rows
    whole: Any = convert(NDArray[np.int64], np.array([[1.0, 2.0]]))
    assert whole.dtype == np.int64
    truth: Any = convert(np.ndarray[Any, np.dtype[np.bool_]], np.array([[1.0, 0.0]]))
    assert truth.tolist() == [[True, False]]


@pytest.mark.parametrize("value", [[[1.5]], [[np.nan]], [[1e30]], [["a"]]])
def test_an_array_that_would_lose_by_it_is_refused(value: list[list[object]]) -> None:
    with pytest.raises(DecodeError, match="does not fit the predictor's dtype"):
        convert(NDArray[np.int64], np.array(value))


def test_a_dtype_that_text_cannot_become_is_refused() -> None:
    with pytest.raises(DecodeError, match="want `float32`"):
        convert(NDArray[np.float32], np.array([["a"]]))


def test_a_sparse_matrix_is_of_the_class_annotated() -> None:
    matrix = scipy.sparse.csr_matrix(np.eye(2))
    assert convert(scipy.sparse.csr_matrix, matrix) is matrix
    array = convert(scipy.sparse.csr_array, matrix)
    assert isinstance(array, scipy.sparse.csr_array)
