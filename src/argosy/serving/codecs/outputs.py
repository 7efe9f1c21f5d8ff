"""What predictors return -> rows and JSON values: numpy, scipy, pandas, pyarrow, dataclasses, msgspec, pydantic."""

import datetime
import decimal
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeGuard

import orjson

from argosy.errors import NotAcceptableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

OCTETS: Final = (bytes, bytearray, memoryview)
"""What is sent as it is."""


def is_plain_table(prediction: object) -> "TypeGuard[NDArray[Any]]":  # Any: a number of any width
    """Whether a prediction is a numpy array of numbers, of one or two dimensions."""
    if type(prediction).__module__ != "numpy":
        return False
    array: Any = prediction  # Any: see above
    return getattr(array, "ndim", 0) in (1, 2) and array.dtype.kind in "fiu"


def cut(rows: list[bytes], counts: Sequence[int], between: bytes) -> list[bytes]:
    """The written rows of each invocation, joined again."""
    if len(rows) == len(counts) and 0 not in counts:
        return rows
    pieces: list[bytes] = []
    position = 0
    for count in counts:
        pieces.append(between.join(rows[position : position + count]))
        position += count
    return pieces


def plain(value: Any) -> object:  # Any: whatever orjson does not know, told apart by what it can do
    """One step from a value that orjson does not know towards one that it does; the `default` of `orjson.dumps`.

    A DataFrame and a pyarrow Table are lists of records, a sparse matrix is a dense one, a Decimal keeps its digits,
    NaT and pandas' NA are null, sets are sorted, a NamedTuple is an object.

    Raises:
        TypeError: It has no JSON form.
    """
    kind = type(value)
    module = kind.__module__.partition(".")[0]
    if module == "pandas":
        return _pandas(value)
    if module == "scipy" and hasattr(value, "toarray"):
        return value.toarray()
    if module == "pyarrow" and hasattr(value, "to_pylist"):
        return value.to_pylist()
    if hasattr(kind, "__struct_fields__"):
        import msgspec

        return msgspec.to_builtins(value, enc_hook=_whole, builtin_types=(datetime.datetime, datetime.date))
    if hasattr(kind, "model_dump") and hasattr(kind, "model_fields"):
        return value.model_dump(by_alias=True)
    if isinstance(value, decimal.Decimal):
        return orjson.Fragment(str(value)) if value.is_finite() else None
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return _container(value)


def _container(value: Any) -> object:  # Any: see `plain`
    if isinstance(value, tuple):
        fields = getattr(value, "_asdict", None)
        return fields() if callable(fields) else list(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "dtype") and value.dtype.kind in "cV":
        raise TypeError(f"an array of `{value.dtype}` has no JSON form")
    tolist = getattr(value, "tolist", None)
    if callable(tolist):
        return tolist()
    raise TypeError(f"`{type(value).__name__}` has no JSON form")


def _whole(value: object) -> object:
    """As `plain`, for msgspec, which takes only what is plain through and through."""
    return orjson.loads(orjson.dumps(value, default=plain, option=orjson.OPT_SERIALIZE_NUMPY))


def _pandas(value: Any) -> object:  # Any: pandas has no types
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return value.rename(columns=str).to_dict(orient="records")
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "isoformat"):
        return None if value != value else value.isoformat()  # NaT alone is unlike itself
    if type(value).__name__ == "NAType":
        return None
    raise TypeError(f"`{type(value).__name__}` has no JSON form")


def not_a_table(media_type: str) -> NotAcceptableError:
    """The refusal of a media type that can say nothing but tables."""
    return NotAcceptableError("the prediction is not a table", got=f"`{media_type}` in Accept", want="application/json")


def rows_of(prediction: Any, media_type: str) -> list[list[object]]:  # Any: see `plain`
    """A prediction as the rows of a table: a flat list is one column, a frame and a table lose their names.

    Raises:
        NotAcceptableError: It is not a table.
    """
    module = type(prediction).__module__.partition(".")[0]
    if module == "pandas" and hasattr(prediction, "columns"):
        prediction = list(prediction.itertuples(index=False, name=None))
    elif module == "pyarrow" and hasattr(prediction, "column_names"):
        prediction = list(zip(*(column.to_pylist() for column in prediction.columns), strict=True))
    elif module == "scipy" and hasattr(prediction, "toarray"):
        prediction = prediction.toarray()
    tolist = getattr(prediction, "tolist", None)
    value = tolist() if callable(tolist) else prediction
    rows = value if isinstance(value, list | tuple) else [value]
    table = [[_cell(cell) for cell in row] if isinstance(row, list | tuple) else [_cell(row)] for row in rows]
    if not all(isinstance(c, int | float | str | decimal.Decimal | None) for row in table for c in row):
        raise not_a_table(media_type)
    return table


def _cell(value: Any) -> object:  # Any: see `plain`
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat() if value == value else None  # NaT alone is unlike itself
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "ndim", None) == 0 else value


def to_arrow(prediction: Any, media_type: str) -> Any:  # Any: pyarrow has no types; see `plain` too
    """A prediction as a pyarrow Table: frames, lists of records, dicts of columns, and arrays of rows.

    Raises:
        NotAcceptableError: It is not a table.
    """
    import pyarrow

    module = type(prediction).__module__.partition(".")[0]
    try:
        if isinstance(prediction, pyarrow.Table):
            return prediction
        if isinstance(prediction, pyarrow.RecordBatch):
            return pyarrow.Table.from_batches([prediction])
        if module == "pandas" and hasattr(prediction, "columns"):
            return pyarrow.Table.from_pandas(prediction, preserve_index=False)
        if isinstance(prediction, dict):
            return pyarrow.table({name: list(cells) for name, cells in prediction.items()})
        if isinstance(prediction, list) and prediction and all(isinstance(row, dict) for row in prediction):
            return pyarrow.Table.from_pylist(prediction)
        if isinstance(prediction, str | bytes | int | float | None):
            raise not_a_table(media_type)
        rows = rows_of(prediction, media_type)
        width = len(rows[0]) if rows else 0
        return pyarrow.table({str(n): [row[n] for row in rows] for n in range(width)})
    except (pyarrow.ArrowException, TypeError, ValueError, IndexError):
        raise not_a_table(media_type) from None
