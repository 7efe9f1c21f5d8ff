"""text/libsvm: a line is a row, `[label] index:value ...`, and what is left out is zero."""

import re
from typing import Any, Final

from argosy.errors import DecodeError
from argosy.media_type import MediaType
from argosy.serving.codecs.forms import SparseRows, from_sparse
from argosy.serving.codecs.outputs import not_a_table, rows_of
from argosy.serving.codecs.text import to_text
from argosy.serving.inputs.kind import InputKind

_ENTRY: Final = re.compile(r"([0-9]{1,18}):([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?inf|nan)")
_LABEL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?::[0-9.eE+-]+)?")
_QUERY: Final = re.compile(r"qid:[0-9]+")


class LibsvmCodec:
    """LIBSVM text both ways; labels, weights, `qid:` and comments are passed over, a body for inference needs none.

    Whether the first column is 0 or 1 is written nowhere, so it is found as XGBoost's and scikit-learn's readers do
    when asked to: a body without an index 0 counts from 1. A client that knows says `indexing_mode=0` or
    `indexing_mode=1` in the Content-Type, and `features=N` for the number of columns, which else is the largest index.

    Source:
        `indexing_mode` of dmlc-core's `LibSVMParserParam`; `zero_based="auto"` of scikit-learn's `load_svmlight_file`
        (read 2026-11-22).
    """

    media_type = "text/libsvm"
    kinds = frozenset({InputKind.ARRAY, InputKind.SPARSE, InputKind.ANY})
    cells_are_text = False

    def decode(self, body: bytes | memoryview, kind: InputKind, content_type: MediaType) -> object:
        """A `csr_matrix`, or a dense array, float64 of shape (rows, columns).

        Raises:
            DecodeError: A line is not of this form, or dense the rows would be too large; names line and entry.
        """
        indexes: list[int] = []
        values: list[float] = []
        lengths: list[int] = []
        for number, line in enumerate(to_text(body, content_type).split("\n"), start=1):
            entries = line.partition("#")[0].split()
            if not entries:
                continue
            row = _row(entries, number)
            indexes += [index for index, _ in row]
            values += [value for _, value in row]
            lengths.append(len(row))
        if not lengths:
            raise DecodeError("the body has no rows", got=f"{len(body)} bytes")
        first = _first_index(content_type, indexes)
        width = _width(content_type, max(indexes, default=first - 1) - first + 1)
        return from_sparse(SparseRows.from_lists([i - first for i in indexes], values, lengths, width), kind)

    def encode(self, prediction: Any) -> bytes | memoryview:  # Any: told apart by what it can do
        """A line for each row, label 0, indexes from 1, zeros left out; `bytes` unchanged.

        Raises:
            NotAcceptableError: The prediction is not a table of numbers.
        """
        if isinstance(prediction, bytes | bytearray | memoryview):
            return bytes(prediction)
        if type(prediction).__module__.startswith("scipy.") and hasattr(prediction, "tocsr"):
            csr = prediction.tocsr()
            csr.sum_duplicates()
            cells = [
                zip(csr.indices[a:b].tolist(), csr.data[a:b].tolist(), strict=True)
                for a, b in zip(csr.indptr[:-1], csr.indptr[1:], strict=True)
            ]
            return _lines([[(index, value) for index, value in row] for row in cells])
        rows = rows_of(prediction, self.media_type)
        if not all(isinstance(cell, int | float) for row in rows for cell in row):
            raise not_a_table(self.media_type)
        return _lines([[(n, cell) for n, cell in enumerate(row) if cell != 0] for row in rows])


def _row(entries: list[str], line: int) -> list[tuple[int, float]]:
    if ":" not in entries[0] or (len(entries) > 1 and _LABEL.fullmatch(entries[0]) and ":" not in entries[0]):
        if not _LABEL.fullmatch(entries[0]):
            raise DecodeError("the label is not a number", where=f"line {line}")
        entries = entries[1:]
    if entries and _QUERY.fullmatch(entries[0]):
        entries = entries[1:]
    row = []
    for position, entry in enumerate(entries, start=1):
        found = _ENTRY.fullmatch(entry)
        if found is None:
            raise DecodeError("not an `index:value` pair", where=f"line {line}, entry {position}")
        row.append((int(found[1]), float(found[2])))
    return row


def _first_index(content_type: MediaType, indexes: list[int]) -> int:
    mode = content_type.parameter("indexing_mode")
    if mode == "1" and 0 in indexes:
        raise DecodeError("an index is 0, but `indexing_mode=1` counts from 1")
    return {"0": 0, "1": 1}.get(mode or "", 0 if 0 in indexes else 1)


def _width(content_type: MediaType, needed: int) -> int:
    text = content_type.parameter("features")
    if text is None:
        if needed < 1:
            raise DecodeError("the body has no entries, so nobody knows its columns", hint="send `features=N`")
        return needed
    if not re.fullmatch(r"[1-9][0-9]{0,17}", text) or int(text) < needed:
        raise DecodeError("`features` is not a number of columns that the rows fit in", want=f"at least {needed}")
    return int(text)


def _lines(rows: list[list[tuple[int, Any]]]) -> bytes:  # Any: a number of any kind
    lines = ["0" + "".join(f" {index + 1}:{value!r}" for index, value in row) for row in rows]
    return ("\n".join(lines) + "\n").encode() if lines else b""
