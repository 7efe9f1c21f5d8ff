"""The rows of what predictors take and give: counted, joined and cut apart, whatever they are made of.

Known by what they can do and not by their class, so that no library is imported here: numpy arrays, scipy matrices,
pandas frames, Arrow tables, lists, and dictionaries of such columns.
"""

import sys
from collections.abc import Hashable, Sequence
from itertools import chain
from typing import Any, Final

_NESTED: Final = frozenset({list, tuple})
_CELLS: Final = frozenset({bool, int, float, str, bytes, type(None)})
"""Which of these there are decides on the dtype of an array made of them; records and images have none."""


def count(value: object) -> int | None:
    """The number of rows, or None for what has none.

    >>> count([1, 2]), count({"a": [1, 2], "b": [3, 4]}), count("text")
    (2, 2, None)
    """
    if isinstance(value, list):
        return len(value)
    shape = getattr(value, "shape", None)
    if shape is not None:
        try:
            return int(shape[0]) if len(shape) else None
        except (TypeError, ValueError):
            return None  # a field of that name which says something else
    if isinstance(value, dict):
        counts = {count(column) for column in value.values()}
        return counts.pop() if len(counts) == 1 else None
    rows = getattr(value, "num_rows", None)
    return rows if isinstance(rows, int) else None


def signature(value: object) -> Hashable:
    """What has to be equal for two values to be joined: kind, dtype and the shape of a row, columns by name.

    None for rows of different lengths, which are joined with nothing.
    """
    kind = type(value).__qualname__
    if isinstance(value, list):
        return _form(value)
    if isinstance(value, dict):
        return kind, tuple((name, signature(column)) for name, column in value.items())
    dtypes = getattr(value, "dtypes", None)
    if dtypes is not None and hasattr(value, "columns"):
        # As they are, not as they are written: 0 and "0" are two columns, and categories are part of a dtype.
        return kind, tuple((type(name), name) for name in value.columns), tuple(dtypes)
    schema = getattr(value, "schema", None)
    if schema is not None:
        return kind, str(schema)
    return kind, str(getattr(value, "dtype", "")), tuple(getattr(value, "shape", ())[1:])


def _form(rows: Sequence[Any]) -> Hashable:
    """Of rows in lists: the types of the cells, and how long each row is, by column where the types differ.

    >>> _form([1, 2]) == _form([3]), _form([[1, 2.5]]) == _form([[3, 4.5], [5, 6.5]]), _form([[1], [2, 3]])
    (True, True, None)
    """
    kinds = frozenset(map(type, rows))
    if not kinds <= _NESTED:
        return kinds & _CELLS
    lengths = frozenset(map(len, rows))
    if len(lengths) != 1:
        return None
    cells = frozenset(map(type, chain.from_iterable(rows)))
    if len(cells) == 1 and not cells <= _NESTED:
        return lengths, cells & _CELLS
    columns = tuple(map(_form, zip(*rows, strict=True)))
    return None if None in columns else (lengths, columns)


def join(values: Sequence[Any]) -> Any:
    """Several values of one signature as one, rows in the same order."""
    first = values[0]
    if isinstance(first, list):
        return [row for value in values for row in value]
    if isinstance(first, dict):
        return {name: join([value[name] for value in values]) for name in first}
    return _joiner(first)(values)


def cut(value: Any, start: int, end: int) -> Any:
    """The rows from `start` up to `end`."""
    if isinstance(value, dict):
        return {name: cut(column, start, end) for name, column in value.items()}
    rows = getattr(value, "iloc", None)
    if rows is not None:
        return rows[start:end]
    if hasattr(value, "num_rows"):
        return value.slice(start, end - start)
    return value[start:end]


def _joiner(first: object) -> Any:
    """The library's own function that joins values like this one; the library is loaded, the value came from it."""
    module = type(first).__module__.partition(".")[0]
    library: Any = sys.modules[module]
    if module == "pandas":
        return lambda frames: library.concat(frames, ignore_index=True)
    if module == "pyarrow":
        return library.concat_tables
    if module == "scipy":
        return lambda parts: library.sparse.vstack(parts, format="csr")

    def concatenated(arrays: Sequence[Any]) -> Any:
        joined = library.concatenate(arrays)
        # Who may not write to one array may not write to all.
        joined.flags.writeable = all(array.flags.writeable for array in arrays)
        return joined

    return concatenated
