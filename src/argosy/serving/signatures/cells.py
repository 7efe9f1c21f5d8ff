"""JSON-like values -> arrays by name: the forms in which clients send several arrays, or columns.

Understood are `{"a": [...], "b": [...]}`, TensorFlow Serving's `{"inputs": {...}}`, SageMaker's `{"instances": [...]}`,
a list of records, one record, and rows without names. Rows of CSV are such rows or records, whose cells are text.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from argosy.errors import DecodeError
from argosy.serving.codecs.forms import require_room
from argosy.serving.codecs.numbers import kind_of
from argosy.serving.codecs.shapes import instances_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COLUMNAR: Final = "inputs"
_EXACT_FLOAT: Final = 2**53
_TRUTHS: Final = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}


def by_name(value: object, names: Sequence[str], optional: frozenset[str] = frozenset()) -> dict[str, object]:
    """The cells of each array, whatever form the body has.

    Args:
        value: What a codec gave: JSON-like, an array, or arrays by name.
        names: Of what is wanted, in their order.
        optional: Those of them that may be left out.

    Raises:
        DecodeError: One is missing; names it.
    """
    value = unwrapped(value, names)
    if isinstance(value, dict):
        return _chosen(value, names, optional)
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        missing = frozenset(names) - optional
        for number, row in enumerate(value, start=1):
            if absent := missing.difference(row):
                first = min(absent, key=list(names).index)
                raise DecodeError("a field is missing", want=f"`{first}`", where=f"row {number}")
        return {name: [row.get(name) for row in value] for name in names if any(name in row for row in value)}
    if len(names) == 1:
        return {names[0]: value}
    return dict(zip(names, _by_position(value, len(names)), strict=True))


def unwrapped(value: object, names: Sequence[str]) -> object:
    """What is inside `{"instances": ...}` or `{"inputs": ...}`, unless an array has that name."""
    if not isinstance(value, dict) or any(name in value for name in names):
        return value
    if _COLUMNAR in value:
        return value[_COLUMNAR]
    return instances_of(value)


def _chosen(value: Mapping[str, object], names: Sequence[str], optional: frozenset[str]) -> dict[str, object]:
    if set(value) == {str(number) for number in range(len(names))}:  # as tables are written that have no names
        value = {name: value[str(number)] for number, name in enumerate(names)}
    for name in names:
        if name not in value and name not in optional:
            raise DecodeError("a field is missing", want=f"`{name}`", got=f"{len(value)} others")
    return {name: value[name] for name in names if name in value}


def _by_position(value: object, width: int) -> list[list[object]]:
    """The columns of rows without names; a flat list is one row."""
    rows = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(rows, list) or not rows:
        raise DecodeError("the body has no rows", got=kind_of(value))
    if not isinstance(rows[0], list):
        rows = [rows]
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != width:
            got = f"{len(row)} cells" if isinstance(row, list) else kind_of(row)
            raise DecodeError(f"row {number} has not a cell for each input", got=got, want=f"{width} cells, or names")
    return [list(column) for column in zip(*rows, strict=True)]


def to_dtype(cells: object, dtype: str, where: str, *, is_text: bool) -> "NDArray[Any]":  # Any: `dtype` says which
    """Cells as an array of exactly this dtype: nothing is rounded but real numbers, nothing is guessed.

    Args:
        cells: An array, nested lists, or one value.
        dtype: numpy's name of it; `str` makes an array of objects.
        where: What an error names.
        is_text: Whether the cells are text, as in CSV.

    Raises:
        DecodeError: A cell is none of this dtype or beyond it, or the lists are ragged.
    """
    import numpy as np

    if dtype == "str":
        return _texts(cells, where)
    target = np.dtype(dtype)
    if is_text:
        cells = _parsed(cells, target.kind, where)
    try:
        array = cells if isinstance(cells, np.ndarray) else _array(cells, target.kind)
        if array.dtype == target:
            return np.asarray(array, order="C")
        with np.errstate(all="ignore"):
            cast = np.asarray(array, dtype=target, order="C")
            is_exact = target.kind in "fc" or bool((cast == array).all())
    except (ValueError, TypeError, OverflowError):
        raise _fault(cells, dtype, where) from None
    if array.dtype.kind not in "biuf" or not is_exact or (target.kind == "f" and array.dtype.kind == "b"):
        raise DecodeError("the array has other values", got=f"`{array.dtype}`", want=f"`{dtype}`", where=where)
    require_range(array, cast, where)
    return cast


def require_range(array: "NDArray[Any]", cast: "NDArray[Any]", where: str) -> None:  # Any: any dtypes of numbers
    """Refuse a number that became infinite because a narrower dtype has none so large.

    numpy says nothing of it before 1.24, so the array is looked through; only one that was narrowed.

    Args:
        array: The numbers as they came.
        cast: The same in the dtype of the model.
        where: What the error names.

    Raises:
        DecodeError: There is one.
    """
    import numpy as np

    is_narrower = cast.dtype.kind in "fc" and cast.dtype.itemsize < array.dtype.itemsize
    if is_narrower and not np.isfinite(cast).all() and (np.isinf(cast) & np.isfinite(array)).any():
        raise DecodeError("a number is too large", want=f"what `{cast.dtype}` holds", where=where)


def fit(array: "NDArray[Any]", shape: Sequence[int | None], where: str) -> "NDArray[Any]":  # Any: any dtype
    """The array in the shape that a model wants, where only dimensions of one, or of cells in a row, are in the way.

    A flat row of numbers stands for the inner dimensions, as in CSV, and what lacks the rows is one row.

    Raises:
        DecodeError: It has another shape.
    """
    if len(array.shape) == len(shape) and all(w is None or w == n for w, n in zip(shape, array.shape, strict=True)):
        return array
    for candidate in _candidates(array.shape, tuple(shape)):
        if math.prod(candidate) == array.size:
            return array.reshape(candidate)
    raise DecodeError("the array has another shape", got=_written(array.shape), want=_written(shape), where=where)


def _candidates(got: tuple[int, ...], want: tuple[int | None, ...]) -> "list[tuple[int, ...]]":
    """Shapes that the array may be meant to have, best first."""
    found: list[tuple[int, ...]] = []
    inner = [length for length in want[1:] if length is not None]
    rows = want[0] if want else 1
    is_one_row = len(got) == len(want) - 1 and all(w in (None, n) for w, n in zip(want[1:], got, strict=True))
    if is_one_row and rows in (None, 1):
        found.append((1, *got))  # without the dimension of the rows
    if not got and len(inner) == len(want) - 1 and math.prod(inner) == 1 and rows in (None, 1):
        found.append((1, *inner))  # one value, which is all of one row
    if len(inner) == len(want) - 1 and want and got:
        size = math.prod(inner)
        count = got[0] if len(got) > 1 else (math.prod(got) // size if len(want) == 1 or size == 1 else 1)
        flat = len(got) <= 2 and (rows is None or rows == count)
        if flat and count * size == math.prod(got):
            found.append((count, *inner))  # each row's cells one after the other
        if len(want) == 1 and len(got) == 2 and got[0] == 1:
            found.append((got[1],))
    if not want and math.prod(got) == 1:
        found.append(())
    return found


def _written(shape: Sequence[int | None]) -> str:
    return f"({', '.join('any' if length is None else str(length) for length in shape)})"


def _array(cells: object, kind: str) -> "NDArray[Any]":  # Any: what the cells are
    """Nested lists as an array; null is NaN where real numbers are wanted."""
    import numpy as np

    array = np.array(cells)
    if array.dtype.kind == "O" or kind == "f":
        flat = np.array(cells, dtype=object)
        for cell in flat.flat:
            is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
            if not (is_number or (kind == "f" and cell is None) or (kind == "b" and isinstance(cell, bool))):
                raise ValueError
        return flat.astype(np.float64) if kind == "f" else array
    if kind != "b" and array.dtype.kind in "iu":
        flat = np.array(cells, dtype=object)
        if any(isinstance(cell, bool) for cell in flat.flat):
            raise ValueError
    return array


def _fault(cells: object, dtype: str, where: str) -> DecodeError:
    """Which cell is none of this dtype, or that the rows are not alike; never the cell itself."""
    import numpy as np

    try:
        flat = np.array(cells, dtype=object).reshape(-1)
    except ValueError:
        flat = np.array([cells], dtype=object).reshape(-1)
    kind = np.dtype(dtype).kind
    for number, cell in enumerate(flat, start=1):
        if isinstance(cell, list):
            break
        is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
        if not (is_number or (kind == "f" and cell is None) or (kind == "b" and isinstance(cell, bool))):
            return DecodeError(
                f"cell {number} is none of the model's", got=kind_of(cell), want=f"`{dtype}`", where=where
            )
    return DecodeError("the rows are not alike", want=f"`{dtype}`, each row as long as the first", where=where)


def _texts(cells: object, where: str) -> "NDArray[Any]":  # Any: objects, each a str
    import numpy as np

    if isinstance(cells, np.ndarray):
        if cells.dtype.kind not in "UO" or not all(isinstance(cell, str) for cell in cells.flat):
            raise DecodeError("the array is not of texts", got=f"`{cells.dtype}`", where=where)
        return cells.astype(object)
    try:
        array = np.array(cells, dtype=object)
    except ValueError:
        raise DecodeError("the rows differ in length", where=where) from None
    for number, cell in enumerate(array.flat, start=1):
        if not isinstance(cell, str):
            raise DecodeError(f"cell {number} is not text", got=kind_of(cell), where=where)
    return array


def _parsed(cells: object, kind: str, where: str) -> object:
    """Cells of CSV as numbers or truth values."""
    if isinstance(cells, list):
        require_room(len(cells) * 32, "the cells")
        return [_parsed(cell, kind, where) for cell in cells]
    text = str(cells).strip()
    try:
        if "_" in text:  # Python would read 1_0 as 10
            raise ValueError
        if kind == "b":
            return _TRUTHS[text.lower()]
        if kind == "f":
            return float(text) if text else math.nan
        return int(text) if text.lstrip("+-").isdigit() else _whole(float(text))
    except (ValueError, KeyError, OverflowError):
        raise DecodeError("a cell is not what the model takes", want="a truth value" if kind == "b" else "a number",
                          where=where) from None  # fmt: skip


def _whole(number: float) -> int:
    if number != int(number) or abs(number) >= _EXACT_FLOAT:
        raise ValueError
    return int(number)
