"""Answers beside what the framework itself said: bit for bit, number for number, and nearly."""

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from tests.flavors.serving import Arrays

NPY, CSV = "application/x-npy", "text/csv"


def rows_of(body: bytes, media_type: str) -> Arrays:
    """The array of an npy, or the named arrays of an npz."""
    found = np.load(io.BytesIO(body), allow_pickle=False)
    return found if media_type == NPY else dict(found)


def is_same(found: Arrays, wanted: Arrays) -> bool:
    """Whether dtype, shape and every bit are the same; NaN is NaN."""
    if isinstance(wanted, Mapping) or isinstance(found, Mapping):
        return (
            isinstance(wanted, Mapping)
            and isinstance(found, Mapping)
            and set(found) == set(wanted)
            and all(is_same(found[name], wanted[name]) for name in wanted)
        )
    return found.dtype == wanted.dtype and found.shape == wanted.shape and found.tobytes() == wanted.tobytes()


def as_text(body: bytes, media_type: str, wanted: Arrays, *, is_near_enough: bool = False) -> bool:
    """Whether a text holds the same numbers, each read back into the type that the framework gave it.

    Args:
        body: CSV or JSON.
        media_type: Which of the two.
        wanted: What the framework said.
        is_near_enough: Whether the last digits may differ: the framework was given all rows at once, and where it sums
            in another order then, it rounds otherwise.
    """
    found: Any = _csv_rows(body, wanted) if media_type == CSV else json.loads(body)
    if isinstance(wanted, Mapping):
        named = found.get("outputs", found) if isinstance(found, Mapping) else _columns(found)
        return set(named) == set(wanted) and all(
            _agrees(named[name], _in_rows(wanted[name], media_type), is_near_enough) for name in wanted
        )
    return _agrees(found, _in_rows(wanted, media_type), is_near_enough)


def is_near(one: Any, other: Any) -> bool:
    """Whether two answers in JSON are the same but for rounding."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_near(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_near, one, other))
    if isinstance(one, float) or isinstance(other, float):
        return bool(np.isclose(one, other, rtol=1e-4, atol=1e-5))
    return bool(one == other)


def _in_rows(array: np.ndarray, media_type: str) -> np.ndarray:
    """An array in the shape that it has in a text: in CSV a row has its cells side by side."""
    return array.reshape(len(array), -1) if media_type == CSV else array


def _agrees(found: Any, wanted: np.ndarray, is_near_enough: bool) -> bool:
    if wanted.dtype.kind in "OUS":
        return bool(np.array_equal(np.asarray(found, dtype=str), wanted.astype(str)))
    array = np.asarray(found, dtype=np.float64 if wanted.dtype.kind == "f" else None)
    if array.shape != wanted.shape:
        return False
    array = array.astype(wanted.dtype)
    if is_near_enough and wanted.dtype.kind == "f":
        return bool(np.allclose(array, wanted, rtol=1e-4, atol=1e-5, equal_nan=True))
    return bool(np.array_equal(array, wanted, equal_nan=wanted.dtype.kind == "f"))


def _csv_rows(body: bytes, wanted: Arrays) -> list[list[str]] | dict[str, list[list[str]]]:
    """The cells; where there are several arrays, those of each, which stand side by side."""
    rows = list(csv.reader(io.StringIO(body.decode())))
    if not isinstance(wanted, Mapping):
        return rows
    found: dict[str, list[list[str]]] = {}
    start = 0
    for name, array in wanted.items():
        width = int(np.prod(array.shape[1:], dtype=int))
        found[name] = [row[start : start + width] for row in rows]
        start += width
    return found


def _columns(rows: Any) -> dict[str, list[Any]]:
    """Row objects as columns."""
    return {name: [row[name] for row in rows] for name in rows[0]}
