"""text/csv (RFC 4180): no header unless `header=present` says so, rows end with a newline."""

import csv
import io
import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import orjson

from argosy.errors import DecodeError
from argosy.media_type import MediaType
from argosy.serving.codecs.forms import ARRAY_KINDS, from_array, from_records
from argosy.serving.codecs.numbers import NUMBER_CHARACTERS, parse_numbers, rows_and_width, to_array
from argosy.serving.codecs.outputs import OCTETS, cut, is_plain_table, records_of, rows_of
from argosy.serving.codecs.text import to_text
from argosy.serving.inputs.kind import InputKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}")
_ASCII_CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_TO_COMMAS: Final = bytes.maketrans(b";\n", b",,")
_REMEMBERED_SKELETON_BYTES: Final = 4096


class CsvCodec:
    """CSV both ways; arrays are float64 of shape (rows, columns), lists are rows of numbers and strings.

    `header=present` names the columns of frames, tables and records; without it they are numbered from 0. `charset` is
    honoured. SageMaker's `label_size` is passed over: a body for inference has no label.
    """

    media_type = "text/csv"
    kinds = ARRAY_KINDS | {InputKind.TENSORS}
    cells_are_text = True

    def decode(self, body: bytes | memoryview, kind: InputKind, content_type: MediaType) -> object:
        """Rows. In an array an empty cell is NaN; in a list a cell that JSON would call a number is one.

        In a frame or table a column of numbers is int64 or float64, any other is text, with None for an empty cell.

        Raises:
            DecodeError: Empty, ragged, or a cell of an array that is not a number; names row and column.
        """
        has_header = content_type.parameter("header") == "present"
        if kind in (InputKind.ARRAY, InputKind.SPARSE):
            plain = None if content_type.parameters and not _is_plain(content_type) else read_rows((body,))
            return from_array(_array(_rows(body, content_type)) if plain is None else plain[0], kind)
        cells = _rows(body, content_type, keep_header=True)
        names = cells.pop(0) if has_header else None
        if not cells:
            raise DecodeError("the body has no rows", got=f"{len(body)} bytes")
        if kind in (InputKind.FRAME, InputKind.TABLE):
            return _tabular(cells, names, kind)
        if kind in (InputKind.RECORDS, InputKind.TENSORS):
            return cells if names is None else [dict(zip(names, r, strict=True)) for r in _even(cells, _unique(names))]
        return [[float(c) if _NUMBER.fullmatch(c) else c for c in row] for row in cells]

    def decode_rows(
        self, bodies: Sequence[bytes | memoryview], content_type: MediaType
    ) -> "tuple[NDArray[np.float64], list[int]] | None":
        """All rows of many bodies and how many each has; None when one is not a plain table of numbers."""
        return None if content_type.parameters and not _is_plain(content_type) else read_rows(bodies)

    def encode(self, prediction: object) -> bytes | memoryview:
        """One row a line, the last line ended too; a flat list is one column; strings and `bytes` unchanged.

        Frames, tables and records lose their names: a header line would be one row too many for whoever counts lines.
        A record is a row, with an empty cell for what others have and it has not.

        Raises:
            NotAcceptableError: The prediction is not a table.
        """
        if isinstance(prediction, str):
            return prediction.encode()
        if isinstance(prediction, OCTETS):
            return bytes(prediction)
        if type(prediction).__module__ == "numpy":
            text = _numeric_lines(prediction)
            if text is not None:
                return text
        lines = io.StringIO()
        records = records_of(prediction)
        rows = rows_of(prediction if records is None else records.rows, self.media_type)
        csv.writer(lines, lineterminator="\n").writerows(rows)
        return lines.getvalue().encode()

    def encode_rows(self, prediction: object, counts: Sequence[int]) -> list[bytes] | None:
        """An array of finite numbers, cut; None when it is none."""
        text = _numeric_lines(prediction) if is_plain_table(prediction) else None
        rows = text[:-1].split(b"\n") if text else []
        if len(rows) != sum(counts):
            return None
        return [piece + b"\n" for piece in cut(rows, counts, b"\n")]


def read_rows(bodies: Sequence[bytes | memoryview]) -> "tuple[NDArray[np.float64], list[int]] | None":
    """All rows of many CSV bodies, parsed as one JSON array; None when a cell is no JSON number, or a body is ragged.

    The bodies are joined by `;`. Without the numbers the text is its skeleton, commas and newlines, and that must
    be, body for body, the skeleton of a table of the same width: so no body can reach into its neighbour, and the
    parser only has to make sure that between the separators there is one number each.
    """
    if len(bodies) == 1:
        return _read_alone(bytes(bodies[0]))
    joined = b";".join(bodies)
    if b"\r" in joined:
        joined = joined.replace(b"\r\n", b"\n")
    skeleton = joined.translate(None, NUMBER_CHARACTERS)
    size = (len(skeleton) + 1) // len(bodies)
    if (skeleton[: size - 1] + b";") * len(bodies) == skeleton + b";":
        shapes = [_shape(skeleton[: size - 1])] * len(bodies)
    else:
        shapes = [_shape(part) for part in skeleton.split(b";")]
    alike = rows_and_width(shapes, len(bodies))
    if alike is None:
        return None
    counts, width = alike
    joined = joined.removesuffix(b"\n").replace(b"\n;", b";")
    flat = parse_numbers(b"[" + joined.translate(_TO_COMMAS) + b"]")
    rows = sum(counts)
    if flat is None or flat.size != rows * width:
        return None
    return flat.reshape(rows, width), counts


