"""The requests that are tried on any server: generic ones, broken ones, changed ones, large ones.

What a stranger's model understands is not known. A 4xx is an honest answer to each of these.
"""

import json
from dataclasses import replace
from typing import Any, Final

from argosy import media_type
from argosy.conformance.probes import BATCH_HOST, Exchange, Framing, Request, invocation
from argosy.conformance.scenes.endpoint import Invocations
from argosy.contract import CUSTOM_ATTRIBUTES, HEADER_CUSTOM_ATTRIBUTES, HEADER_INFERENCE_ID, HEADER_SESSION_ID

JSON: Final = "application/json"
CSV: Final = "text/csv"
TEXT: Final = "text/plain"
BYTES: Final = "application/octet-stream"
EVENTS: Final = "text/event-stream"
LINES: Final = ("application/jsonlines", "application/x-ndjson", "application/x-jsonlines", "application/jsonl")
NONSENSE: Final = "application/x-argosy-nonsense"
"""A media type that no server can know."""

GARBAGE: Final = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256))
"""What a TLS client would begin with, and then every byte there is: no HTTP."""

ATTRIBUTES: Final = "argosy=check"
"""Custom attributes that no server sets by itself."""

WORD: Final = "argosy-canary-4f8d1c"
"""What stands in no body but those of `marked`, and in no log that quotes none."""

_HUGE_FIELD: Final = 2**20
_BLANKS: Final = 2**16


def generic() -> tuple[Request, ...]:
    """Well-formed requests of the usual kinds, which a server may or may not understand; no two mean the same."""
    return (
        invocation(JSON, b"{}", "empty JSON object"),
        invocation(JSON, b"[[1.0, 2.0, 3.0, 4.0]]", "JSON list of one row"),
        invocation(JSON, b'{"instances": [[2.0, 3.0, 4.0, 5.0]]}', "JSON with `instances`"),
        invocation(CSV, b"3.0,4.0,5.0,6.0\n", "CSV of one row"),
        invocation(TEXT, b"hello world", "text"),
        invocation(BYTES, b"\x00\x01\x02\x03", "four bytes"),
    )


def bad() -> tuple[Request, ...]:
    """Requests that cannot be understood as what they say they are."""
    return (
        invocation(JSON, b"", "empty body"),
        invocation(JSON, b'{"instances": [[1.0, 2.0', "malformed JSON"),
        invocation(JSON, b"\xff\xfe\x00\x80\xc3\x28" * 8, "bytes that are no UTF-8"),
        invocation(JSON, b'{"instances": "' + b"x" * _HUGE_FIELD, "malformed JSON with a huge field"),
        invocation(NONSENSE, b"\x93argosy\x00\xff", "body of an unknown media type"),
    )


def marked() -> tuple[Request, ...]:
    """Requests that hold a word which a log has no reason to quote; a model of numbers refuses them."""
    word = WORD.encode()
    return (
        invocation(JSON, b'{"instances": [["%b"' % word, "malformed JSON with a word"),
        invocation(JSON, b'{"instances": [["%b", 2.0, 3.0, 4.0]]}' % word, "JSON with a word among numbers"),
        invocation(CSV, b"%b,2.0,3.0,4.0\n" % word, "CSV with a word among numbers"),
        invocation(TEXT, b"\xff\xfe\x00\x80\xc3\x28" + word, "a word after bytes that are no UTF-8"),
        invocation(NONSENSE, word, "a word of an unknown media type"),
    )


def with_unknown_headers(request: Request) -> Request:
    """The request with headers that the platform may add."""
    return request.with_headers(
        ("X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678"),
        ("X-Amzn-SageMaker-Unheard-Of", "1"),
        ("X-Forwarded-For", "169.254.255.130"),
        (HEADER_INFERENCE_ID, "argosy-check"),
        (HEADER_CUSTOM_ATTRIBUTES, ATTRIBUTES),
    )


