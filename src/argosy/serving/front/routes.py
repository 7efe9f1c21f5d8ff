"""Every request as plain ASGI: the whole of the server's HTTP, of which `short_path` is a faster part.

GET|POST /ping                  200 when a model process can serve, else 503
POST     /invocations           decode -> predict -> encode, in a model process
GET      /execution-parameters  what a transform job may ask of this container
GET      /metrics               what was counted, in Prometheus' text format
GET      /openapi.json          what this server takes and gives
GET      /invocations-bidirectional-stream  the WebSocket of `bidirectional`
"""

import asyncio
from collections.abc import Callable
from typing import Final

from argosy.serving import answers
from argosy.serving.arena import THRESHOLD, Block
from argosy.serving.front import metrics
from argosy.serving.front.asgi import Message, Receive, Scope, Send, send_error, send_whole
from argosy.serving.front.bidirectional import Bidirectional
from argosy.serving.front.requests import BIDIRECTIONAL, INVOCATIONS, PING, HeaderFields, fields_of, refusal, too_large
from argosy.serving.pool.invocation import Invocation
from argosy.serving.pool.pool import Pool

EXECUTION_PARAMETERS: Final = "/execution-parameters"
METRICS: Final = "/metrics"
OPENAPI: Final = "/openapi.json"
_CHUNKS: Final = 16
"""Parts of a streamed answer that wait for a slow client before its generator is paused."""

Page = Callable[[], tuple[int, bytes, bytes]]
"""Status, Content-Type and body of what is answered without a model process."""


class Application:
    """The ASGI application of one front process.

    Args:
        pool: Where invocations go.
        max_body_bytes: Largest request body.
        pages: Answers without a model process, by path: GET only.
        bidirectional: Holds conversations.
    """

    def __init__(self, pool: Pool, max_body_bytes: int, pages: dict[str, Page], bidirectional: Bidirectional) -> None:
        self.pool = pool
        self.max_body_bytes = max_body_bytes
        self._pages = pages
        self._bidirectional = bidirectional
        self._no_more_bodies = asyncio.Event()

    def stop_receiving(self) -> None:
        """The server stops: bodies that are not whole by now are refused."""
        self._no_more_bodies.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await self._bidirectional.converse(scope, receive, send)
            return
        path, method = scope["path"], scope["method"]
        allowed = self._methods(path)
        if not allowed:
            await send_error(send, 404, "not-found", "no such path")
        elif method not in allowed:
            allow = ", ".join(allowed)
            await send_error(send, 405, "method-not-allowed", f"want {allow}", (b"allow", allow.encode()))
        elif path == PING:
            await send_whole(send, 200 if self.pool.can_serve else 503, b"text/plain", b"")
        elif path == INVOCATIONS:
            await self._invoke(scope["headers"], receive, send)
        elif path == BIDIRECTIONAL:
            await self._bidirectional.refuse_plain(scope["headers"], send)
        else:
            await send_whole(send, *self._pages[path]())

    def _methods(self, path: str) -> tuple[str, ...]:
        if path == PING:
            return ("GET", "POST")
        if path == INVOCATIONS:
            return ("POST",)
        return ("GET",) if path in self._pages or path == BIDIRECTIONAL else ()

    async def _invoke(self, headers: HeaderFields, receive: Receive, send: Send) -> None:
        refused = refusal(headers)
        if refused is not None:
            await send_error(send, *refused)
            return
        fields = fields_of(headers)  # now: uvicorn appends a body's trailers to the same list
        is_admitted = self.pool.admit()
        body = await self.receive_body(headers, receive, send)
        if body is None:
            if is_admitted:
                self.pool.withdraw()
            return
        waiting = AsgiInvocation(fields, self.pool, body)
        self.pool.submit(waiting, is_admitted=is_admitted)
        await waiting.relay(receive, send)

    async def receive_body(self, headers: HeaderFields, receive: Receive, send: Send) -> bytes | None:
        """The whole body; None when the client left, or was told that the body is too large."""
        body = bytearray()
        declared = next((int(v) for n, v in headers if n == b"content-length" and v.isdigit()), 0)
        while declared <= self.max_body_bytes:
            message = await self._receive(receive)
            if message is None:
                await send_error(send, 503, "unavailable", "the server is stopping")
                return None
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > self.max_body_bytes or not message.get("more_body"):
                break
        if max(declared, len(body)) > self.max_body_bytes:
            status, text = answers.error_answer(too_large(self.max_body_bytes))
            await send_whole(send, status, answers.CONTENT_TYPE, text)  # uvicorn reads and drops the rest of the body
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


