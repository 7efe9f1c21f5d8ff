"""The open connections, and how long each may take over a request: slow or silent clients never keep others out."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from argosy.http_protocol import HttpProtocol
from argosy.serving import answers
from argosy.serving.front.requests import BIDIRECTIONAL, BodyRoom

HEAD_S: Final = 15.0
"""Seconds for the head of a request."""
WINDOW_S: Final = 20.0
LEAST_RATE: Final = 1024
"""Bytes of a body a second, on the average of a window: slower than any network SageMaker has."""
IDLE_S: Final = 600.0
"""Seconds that a connection may be open without a request: SageMaker keeps its connections."""
_SWEEP_S: Final = 1.0
_LATE: Final = answers.error_body("request-timeout", "the request did not come in time")
_TIMEOUT: Final = (
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n"
    b"content-type: %b\r\ncontent-length: %d\r\n\r\n%b" % (answers.CONTENT_TYPE, len(_LATE), _LATE)
)

IDLE: Final = 0
"""Between requests, or while a request is answered."""
IN_HEAD: Final = 1
IN_BODY: Final = 2


class Connections:
    """All open connections of the front.

    Args:
        most: How many there may be. One more closes the one that has been quiet for longest: new clients, `/ping` among
            them, are let in as long as anybody is quiet.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: dict[Connection, None] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.call_later(_SWEEP_S, self._sweep)

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: "Connection") -> None:
        """A client has connected."""
        self._open[connection] = None
        if len(self._open) > self._most:
            quiet = next((found for found in self._open if not found.is_answering), connection)
            quiet.end_late()
            self._open.pop(quiet, None)

    def remove(self, connection: "Connection") -> None:
        """A connection is closed."""
        self._open.pop(connection, None)

    def _sweep(self) -> None:
        now = self._loop.time()
        for connection in [found for found in self._open if found.is_late(now)]:
            connection.end_late()
        self._loop.call_later(_SWEEP_S, self._sweep)


class Connection(HttpProtocol):
    """uvicorn's protocol class, watched: no request may take forever to come.

    Attributes:
        watched: Where it is counted; `bound` gives a class that has it, and the next.
        room: What all bodies share that are being received.
        stage: `IDLE`, `IN_HEAD` or `IN_BODY`.
        turn: Number of the request on this connection.
        received: Bytes of the body that have come.
    """

    watched: Connections
    room: BodyRoom

    @classmethod
    def bound(cls, **known: object) -> "type[Connection]":
        """A subclass that knows these: uvicorn makes the objects itself."""
        return type(f"Bound{cls.__name__}", (cls,), known)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stage = IDLE
        self.turn = 0
        self.received = 0
        self._is_next = True
        self._swept = (-1, IDLE)  # of no request: the first sweep only notes when it was
        self._since = 0.0
        self._received_then = 0
        self._running: RequestResponseCycle | None = None
        self._complaint: str | None = None  # what is wrong with bytes that came behind requests not yet answered
        self._taken = 0

    @property
    def is_answering(self) -> bool:
        """Whether a whole request waits for its answer."""
        return self.stage == IDLE and self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: Any) -> None:
        """A connection: uvicorn sets it up."""
        super().connection_made(transport)
        self.watched.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self.watched.remove(self)
        self.leave_room()
        super().connection_lost(exc)
        # uvicorn tells only the last request that came, and that may wait in its pipeline behind the one that runs.
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()

    def data_received(self, data: bytes) -> None:
        """Bytes: nothing is read any more behind those that were no HTTP."""
        if self._complaint is None:
            super().data_received(data)

    def send_400_response(self, msg: str) -> None:
        """The bytes are no HTTP: say so after the answers that are still due, and close."""
        self.drop_broken()
        running = self._running
        is_its_own = self.is_receiving_for_running()
        if is_its_own and running is not None and running.response_started:
            self.transport.close()  # it was refused before its body was whole: that is the answer to it
            return
        if (running is None or running.response_complete or is_its_own) and not self.pipeline:
            super().send_400_response(msg)
            return
        self._complaint = msg
        self.stage = IDLE  # what was coming never comes, and is not late either
        self.flow.pause_reading()

    def drop_broken(self) -> None:
        """Forget the request whose body is broken, if it waits: it has no other answer than the 400."""
        if self.stage == IN_BODY and self.pipeline and self.pipeline[0][0] is self.cycle:
            self.pipeline.popleft()

    def on_response_complete(self) -> None:
        """An answer is sent: what is due next? uvicorn starts the next request; behind the last comes the complaint."""
        is_last = not self.pipeline
        super().on_response_complete()
        if is_last and self._complaint is not None and not self.transport.is_closing():
            super().send_400_response(self._complaint)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_message_begin(self) -> None:
        """A request begins."""
        self.turn += 1
        self.stage = IN_HEAD
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self.stage = IN_BODY
        self.received = 0
        self._is_next = self.cycle is None or self.cycle.response_complete
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self.received += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self.stage = IDLE
        super().on_message_complete()

    def go_on_without_upgrade(self) -> None:
        """The request is not whole yet: it asked for an upgrade in vain."""
        self.stage = IN_BODY
        super().go_on_without_upgrade()

    def handle_websocket_upgrade(self) -> None:
        """The connection is no HTTP any more, and no request of it can be late."""
        self.watched.remove(self)
        super().handle_websocket_upgrade()

    def _should_upgrade(self) -> bool:
        """Only where a WebSocket is served, and not while an answer is due; else Upgrade is ignored (RFC 9110 7.8)."""
        is_ours = self.url.partition(b"?")[0] == BIDIRECTIONAL.encode() and self.parser.get_method() == b"GET"
        return is_ours and self._is_next and super()._should_upgrade()

    def take_room(self, size: int) -> bool:
        """Take room for a piece of a body; False when there is none."""
        has_room = self.room.take(size)
        self._taken += size * has_room
        return has_room

    def leave_room(self) -> None:
        """The body is whole, or never will be."""
        if self._taken:
            self.room.give_back(self._taken)
            self._taken = 0

    def is_late(self, now: float) -> bool:
        """Whether the request that is coming has taken too long; looked at every second."""
        if self._swept != (self.turn, self.stage):
            self._swept = (self.turn, self.stage)
            self._since, self._received_then = now, self.received
            return False
        waited = now - self._since
        if self.stage == IN_HEAD:
            return waited > HEAD_S and not self._waits_for_us()
        if self.stage == IN_BODY and waited > WINDOW_S:
            rate = (self.received - self._received_then) / waited
            self._since, self._received_then = now, self.received
            return rate < LEAST_RATE and not self._waits_for_us()
        return self.stage == IDLE and waited > IDLE_S and not self.is_answering

    def end_late(self) -> None:
        """Say 408 if nothing was said yet, and close."""
        if self.stage != IDLE and not self.is_answering_before():
            self.transport.write(_TIMEOUT)
        self.transport.close()

    def is_answering_before(self) -> bool:
        """Whether an answer to this or an earlier request of the connection has begun or is due."""
        return self.cycle is not None and (self.cycle.response_started or not self.cycle.response_complete)

    def is_receiving_for_running(self) -> bool:
        """Whether the body that is coming is that of the ASGI request that runs."""
        return self.stage == IN_BODY and self._running is self.cycle

    def _waits_for_us(self) -> bool:
        """Whether the client would send more and is not read."""
        return bool(self.flow.read_paused)
