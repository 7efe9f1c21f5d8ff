"""Error class -> HTTP status, and the bodies of the answers that carry no prediction."""

from typing import Final

import orjson

from argosy.errors import (
    ArgosyError,
    BodyTooLargeError,
    ConflictError,
    DeadlineExceededError,
    DecodeError,
    NotAcceptableError,
    NotLoadedError,
    OutOfMemoryError,
    OverloadedError,
    PredictError,
    UnavailableError,
    UnknownSessionError,
    UnsupportedMediaTypeError,
)

STATUS: Final[dict[type[ArgosyError], int]] = {
    DecodeError: 400,
    UnknownSessionError: 400,
    NotLoadedError: 404,
    NotAcceptableError: 406,
    ConflictError: 409,
    BodyTooLargeError: 413,
    UnsupportedMediaTypeError: 415,
    PredictError: 500,
    OverloadedError: 503,
    UnavailableError: 503,
    DeadlineExceededError: 503,
    OutOfMemoryError: 507,
}
"""A buyer pays for every 2xx, so none of these is one."""

CLIENT_LEFT: Final = 499
"""How an invocation is counted that was given up because its client had left; no answer carries it.

Source:
    nginx, src/http/ngx_http_request.h: NGX_HTTP_CLIENT_CLOSED_REQUEST is 499 (read 2026-11-22); RFC 9110 knows no such.
"""
CONTENT_TYPE: Final = b"application/json"
RETRY_AFTER: Final = CONTENT_TYPE + b"\r\nretry-after: 1"
"""The head of an answer that another attempt may spare: full queue, loading, draining."""


def status_of(error: ArgosyError) -> int:
    """The status of an error's answer; 500 for one that has no row in the table."""
    return STATUS.get(type(error), 500)


def head_of(error: ArgosyError) -> bytes:
    """The head of an error's answer: its Content-Type, and when to come back where that may help."""
    return RETRY_AFTER if isinstance(error, OverloadedError | UnavailableError) else CONTENT_TYPE


def error_body(code: str, message: str, inference_id: str = "") -> bytes:
    """The body of an error's answer: code, sentence and the inference id, if the client gave one."""
    fields = {"code": code, "message": message.encode(errors="replace").decode()}
    if inference_id:
        fields["inference_id"] = inference_id
    return orjson.dumps({"error": fields})


def error_answer(error: ArgosyError, inference_id: str = "") -> tuple[int, bytes]:
    """Status and body of an error's answer."""
    return status_of(error), error_body(error.code, error.message, inference_id)


def message_of(body: bytes | memoryview) -> str:
    """The sentence in an error's answer, in one line.

    >>> message_of(error_body("decode", "row 2, field `years`: a field is missing"))
    'row 2, field `years`: a field is missing'
    """
    message: str = orjson.loads(body)["error"]["message"]
    return " ".join(message.split())