def with_longest_attributes(request: Request) -> Request:
    """The request with custom attributes as long as they may be."""
    return request.with_headers((HEADER_CUSTOM_ATTRIBUTES, ATTRIBUTES.ljust(int(CUSTOM_ATTRIBUTES.value), "~")))


def with_session(request: Request) -> Request:
    """The request within a session that nobody opened."""
    return request.with_headers((HEADER_SESSION_ID, "argosy-check-session"))


def of_other_hosts(request: Request) -> tuple[Request, ...]:
    """The request as transform jobs and as clients of this machine send it."""
    return (
        request.with_headers(("Host", BATCH_HOST), ("User-Agent", "Go-http-client/1.1")),
        request.with_headers(("Host", "127.0.0.1:8080"), ("User-Agent", "argosy")),
    )


def framed(request: Request, framing: Framing) -> Request:
    """The request with its body's end told in another way."""
    return replace(request, framing=framing)


def repeated(request: Request, times: int) -> Request | None:
    """The request with its records `times` over; None where it cannot be told what a record is."""
    body = request.body or b""
    if _essence(request) in (CSV, *LINES):
        body = (body if body.endswith(b"\n") else body + b"\n") * times
    elif _essence(request) == JSON and (rows := _repeated_json(body, times)) is not None:
        body = rows
    else:
        return None
    return replace(request, body=body, name=f"{request.name}, {times} times over")


def _repeated_json(body: bytes, times: int) -> bytes | None:
    try:
        parsed: Any = json.loads(body)
    except ValueError:
        return None
    if isinstance(parsed, dict) and isinstance(parsed.get("instances"), list):
        return json.dumps({**parsed, "instances": parsed["instances"] * times}).encode()
    # A flat list may be one record.
    if isinstance(parsed, list) and all(isinstance(row, list | dict) for row in parsed):
        return json.dumps(parsed * times).encode()
    return None


def best_for_padding(invocations: Invocations) -> Exchange | None:
    """The answered request whose body means the same with blanks at its end: JSON or text before all others."""
    answered = [exchange for exchange in invocations.all if exchange.status is not None]
    taken = [exchange for exchange in answered if exchange.is_success]
    understood = [exchange for exchange in answered if not exchange.is_server_error and exchange.status != 415]
    for candidates in (taken, understood, answered):
        for essence in (JSON, TEXT):
            for exchange in candidates:
                if _essence(exchange.request) == essence:
                    return exchange
        if candidates:
            return candidates[0]
    return None


def cheapest_for_padding(invocations: Invocations) -> Exchange | None:
    """The answered request whose long body is the least work: blanks after JSON or text, be it refused as input.

    Another body grows by being repeated, and then it is that many predictions.
    """
    understood = [one for one in invocations.all if one.is_success or (one.is_client_error and one.status != 415)]
    blank = [one for one in understood if _essence(one.request) in (JSON, TEXT)]
    return min(blank, key=lambda one: not one.is_success, default=None) or best_for_padding(invocations)


def padded(request: Request, length: int) -> Request:
    """The request with a body of `length` bytes: blanks at the end of JSON and text, the body repeated elsewhere.

    Rows of CSV are long by blanks behind their last field, so that what is asked is to take a body, not to predict a
    million rows; yet no field is as long as readers forbid (Python's: 131072 characters).
    """
    body = request.body or b"\n"
    if _essence(request) in (JSON, TEXT):
        longer = body + b" " * (length - len(body))
    elif _essence(request) == CSV:
        block = body.rstrip(b"\r\n") + b" " * _BLANKS + b"\n"
        longer = (block * (length // len(block) + 1))[:length]
    else:
        longer = (body * (length // len(body) + 1))[:length]
    return replace(request, body=longer, name=f"{request.name}, padded")


def _essence(request: Request) -> str:
    parsed = media_type.parse(request.content_type)
    return parsed.essence if parsed else ""
