import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from argosy.serving.model import rows

TABLE = np.arange(12.0).reshape(4, 3)
FRAME = pd.DataFrame(TABLE, columns=["a", "b", "c"])
VALUES: list[Any] = [
    TABLE,
    TABLE.astype("i4"),
    TABLE.reshape(4, 3, 1),
    FRAME,
    FRAME["a"],
    pa.Table.from_pandas(FRAME),
    scipy.sparse.csr_matrix(TABLE),
    [1, 2, 3, 4],
    [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]],
    [[1, "a"], [2, "b"], [3, "c"], [4, "d"]],
    [[[1], [2]], [[3], [4]], [[5], [6]], [[7], [8]]],
    {"a": TABLE, "b": [1, 2, 3, 4]},
]


def plain(value: Any) -> Any:
    """A value of any kind as lists."""
    if isinstance(value, dict):
        return {name: plain(column) for name, column in value.items()}
    if isinstance(value, pa.Table):
        return value.to_pylist()
    if isinstance(value, pd.DataFrame):
        return value.to_dict(orient="records")
    if scipy.sparse.issparse(value):
        value = value.toarray()
    return value.tolist() if hasattr(value, "tolist") else value


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_what_is_cut_apart_and_joined_is_what_it_was(value: Any) -> None:
    @given(st.lists(st.integers(0, 4), max_size=3))
    def holds(cuts: list[int]) -> None:
        places = [0, *sorted(cuts), 4]
        pieces = [rows.cut(value, start, end) for start, end in itertools.pairwise(places)]
        assert [rows.count(piece) for piece in pieces] == [b - a for a, b in itertools.pairwise(places)]
        kept = [piece for piece in pieces if rows.count(piece)]
        assert len({rows.signature(piece) for piece in kept}) == 1
        assert plain(rows.join(kept)) == plain(value)

    holds()


@dataclass
class Circle:
    shape: Any = "circle"


@pytest.mark.parametrize(
    "value",
    [
        "text",
        b"octets",
        1,
        None,
        (1, 2),
        {},
        {"a": 1},
        {"a": [1], "b": [1, 2]},
        np.float64(1),
        np.array(1),
        iter([]),
        Circle(),
        Circle(5),
        Circle(None),
        Circle(()),
        Circle(("x",)),
    ],
)
def test_what_has_no_rows_has_no_number_of_rows(value: Any) -> None:
    assert rows.count(value) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TABLE, TABLE.astype("f4")),
        (TABLE, TABLE.astype(">f8")),
        (TABLE, TABLE[:, :2]),
        (TABLE, TABLE.reshape(4, 3, 1)),
        (FRAME, FRAME.rename(columns={"a": "x"})),
        (FRAME, FRAME[["b", "a", "c"]]),
        (FRAME, FRAME.astype({"a": int})),
        (pd.DataFrame({0: [1]}), pd.DataFrame({"0": [1]})),
        (pd.DataFrame({"a": pd.Categorical(["x"])}), pd.DataFrame({"a": pd.Categorical(["y"])})),
        (pa.table({"a": [1]}), pa.table({"a": [1.0]})),
        ({"a": TABLE}, {"b": TABLE}),
        ({"a": TABLE}, {"a": TABLE[:, :1]}),
        (TABLE, FRAME),
        (TABLE, TABLE.tolist()),
        ([1], [1.0]),
        ([1], [1, None]),
        ([1], [[1]]),
        ([[1]], [[[1]]]),
        ([[1]], [[1, 2]]),
        ([[1]], [[1.0]]),
        ([[1, "a"]], [["a", 1]]),
        ([[1, None]], [[1, 2]]),
        ([[[1]]], [[[1, 2]]]),
    ],
)
def test_what_is_not_alike_has_another_signature(one: Any, other: Any) -> None:
    assert rows.signature(one) != rows.signature(other)


@pytest.mark.parametrize("value", [[[1], [2, 3]], [[1], []], [[[1]], [[1, 2]]], [["a", [1]], ["b", [1, 2]]]])
def test_rows_of_different_lengths_have_no_signature(value: Any) -> None:
    assert rows.signature(value) is None


def test_joined_arrays_may_be_written_to_only_if_all_may() -> None:
    view = np.frombuffer(TABLE.tobytes()).reshape(4, 3)
    assert not rows.join([TABLE, view]).flags.writeable
    assert rows.join([TABLE, TABLE]).flags.writeable
