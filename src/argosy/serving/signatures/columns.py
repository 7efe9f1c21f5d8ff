"""Columns that a model takes -> how a body becomes a data frame with just these."""

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Final

from argosy.errors import DecodeError
from argosy.serving.codecs.forms import columns_of
from argosy.serving.inputs.annotation import InputSpec
from argosy.serving.inputs.definitions import Schema
from argosy.serving.inputs.kind import InputKind
from argosy.serving.inputs.signature import ColumnSpec
from argosy.serving.signatures.cells import by_name, to_dtype, unwrapped

_MLFLOW: Final = ("dataframe_split", "dataframe_records")
_TYPES: Final[Mapping[str, Schema]] = {
    "str": {"type": ["string", "null"]},
    "bool": {"type": "boolean"},
    "f": {"type": ["number", "null"]},
}


def of_columns(columns: Sequence[ColumnSpec], example: object | None) -> InputSpec:
    """What a model with these columns takes: records, columns, pandas' `split`, MLflow's forms, CSV, Arrow, Parquet."""
    told = example if example is not None else [{column.name: _nothing(column.dtype) for column in columns}]
    return InputSpec(InputKind.TENSORS, False, partial(_frame, tuple(columns)), _schema_of(columns), example=told)


def _frame(columns: Sequence[ColumnSpec], value: object, is_text: bool) -> object:
    """A `pandas.DataFrame`.

    Raises:
        DecodeError: A column is missing, or a cell is not what it has to be; names both.
    """
    import numpy as np
    import pandas

    names = [column.name for column in columns]
    optional = frozenset(column.name for column in columns if not column.is_required)
    value = unwrapped(value, names)
    if isinstance(value, dict) and not any(name in value for name in names):
        inner = next((value[form] for form in _MLFLOW if form in value), value)
        is_split = isinstance(inner, dict) and isinstance(inner.get("data"), list)
        value = {str(key): cells for key, cells in columns_of(inner)[0].items()} if is_split else inner
    if (
        isinstance(value, dict)
        and value
        and not any(hasattr(v, "__len__") and not isinstance(v, str) for v in value.values())
    ):
        value = [value]  # one record
    found = by_name(value, names, optional)
    if len(names) == 1:
        found = {name: _flat(cells) for name, cells in found.items()}
    rows = {len(cells) if isinstance(cells, list) or hasattr(cells, "__len__") else -1 for cells in found.values()}
    if len(rows) != 1 or -1 in rows:
        raise DecodeError("the columns differ in length")
    made = {}
    for column in columns:
        if column.name in found:
            made[column.name] = _cells(column, found[column.name], is_text)
    dtypes = {column.dtype for column in columns if column.name in made}
    if len(dtypes) == 1 and "str" not in dtypes:  # one block instead of one a column: made in a quarter of the time
        block = np.array(list(made.values()))
        return pandas.DataFrame(block.T, columns=_labels(tuple(made)), copy=False)
    return pandas.DataFrame(made, copy=False)


@lru_cache(maxsize=16)
def _labels(names: tuple[str, ...]) -> object:
    """The names as pandas keeps them; which of them are there differs by the optional ones alone."""
    import pandas

    return pandas.Index(names)


def _flat(cells: object) -> object:
    """The cells of an only column, out of rows that hold one each."""
    import numpy as np

    if isinstance(cells, np.ndarray) and cells.ndim == 2 and cells.shape[1] == 1:
        return cells[:, 0]
    if isinstance(cells, list) and all(isinstance(row, list) and len(row) == 1 for row in cells):
        return [row[0] for row in cells]
    return cells


def _cells(column: ColumnSpec, cells: object, is_text: bool) -> object:
    if column.dtype != "str":
        place = f"column `{column.name}`"
        array = to_dtype(cells, column.dtype, place, is_text=is_text)
        if array.ndim != 1:
            raise DecodeError("a cell holds several values", want=f"`{column.dtype}`", where=place)
        return array
    listed = cells if isinstance(cells, list) else list(cells)  # type: ignore[call-overload]  # an array of a column
    return _texts(column, listed, is_text)


def _texts(column: ColumnSpec, cells: list[object], is_text: bool) -> object:
    """A column of texts in which what is missing is always the same, whatever rows are beside it.

    pandas 3 makes NaN of a null that is beside a text, and leaves one that is alone; pandas 2 leaves all.
    """
    import numpy as np
    import pandas

    if is_text:
        cells = [cell or None for cell in cells]
    for number, cell in enumerate(cells, start=1):
        if cell is not None and not isinstance(cell, str):
            raise DecodeError(f"row {number} is not text", want="text, or null", where=f"column `{column.name}`")
    if column.missing is None:
        return pandas.Series(cells, dtype=object)
    return np.array([column.missing if cell is None else cell for cell in cells], dtype=object)


def _nothing(dtype: str) -> object:
    return {"str": "", "bool": False}.get(dtype, 0)


def _schema_of(columns: Sequence[ColumnSpec]) -> Schema:
    properties = {column.name: _type(column.dtype) for column in columns}
    required = [column.name for column in columns if column.is_required]
    record: Schema = {"type": "object", "properties": properties, "required": required}
    by_column = {name: {"type": "array", "items": cell} for name, cell in properties.items()}
    rows: Schema = {"type": "array", "items": record}
    cells: Schema = {
        "type": "array", "prefixItems": list(properties.values()), "minItems": len(columns), "maxItems": len(columns)
    }  # fmt: skip
    return {
        "description": "records by the names of the columns, or columns by name; without names, in their order",
        "anyOf": [
            rows,
            record,
            {"type": "object", "properties": by_column, "required": required},
            {"type": "object", "properties": {"instances": rows}, "required": ["instances"]},
            {"type": "object", "properties": {"dataframe_split": {"type": "object"}}, "required": ["dataframe_split"]},
            {"type": "array", "items": cells},
        ],
    }


def _type(dtype: str) -> Schema:
    if dtype in _TYPES:
        return dict(_TYPES[dtype])
    return dict(_TYPES["f"]) if dtype.startswith("float") else {"type": "integer"}
