"""The ASGI words that the routes speak, and whole answers in them."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

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
