"""Bytes -> text, by the charset that the Content-Type names."""

import codecs

from argosy.errors import DecodeError, UnsupportedMediaTypeError
from argosy.media_type import MediaType


def to_text(body: bytes | memoryview, content_type: MediaType) -> str:
    """The body as text: UTF-8 unless `charset` says otherwise; a byte order mark is dropped.

    Raises:
        UnsupportedMediaTypeError: The charset is unknown.
        DecodeError: The bytes are not of that charset; names the offset.
    """
    charset = content_type.parameter("charset") or "utf-8"
    try:
        name = codecs.lookup(charset).name
        text = bytes(body).decode("utf-8-sig" if name == "utf-8" else name)
    except UnicodeDecodeError as error:
        raise DecodeError(f"the body is not `{name}`", where=f"byte {error.start}") from None
    except (LookupError, ValueError):
        raise UnsupportedMediaTypeError("unknown charset", got=f"`{content_type}`", want="charset=utf-8") from None
    if not isinstance(text, str):
        raise UnsupportedMediaTypeError("not a charset", got=f"`{content_type}`", want="charset=utf-8")
    return text
