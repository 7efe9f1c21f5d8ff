r"""A prediction that comes part by part -> the bytes of each part, in the form that Accept asks for.

==================== =========================================================================
application/json     all parts, as one JSON array, when the last has come
application/jsonlines each part as JSON, and a newline (application/x-ndjson alike)
text/event-stream    each part as one server-sent event: `data: ...` and an empty line; a string as it is
text/plain           each part as text
==================== =========================================================================

Without Accept strings and bytes are sent as they are, everything else as JSON Lines.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from argosy import media_type
from argosy.errors import ArgosyError, NotAcceptableError, PredictError
from argosy.serving import answers
from argosy.serving.codecs.json import JsonCodec

JSON: Final = "application/json"
EVENTS: Final = "text/event-stream"
LINES: Final = ("application/jsonlines", "application/x-ndjson")
TEXT: Final = "text/plain"
OCTETS: Final = "application/octet-stream"
MEDIA_TYPES: Final = (EVENTS, *LINES, TEXT, OCTETS, JSON)

_json: Final = JsonCodec()


class Framing(NamedTuple):
    """How the parts of one answer are written.

    Attributes:
        content_type: Of the whole answer.
        is_gathered: Whether the answer is sent whole, when all parts are there.
        write: One part as bytes.
        write_error: The bytes that tell of an error in mid-stream; empty where the form has no words for one.
    """

    content_type: bytes
    is_gathered: bool
    write: Callable[[object], bytes]
    write_error: Callable[[ArgosyError], bytes]


def framing(accept: str, first: object) -> Framing:
    """The form for an Accept header field and the first part.

    Raises:
        NotAcceptableError: Accept allows no form that fits.
    """
    natural = OCTETS if _is_octets(first) else TEXT if isinstance(first, str) else LINES[0]
    return _chosen(accept, tuple(name for name in (natural, *MEDIA_TYPES) if _fits(name, first)))


def framing_of_none(accept: str) -> Framing:
    """The form of an answer that has no part: whatever Accept allows.

    Raises:
        NotAcceptableError: Accept allows no form at all.
    """
    return _chosen(accept, (LINES[0], *MEDIA_TYPES))


def allows(accept: str) -> bool:
    """Whether an Accept header field allows any form of a streamed answer."""
    return bool(media_type.rank(accept or None, MEDIA_TYPES))


def gathered(parts: list[object]) -> bytes:
    """All parts as one JSON array."""
    return b"[" + b",".join(map(_as_json, parts)) + b"]"


def _chosen(accept: str, fitting: tuple[str, ...]) -> Framing:
    chosen = media_type.rank(accept or None, fitting)
    if not chosen:
        raise NotAcceptableError("no form of a streamed answer is allowed by Accept", want=", ".join(MEDIA_TYPES))
    return _FRAMINGS[chosen[0]]


def _is_octets(part: object) -> bool:
    return isinstance(part, bytes | bytearray | memoryview)


def _fits(name: str, part: object) -> bool:
    if _is_octets(part):
        return name in (OCTETS, TEXT, EVENTS)
    return name == EVENTS or (name == TEXT and isinstance(part, str)) or name in (JSON, *LINES)


def _as_json(part: object) -> bytes:
    if _is_octets(part):
        raise PredictError("a part of the answer is bytes, which JSON has no form for")
    return bytes(_json.encode(part))


def _as_octets(part: object) -> bytes:
    if isinstance(part, bytes | bytearray | memoryview):
        return bytes(part)
    if isinstance(part, str):
        return part.encode()
    raise PredictError("a part of the answer is neither text nor bytes", got=f"`{type(part).__name__}`")


def _as_line(part: object) -> bytes:
    return _as_json(part) + b"\n"


def _as_event(part: object) -> bytes:
    if isinstance(part, bytes | bytearray | memoryview):
        text = bytes(part)
    else:
        text = part.encode() if isinstance(part, str) else _as_json(part)
    lines = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return b"".join(b"data: %b\n" % line for line in lines) + b"\n"


def _error_json(error: ArgosyError) -> bytes:
    return answers.error_body(error.code, error.message)


def _no_words(error: ArgosyError) -> bytes:
    return b""


_FRAMINGS: Final = {
    JSON: Framing(JSON.encode(), True, _as_json, _no_words),
    EVENTS: Framing(EVENTS.encode(), False, _as_event, lambda e: b"event: error\ndata: %b\n\n" % _error_json(e)),
    TEXT: Framing(TEXT.encode(), False, _as_octets, _no_words),
    OCTETS: Framing(OCTETS.encode(), False, _as_octets, _no_words),
    **{name: Framing(name.encode(), False, _as_line, lambda e: _error_json(e) + b"\n") for name in LINES},
}
