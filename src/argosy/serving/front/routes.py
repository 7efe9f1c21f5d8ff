"""Every request as plain ASGI: the whole of the server's HTTP, of which `short_path` is a faster part.

GET|POST /ping                  200 when a model process can serve, else 503
POST     /invocations           decode -> predict -> encode, in a model process
GET      /execution-parameters  what a transform job may ask of this container
GET      /metrics               what was counted, in Prometheus' text format
GET      /openapi.json          what this server takes and gives
GET      /invocations-bidirectional-stream  the WebSocket of `bidirectional`
         /adapters, /models     `hosting.adapters`, or `hosting.models` on a multi-model endpoint
"""

import asyncio
from collections.abc import Callable
from typing import Final

import orjson

from argosy import contract
from argosy.errors import ArgosyError, InvocationError
from argosy.serving import answers
from argosy.serving.arena import THRESHOLD, Block
from argosy.serving.front import metrics
from argosy.serving.front.asgi import Asked, Message, Receive, Scope, Send, header, query_of, send_error, send_whole
from argosy.serving.front.bidirectional import Bidirectional
from argosy.serving.front.requests import BIDIRECTIONAL, PING, BodyRoom, HeaderFields, fields_of, refusal, too_large
from argosy.serving.hosting.site import Hosted, Passage, Site
from argosy.serving.pool.invocation import Invocation
from argosy.serving.pool.pool import Pool

EXECUTION_PARAMETERS: Final = "/execution-parameters"
METRICS: Final = "/metrics"
OPENAPI: Final = "/openapi.json"
_MOST_GATHERED: Final = 64 * 2**20
"""Bytes of a streamed answer that are held for a client of HTTP/1.0."""
_CHUNKS: Final = 16
"""Parts of a streamed answer that wait for a slow client before its generator is paused."""

Page = Callable[[], tuple[int, bytes, bytes]]
"""Status, Content-Type and body of what is answered without a model process."""


