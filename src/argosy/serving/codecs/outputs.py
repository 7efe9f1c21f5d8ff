"""What predictors return -> rows and JSON values: numpy, scipy, pandas, pyarrow, dataclasses, msgspec, pydantic."""

import dataclasses
import datetime
import decimal
import enum
import uuid
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeGuard

import orjson

from argosy.errors import NotAcceptableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

OCTETS: Final = (bytes, bytearray, memoryview)
"""What is sent as it is."""
_PLAIN: Final = frozenset({bool, int, float, str, type(None)})
_NAMES_IN_COMMON: Final = 1000
"""Up to here records may have as many different names as they like; beyond, a table of them may be mostly holes."""


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


class Records(NamedTuple):
    """Records as a table: names, and for each record a cell for each name, None where it has none."""

    names: list[str]
    rows: list[list[object]]


def records_of(value: Any) -> Records | None:  # Any: see `plain`
    """A record, or a list of them, by the names that any of them has, in the order in which they come up.

    None for anything else, and for records that have hardly a name in common.
    """
    one = _fields_of(value)
    items = value if one is None and isinstance(value, list | tuple) else [value]
    records: list[Mapping[Any, object]] = []
    for item in items:
        fields = _fields_of(item)
        if fields is None:
            return None
        records.append(fields)
    names = dict.fromkeys(chain.from_iterable(records))
    told = list(map(str, names))
    cells = sum(map(len, records))
    if len(set(told)) != len(told) or not cells:
        return None
    if len(names) > _NAMES_IN_COMMON and len(names) * len(records) > 100 * cells:
        return None
    return Records(told, [[record.get(name) for name in names] for record in records])


def _fields_of(value: Any) -> Mapping[Any, object] | None:  # Any: see `plain`
    """The fields of a record, named as in JSON; None for what is none."""
    kind = type(value)
    if kind in _PLAIN or kind is list:
        return None
    if kind is dict:
        return value  # type: ignore[no-any-return]  # it is a dict
    if dataclasses.is_dataclass(kind):  # orjson passes over private ones too
        names = [field.name for field in dataclasses.fields(kind) if not field.name.startswith("_")]
        return {name: getattr(value, name) for name in names}
    is_foreign = hasattr(kind, "__struct_fields__") or (hasattr(kind, "model_dump") and hasattr(kind, "model_fields"))
    if is_foreign or isinstance(value, Mapping) or hasattr(kind, "_asdict"):
        found = plain(value)
        return found if isinstance(found, dict) else None
    return None


def _cell(value: Any) -> object:  # Any: see `plain`
    if type(value) in _PLAIN:
        return value
    if isinstance(value, enum.Enum):
        return _cell(value.value)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat() if value == value else None  # NaT alone is unlike itself
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "ndim", None) == 0 else value


def to_arrow(prediction: Any, media_type: str) -> Any:  # Any: pyarrow has no types; see `plain` too
    """A prediction as a pyarrow Table: frames, records and lists of them, dicts of columns, and arrays of rows.

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
        if isinstance(prediction, dict) and all(map(_is_column, prediction.values())):
            return pyarrow.table({str(name): list(cells) for name, cells in prediction.items()})
        records = records_of(prediction)
        if records is not None:
            columns = zip(*([_nested(cell) for cell in row] for row in records.rows), strict=True)
            return pyarrow.table(dict(zip(records.names, map(list, columns), strict=True)))
        if isinstance(prediction, str | bytes | int | float | dict | None):
            raise not_a_table(media_type)
        rows = rows_of(prediction, media_type)
        width = len(rows[0]) if rows else 0
        return pyarrow.table({str(n): [row[n] for row in rows] for n in range(width)})
    except (pyarrow.ArrowException, TypeError, ValueError, OverflowError, IndexError):
        raise not_a_table(media_type) from None


def _is_column(cells: object) -> bool:
    return (
        hasattr(cells, "__len__") and not isinstance(cells, str | bytes | Mapping) and getattr(cells, "shape", 1) != ()
    )


def _nested(cell: Any) -> object:  # Any: see `plain`
    """A cell of a record as pyarrow takes it: records in it are structs."""
    if type(cell) in _PLAIN:
        return cell
    if isinstance(cell, enum.Enum):
        return cell.value
    if isinstance(cell, uuid.UUID):
        return str(cell)
    fields = _fields_of(cell)
    if fields is not None:
        return {str(name): _nested(inner) for name, inner in fields.items()}
    return list(map(_nested, cell)) if isinstance(cell, list | tuple | set | frozenset) else cell
