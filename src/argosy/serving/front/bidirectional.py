"""Bidirectional streaming, the front's side: one WebSocket is one conversation of a model process.

GET /invocations-bidirectional-stream, with the header fields of a WebSocket upgrade. Before the upgrade:

404  the predictor has no `converse`
426  the request asks for no WebSocket
431  the header fields are too large
501  wsproto, which speaks WebSocket, is not installed (`argosy[bidirectional]`)
503  no model process can take it: not ready, stopping, or all conversations that there may be are open

One message is one item, either way. A message is read from the client only while few wait for the predictor, and asked
of the predictor only while few wait for the client; pings are answered whenever something may be read.
"""

import asyncio
import importlib.util
from typing import Any, Final, NamedTuple

from argosy.serving import frames, log
from argosy.serving.frames import CloseCode, Piece, PieceKind
from argosy.serving.front.asgi import Message, Receive, Scope, Send, send_error
from argosy.serving.front.requests import BIDIRECTIONAL, HeaderFields, fields_of
from argosy.serving.front.requests import refusal as refusal_of_fields
from argosy.serving.model.window import Window
from argosy.serving.pool.model_link import ModelLink
from argosy.serving.pool.pool import Pool

LONGEST_S: Final = 1800.0
"""Seconds of a conversation: SageMaker's 30 minutes.

Source:
    Second hand, Deepgram's documentation of its SageMaker images (2026-11-22); not found in AWS's own.
"""
_CLOSE_S: Final = 30.0
"""How long a client may take to read the last message, before the Close frame is given up."""
_STOP_S: Final = 1.0
"""The same for all of them when the server stops."""
_LEFT: Final = 1006
"""Stands for a Close frame that never came (RFC 6455, section 7.4.1)."""
_INFERENCE_ID: Final = b"x-amzn-sagemaker-inference-id"

Refusal = tuple[int, str, str]
"""Status, code and sentence."""

_NO_PATH: Final[Refusal] = (404, "not-found", "no such path")
_NOT_READY: Final[Refusal] = (503, "unavailable", "the server is not ready, or stops")
_FULL: Final[Refusal] = (503, "overloaded", "all conversations that there may be are open")


