"""What a loaded model says of its inputs and outputs, for predictors whose annotations cannot know it."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One array that a model takes or gives.

    Attributes:
        name: As the model calls it.
        dtype: numpy's name of it, as `float32`; `str` for text.
        shape: Its dimensions, None for one of any length. The first is the rows of a model that is row-wise.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column of a table that a model takes.

    Attributes:
        name: As the model calls it.
        dtype: numpy's name of what its cells are made to be, as `float64`; `str` for text.
        is_required: Whether each table has to have it; else the model gets a table without it.
        missing: What the model gets for a text that is null or empty: NaN as in most frames, or None, where it was
            trained on that. scikit-learn has them for two categories.
    """

    name: str
    dtype: str
    is_required: bool = True
    missing: float | None = math.nan


@dataclass(frozen=True, slots=True)
class ModelSignature:
    """What a loaded model takes and gives; a predictor that defines `signature()` returns one, asked for after `load`.

    What `predict` is given follows from `inputs`: one array of numbers is an `np.ndarray` of exactly that dtype and
    shape; several arrays, or one that is not of numbers, a `dict[str, np.ndarray]`; columns a `pandas.DataFrame` with
    these, in this order; an annotation what it is in a predictor of one's own.

    Attributes:
        inputs: Arrays, or columns, or an annotation as the argument of `predict` may have.
        outputs: Arrays that it gives; none when that is not known.
        features: Names of the columns of the only array, of two dimensions: rows that come with names are put into
            this order.
        row_wise: As in `Predictor`; None leaves it to that.
        example: JSON-like, what a client could send, recorded with the model: it is predicted before `/ping` says 200,
            and refused only by a broken model. None: one row of zeros, or of empty texts, which proves less.
    """

    inputs: "tuple[TensorSpec, ...] | tuple[ColumnSpec, ...] | object"
    outputs: tuple[TensorSpec, ...] = ()
    features: tuple[str, ...] = ()
    row_wise: bool | None = None
    example: object | None = None