class AsgiInvocation(Invocation):
    """An invocation whose answer a coroutine relays."""

    __slots__ = ("_events", "_is_paused", "_pool")

    def __init__(self, fields: bytes, pool: Pool, body: bytes) -> None:
        block = pool.arena.allocate(len(body)) if len(body) >= THRESHOLD else None
        if block is not None:
            pool.arena_view[block.offset : block.offset + len(body)] = body
        super().__init__(fields, body if block is None else b"", block, len(body))
        self._pool = pool
        self._is_paused = False
        self._events: asyncio.Queue[tuple[int, bytes, bytes, bool]] = asyncio.Queue()

    async def relay(self, receive: Receive, send: Send) -> tuple[int, bytes] | None:
        """Send the answer as it comes.

        Returns:
            Status and head of what was sent, None when the client left before.

        Raises:
            ConnectionAbortedError: A streamed answer broke off: uvicorn then ends the connection.
        """
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            status, head, body, is_more = await self._next(gone)
            await send({"type": "http.response.start", "status": status, "headers": _headers(head, body, is_more)})
            begun = status
            await send({"type": "http.response.body", "body": body, "more_body": is_more})
            while is_more:
                status, _, body, is_more = await self._next(gone)
                await send({"type": "http.response.body", "body": body, "more_body": is_more or status < 0})
                if status < 0:
                    raise ConnectionAbortedError("the answer broke off")
            return begun, head
        except _ClientLeftError:
            self._pool.abandon(self)
            return None
        finally:
            gone.cancel()

    def answer(self, status: int, head: bytes, body: bytes | memoryview, block: Block | None) -> None:
        """Copy the answer out of the arena and wake the coroutine."""
        self._events.put_nowait((status, head, bytes(body), False))
        if block is not None:
            block.is_free = True

    def begin(self, status: int, head: bytes, part: bytes) -> None:
        """Wake the coroutine with the first part."""
        self._put((status, head, part, True))

    def send_part(self, part: bytes) -> None:
        """Give the coroutine a part."""
        self._put((0, b"", part, True))

    def end(self) -> None:
        """Tell the coroutine that it has everything."""
        self._put((0, b"", b"", False))

    def break_off(self, last: bytes) -> None:
        """Tell the coroutine that no more comes."""
        self._put((-1, b"", last, False))

    def _put(self, event: tuple[int, bytes, bytes, bool]) -> None:
        self._events.put_nowait(event)
        if self._events.qsize() > _CHUNKS and not self._is_paused:
            self._is_paused = True
            self._pool.flow(self, is_open=False)

    async def _next(self, gone: "asyncio.Future[None]") -> tuple[int, bytes, bytes, bool]:
        if self._is_paused and self._events.empty():
            self._is_paused = False
            self._pool.flow(self, is_open=True)
        if not self._events.empty() and not gone.done():
            return self._events.get_nowait()
        event = asyncio.ensure_future(self._events.get())
        await asyncio.wait((event, gone), return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            event.cancel()
            raise _ClientLeftError
        return event.result()


class _ClientLeftError(Exception):
    """Nobody waits for the answer any more."""


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def _headers(head: bytes, body: bytes, is_more: bool) -> list[tuple[bytes, bytes]]:
    """The head as ASGI wants it."""
    content_type, *more = head.split(b"\r\n")
    named = [(b"content-type", content_type)]
    named += [(name.lower(), value) for name, _, value in (line.partition(b": ") for line in more)]
    return named if is_more else [*named, (b"content-length", b"%d" % len(body))]


def standard_pages(pool: Pool, execution_parameters: bytes, render: Callable[[], bytes]) -> dict[str, Page]:
    """The pages of every server.

    Args:
        pool: Knows what the predictor takes, once a model process has loaded.
        execution_parameters: Body of that page.
        render: Gives the metrics.
    """

    def openapi() -> tuple[int, bytes, bytes]:
        document = pool.introduction.get("openapi")
        if document is None:
            return 503, answers.CONTENT_TYPE, answers.error_body("unavailable", "the model is not loaded")
        return 200, answers.CONTENT_TYPE, document.encode()

    return {
        EXECUTION_PARAMETERS: lambda: (200, answers.CONTENT_TYPE, execution_parameters),
        METRICS: lambda: (200, metrics.CONTENT_TYPE, render()),
        OPENAPI: openapi,
    }
