"""Requests and answers as ASGI's messages, for the applications that make up the local AWS."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Final

from argosy.simulator.runtime.asgi import Message, Receive, Send

PART: Final = 256 * 1024
"""Bytes of a body that are sent at once, so that a slow reader holds up a large answer instead of storing it."""

Headers = Iterable[tuple[str, str]]


def headers_of(scope: Message) -> dict[str, str]:
    """The header fields of a request by their names in small letters; of several with one name the last."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def chunks(receive: Receive) -> AsyncIterator[bytes]:
    """The body of a request, as it comes.

    Raises:
        ConnectionAbortedError: The client left before it had sent everything.
    """
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError
        if chunk := message.get("body", b""):
            yield chunk
        if not message.get("more_body", False):
            return


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """A whole body, None when it is longer than `limit`, after reading and dropping it.

    Raises:
        ConnectionAbortedError: The client left before it had sent everything.
    """
    body = bytearray()
    is_too_long = False
    async for chunk in chunks(receive):
        is_too_long = is_too_long or len(body) + len(chunk) > limit
        if not is_too_long:
            body += chunk
    return None if is_too_long else bytes(body)


def given_again(body: bytes) -> Receive:
    """A `receive` that gives a body that has been read before, and then the client's departure."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    return receive


async def respond(send: Send, status: int, headers: Headers, body: bytes = b"") -> None:
    """Send a whole answer; its length is added."""
    listed = [*headers, ("Content-Length", str(len(body)))]
    await send_start(send, status, listed)
    await send({"type": "http.response.body", "body": body})


async def send_start(send: Send, status: int, headers: Headers) -> None:
    """Send the head of an answer."""
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": encoded})


async def respond_json(send: Send, status: int, value: Mapping[str, object], media_type: str) -> None:
    """Send a JSON object."""
    await respond(send, status, [("Content-Type", media_type)], json.dumps(value).encode())
