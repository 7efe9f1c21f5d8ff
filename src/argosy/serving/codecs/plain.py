"""text/plain."""

from argosy.errors import NotAcceptableError
from argosy.media_type import MediaType
from argosy.serving.codecs.text import to_text
from argosy.serving.inputs.kind import InputKind


class PlainCodec:
    """Text both ways."""

    media_type = "text/plain"
    kinds = frozenset({InputKind.ANY})

    def decode(self, body: bytes | memoryview, kind: InputKind, content_type: MediaType) -> object:
        """The text.

        Raises:
            DecodeError: The bytes are not of the charset that the Content-Type names.
        """
        return to_text(body, content_type)

    def encode(self, prediction: object) -> bytes | memoryview:
        """Strings and numbers as text, `bytes` unchanged.

        Raises:
            NotAcceptableError: Anything else.
        """
        if isinstance(prediction, bytes | bytearray | memoryview):
            return bytes(prediction)
        if isinstance(prediction, str | int | float):
            return str(prediction).encode()
        raise NotAcceptableError("the prediction is not text", got="`text/plain` in Accept", want="application/json")
