"""Answers written in one go are those that are written one by one."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from argosy.serving.codecs import find

DTYPES = st.sampled_from([np.float64, np.float32, np.int64, np.int32, np.uint8])


@st.composite
def predictions(draw: st.DrawFn) -> tuple[Any, list[int]]:
    """An array of one or two dimensions, and how its rows belong to invocations."""
    counts = draw(st.lists(st.integers(1, 3), min_size=1, max_size=8))
    columns = draw(st.sampled_from([(), (1,), (3,)]))
    return draw(arrays.arrays(draw(DTYPES), (sum(counts), *columns))), counts


@pytest.mark.parametrize("essence", ["application/json", "text/csv"])
@given(drawn=predictions())
def test_all_at_once_is_the_same_as_one_by_one(essence: str, drawn: tuple[Any, list[int]]) -> None:
    prediction, counts = drawn
    codec: Any = find(essence)
    assert hasattr(codec, "encode_rows")
    ends = np.cumsum(counts)
    alone = [codec.encode(prediction[end - count : end]) for end, count in zip(ends, counts, strict=True)]
    together = codec.encode_rows(prediction, counts)
    if essence == "application/json" and prediction.size:
        assert together is not None
    assert together is None or together == alone


@pytest.mark.parametrize("prediction", ["text", [1, 2], np.zeros((2, 0)), np.array(["a", "b"]), np.zeros((2, 2, 2))])
@pytest.mark.parametrize("essence", ["application/json", "text/csv"])
def test_what_is_no_table_of_numbers_is_left_to_encode(essence: str, prediction: object) -> None:
    codec: Any = find(essence)
    assert hasattr(codec, "encode_rows")
    assert codec.encode_rows(prediction, [1, 1]) is None