def _read_alone(body: bytes) -> "tuple[NDArray[np.float64], list[int]] | None":
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n")
    shape = _shape(body.translate(None, NUMBER_CHARACTERS))
    flat = None if shape is None else parse_numbers(b"[" + body.removesuffix(b"\n").replace(b"\n", b",") + b"]")
    if shape is None or flat is None or flat.size != shape[0] * shape[1]:
        return None
    return flat.reshape(shape), [shape[0]]


def _shape(skeleton: bytes) -> tuple[int, int] | None:
    return _remembered_shape(skeleton) if len(skeleton) <= _REMEMBERED_SKELETON_BYTES else _read_shape(skeleton)


def _read_shape(skeleton: bytes) -> tuple[int, int] | None:
    """Rows and columns of the table that has this skeleton, or None when it is no table."""
    lines = skeleton.removesuffix(b"\n")
    row = lines.partition(b"\n")[0]
    if row != b"," * len(row):
        return None
    rows, rest = divmod(len(lines) + 1, len(row) + 1)
    if rest or (row + b"\n") * rows != lines + b"\n":
        return None
    return rows, len(row) + 1


_remembered_shape = lru_cache(maxsize=256)(_read_shape)


@lru_cache(maxsize=128)
def _is_plain(content_type: MediaType) -> bool:
    """Whether the parameters leave the bytes as they would be without them."""
    charset = (content_type.parameter("charset") or "utf-8").lower()
    return charset in _ASCII_CHARSETS and content_type.parameter("header") != "present"


def _rows(body: bytes | memoryview, content_type: MediaType, *, keep_header: bool = False) -> list[list[str]]:
    """The cells of the rows that are not blank, at least one row; the header only when it is to be kept."""
    try:
        cells = [row for row in csv.reader(io.StringIO(to_text(body, content_type), newline=""), strict=True) if row]
    except csv.Error as error:
        raise DecodeError("the body is not CSV", got=error) from None
    if not keep_header and content_type.parameter("header") == "present":
        cells = cells[1:]
    if not cells:
        raise DecodeError("the body has no rows", got=f"{len(body)} bytes")
    return cells


def _even(cells: list[list[str]], names: list[str]) -> list[list[str]]:
    for number, row in enumerate(cells, start=1):
        if len(row) != len(names):
            raise DecodeError(f"row {number} has another length", got=len(row), want=len(names))
    return cells


def _unique(names: list[str]) -> list[str]:
    if len(set(names)) == len(names):
        return names
    place = next(n for n, name in enumerate(names, start=1) if name in names[: n - 1])
    raise DecodeError(f"column {place} of the header has the name of another column")


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
        if "_" in text or not text.isascii():  # Python's own notation, nobody else's
            raise ValueError
        return float(text)
    except ValueError:
        hint = "a header row is announced by `Content-Type: text/csv; header=present`" if row == 1 else None
        raise DecodeError(f"row {row}, column {column} is not a number", hint=hint) from None


def _tabular(cells: list[list[str]], names: list[str] | None, kind: InputKind) -> object:
    columns = _unique(names) if names is not None else list(range(len(cells[0])))
    for number, row in enumerate(cells, start=1):
        if len(row) != len(columns):
            raise DecodeError(f"row {number} has another length", got=len(row), want=len(columns))
    typed = [_typed(column) for column in zip(*cells, strict=True)]
    return from_records(dict(zip(columns, typed, strict=True)), kind)


def _typed(column: tuple[str, ...]) -> list[object]:
    if all(_WHOLE.fullmatch(cell) for cell in column):
        return [int(cell) for cell in column]
    try:
        return [_number(cell, 0, 0) for cell in column]
    except DecodeError:
        return [cell or None for cell in column]


def _numeric_lines(prediction: object) -> bytes | None:
    """Numbers of one or two dimensions by way of the JSON writer, which is ten times faster; None for anything else."""
    dtype, dimensions = getattr(prediction, "dtype", None), getattr(prediction, "ndim", 0)
    if dtype is None or dtype.kind not in "fiu" or dimensions not in (1, 2):
        return None
    try:
        text = orjson.dumps(prediction, option=orjson.OPT_SERIALIZE_NUMPY)
    except orjson.JSONEncodeError:  # not row-major, or of another byte order
        return None
    if b"n" in text or b"[]" in text:  # null stands for what is not finite
        return None
    if dimensions == 1:
        return text[1:-1].replace(b",", b"\n") + b"\n"
    return text[2:-2].replace(b"],[", b"\n") + b"\n"
