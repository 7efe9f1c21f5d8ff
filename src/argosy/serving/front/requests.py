"""What both ways of a request have in common: its header fields as frames carry them, and why it may be refused."""

from collections.abc import Sequence
from typing import Final

from argosy.errors import BodyTooLargeError, OverloadedError
from argosy.serving.frames import FIELD_LETTERS

PING: Final = "/ping"
INVOCATIONS: Final = "/invocations"
BIDIRECTIONAL: Final = "/invocations-bidirectional-stream"
FIELDS_LIMIT: Final = 16_384
"""Bytes of the fields together; SageMaker lets 1,024 characters of each through."""

_ROOM_SHARE: Final = 0.25
_MOST_ROOM: Final = 2**30
"""As much as the bodies that wait may have."""

HeaderFields = Sequence[tuple[bytes, bytes]]


class BodyRoom:
    """Room for the bodies that are being received, all together; one that comes in a single read takes none.

    Args:
        limit_bytes: How much there is.

    Attributes:
        taken: How much of it is taken.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self.taken = 0

    def take(self, size: int) -> bool:
        """Take so many bytes; False when there are not as many."""
        has_room = self.taken + size <= self._limit
        if has_room:
            self.taken += size
        return has_room

    def give_back(self, size: int) -> None:
        """A body that took so many bytes is whole, or never will be."""
        self.taken -= size

    def refusal(self) -> OverloadedError:
        """The error of a body for which there is none."""
        return OverloadedError(
            "too many bodies are being received", want=f"at most {self._limit} bytes of them at a time"
        )


def room_for_bodies(told: int | None, max_body_bytes: int, available: int | None) -> BodyRoom:
    """The room that there is: as told, or a share of the memory; always enough for one body.

    Args:
        told: Bytes that somebody chose, or None.
        max_body_bytes: Largest request body.
        available: Bytes of memory that are left, None where nobody knows.
    """
    if told is None:
        told = _MOST_ROOM if available is None else min(_MOST_ROOM, int(available * _ROOM_SHARE))
    return BodyRoom(max(told, max_body_bytes))


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
