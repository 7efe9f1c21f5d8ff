"""application/json (RFC 8259), and application/jsonlines: one JSON value a line."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import orjson

from argosy.errors import DecodeError, PredictError
from argosy.media_type import MediaType
from argosy.serving.codecs.forms import SparseRows, from_array, from_records, from_sparse
from argosy.serving.codecs.numbers import HAS_SIMDJSON, kind_of, to_array
from argosy.serving.codecs.outputs import OCTETS, cut, is_plain_table, plain
from argosy.serving.codecs.shapes import instances_of, read_rows, unwrap, unwrap_each
from argosy.serving.codecs.text import to_text
from argosy.serving.inputs.kind import InputKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LARGE_BYTES: Final = 256  # from here on reading numbers without making Python objects of them pays, names or not
_TABULAR: Final = frozenset({InputKind.ARRAY, InputKind.SPARSE, InputKind.FRAME, InputKind.TABLE})


class JsonCodec:
    """JSON both ways; arrays are lists of rows, a flat list is one row, `{"instances": rows}` is understood.

    So are SageMaker's built-in shapes, dense and sparse (`shapes.py`). A `LIST` may be that in `{"instances": [...]}`
    when nothing but `configuration` is beside it; `RECORDS` are the value itself, because a record may have such a
    field (`inputs/instances.py`). Tables are as `forms.from_records` says.
    """

    media_type = "application/json"
    kinds = _TABULAR | {
        InputKind.ARRAYS,
        InputKind.LIST,
        InputKind.DICT,
        InputKind.RECORDS,
        InputKind.ANY,
        InputKind.TENSORS,
    }
    cells_are_text = False

    def decode(self, body: bytes | memoryview, kind: InputKind, content_type: MediaType) -> object:
        """The value; for arrays float64 of shape (rows, columns), null as NaN.

        Raises:
            DecodeError: Not JSON, or not the kind of value that the predictor wants.
        """
        body = _as_unicode(body, content_type)
        if kind is InputKind.ARRAY and HAS_SIMDJSON and (len(body) >= _LARGE_BYTES or b'"' not in bytes(body)):
            rows = read_rows((body,))
            if rows is not None:
                return rows[0]
        value = _parse(body)
        if kind is InputKind.LIST:
            value = instances_of(value)
            if not isinstance(value, list):
                raise DecodeError("the body is not a JSON array", got=kind_of(value))
        if kind is InputKind.DICT and not isinstance(value, dict):
            raise DecodeError("the body is not a JSON object")
        if kind is InputKind.ARRAYS:
            return from_records(value, kind)
        if kind in _TABULAR:
            return _tabular(unwrap(value), kind, body)
        return value

    def decode_rows(
        self, bodies: Sequence[bytes | memoryview], content_type: MediaType
    ) -> "tuple[NDArray[np.float64], list[int]] | None":
        """All rows of many bodies and how many each has; None when one is not a plain table."""
        return None if content_type.parameters else read_rows(bodies)

    def encode(self, prediction: object) -> bytes | memoryview:
        """JSON; numpy, pandas, pyarrow, dataclasses, msgspec and pydantic too, NaN as null, `bytes` unchanged.

        Raises:
            PredictError: Something in the prediction is no JSON value.
        """
        if isinstance(prediction, OCTETS):
            return bytes(prediction)
        return _dump(prediction)

    def encode_rows(self, prediction: object, counts: Sequence[int]) -> list[bytes] | None:
        """An array of numbers, cut; None when it is none."""
        if not is_plain_table(prediction):
            return None
        depth = prediction.ndim
        try:
            text = orjson.dumps(prediction, option=orjson.OPT_SERIALIZE_NUMPY)
        except orjson.JSONEncodeError:
            return None
        between = b"," if depth == 1 else b"],["
        rows = text[depth:-depth].split(between)
        if not prediction.size or len(rows) != sum(counts):
            return None  # rows without columns
        opening, closing = b"[" * depth, b"]" * depth
        return [opening + piece + closing for piece in cut(rows, counts, between)]


class JsonLinesCodec:
    """JSON Lines both ways: one record a line; blank lines are passed over."""

    media_type = "application/jsonlines"
    kinds = _TABULAR | {InputKind.LIST, InputKind.RECORDS, InputKind.ANY, InputKind.TENSORS}
    cells_are_text = False

    def decode(self, body: bytes | memoryview, kind: InputKind, content_type: MediaType) -> object:
        """A list of the values, or a table of them: a line is a row, `[1, 2]` or one of SageMaker's built-in shapes.

        Raises:
            DecodeError: A line is not JSON, or not like the others; names the line.
        """
        body = bytes(_as_unicode(body, content_type))
        lines = [(number, line) for number, line in enumerate(body.split(b"\n"), start=1) if line.strip()]
        if not lines:
            raise DecodeError("the body has no lines", got=f"{len(body)} bytes")
        # lists alone, one a line: what else reads as rows in a JSON body is something else in a line
        if kind is InputKind.ARRAY and body.count(b"[") == len(lines) and b"{" not in body:
            rows = read_rows([line for _, line in lines])
            if rows is not None:
                return rows[0]
        values = [_parse(line, f"line {number}") for number, line in lines]
        if kind not in _TABULAR:
            return values
        rows_or_sparse = unwrap_each(values)
        if isinstance(rows_or_sparse, list):
            rows_or_sparse = [row if isinstance(row, list | dict) else [row] for row in rows_or_sparse]
        return _tabular(rows_or_sparse, kind, body)

    def encode(self, prediction: Any) -> bytes | memoryview:  # Any: told apart by what it can do
        """One line for each row, record or item; `{"predictions": [...]}` one for each prediction; else one line.

        Raises:
            PredictError: Something in the prediction is no JSON value.
        """
        if isinstance(prediction, bytes | bytearray | memoryview):
            return bytes(prediction)
        if isinstance(prediction, dict) and list(prediction) == ["predictions"]:
            prediction = prediction["predictions"]
        if not isinstance(prediction, list | tuple | str | int | float | dict | None):
            prediction = orjson.loads(_dump(prediction))
        if isinstance(prediction, tuple) and hasattr(prediction, "_asdict"):
            prediction = [prediction]
        items = prediction if isinstance(prediction, list | tuple) else [prediction]
        return b"".join([_dump(item, orjson.OPT_APPEND_NEWLINE) for item in items])


def _as_unicode(body: bytes | memoryview, content_type: MediaType) -> bytes | memoryview:
    """JSON is UTF-8 (RFC 8259, section 8.1); a charset that says otherwise is believed."""
    if not content_type.parameters:
        return body
    charset = (content_type.parameter("charset") or "utf-8").lower()
    return body if charset in ("utf-8", "utf8", "us-ascii") else to_text(body, content_type).encode("utf-8", "replace")


def _parse(body: bytes | memoryview, line: str | None = None) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        if error.msg.startswith("Not enough memory"):
            raise MemoryError from None  # the server's trouble, no fault of the body
        place = line or (f"line {error.lineno}, column {error.colno}" if len(body) else None)
        what = "the line" if line else "the body"
        raise DecodeError(f"{what} is not JSON", got=f"{len(body)} bytes", where=place) from None


def _tabular(value: object, kind: InputKind, body: bytes | memoryview) -> object:
    if isinstance(value, SparseRows):
        return from_sparse(value, kind)
    if kind in (InputKind.FRAME, InputKind.TABLE):
        return from_records(value, kind)
    text = bytes(body)
    return from_array(to_array(value, may_hold_booleans=b"true" in text or b"false" in text), kind)


def _dump(value: object, option: int = 0) -> bytes:
    try:
        return orjson.dumps(value, default=plain, option=option | orjson.OPT_SERIALIZE_NUMPY)
    except orjson.JSONEncodeError as error:
        raise PredictError("the prediction is not a JSON value", got=error) from error
