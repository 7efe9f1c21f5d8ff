"""Python lists -> arrays of numbers, strictly: nothing that is not a number becomes one."""

from typing import TYPE_CHECKING

from argosy.errors import DecodeError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def to_array(value: object, *, may_hold_booleans: bool = False) -> "NDArray[np.float64]":
    """An array of shape (rows, columns, ...), float64, row-major, from nested lists of numbers.

    A flat list is one row; null is NaN.

    Args:
        value: What a parser gave.
        may_hold_booleans: Whether each cell must be looked at, because numpy takes a boolean among numbers for one.

    Raises:
        DecodeError: Not a list, ragged, or something in it is not a number; names the row.
    """
    import numpy as np

    if not isinstance(value, list):
        raise DecodeError("the body is not an array of numbers", got=_kind_of(value), want="a list of rows")
    try:
        array = np.array(value)
        if may_hold_booleans or array.dtype.kind not in "iuf":
            array = _from_mixed(value)
    except (ValueError, OverflowError):
        raise _fault(value) from None
    if array.ndim == 0 or array.size == 0:
        raise DecodeError("the body has no rows")
    if array.ndim == 1:
        array = array.reshape(1, -1)
    return np.ascontiguousarray(array, dtype=np.float64)


def _from_mixed(value: list[object]) -> "NDArray[np.float64]":
    """Nested lists in which null stands for a missing number, or whole numbers are larger than 64 bits."""
    import numpy as np

    mixed = np.array(value, dtype=object)
    for cell in mixed.flat:
        if cell is not None and (isinstance(cell, bool) or not isinstance(cell, int | float)):
            raise ValueError
    return mixed.astype(np.float64)


def _fault(rows: list[object]) -> DecodeError:
    """Which row is wrong, and how: of another length than the first, or with something that is not a number."""
    width = len(rows[0]) if rows and isinstance(rows[0], list) else None
    for number, row in enumerate(rows, start=1):
        if isinstance(row, list) != (width is not None):
            return DecodeError(f"row {number} is not like the first", got=_kind_of(row))
        if isinstance(row, list) and len(row) != width:
            return DecodeError(f"row {number} has another length", got=len(row), want=width)
        cells = row if isinstance(row, list) else [row]
        for column, cell in enumerate(cells, start=1):
            if isinstance(cell, bool) or not isinstance(cell, int | float | list | type(None)):
                place = f"row {number}, column {column}" if width is not None else f"column {number}"
                return DecodeError(f"{place} is not a number", got=_kind_of(cell))
    return DecodeError("the body is not an array of numbers")


def _kind_of(value: object) -> str:
    """The JSON name of a value's kind: the value itself never enters a message."""
    names: dict[type, str] = {dict: "an object", str: "a string", bool: "a boolean", list: "a list", type(None): "null"}
    return names.get(type(value), "a number")