class Application:
    """The ASGI application of one front process.

    Args:
        site: What the server hosts.
        max_body_bytes: Largest request body.
        room: What all bodies share that are being received.
        pages: Answers without a model process, by path: GET only.
        bidirectional: Holds conversations; None where there are none.
    """

    def __init__(
        self,
        site: Site,
        max_body_bytes: int,
        room: BodyRoom,
        pages: dict[str, Page],
        bidirectional: Bidirectional | None,
    ) -> None:
        self._site = site
        self.max_body_bytes = max_body_bytes
        self._room = room
        self._pages = pages
        self._bidirectional = bidirectional
        self._no_more_bodies = asyncio.Event()

    def stop_receiving(self) -> None:
        """The server stops: bodies that are not whole by now are refused."""
        self._no_more_bodies.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket" and self._bidirectional is not None:
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
            await send_whole(send, 200 if self._site.can_serve else 503, b"text/plain", b"")
        elif path in self._pages:
            await send_whole(send, *self._pages[path]())
        elif path == BIDIRECTIONAL and self._bidirectional is not None:
            await self._bidirectional.refuse_plain(scope["headers"], send)
        else:
            await self._ask(scope, receive, send)

    def _methods(self, path: str) -> tuple[str, ...]:
        if path == PING:
            return ("GET", "POST")
        if path in self._pages or (path == BIDIRECTIONAL and self._bidirectional is not None):
            return ("GET",)
        return self._site.methods(path)

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is for a model or about one."""
        headers = list(scope["headers"])  # a copy: uvicorn appends a body's trailers to its own list
        refused = refusal(headers)
        if refused is not None:
            await send_error(send, *refused)
            return
        try:
            hosted = self._site.target(scope["path"], headers) if scope["method"] == "POST" else None
            if hosted is not None:
                is_whole = scope["http_version"] == "1.0"
                await self._invoke(hosted, headers, receive, send, is_whole=is_whole)
                return
            body = await self.receive_body(headers, receive, send)
            if body is None:
                return
            asked = Asked(scope["method"], scope["path"], query_of(scope), headers, body)
            told = orjson.dumps(await self._site.answer(asked))
            await send_whole(send, 200, answers.CONTENT_TYPE, told)
        except ArgosyError as error:
            status, text = answers.error_answer(error, header(headers, contract.HEADER_INFERENCE_ID))
            await send_whole(send, status, answers.CONTENT_TYPE, text, *_headers(answers.head_of(error))[1:])

    async def _invoke(
        self, hosted: Hosted, headers: HeaderFields, receive: Receive, send: Send, *, is_whole: bool
    ) -> None:
        fields, pool = fields_of(headers), hosted.pool
        is_admitted = pool.admit()
        passage: Passage | None = None
        try:
            body = await self.receive_body(headers, receive, send)
            if body is None:
                return
            passage = hosted.enter(fields, body)
            if passage.ready is not None:
                pool.metrics.answered(200, [0.0], 0.0, 0.0)
                head, text = passage.ready
                await send_whole(send, 200, answers.CONTENT_TYPE, text, *_headers(head)[1:])
                return
            waiting = AsgiInvocation(passage, pool, body)
            pool.submit(waiting, is_admitted=is_admitted)
            is_admitted = False
            await waiting.relay(receive, send, is_whole=is_whole)
        except InvocationError as error:
            pool.metrics.answered(answers.status_of(error), [0.0], 0.0, 0.0)
            raise
        finally:
            if is_admitted:
                pool.withdraw()
            if passage is not None:
                passage.leave()

    async def receive_body(self, headers: HeaderFields, receive: Receive, send: Send) -> bytes | None:
        """The whole body; None when the client left, or was told that the body is too large.

        Raises:
            OverloadedError: Too many bodies are being received.
        """
        body = bytearray()
        taken = 0
        declared = next((int(v) for n, v in headers if n == b"content-length" and v.isdigit()), 0)
        try:
            while declared <= self.max_body_bytes:
                message = await self._receive(receive)
                if message is None:
                    await send_error(send, 503, "unavailable", "the server is stopping")
                    return None
                if message["type"] == "http.disconnect":
                    return None
                piece = message.get("body", b"")
                body += piece
                if len(body) > self.max_body_bytes or not message.get("more_body"):
                    break
                if not self._room.take(len(piece)):
                    raise self._room.refusal()
                taken += len(piece)
        finally:
            self._room.give_back(taken)
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

    def __init__(self, passage: Passage, pool: Pool, body: bytes) -> None:
        block = pool.arena.allocate(len(body)) if len(body) >= THRESHOLD else None
        if block is not None:
            pool.arena_view[block.offset : block.offset + len(body)] = body
        super().__init__(passage.fields, body if block is None else b"", block, len(body))
        self.pinned = passage.link
        self._passage = passage
        self._pool = pool
        self._is_paused = False
        self._events: asyncio.Queue[tuple[int, bytes, bytes, bool]] = asyncio.Queue()

    async def relay(self, receive: Receive, send: Send, *, is_whole: bool = False) -> None:
        """Send the answer as it comes.

        Args:
            receive: Tells that the client has left.
            send: Takes the answer.
            is_whole: Whether a streamed answer is gathered first: HTTP/1.0 knows no chunks.

        Raises:
            ConnectionAbortedError: A streamed answer broke off: uvicorn then ends the connection.
        """
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            status, head, body, is_more = await self._next(gone)
            if is_more and is_whole:
                status, head, body, is_more = await self._gathered(status, head, body, gone)
            headers = _headers(head + self._passage.head(status))
            if not is_more:
                headers.append((b"content-length", b"%d" % len(body)))
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body, "more_body": is_more})
            while is_more:
                status, _, body, is_more = await self._next(gone)
                await send({"type": "http.response.body", "body": body, "more_body": is_more or status < 0})
                if status < 0:
                    raise ConnectionAbortedError("the answer broke off")
        except _ClientLeftError:
            self._pool.abandon(self)
        finally:
            gone.cancel()

    async def _gathered(
        self, status: int, head: bytes, first: bytes, gone: "asyncio.Future[None]"
    ) -> tuple[int, bytes, bytes, bool]:
        """A streamed answer as a whole one; an error when it breaks off, or is too long to be held."""
        body = bytearray(first)
        while True:
            said, _, part, is_more = await self._next(gone)
            body += part
            if said < 0 or len(body) > _MOST_GATHERED:
                if is_more:
                    self._pool.abandon(self)
                text = answers.error_body("predict", "the answer broke off", self.inference_id)
                return 500, answers.CONTENT_TYPE, text, False
            if not is_more:
                return status, head, bytes(body), False

    def answer(self, status: int, head: bytes, body: bytes | memoryview, block: Block | None) -> None:
        """Copy the answer out of the arena and wake the coroutine."""
        self._events.put_nowait((status, head, bytes(body), False))
        if block is not None:
            block.free()

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


def _headers(head: bytes) -> list[tuple[bytes, bytes]]:
    """The head as ASGI wants it."""
    content_type, *more = head.split(b"\r\n")
    named = ((name.lower(), value) for name, _, value in (line.partition(b": ") for line in more))
    return [(b"content-type", content_type), *named]


def standard_pages(
    site: Site, execution_parameters: Callable[[], bytes], render: Callable[[], bytes]
) -> dict[str, Page]:
    """The pages of every server.

    Args:
        site: Knows what the predictor takes, once a model process has loaded.
        execution_parameters: Gives the body of that page.
        render: Gives the metrics.
    """

    def openapi() -> tuple[int, bytes, bytes]:
        document = site.openapi
        if document is None:
            return 503, answers.CONTENT_TYPE, answers.error_body("unavailable", "the model is not loaded")
        return 200, answers.CONTENT_TYPE, document

    return {
        EXECUTION_PARAMETERS: lambda: (200, answers.CONTENT_TYPE, execution_parameters()),
        METRICS: lambda: (200, metrics.CONTENT_TYPE, render()),
        OPENAPI: openapi,
    }
