"""application/octet-stream, and every media type that the predictor reads and writes itself."""

from argosy.errors import NotAcceptableError
from argosy.media_type import MediaType
from argosy.serving.inputs.kind import InputKind


class OctetsCodec:
    """Bytes as they are, both ways."""

    media_type = "application/octet-stream"
    kinds = frozenset({InputKind.ANY})
    cells_are_text = False

    def decode(self, body: bytes | memoryview, kind: InputKind, content_type: MediaType) -> object:
        """The body itself."""
        return bytes(body)

    def encode(self, prediction: object) -> bytes | memoryview:
        """`bytes` as they are, strings as UTF-8.

        Raises:
            NotAcceptableError: Anything else.
        """
        if isinstance(prediction, bytes | bytearray | memoryview):
            return bytes(prediction)
        if isinstance(prediction, str):
            return prediction.encode()
        raise NotAcceptableError("the prediction is not bytes", want="application/json")
