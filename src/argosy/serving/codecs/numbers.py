"""Text and Python lists -> arrays of numbers, strictly: nothing that is not a number becomes one."""

import importlib.util
import threading
from typing import TYPE_CHECKING, Final

import orjson

from argosy.errors import DecodeError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NUMBER_CHARACTERS: Final = b"0123456789.eE+- \t"
"""What numbers are written with, and blanks. A text without them is its skeleton: brackets and separators."""

HAS_SIMDJSON: Final = importlib.util.find_spec("simdjson") is not None

_KEPT_PARSER_BYTES: Final = (
    1 << 20
)  # a parser keeps about 14 times its largest text, so larger texts get one of their own
_threads = threading.local()


def parse_numbers(text: bytes) -> "NDArray[np.float64] | None":
    """All numbers of a JSON array of numbers, or of arrays of them, in one flat array that can be written to.

    None when it is not JSON, something in it is not a number, or a number needs a closer look (beyond 64 bits): then
    the general parser decides. How the arrays are nested is not looked at, nor whether a cell is a boolean: the caller
    has compared the skeleton.
    """
    import numpy as np

    if not HAS_SIMDJSON:
        try:
            cells = orjson.loads(text)
        except orjson.JSONDecodeError:
            return None
        try:
            array = np.array(cells)  # five times as fast as taking nested lists apart first
        except ValueError:  # bodies of different shapes
            while any(isinstance(cell, list) for cell in cells):
                cells = [inner for cell in cells for inner in (cell if isinstance(cell, list) else (cell,))]
            array = np.array(cells)
        return array.astype(np.float64, copy=False).reshape(-1) if array.dtype.kind in "iuf" else None
    import simdjson

    parser = getattr(_threads, "parser", None)
    if parser is None or len(text) > _KEPT_PARSER_BYTES:
        parser = simdjson.Parser()
        if len(text) <= _KEPT_PARSER_BYTES:
            _threads.parser = parser
    try:
        document = parser.parse(text)
        return np.frombuffer(document.as_buffer(of_type="d")) if isinstance(document, simdjson.Array) else None
    except (ValueError, TypeError, RuntimeError):  # not JSON; something else than a number in it
        return None


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
        raise DecodeError("the body is not an array of numbers", got=kind_of(value), want="a list of rows")
    try:
        array = np.array(value)
        if may_hold_booleans or array.dtype.kind not in "iuf":
            array = _from_mixed(value)
    except (ValueError, OverflowError, TypeError):
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
            return DecodeError(f"row {number} is not like the first", got=kind_of(row))
        if isinstance(row, list) and len(row) != width:
            return DecodeError(f"row {number} has another length", got=len(row), want=width)
        cells = row if isinstance(row, list) else [row]
        for column, cell in enumerate(cells, start=1):
            if isinstance(cell, bool) or not isinstance(cell, int | float | list | type(None)):
                place = f"row {number}, column {column}" if width is not None else f"column {number}"
                return DecodeError(f"{place} is not a number", got=kind_of(cell))
    return DecodeError("the body is not an array of numbers")


def kind_of(value: object) -> str:
    """The JSON name of a value's kind: the value itself never enters a message."""
    names: dict[type, str] = {dict: "an object", str: "a string", bool: "a boolean", list: "a list", type(None): "null"}
    return names.get(type(value), "a number")


def rows_and_width(shapes: list[tuple[int, int] | None], expected: int) -> tuple[list[int], int] | None:
    """The rows of each of several bodies and the width that all have; None when they differ or one is no table.

    >>> rows_and_width([(2, 4), (1, 4)], 2), rows_and_width([(2, 4), (1, 3)], 2)
    (([2, 1], 4), None)
    """
    first = shapes[0]
    if len(shapes) != expected or first is None:
        return None
    counts: list[int] = []
    for shape in shapes:
        if shape is None or shape[1] != first[1]:
            return None
        counts.append(shape[0])
    return counts, first[1]
