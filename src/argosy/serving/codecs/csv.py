"""text/csv (RFC 4180): no header unless `header=present` says so, rows end with a newline."""

import csv
import io
import math
import re
from typing import TYPE_CHECKING

import orjson

from argosy.errors import DecodeError, NotAcceptableError
from argosy.media_type import MediaType
from argosy.serving.codecs.numbers import to_array
from argosy.serving.codecs.text import to_text
from argosy.serving.inputs.kind import InputKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")


class CsvCodec:
    """CSV both ways; arrays are float64 of shape (rows, columns), lists are rows of numbers and strings."""

    media_type = "text/csv"
    kinds = frozenset({InputKind.ARRAY, InputKind.LIST, InputKind.ANY})

    def decode(self, body: bytes | memoryview, kind: InputKind, content_type: MediaType) -> object:
        """Rows. In an array an empty cell is NaN; in a list a cell that JSON would call a number is one.

        Raises:
            DecodeError: Empty, ragged, or a cell of an array that is not a number; names row and column.
        """
        has_header = content_type.parameter("header") == "present"
        charset = (content_type.parameter("charset") or "utf-8").lower()
        if kind is InputKind.ARRAY and not has_header and charset in ("utf-8", "utf8", "us-ascii", "ascii"):
            rows = _json_rows(bytes(body))
            if rows is not None:
                return to_array(rows)
        cells = _rows(to_text(body, content_type))
        if has_header:
            cells = cells[1:]
        if not cells:
            raise DecodeError("the body has no rows", got=f"{len(body)} bytes")
        if kind is InputKind.ARRAY:
            return _array(cells)
        return [[float(c) if _NUMBER.fullmatch(c) else c for c in row] for row in cells]

    def encode(self, prediction: object) -> bytes | memoryview:
        """One row a line, the last line ended too; a flat list is one column; strings and `bytes` unchanged.

        Raises:
            NotAcceptableError: The prediction is not a table.
        """
        if isinstance(prediction, str):
            return prediction.encode()
        if isinstance(prediction, bytes | bytearray | memoryview):
            return bytes(prediction)
        tolist = getattr(prediction, "tolist", None)
        value = tolist() if callable(tolist) else prediction
        rows = value if isinstance(value, list | tuple) else [value]
        table = [row if isinstance(row, list | tuple) else [row] for row in rows]
        if not all(isinstance(c, int | float | str | None) for row in table for c in row):
            raise NotAcceptableError(
                "the prediction is not a table", got="`text/csv` in Accept", want="application/json"
            )
        lines = io.StringIO()
        csv.writer(lines, lineterminator="\n").writerows(table)
        return lines.getvalue().encode()


def _json_rows(body: bytes) -> list[list[object]] | None:
    """The rows if every cell is a JSON number: then the JSON parser reads them several times faster; else None."""
    lines = body.strip()
    if not lines or b"u" in lines or b"l" in lines or b'"' in lines or b"[" in lines:  # true, false, null, strings
        return None
    joined = lines.replace(b"\r\n", b"\n").replace(b"\n", b"],[")
    try:
        rows: list[list[object]] = orjson.loads(b"[[" + joined + b"]]")
    except orjson.JSONDecodeError:
        return None
    return rows if all(rows) else None


def _rows(text: str) -> list[list[str]]:
    """The cells of the rows that are not blank."""
    try:
        return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise DecodeError("the body is not CSV", got=error) from None


def _array(cells: list[list[str]]) -> "NDArray[np.float64]":
    rows: list[object] = []
    for number, row in enumerate(cells, start=1):
        if len(row) != len(cells[0]):
            raise DecodeError(f"row {number} has another length", got=len(row), want=len(cells[0]))
        rows.append([_number(cell, number, column) for column, cell in enumerate(row, start=1)])
    return to_array(rows)


def _number(cell: str, row: int, column: int) -> float:
    text = cell.strip()
    if not text:
        return math.nan
    try:
        if "_" in text:  # Python's own notation, nobody else's
            raise ValueError
        return float(text)
    except ValueError:
        hint = "a header row is announced by `Content-Type: text/csv; header=present`" if row == 1 else None
        raise DecodeError(f"row {row}, column {column} is not a number", hint=hint) from None
