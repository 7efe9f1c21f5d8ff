"""Whether a row's answer depends on the rows beside it: a free first dimension alone does not say that it does not.

A graph may take the mean of what it is given together, normalise by it (what was exported in training mode), or go
through it from first to last (a sequence without a dimension for rows). Rows of several clients must never meet there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from argosy.serving import log
from argosy.serving.inputs.signature import TensorSpec

_FREE: Final = 8
"""Length of a free inner dimension of made-up rows."""
_ROUNDING: Final = 0.05
"""Of the largest number in an answer: what may differ, since sums are taken in another order.

Rows that make no sense to a model magnify that: 0.003 for Magika's file types (measured 2026-11-23). A mean over the
rows makes a difference of some tenths.
"""

Array = NDArray[Any]  # Any: each input and output has a dtype of its own


def may_join(
    told: bool | None, has_rows: bool | None, predict: Callable[[Any], object], inputs: Sequence[TensorSpec]
) -> bool:
    """Whether rows of several invocations may share a call: as the owner says, else as the model shows.

    Args:
        told: `row_wise` of `[model.options]`.
        has_rows: Whether the first dimension of all inputs and outputs is free; None when that is not known.
        predict: The model's, as the server calls it (hence `Any`). Called where the owner has said nothing.
        inputs: What it takes.
    """
    if told is not None:
        return told
    return has_rows is not False and _is_row_wise(predict, inputs)


def _is_row_wise(predict: Callable[[Any], object], inputs: Sequence[TensorSpec]) -> bool:
    """Whether two made-up rows are answered together as each is alone; what a model refuses shows nothing."""
    source = np.random.default_rng(0)
    both = {spec.name: _rows(spec, source) for spec in inputs}
    try:
        first, second, joined = (
            predict(_given(both, inputs, place)) for place in (slice(0, 1), slice(1, 2), slice(0, 2))
        )
        holds = all(map(_are_alike, _arrays(first), _arrays(second), _arrays(joined)))
    except Exception:  # rows that nobody has seen before: any model may refuse them, in its own way
        return True
    if not holds:
        hint = "rows of several invocations are not joined; row_wise = true under [model.options] joins them"
        log.event("rows-depend-on-each-other", hint=hint)
    return holds


def _rows(spec: TensorSpec, source: np.random.Generator) -> Array:
    """Two rows that differ."""
    shape = (2, *(_FREE if length is None else length for length in spec.shape[1:]))
    if spec.dtype == "str":
        return np.array([f"text {number}" for number in range(int(np.prod(shape)))], dtype=object).reshape(shape)
    if np.dtype(spec.dtype).kind in "fc":
        return np.asarray(source.random(shape), spec.dtype)
    return np.asarray(source.integers(0, 2, shape), spec.dtype)  # 0 and 1: in the range of most indices and masks


def _given(both: Mapping[str, Array], inputs: Sequence[TensorSpec], rows: slice) -> object:
    """Some of the rows, as `ModelSignature` says that `predict` gets them."""
    parts = {name: np.ascontiguousarray(array[rows]) for name, array in both.items()}
    is_one = len(inputs) == 1 and inputs[0].dtype not in ("str", "bool")
    return parts[inputs[0].name] if is_one else parts


def _arrays(answer: object) -> list[Array]:
    return list(map(np.asarray, answer.values() if isinstance(answer, Mapping) else [answer]))


def _are_alike(first: Array, second: Array, joined: Array) -> bool:
    """Whether the rows of one output are the same but for rounding."""
    apart = np.concatenate((first, second))
    if apart.shape != joined.shape or apart.dtype.kind not in "fciu" or not apart.size:
        return bool(np.array_equal(apart, joined))
    # A quantised number may be rounded to its neighbour.
    most = _ROUNDING * np.nanmax(np.abs(apart)) if apart.dtype.kind in "fc" else 1
    return bool(np.allclose(joined, apart, rtol=0, atol=most, equal_nan=True))
