"""Every request as plain ASGI: the whole of the server's HTTP, of which `short_path` is a faster part.

GET|POST /ping                  200 when a model process can serve, else 503
POST     /invocations           decode -> predict -> encode, in a model process
GET      /execution-parameters  what a transform job may ask of this container
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import orjson

from argosy import contract
from argosy.errors import BodyTooLargeError
from argosy.serving import answers
from argosy.serving.arena import THRESHOLD, Block
from argosy.serving.front.invocation import Invocation
from argosy.serving.front.pool import Pool

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PING: Final = "/ping"
INVOCATIONS: Final = "/invocations"
EXECUTION_PARAMETERS: Final = "/execution-parameters"
FIELDS_LIMIT: Final = 16_384
"""Bytes of Content-Type, Accept and inference id together; SageMaker lets 1,024 characters of each through."""
_METHODS: Final = {PING: ("GET", "POST"), INVOCATIONS: ("POST",), EXECUTION_PARAMETERS: ("GET",)}
_FIELDS: Final = (b"content-type", b"accept", contract.HEADER_INFERENCE_ID.lower().encode())


def fields_of(headers: list[tuple[bytes, bytes]]) -> bytes:
    """Content-Type, Accept and inference id as frames carry them; several Accept fields are one list (RFC 9110 5.3)."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _FIELDS:
            found[name] = found[name] + b", " + value if name in found and name == b"accept" else value
    return b"\n".join(found.get(name, b"") for name in _FIELDS)


def refusal(headers: list[tuple[bytes, bytes]]) -> tuple[int, str, str] | None:
    """Status, code and sentence for header fields that the server cannot honour, or None."""
    for name, value in headers:
        if name == b"transfer-encoding" and value.lower() != b"chunked":
            return 501, "not-implemented", "no Transfer-Encoding but `chunked` is understood"
        if name == b"content-encoding" and value.lower() != b"identity":
            return 415, "unsupported-media-type", "no Content-Encoding is understood"
    if len(fields_of(headers)) > FIELDS_LIMIT + 2:
        return 431, "header-too-large", f"want at most {FIELDS_LIMIT} bytes of Content-Type, Accept and inference id"
    return None


class Application:
    """The ASGI application of one front process.

    Args:
        pool: Where invocations go.
        workers: Model processes, for the execution parameters.
        max_body_bytes: Largest request body.
    """

    def __init__(self, pool: Pool, workers: int, max_body_bytes: int) -> None:
        self.pool = pool
        self.max_body_bytes = max_body_bytes
        self._execution_parameters = execution_parameters(workers)
        self._no_more_bodies = asyncio.Event()

    def stop_receiving(self) -> None:
        """The server stops: bodies that are not whole by now are refused."""
        self._no_more_bodies.set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path, method = scope["path"], scope["method"]
        if path not in _METHODS:
            await _send_error(send, 404, "not-found", "no such path")
        elif method not in _METHODS[path]:
            allow = ", ".join(_METHODS[path])
            await _send_error(send, 405, "method-not-allowed", f"want {allow}", (b"allow", allow.encode()))
        elif path == PING:
            await _send(send, 200 if self.pool.can_serve else 503, b"text/plain", b"")
        elif path == EXECUTION_PARAMETERS:
            await _send(send, 200, answers.CONTENT_TYPE, self._execution_parameters)
        else:
            await self._invoke(scope, receive, send)

    async def _invoke(self, scope: Message, receive: Receive, send: Send) -> None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        refused = refusal(headers)
        if refused is not None:
            await _send_error(send, *refused)
            return
        fields = fields_of(headers)  # now: uvicorn appends a body's trailers to the same list
        is_admitted = self.pool.admit()
        body = await self._receive_body(headers, receive, send)
        if body is None:
            if is_admitted:
                self.pool.withdraw()
            return
        waiting = _AsgiInvocation(fields, self.pool, body)
        self.pool.submit(waiting, is_admitted=is_admitted)
        gone = asyncio.ensure_future(receive())
        done, _ = await asyncio.wait((waiting.answered, gone), return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        if waiting.answered not in done:
            self.pool.abandon(waiting)
            return
        await _send(send, *waiting.answered.result())

    async def _receive_body(self, headers: list[tuple[bytes, bytes]], receive: Receive, send: Send) -> bytes | None:
        """The whole body; None when the client left, or was told that the body is too large."""
        body = bytearray()
        declared = next((int(v) for n, v in headers if n == b"content-length" and v.isdigit()), 0)
        while declared <= self.max_body_bytes:
            message = await self._receive(receive)
            if message is None:
                await _send_error(send, 503, "unavailable", "the server is stopping")
                return None
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > self.max_body_bytes or not message.get("more_body"):
                break
        if max(declared, len(body)) > self.max_body_bytes:
            status, text = answers.error_answer(too_large(self.max_body_bytes))
            await _send(send, status, answers.CONTENT_TYPE, text)  # uvicorn reads and drops the rest of the body
            return None
        return bytes(body)

    async def _receive(self, receive: Receive) -> Message | None:
        """The next message of a request; None when the server stops before it comes."""
        message = asyncio.ensure_future(receive())
        stopping = asyncio.ensure_future(self._no_more_bodies.wait())
        await asyncio.wait((message, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if message.done():
            return message.result()
        message.cancel()
        return None


class _AsgiInvocation(Invocation):
    """An invocation whose answer a coroutine awaits."""

    __slots__ = ("answered",)

    def __init__(self, fields: bytes, pool: Pool, body: bytes) -> None:
        block = pool.arena.allocate(len(body)) if len(body) >= THRESHOLD else None
        if block is not None:
            pool.arena_view[block.offset : block.offset + len(body)] = body
        super().__init__(fields, body if block is None else b"", block, len(body))
        self.answered: asyncio.Future[tuple[int, bytes, bytes]] = asyncio.get_running_loop().create_future()

    def answer(self, status: int, content_type: bytes, body: bytes | memoryview, block: Block | None) -> None:
        """Copy the answer out of the arena and wake the coroutine."""
        if not self.answered.done():
            self.answered.set_result((status, content_type, bytes(body)))
        if block is not None:
            block.is_free = True


def too_large(limit: int) -> BodyTooLargeError:
    """The error of a body that is larger than the server takes."""
    return BodyTooLargeError("the body is too large", want=f"at most {limit} bytes")


def execution_parameters(workers: int) -> bytes:
    """The answer of /execution-parameters: as many transforms at a time as there are model processes.

    Source:
        `contract.BATCH_PAYLOAD_MB`: the product of both numbers is at most 100.
    """
    at_once = min(workers, int(contract.BATCH_PAYLOAD_MB.value))
    payload_mb = min(contract.DEFAULT_MAX_PAYLOAD_MB, int(contract.BATCH_PAYLOAD_MB.value) // at_once)
    return orjson.dumps(
        {"MaxConcurrentTransforms": at_once, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": payload_mb}
    )


async def _send(send: Send, status: int, content_type: bytes, body: bytes, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _send_error(send: Send, status: int, code: str, message: str, *more: tuple[bytes, bytes]) -> None:
    await _send(send, status, answers.CONTENT_TYPE, answers.error_body(code, message), *more)
