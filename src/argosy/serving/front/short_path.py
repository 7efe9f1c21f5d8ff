"""Plain `GET /ping` and `POST /invocations`, answered where their bytes are read: no scope, no task, no events.

uvicorn owns the sockets, the parser and everything unusual. This subclass of its own HTTP protocol class, passed by the
documented `http=` option, takes only requests that are HTTP/1.1, without Expect, Upgrade or Connection, while no ASGI
request of the same connection is open; all others take uvicorn's own way to `routes.Application`. It leans on names
that uvicorn does not promise, so `seam` looks for them at start and the server does without this file when one is
missing. Both ways give the same answers, and one test suite runs over both. One thing only the short path does:
trailers of a chunked body are not taken for headers.
"""

import asyncio
from typing import Any, Final

from argosy.errors import InvocationError
from argosy.serving import answers
from argosy.serving.arena import THRESHOLD, Block
from argosy.serving.frames import FIELD_LETTERS
from argosy.serving.front.connections import IDLE, IN_BODY, IN_HEAD
from argosy.serving.front.in_turn import PING_NO, PING_OK, InTurn, ReadyAnswer, ShortInvocation, head_of
from argosy.serving.front.known_heads import KnownHead, KnownHeads
from argosy.serving.front.requests import FIELDS_LIMIT, too_large
from argosy.serving.front.seam import Busy

_PIPELINED: Final = 16
"""Open requests of one connection after which no more are read."""
_LINGER_S: Final = 30.0
"""How long the rest of a refused body is read and dropped, so that the client gets to read why it was refused."""
_PLAIN_LETTERS: Final = (b"I", b"C", b"E", b"Z")
"""Fields that go straight to the model process; the front itself has something to do with the others."""
_RARE_SIZES: Final = frozenset(map(len, FIELD_LETTERS))


