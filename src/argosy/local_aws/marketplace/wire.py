"""The three APIs on the wire: which operation a request is for, and how it is read and answered.

`marketplace-catalog` and `marketplace-discovery` are REST with JSON, by path; `marketplace-agreement` is JSON by
`X-Amz-Target`, or Smithy's RPC v2 with CBOR by path. All three are signed for `aws-marketplace`.

Source: botocore's models of the three; https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
(read 2026-11-23).
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from argosy.local_aws.marketplace import cbor
from argosy.local_aws.marketplace.refusal import Refusal
from argosy.simulator.runtime.asgi import Message

CATALOG: Final = "marketplace-catalog"
DISCOVERY: Final = "marketplace-discovery"
AGREEMENT: Final = "marketplace-agreement"

_TARGET: Final = "AWSMPCommerceService_v20200301"
_RPC: Final = re.compile(rf"/service/{_TARGET}/operation/(\w{{1,64}})")
_DISCOVERY: Final = re.compile(r"/2026-02-05/(\w{1,64})")
_CATALOG: Final = re.compile(r"/([A-Z]\w{0,63})")

_OF_CATALOG: Final[Mapping[str, int]] = {"ValidationException": 422, "ResourceInUseException": 423}
_STATUS: Final[Mapping[str, int]] = {
    "ValidationException": 400,
    "SerializationException": 400,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "UnknownOperationException": 404,
    "ConflictException": 409,
    "RequestEntityTooLargeException": 413,
    "NotSimulated": 501,
}
"""By botocore's models; what is not there is 500. The catalog has some of its own."""


@dataclass(frozen=True, slots=True)
class Form:
    """How the bodies of one protocol are read and written.

    Attributes:
        media_type: Of both.
        read: Bytes to a value; raises ValueError.
        write: A value with `datetime`s to bytes.
        headers: Further header fields of an answer.
    """

    media_type: str
    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for.

    Attributes:
        service: As botocore names it.
        operation: Its name in the service's model; empty when the request names none.
        form: How bodies are written.
        query: Members that are in the query string.
    """

    service: str
    operation: str
    form: Form
    query: Mapping[str, str]


def _seconds(value: object) -> float:
    if isinstance(value, datetime):
        return value.astimezone(UTC).timestamp()
    raise TypeError(f"{type(value).__name__} is nothing that JSON has")


def _json(value: Any) -> bytes:
    return json.dumps(value, default=_seconds).encode()


REST: Final = Form("application/json", json.loads, _json)
TARGETED: Final = Form("application/x-amz-json-1.0", json.loads, _json)
RPC: Final = Form("application/cbor", cbor.decode, cbor.encode, (("smithy-protocol", "rpc-v2-cbor"),))


def asked(scope: Message, headers: Mapping[str, str]) -> Asked:
    """What a request asks for, from its path and header fields (in small letters)."""
    path = str(scope["path"])
    if found := _RPC.fullmatch(path):
        return Asked(AGREEMENT, found.group(1), RPC, {})
    target, _, operation = headers.get("x-amz-target", "").partition(".")
    if target == _TARGET:
        return Asked(AGREEMENT, operation, TARGETED, {})
    if found := _DISCOVERY.fullmatch(path):
        return Asked(DISCOVERY, found.group(1)[:1].upper() + found.group(1)[1:], REST, {})
    query = parse_qsl(scope["query_string"].decode("latin-1"))
    members = {name[:1].upper() + name[1:]: value for name, value in query}
    found = _CATALOG.fullmatch(path)
    return Asked(CATALOG, found.group(1) if found else "", REST, members)


def refused(asked: Asked, refusal: Refusal) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, header fields and body of a refusal."""
    is_catalog = asked.service == CATALOG
    status = (_OF_CATALOG if is_catalog else {}).get(refusal.code) or _STATUS.get(refusal.code, 500)
    name = "Message" if is_catalog else "message"
    members: dict[str, object] = {"__type": refusal.code, name: refusal.message}
    if refusal.reason is not None:
        members["reason"] = refusal.reason
    headers = [("Content-Type", asked.form.media_type), *asked.form.headers, ("x-amzn-ErrorType", refusal.code)]
    return status, headers, asked.form.write(members)


def answered(asked: Asked, members: Mapping[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, header fields and body of an answer."""
    headers = [("Content-Type", asked.form.media_type), *asked.form.headers]
    return 200, headers, asked.form.write(dict(members))