class Bidirectional:
    """The route.

    Args:
        pool: Has the model processes.
        concurrency: The most conversations at a time in one model process.
    """

    def __init__(self, pool: Pool, concurrency: int) -> None:
        self._pool = pool
        self._concurrency = concurrency
        self._is_installed = is_installed()
        self._open: dict[Conversation, asyncio.Task[Any] | None] = {}

    async def refuse_plain(self, headers: HeaderFields, send: Send) -> None:
        """Answer a request that is not upgraded."""
        status, code, message = self._refusal(headers) or (426, "upgrade-required", "the path wants a WebSocket")
        upgrade = [(b"upgrade", b"websocket"), (b"connection", b"upgrade")] if status == 426 else []
        await send_error(send, status, code, message, *upgrade)

    async def converse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold one conversation, or refuse the upgrade."""
        await receive()  # that it wants to connect
        headers = scope["headers"]
        refused = _NO_PATH if scope["path"] != BIDIRECTIONAL else self._refusal(headers)
        link = None if refused else self._least_loaded()
        if link is None:
            await send_error(_before_upgrade(send), *(refused or _FULL))
            return
        query = scope["query_string"]
        conversation = Conversation(link, fields_of(headers) + (b"\nQ" + query if query else b""))
        self._open[conversation] = asyncio.current_task()
        try:
            ending = await conversation.hold(receive, send)
        finally:
            del self._open[conversation]
        inference_id = next((value.decode("latin-1") for name, value in headers if name == _INFERENCE_ID), "")
        self._pool.metrics.conversed(ending.code)
        log.event("conversation", inference_id=inference_id, **conversation.told(ending))

    async def close(self) -> None:
        """The server stops: end those that are still open."""
        tasks = [task for task in self._open.values() if task is not None]
        for conversation in self._open:
            conversation.end(Ending(CloseCode.GOING_AWAY, "the server is stopping"))
        if tasks:
            await asyncio.wait(tasks, timeout=_STOP_S)

    def _refusal(self, headers: HeaderFields) -> Refusal | None:
        if not self._pool.can_serve:
            return _NOT_READY
        if not self._pool.introduction.get("is_bidirectional"):
            return 404, "not-found", "this model holds no conversations"
        if not self._is_installed:
            return 501, "not-implemented", "wsproto is not installed: install `argosy[bidirectional]`"
        return refusal_of_fields(headers)

    def _least_loaded(self) -> ModelLink | None:
        free = [x for x in self._pool.links if x.is_loaded and len(x.conversations) < self._concurrency]
        # One that answers what may kill it comes last.
        return min(free, key=lambda x: (x.answers_suspects, len(x.conversations) + len(x.held)), default=None)


def is_installed() -> bool:
    """Whether the library is there that speaks WebSocket."""
    return importlib.util.find_spec("wsproto") is not None


class Ending(NamedTuple):
    """Why a conversation is over.

    Attributes:
        code: Of the Close frame.
        reason: Of the Close frame.
        is_said: Whether the client knows: it has left, or was told by the library.
    """

    code: int
    reason: str
    is_said: bool = False


class Conversation:
    """One WebSocket and one run of the predictor's `converse`.

    Args:
        link: The model process.
        fields: What the upgrade's header fields and query string say.
    """

    def __init__(self, link: ModelLink, fields: bytes) -> None:
        self._link = link
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._window = Window()
        self._outgoing: asyncio.Queue[Piece] = asyncio.Queue()
        self._ended: asyncio.Future[Ending] = self._loop.create_future()
        self._is_held = True
        self._is_left = False
        self._is_model_done = False
        self._counts = {"messages_in": 0, "messages_out": 0, "bytes_in": 0, "bytes_out": 0}
        self._number = link.converse(self, fields)

    def told(self, ending: Ending) -> dict[str, object]:
        """What the log tells of it."""
        seconds = round(self._loop.time() - self._began, 3)
        return {"code": ending.code, "reason": ending.reason, "seconds": seconds, **self._counts}

    def take(self, piece: Piece) -> None:
        """Something came from the model process."""
        if piece.kind == PieceKind.TAKEN:
            self._window.taken()
            return
        self._outgoing.put_nowait(piece)
        if piece.kind == PieceKind.CLOSE:
            self._is_model_done = True
            self._release()

    def end(self, ending: Ending) -> None:
        """It is over, whatever still waits; only the first reason counts."""
        if not self._ended.done():
            self._ended.set_result(ending)

    async def hold(self, receive: Receive, send: Send) -> Ending:
        """Carry messages both ways until one end closes."""
        limit = self._loop.call_later(
            LONGEST_S, self.end, Ending(CloseCode.REFUSED, f"the conversation took longer than {LONGEST_S:g} s")
        )
        tasks = [self._loop.create_task(self._read(receive)), self._loop.create_task(self._write(send))]
        for task in tasks:
            task.add_done_callback(self._look_after)
        try:
            ending = await self._ended
            for task in tasks:
                task.cancel()
            self._leave(ending)
            if not ending.is_said:
                message = {"type": "websocket.close", "code": ending.code, "reason": ending.reason}
                await _say_last(send, message)
            return ending
        finally:
            limit.cancel()
            self._leave(Ending(_LEFT, ""))
            self._is_held = False
            self._release()

    async def _read(self, receive: Receive) -> None:
        """The client's messages, to the model process."""
        while True:
            await self._window.room()
            message = await receive()
            if message["type"] == "websocket.disconnect":
                self.end(Ending(message.get("code", _LEFT), message.get("reason") or "", is_said=True))
                return
            text = message.get("text")
            kind, body = (PieceKind.BINARY, message["bytes"]) if text is None else (PieceKind.TEXT, text.encode())
            self._count("in", len(body))
            self._window.sent(len(body))
            self._link.send_piece(kind, self._number, body)

    async def _write(self, send: Send) -> None:
        """The predictor's messages, to the client."""
        await send({"type": "websocket.accept"})
        while True:
            piece = await self._outgoing.get()
            if piece.kind == PieceKind.CLOSE:
                self.end(Ending(*frames.unpack_close(piece.body)))
                return
            is_text = piece.kind == PieceKind.TEXT
            message = {"text": piece.body.decode()} if is_text else {"bytes": piece.body}
            await send({"type": "websocket.send", **message})
            self._count("out", len(piece.body))
            self._link.send_piece(PieceKind.TAKEN, self._number, b"")

    def _look_after(self, task: "asyncio.Task[None]") -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, OSError):
            self.end(Ending(_LEFT, "", is_said=True))  # uvicorn says so when the client is gone
        elif error is not None:
            log.failure("conversation-failed", error)
            self.end(Ending(CloseCode.FAILED, "the server failed"))

    def _leave(self, ending: Ending) -> None:
        """Tell the model process that nobody listens, unless it has ended by itself."""
        if not self._is_model_done and not self._is_left:
            self._is_left = True
            self._link.send_piece(PieceKind.CLOSE, self._number, frames.pack_close(ending.code, ending.reason))

    def _release(self) -> None:
        """Make room for another one, when both ends have come to theirs."""
        if self._is_model_done and not self._is_held:
            self._link.release(self._number)

    def _count(self, way: str, size: int) -> None:
        self._counts[f"messages_{way}"] += 1
        self._counts[f"bytes_{way}"] += size


async def _say_last(send: Send, message: Message) -> None:
    """Send what comes last; a client that does not read what is before it is not waited for without end."""
    try:
        async with asyncio.timeout(_CLOSE_S):
            await send(message)
    except (OSError, TimeoutError):
        return


def _before_upgrade(send: Send) -> Send:
    """Answers in place of the upgrade, in the words of ASGI's extension `websocket.http.response`."""

    async def say(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    return say