class ShortPath(InTurn):
    """uvicorn's protocol class with a short path; `bound` gives the class that uvicorn is handed."""

    max_body_bytes: int
    heads: KnownHeads

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_short = self._is_admitted = self._is_refused = False
        self._is_plain = True
        self._more = b""
        self._declared = 0
        self._body: bytes | bytearray = b""
        self._block: Block | None = None
        self._linger: asyncio.TimerHandle | None = None

    @property
    def is_answering(self) -> bool:
        """Whether a whole request waits for its answer."""
        return bool(self._open) or super().is_answering

    def is_answering_before(self) -> bool:
        """Whether an answer to this or an earlier request of the connection has begun or is due."""
        return bool(self._open) or (not self._is_short and super().is_answering_before())

    def is_receiving_for_running(self) -> bool:
        """Whether the body that is coming is that of the ASGI request that runs."""
        return not self._is_short and super().is_receiving_for_running()

    def connection_made(self, transport: Any) -> None:
        """A connection: uvicorn sets it up."""
        super().connection_made(transport)
        # Any unsent byte then pauses writing, and resuming means that all is sent: that frees a block of the arena.
        transport.set_write_buffer_limits(0)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone: nobody waits for its answers."""
        self._abandon()
        if self._block is not None:
            self._unsent.append(self._block)  # a body that never became whole
        self._withdraw()
        self._free_unsent()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes: a request whose head is known is taken at once, all others are parsed."""
        cycle = self.cycle
        if self.stage != IDLE or self._is_closing or not (cycle is None or cycle.response_complete):
            super().data_received(data)
            if self.stage == IN_BODY:
                self._charge_body()
            return
        end = self.heads.end(data)
        head = data[:end]
        known = self.heads.find(head)
        if known is not None and len(data) - end == known.size:
            self.turn += 1
            if self.timeout_keep_alive_task is not None:
                self._unset_keepalive_if_required()
            if known.is_ping:
                self._answer_ping()
            else:
                body = data[end:] if known.size < THRESHOLD else memoryview(data)[end:]
                self._submit(known.fields, body, None, is_admitted=self.pool.admit())
            return
        turn = self.turn
        super().data_received(data)
        if self.stage == IN_BODY:
            self._charge_body()
            return
        is_whole = self._is_short and self.stage == IDLE and self.turn == turn + 1
        if end and is_whole and len(data) - end == self.received == self._declared <= self.max_body_bytes:
            self.heads.remember(head, KnownHead(self._fields(), self._declared, self.url == b"/ping"))

    def on_message_begin(self) -> None:
        """A request begins: nothing is known of it."""
        self.url = b""
        self.headers = []
        self._is_plain = True
        self._is_told_to_keep = False
        self._content_type = self._accept = self._more = b""
        self._declared = 0
        self.turn += 1
        self.stage = IN_HEAD

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header field; the few that matter are told apart by their length first."""
        if self.stage != IN_HEAD:
            return  # a trailer, which nobody reads
        self.headers.append((name, value))
        size = len(name)
        if size == 12:
            if name.lower() == b"content-type":
                self._content_type = value
        elif size == 6:
            if name.lower() == b"accept":
                self._accept = self._accept + b", " + value if self._accept else value
            elif name.lower() == b"expect":
                self._is_plain = False
        elif size == 14:
            if name.lower() == b"content-length":
                self._declared = int(value)
        elif size == 10:
            if name.lower() == b"connection":
                self._is_told_to_keep = True
                self._is_plain = self._is_plain and value.lower() == b"keep-alive"
        elif size == 7:
            if name.lower() == b"upgrade":
                self._is_plain = False
        elif size == 17 and name.lower() == b"transfer-encoding" and value.lower() != b"chunked":
            self._is_plain = False
        if size in _RARE_SIZES and (letter := FIELD_LETTERS.get(name.lower())) is not None:
            if letter not in _PLAIN_LETTERS or b"\n" + letter in self._more:
                self._is_plain = False
            elif value:
                self._more += b"\n" + letter + value

    def on_headers_complete(self) -> None:
        """The head is whole: short path or long way."""
        self.stage = IN_BODY
        self.received = 0
        cycle = self.cycle
        parser = self.parser
        self._is_short = (
            self._is_plain
            and not self._is_refused
            and (cycle is None or cycle.response_complete)
            # HTTP/1.0 keeps no connection unless it says so; the version itself is dear to ask for.
            and (parser.get_http_version() == "1.1" if self._is_told_to_keep else parser.should_keep_alive())
            and (
                (self.url == b"/invocations" and parser.get_method() == b"POST")
                or (self.url == b"/ping" and parser.get_method() == b"GET" and not self._declared)
            )
            and len(self._content_type) + len(self._accept) + len(self._more) < FIELDS_LIMIT
        )
        if not self._is_short:
            self._take_the_long_way()
        elif self.url == b"/invocations":
            self._begin_body()

    def on_body(self, body: bytes) -> None:
        """A piece of the body: into the arena, or gathered."""
        if not self._is_short:
            super().on_body(body)
            return
        received = self.received + len(body)
        if self._is_refused:
            self.received = received
            return
        if received > self.max_body_bytes:
            self._refuse_body(too_large(self.max_body_bytes))
        elif self._block is not None:
            start = self._block.offset + self.received
            self.pool.arena_view[start : start + len(body)] = body
        elif not self.received:
            self._body = body
        else:
            whole = self._body if isinstance(self._body, bytearray) else bytearray(self._body)
            whole += body
            self._body = whole
        self.received = received

    def on_message_complete(self) -> None:
        """The request is whole: answer or submit it."""
        self.stage = IDLE
        if not self._is_short:
            super().on_message_complete()
        elif self._is_refused:
            self._is_refused = False
            if self._linger is not None:
                self._linger.cancel()
        elif self.url == b"/ping":
            self.leave_room()
            self._body = b""
            self._answer_ping()
        else:
            self.leave_room()
            body, block = self._body, self._block
            self._body, self._block = b"", None
            is_admitted, self._is_admitted = self._is_admitted, False
            self._submit(self._fields(), body, block, is_admitted=is_admitted)

    def send_400_response(self, msg: str) -> None:
        """The bytes are no HTTP: say so after the answers that are still due, and close."""
        if self._is_refused:
            self.shutdown()  # its answer is given already
            return
        self.drop_broken()
        if self.pipeline or not self._open:  # what waits in uvicorn's pipeline is due, too: `Connection` sees to it
            super().send_400_response(msg)
            return
        text = answers.error_body("bad-request", msg)
        self._open.append(ReadyAnswer(head_of(400, answers.CONTENT_TYPE, len(text)) + text))
        self._is_closing = True
        self.flow.pause_reading()

    def _begin_body(self) -> None:
        self._is_admitted = self.pool.admit()
        if self._declared > self.max_body_bytes:
            self._refuse_body(too_large(self.max_body_bytes))
        elif self._declared >= THRESHOLD:
            self._block = self.pool.arena.allocate(self._declared)

    def _charge_body(self) -> None:
        """Take room for what has come of a body that is not whole yet: after each read, so that one read is free."""
        if not self._is_short or self._is_refused or self._is_closing or self.transport.is_closing():
            return
        if not self.take_room(self.received - self._taken):
            self._refuse_body(self.room.refusal())
            self.pool.metrics.answered(503, [0.0], 0.0, 0.0)

    def _fields(self) -> bytes:
        return self._content_type + b"\n" + self._accept + self._more

    def _submit(
        self, fields: bytes, body: bytes | bytearray | memoryview, block: Block | None, *, is_admitted: bool
    ) -> None:
        size = len(body) if block is None else self.received
        if block is None and size >= THRESHOLD:
            block = self.pool.arena.allocate(size)
            if block is not None:
                self.pool.arena_view[block.offset : block.offset + size] = body
                body = b""
        waiting = ShortInvocation(self, fields, bytes(body), block, size)
        self._open.append(waiting)
        if len(self._open) > _PIPELINED:
            self.flow.pause_reading()
        self.pool.submit(waiting, is_admitted=is_admitted)

    def _withdraw(self) -> None:
        if self._is_admitted:
            self._is_admitted = False
            self.pool.withdraw()

    def _answer_ping(self) -> None:
        self._write_in_turn(PING_OK if self.pool.can_serve else PING_NO)

    def _refuse_body(self, error: InvocationError) -> None:
        """Answer 413 or 503, then read and drop the rest: closing with unread bytes would reset the connection."""
        self._is_refused = True
        status, text = answers.error_answer(error)
        self._write_in_turn(head_of(status, answers.head_of(error), len(text)) + text)
        self.leave_room()
        self._body = b""
        if self._block is not None:
            self._block.free()
            self._block = None
        self._withdraw()
        self._linger = self.loop.call_later(_LINGER_S, self.shutdown)

    def _take_the_long_way(self) -> None:
        """Replay what the parser said to uvicorn's own callbacks."""
        headers, url = self.headers, self.url
        if self._open:
            self.cycle = Busy()  # type: ignore[assignment] # answered in order: it waits in uvicorn's pipeline
        super().on_message_begin()
        self.url = url
        for name, value in headers:
            super().on_header(name, value)
        super().on_headers_complete()
