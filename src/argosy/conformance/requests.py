"""The requests that are tried on any server: generic ones, broken ones, large ones.

What a stranger's model understands is not known. A 4xx is an honest answer to each of these.
"""

import json
from dataclasses import replace
from typing import Final

from argosy import media_type
from argosy.conformance.probes import Exchange, Request, invocation
from argosy.conformance.scenes.endpoint import Invocations
from argosy.contract import HEADER_CUSTOM_ATTRIBUTES, HEADER_INFERENCE_ID

JSON: Final = "application/json"
CSV: Final = "text/csv"
TEXT: Final = "text/plain"
BYTES: Final = "application/octet-stream"
NONSENSE: Final = "application/x-argosy-nonsense"
"""A media type that no server can know."""

GARBAGE: Final = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256))
"""What a TLS client would begin with, and then every byte there is: no HTTP."""

_ROW: Final = [1.0, 2.0, 3.0, 4.0]


def generic() -> tuple[Request, ...]:
    """Well-formed requests of the usual kinds, which a server may or may not understand."""
    return (
        invocation(JSON, b"{}", "empty JSON object"),
        invocation(JSON, json.dumps([_ROW]).encode(), "JSON list of one row"),
        invocation(JSON, json.dumps({"instances": [_ROW]}).encode(), "JSON with `instances`"),
        invocation(CSV, b"1.0,2.0,3.0,4.0\n", "CSV of one row"),
        invocation(TEXT, b"hello world", "text"),
        invocation(BYTES, b"\x00\x01\x02\x03", "four bytes"),
    )


def bad() -> tuple[Request, ...]:
    """Requests that cannot be understood as what they say they are."""
    return (
        invocation(JSON, b"", "empty body"),
        invocation(JSON, b'{"instances": [[1.0, 2.0', "malformed JSON"),
        invocation(JSON, b"\xff\xfe\x00\x80\xc3\x28" * 8, "bytes that are no UTF-8"),
        invocation(NONSENSE, b"\x93argosy\x00\xff", "body of an unknown media type"),
    )


def with_unknown_headers(request: Request) -> Request:
    """The request with headers that the platform may add."""
    return request.with_headers(
        ("X-Amzn-Trace-Id", "Root=1-67891233-abcdef012345678912345678"),
        ("X-Amzn-SageMaker-Unheard-Of", "1"),
        ("X-Forwarded-For", "169.254.255.130"),
        (HEADER_INFERENCE_ID, "argosy-check"),
        (HEADER_CUSTOM_ATTRIBUTES, "argosy=check"),
    )


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
    """The request with a body of `length` bytes: blanks at the end of JSON and text, the body repeated elsewhere."""
    body = request.body or b"\n"
    if _essence(request) in (JSON, TEXT):
        longer = body + b" " * (length - len(body))
    else:
        longer = (body * (length // len(body) + 1))[:length]
    return replace(request, body=longer, name=f"{request.name}, padded")


def _essence(request: Request) -> str:
    parsed = media_type.parse(request.content_type)
    return parsed.essence if parsed else ""
