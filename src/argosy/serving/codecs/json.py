"""application/json (RFC 8259)."""

import orjson

from argosy.errors import DecodeError, PredictError
from argosy.media_type import MediaType
from argosy.serving.codecs.numbers import to_array
from argosy.serving.inputs.kind import InputKind


class JsonCodec:
    """JSON both ways; arrays are lists of rows, a flat list is one row, `{"instances": rows}` is understood."""

    media_type = "application/json"
    kinds = frozenset({InputKind.ARRAY, InputKind.LIST, InputKind.DICT, InputKind.ANY})

    def decode(self, body: bytes | memoryview, kind: InputKind, content_type: MediaType) -> object:
        """The value; for arrays float64 of shape (rows, columns), null as NaN.

        Raises:
            DecodeError: Not JSON, or not the kind of value that the predictor wants.
        """
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}" if len(body) else None
            raise DecodeError("the body is not JSON", got=f"{len(body)} bytes", where=place) from None
        if kind is InputKind.ARRAY:
            if isinstance(value, dict) and "instances" in value:
                value = value["instances"]
            text = bytes(body)
            return to_array(value, may_hold_booleans=b"true" in text or b"false" in text)
        if kind is InputKind.LIST and not isinstance(value, list):
            raise DecodeError("the body is not a JSON array")
        if kind is InputKind.DICT and not isinstance(value, dict):
            raise DecodeError("the body is not a JSON object")
        return value

    def encode(self, prediction: object) -> bytes | memoryview:
        """JSON; numpy arrays and numbers as they are, NaN and infinities as null, `bytes` unchanged.

        Raises:
            PredictError: Something in the prediction is no JSON value.
        """
        if isinstance(prediction, bytes | bytearray | memoryview):
            return bytes(prediction)
        try:
            return orjson.dumps(prediction, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY)
        except orjson.JSONEncodeError as error:
            raise PredictError("the prediction is not a JSON value", got=error) from error


def _plain(value: object) -> object:
    """What orjson does not know: arrays that are not row-major or of an odd dtype, and other array-likes."""
    tolist = getattr(value, "tolist", None)
    if callable(tolist):
        return tolist()
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"`{type(value).__name__}` has no JSON form")
