"""What both ways of a request have in common: its header fields as frames carry them, and why it may be refused."""

from collections.abc import Sequence
from typing import Final

from argosy.errors import BodyTooLargeError
from argosy.serving.frames import FIELD_LETTERS

PING: Final = "/ping"
INVOCATIONS: Final = "/invocations"
BIDIRECTIONAL: Final = "/invocations-bidirectional-stream"
FIELDS_LIMIT: Final = 16_384
"""Bytes of the fields together; SageMaker lets 1,024 characters of each through."""

HeaderFields = Sequence[tuple[bytes, bytes]]


def fields_of(headers: HeaderFields) -> bytes:
    """The header fields as frames carry them; several fields of one name are one list (RFC 9110 5.3)."""
    content_type = b""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name == b"content-type":
            content_type = value
        elif name == b"accept" or name in FIELD_LETTERS:
            key = FIELD_LETTERS.get(name, b"")
            found[key] = found[key] + b", " + value if key in found else value
    accept = found.pop(b"", b"")
    return b"\n".join((content_type, accept, *(letter + value for letter, value in found.items() if value)))


def refusal(headers: HeaderFields) -> tuple[int, str, str] | None:
    """Status, code and sentence for header fields that the server cannot honour, or None."""
    for name, value in headers:
        if name == b"transfer-encoding" and value.lower() != b"chunked":
            return 501, "not-implemented", "no Transfer-Encoding but `chunked` is understood"
    if len(fields_of(headers)) > FIELDS_LIMIT:
        return 431, "header-too-large", f"want at most {FIELDS_LIMIT} bytes of the header fields that a model gets"
    return None


def too_large(limit: int) -> BodyTooLargeError:
    """The error of a body that is larger than the server takes."""
    return BodyTooLargeError("the body is too large", want=f"at most {limit} bytes")
