"""The ASGI words that the routes speak, and whole answers in them."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from argosy.errors import DecodeError
from argosy.serving import answers

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def send_whole(send: Send, status: int, content_type: bytes, body: bytes, *more: tuple[bytes, bytes]) -> None:
    """Send a whole answer."""
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_error(send: Send, status: int, code: str, message: str, *more: tuple[bytes, bytes]) -> None:
    """Send an error's answer."""
    await send_whole(send, status, answers.CONTENT_TYPE, answers.error_body(code, message), *more)


_PAGE: Final = 100
"""Items of a list without `limit`, as deepjavalibrary/djl-serving has it (adapters_api.md, read 2026-11-22)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is answered with JSON.

    Attributes:
        method: HTTP method.
        path: Path, percent signs decoded.
        query: What stands behind the question mark.
        headers: Header fields, names in lower case.
        body: The whole body.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: str) -> str:
        """A header field, empty when it was not sent."""
        return header(self.headers, name)

    def json(self) -> dict[str, Any]:
        """The JSON object in the body.

        Raises:
            DecodeError: It is none.
        """
        try:
            found = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise DecodeError("the body is not JSON", where=f"line {error.lineno}, column {error.colno}") from None
        if not isinstance(found, dict):
            raise DecodeError("the body is no JSON object")
        return found


def header(headers: Sequence[tuple[bytes, bytes]], name: str) -> str:
    """A header field, empty when it was not sent."""
    wanted = name.lower().encode()
    return next((value.decode("latin-1") for found, value in headers if found == wanted), "")


def query_of(scope: Scope) -> dict[str, str]:
    """What stands behind the question mark of a request; of several values of one name the last."""
    return dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))


def page(name: str, items: Sequence[object], query: dict[str, str]) -> dict[str, object]:
    """A page of a list: the items from `next_page_token` on, at most `limit`, and the token of the next page.

    Source:
        https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html, "LIST MODEL API" (read 2026-11-22):
        without a `nextPageToken` in the answer there is no more.

    Raises:
        DecodeError: The limit or the token is no such number.
    """
    start = _count(query, "next_page_token", 0)
    end = start + max(1, _count(query, "limit", _PAGE))
    more = {"nextPageToken": str(end)} if end < len(items) else {}
    return {name: items[start:end], **more}


def _count(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise DecodeError("the page cannot be found", want="a whole number", where=name)
    return int(text)
