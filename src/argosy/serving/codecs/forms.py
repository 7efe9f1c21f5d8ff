"""From what a body holds most naturally (an array, sparse rows, records) to the kind that the predictor asks for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from argosy.errors import DecodeError
from argosy.serving.codecs.numbers import kind_of, to_array
from argosy.serving.inputs.kind import InputKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

INFLATED_BYTES: Final = 256 * 1024 * 1024
"""What a body may grow to when it is inflated, made dense, or decompressed. A body itself is at most 25 MB on an
endpoint and 100 MB in a transform job (contract.py), so nothing honest comes near."""
_TABLE_DEPTH: Final = 16  # pyarrow takes seconds for a few hundred
_TABLE_COLUMNS: Final = 65_536  # each column of a table is several objects: more make a small body a big table

ARRAY_KINDS: Final = frozenset(
    {InputKind.ARRAY, InputKind.SPARSE, InputKind.FRAME, InputKind.TABLE, InputKind.LIST, InputKind.RECORDS}
    | {InputKind.ANY}
)
"""What `from_array` makes."""


@dataclass(frozen=True, slots=True)
class SparseRows:
    """Rows of which most cells are zero, laid out as scipy's CSR, and needing no scipy.

    Attributes:
        indexes: Column of each value, int64, each at least 0 and less than `width`.
        values: float64 or float32 or int32, as many as `indexes`.
        starts: Where each row begins in both, int64, and the end: one more than there are rows.
        width: Number of columns.
    """

    indexes: "NDArray[np.int64]"
    values: "NDArray[Any]"  # Any: one of three dtypes
    starts: "NDArray[np.int64]"
    width: int

    @classmethod
    def from_lists(cls, indexes: list[int], values: list[float], lengths: list[int], width: int) -> "SparseRows":
        """From the cells of all rows one after the other, and how many each row has.

        Raises:
            DecodeError: The width, or a number, is beyond 64 bits.
        """
        import numpy as np

        try:
            cells = np.array(values, dtype=np.float64)
        except OverflowError:
            raise DecodeError("a number is beyond the range of float64") from None
        if width >= 2**63:
            raise DecodeError("the rows have too many columns", want="fewer than 2**63")
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.array(lengths, dtype=np.int64))])
        return cls(np.array(indexes, dtype=np.int64), cells, starts, width)

    @classmethod
    def from_cells(
        cls,
        row: "NDArray[np.int64]",
        column: "NDArray[np.int64]",
        values: "NDArray[Any]",  # Any: numbers of any dtype
        shape: tuple[int, int],
    ) -> "SparseRows":
        """From cells in any order, each with its row and column.

        Raises:
            DecodeError: A cell is outside the shape, or the shape has more rows than there is room for.
        """
        import numpy as np

        rows, width = shape
        require_room(rows * 8, "the sparse rows")
        if rows < 0 or (len(row) and (row.min() < 0 or row.max() >= rows)):
            raise DecodeError("a row is outside the shape of the matrix")
        if width < 0 or (len(column) and (column.min() < 0 or column.max() >= width)):
            raise DecodeError("a column is outside the shape of the matrix")
        order = np.argsort(row, kind="stable")
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(row, minlength=rows))])
        native = values.astype(values.dtype.newbyteorder("="), copy=False)
        return cls(column[order], native[order], starts, width)

    def to_dense(self) -> "NDArray[Any]":  # Any: the dtype of `values`
        """Shape (rows, width); values of one cell add up, as they do in scipy.

        Raises:
            DecodeError: It would take more than `INFLATED_BYTES`.
        """
        import numpy as np

        rows = len(self.starts) - 1
        require_room(rows * self.width * self.values.itemsize, "the sparse rows, made dense,")
        if rows * self.width == 0:
            raise DecodeError("the body has no rows or no columns")
        dense = np.zeros((rows, self.width), self.values.dtype)
        np.add.at(dense, (np.repeat(np.arange(rows), np.diff(self.starts)), self.indexes), self.values)
        return dense


def require_room(size_bytes: int, what: str) -> None:
    """Refuse what would become larger than `INFLATED_BYTES`.

    Raises:
        DecodeError: It would.
    """
    if size_bytes > INFLATED_BYTES:
        raise DecodeError(f"{what} would be too large", got=f"{size_bytes} bytes", want=f"at most {INFLATED_BYTES}")


def from_array(array: "NDArray[Any]", kind: InputKind) -> object:  # Any: a self-describing body has any dtype
    """An array as one of `ARRAY_KINDS`.

    Raises:
        DecodeError: It has not two dimensions, or cells that are not numbers, where the kind needs them.
    """
    if kind in (InputKind.ARRAY, InputKind.ANY):
        return array
    if kind in (InputKind.LIST, InputKind.RECORDS):
        return _listed(array)
    if array.ndim == 1:
        array = array.reshape(1, -1)
    if array.ndim != 2:
        raise DecodeError("the array is not a table", got=f"{array.ndim} dimensions", want="2")
    if kind is InputKind.SPARSE:
        from scipy.sparse import csr_matrix

        if array.dtype.kind not in "biufc" or array.dtype == "float16" or array.dtype.itemsize > 16:
            raise DecodeError("a sparse matrix cannot be made of these cells", got=f"dtype {array.dtype}")
        return csr_matrix(array.astype(array.dtype.newbyteorder("="), copy=False))
    if kind is InputKind.FRAME:
        import pandas

        return pandas.DataFrame(array.astype(array.dtype.newbyteorder("="), copy=False))
    return _tabled(array)


def from_sparse(sparse: SparseRows, kind: InputKind) -> object:
    """Sparse rows as one of `ARRAY_KINDS`; for `ANY` a `csr_matrix` where scipy is installed, else an array.

    Raises:
        DecodeError: Dense they would take more than `INFLATED_BYTES`, or they are too many for scipy.
    """
    if kind in (InputKind.SPARSE, InputKind.ANY):
        try:
            from scipy.sparse import csr_matrix
        except ImportError:
            return sparse.to_dense()
        shape = (len(sparse.starts) - 1, sparse.width)
        values = sparse.values.astype("f4") if sparse.values.dtype == "f2" else sparse.values  # scipy has no float16
        return csr_matrix((values, sparse.indexes, sparse.starts), shape=shape)
    return from_array(sparse.to_dense(), kind)


def from_records(value: object, kind: InputKind) -> object:
    """JSON values as FRAME, TABLE or ARRAYS.

    Records are a dict or a list of dicts. Columns are a dict of lists, `{"columns": names, "data": rows}` (pandas'
    `split`), or either inside `dataframe_split` or `dataframe_records` (MLflow). Rows without names are lists.

    Raises:
        DecodeError: It is none of these, or the columns differ in length; names the place.
    """
    if isinstance(value, dict):
        for name in ("dataframe_split", "dataframe_records"):
            if isinstance(value.get(name), dict | list):
                value = value[name]
                break
    if kind is InputKind.ARRAYS:
        return _arrays(value)
    columns, count = columns_of(value)
    if not 0 < len(columns) <= _TABLE_COLUMNS:
        raise DecodeError("the number of columns is odd", got=len(columns), want=f"1 to {_TABLE_COLUMNS}")
    if kind is InputKind.FRAME:
        import pandas

        return pandas.DataFrame(columns, index=range(count))
    import pyarrow

    made = {}
    for column, cells in columns.items():
        if any(_is_deep(cell, _TABLE_DEPTH) for cell in cells):
            raise DecodeError("a column is nested too deep", want=f"at most {_TABLE_DEPTH} levels")
        try:
            made[str(column)] = pyarrow.array(cells)
        except (pyarrow.ArrowException, OverflowError, TypeError, ValueError, UnicodeError):
            raise DecodeError("a column holds values of different kinds", where=f"column {len(made) + 1}") from None
    return pyarrow.table(made)


def _is_deep(cell: object, levels: int) -> bool:
    inner = cell.values() if isinstance(cell, dict) else cell if isinstance(cell, list) else ()
    return levels == 0 or any(_is_deep(one, levels - 1) for one in inner if isinstance(one, dict | list))


def columns_of(value: object) -> tuple[dict[object, list[object]], int]:
    """Columns by name, or by position where there are no names, and how many rows they have.

    Raises:
        DecodeError: They differ in length, or the value is no table; names the place.
    """
    if isinstance(value, dict) and isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):
        names, rows = value["columns"], value["data"]
        if not all(isinstance(name, str | int) for name in names) or len(set(names)) != len(names):
            raise DecodeError("`columns` is not a list of different names")
        return dict(zip(names, _transposed(rows, len(names)), strict=True)), len(rows)
    if isinstance(value, dict) and value and all(isinstance(cells, list) for cells in value.values()):
        lengths = {len(cells) for cells in value.values()}
        if len(lengths) != 1:
            raise DecodeError("the columns differ in length", got=f"{min(lengths)} to {max(lengths)} cells")
        return dict(value), lengths.pop()
    rows = [value] if isinstance(value, dict) else value
    if not isinstance(rows, list) or not rows:
        raise DecodeError("the body is not a list of records", got=kind_of(value))
    if not isinstance(rows[0], dict):
        if not isinstance(rows[0], list):
            rows = [rows]
        return dict(enumerate(_transposed(rows, len(rows[0])))), len(rows)
    found: dict[object, None] = {}
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise DecodeError(f"record {number} is not an object", got=kind_of(row))
        found.update(dict.fromkeys(row))
    if len(found) > 1000 and len(found) * len(rows) > 100 * sum(map(len, rows)):
        raise DecodeError("the records have hardly a field in common")
    return {name: [row.get(name) for row in rows] for name in found}, len(rows)


def _transposed(rows: list[object], width: int) -> list[list[object]]:
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list):
            raise DecodeError(f"row {number} is not a list", got=kind_of(row))
        if len(row) != width:
            raise DecodeError(f"row {number} has another length", got=len(row), want=width)
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _arrays(value: object) -> "dict[str, NDArray[np.float64]]":
    """Named arrays, each as JSON has it: a list of n numbers has the shape (n,)."""
    import numpy as np

    if not isinstance(value, dict):
        raise DecodeError("the body is not an object of named arrays", got=kind_of(value))
    arrays = {}
    for position, (name, cells) in enumerate(value.items(), start=1):
        try:
            array = to_array(cells, may_hold_booleans=True)
        except DecodeError as error:
            raise DecodeError(error.what, got=error.got, want=error.want, where=f"array {position}") from None
        is_flat = isinstance(cells, list) and not isinstance(cells[0], list)
        arrays[name] = np.ascontiguousarray(array.reshape(-1) if is_flat else array)
    return arrays


def _listed(array: "NDArray[Any]") -> object:  # Any: a self-describing body has any dtype
    require_room(array.size * 32, "the array, made a list,")
    if array.ndim == 0:
        raise DecodeError("the array has no rows")
    if array.dtype.kind in "cSV":
        raise DecodeError("a list cannot be made of these cells", got=f"dtype {array.dtype}")
    return array.tolist()


def _tabled(array: "NDArray[Any]") -> object:  # Any: a self-describing body has any dtype
    import numpy as np
    import pyarrow

    if array.shape[1] > _TABLE_COLUMNS:
        raise DecodeError("the table has too many columns", got=array.shape[1], want=f"at most {_TABLE_COLUMNS}")
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    try:
        return pyarrow.table({str(n): pyarrow.array(np.ascontiguousarray(native[:, n])) for n in range(array.shape[1])})
    except (pyarrow.ArrowException, TypeError, ValueError):
        raise DecodeError("a table cannot be made of these cells", got=f"dtype {array.dtype}") from None
