"""Bytes -> text, by the charset that the Content-Type names; and text/plain."""

import codecs
from typing import Final

from argosy.errors import DecodeError, NotAcceptableError, UnsupportedMediaTypeError
from argosy.media_type import MediaType
from argosy.serving.inputs.kind import InputKind

_NO_CHARSETS: Final = frozenset({"unicode_escape", "raw_unicode_escape", "idna", "punycode", "undefined", "utf-7"})
"""What Python has beside charsets, and the one that lets ASCII mean something else."""


def to_text(body: bytes | memoryview, content_type: MediaType) -> str:
    """The body as text: UTF-8 unless `charset` says otherwise; a byte order mark is dropped.

    Raises:
        UnsupportedMediaTypeError: The charset is unknown.
        DecodeError: The bytes are not of that charset; names the offset.
    """
    charset = content_type.parameter("charset") or "utf-8"
    try:
        known = codecs.lookup(charset)
    except (LookupError, ValueError):
        raise UnsupportedMediaTypeError("unknown charset", got=f"`{content_type}`", want="charset=utf-8") from None
    name = known.name
    if name in _NO_CHARSETS:
        raise UnsupportedMediaTypeError("not a charset", got=f"`{content_type}`", want="charset=utf-8")
    try:
        return bytes(body).decode("utf-8-sig" if name == "utf-8" else name)
    except UnicodeDecodeError as error:
        raise DecodeError(f"the body is not `{name}`", where=f"byte {error.start}") from None
    except LookupError:  # hex, zip, rot13: they turn bytes into bytes
        raise UnsupportedMediaTypeError("not a charset", got=f"`{content_type}`", want="charset=utf-8") from None


class PlainCodec:
    """Text both ways."""

    media_type = "text/plain"
    kinds = frozenset({InputKind.ANY})
    cells_are_text = True

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
