"""One HTTP/1.1 connection to a container: one request at a time goes out, its response comes in.

The parser is httptools', the rest asyncio's. Nothing is added to what the caller sends. An exchange goes::

    begin -> send -> read_head -> read_part, read_part ... (or read_whole) -> end

and the response may begin, and even end, before the whole request has left. With `follow` one exchange is followed by
the next as soon as its response is there, which costs no turn of the event loop.
"""

import asyncio
import select
from collections import deque
from collections.abc import AsyncIterator, Callable
from enum import Enum, auto
from typing import Final, cast

import httptools

from argosy.errors import ContainerError, ContainerTimeoutError

_PAUSE_BYTES: Final = 2**18  # what may wait for its reader before the container is held back
_HEAD_BYTES: Final = 2**16
_PART_BYTES: Final = 2**16  # where parts are joined while they wait, one grows up to here
_WAITING_PARTS: Final = 256  # of a stream; a reader who is that far behind gets larger ones
_SWITCHING_PROTOCOLS: Final = 101
_WITHOUT_BODY: Final = (204, 304)
_EARLY_S: Final = 0.001  # a timer's precision

Follow = Callable[[bytes], bytes | None]
"""Takes the body of a whole 2xx response and gives the next request; None: it takes nothing and has none."""


class _Wanted(Enum):
    """What the reader waits for."""

    HEAD = auto()
    PART = auto()
    WHOLE = auto()


class Channel(asyncio.Protocol):
    """One connection. A response's head is in `status` and `headers` as soon as `read_head` returned.

    Attributes:
        status: Of the response, 0 before its head came.
        headers: Names in lower case, values decoded as Latin-1; several of one name are joined by commas, but of
            several `Content-Type` fields, which hold no list (RFC 9110, 8.3), the first counts.
        is_lost: Whether the connection is gone.
        has_answered: Whether one byte has come since the exchange began.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.is_lost = False
        self.has_answered = False
        self.idle_since = 0.0
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpResponseParser(self)
        self._poll = select.poll()
        self._path = ""
        self._reset()

    def _reset(self) -> None:
        self._forget_response()
        self._limit_bytes = 0
        self._wanted = _Wanted.HEAD
        self._fault: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timeout_s = self._deadline = 0.0
        self._sending: asyncio.Task[None] | None = None
        self._follow: Follow | None = None
        self._is_paused = False
        self._is_open = True

    def _forget_response(self) -> None:
        self.status = 0
        self.headers = {}
        self.has_answered = False
        self._parts: deque[bytes | bytearray] = deque()
        self._size = 0
        self._head_size = 0
        self._is_complete = False
        self._is_interim = False
        self._ends_with_connection = False
        self._keeps_alive = False

    # The exchange

    def begin(self, path: str, timeout_s: float) -> None:
        """Begin an exchange, which has `timeout_s` for everything up to its end.

        The connection may be gone already: Docker takes connections for a container that does not listen yet, and
        drops them.
        """
        self._reset()
        self._path = path
        if self.is_lost:
            self._fault = self._broken("it was closed")
        self.limit(timeout_s)

    def limit(self, timeout_s: float) -> None:
        """Give the exchange `timeout_s` from now, whatever it had."""
        if self._timer is not None:
            self._timer.cancel()
        self._timeout_s, self._deadline = timeout_s, self._loop.time() + timeout_s
        self._timer = self._loop.call_later(timeout_s, self._look_at_time)

    def follow(self, follow: Follow) -> None:
        """Send what it gives as soon as a response is read whole, each with the time that the first one has.

        The caller waits with `read_whole`, for the first response that is not taken: one that is no success, is longer
        than the caller's limit, or is the connection's last one.
        """
        self._follow = follow

    def send(self, head: bytes, body: bytes) -> None:
        """Send a request; it leaves as fast as the container takes it."""
        self._write(head, body)

    def send_parts(self, head: bytes, body: AsyncIterator[bytes], *, is_chunked: bool) -> None:
        """Send a request whose body is made while it leaves, never faster than the container takes it."""
        self._write(head)
        self._sending = self._loop.create_task(self._send_parts(body, is_chunked))

    async def _send_parts(self, body: AsyncIterator[bytes], is_chunked: bool) -> None:
        try:
            async for part in body:
                if self._drained is not None:
                    await self._drained
                if self._fault is not None:
                    return
                if part:
                    self._write(b"%x\r\n%b\r\n" % (len(part), part) if is_chunked else part)
            if is_chunked:
                self._write(b"0\r\n\r\n")
        except Exception as error:  # whatever went wrong in the body's source is its reader's affair
            self._fail(error)

    def _write(self, *parts: bytes) -> None:
        """Send some bytes; a proxy takes a connection and closes it at once when nobody listens behind it."""
        if self._transport.is_closing():
            self._fail(self._broken("it was closed"))
        else:
            self._transport.writelines(parts)

    async def read_head(self) -> None:
        """Wait until status and header fields are there.

        Raises:
            ContainerError: The connection broke before, or what came is no HTTP.
            ContainerTimeoutError: It took too long.
        """
        await self._until(_Wanted.HEAD)

    async def read_part(self) -> bytes:
        """What came of the body since the last time, at least one byte; empty at its end.

        Raises:
            ContainerError: The connection broke before the end.
            ContainerTimeoutError: It took too long.
        """
        await self._until(_Wanted.PART)
        if not self._parts:
            return b""
        part = self._parts.popleft()
        self._size -= len(part)
        if self._is_paused and self._size <= _PAUSE_BYTES:
            self._is_paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return bytes(part)

    async def read_whole(self, limit_bytes: int) -> bytes | None:
        """Wait until the whole body is there; None as soon as it is longer than `limit_bytes`.

        Raises:
            ContainerError: The connection broke before the end.
            ContainerTimeoutError: It took too long.
        """
        self._limit_bytes = limit_bytes
        await self._until(_Wanted.WHOLE)
        if self._size > limit_bytes:
            return None
        return self._whole()

    def _whole(self) -> bytes:
        return bytes(self._parts[0]) if len(self._parts) == 1 else b"".join(self._parts)

    def end(self) -> bool:
        """End the exchange, finished or not; whether the connection may carry another one. If not, it is closed."""
        self._is_open = False
        if self._timer is not None:
            self._timer.cancel()
        is_sent = True
        if self._sending is not None:
            is_sent = self._sending.done()
            self._sending.cancel()
        if self._transport.is_closing():
            return False
        is_sent = is_sent and self._transport.get_write_buffer_size() == 0
        if self._is_complete and self._keeps_alive and is_sent and not self._is_paused and self._fault is None:
            return True
        self.close()
        return False

    def is_silent(self) -> bool:
        """Whether nothing has come since the last exchange: neither bytes nor the end of the connection."""
        return not self._transport.is_closing() and not self._poll.poll(0)

    def close(self) -> None:
        """Close the connection at once."""
        if not self.is_lost:
            self._transport.abort()

    async def _until(self, wanted: _Wanted) -> None:
        self._wanted = wanted
        while not self._is_ready():
            if self._fault is not None:
                raise self._fault
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def _is_ready(self) -> bool:
        match self._wanted:
            case _Wanted.WHOLE:
                return self._is_complete or self._size > self._limit_bytes
            case _Wanted.PART:
                return self._is_complete or bool(self._parts)
            case _Wanted.HEAD:
                return self.status != 0

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done() and (self._fault is not None or self._is_ready()):
            waiter.set_result(None)

    def _fail(self, fault: Exception) -> None:
        """The exchange ends here, and the connection with it; an answer that is whole already stays one."""
        if not self._is_open:
            return
        if not self._is_complete:
            self._fault = self._fault or fault
        self.close()
        self._wake()

    def _broken(self, reason: object) -> ContainerError:
        return ContainerError(f"the connection broke before {self._path} was answered", got=reason)

    def _look_at_time(self) -> None:
        """The exchange is late, or another one has followed the one whose timer this was."""
        left_s = self._deadline - self._loop.time()
        if left_s > _EARLY_S:
            self._timer = self._loop.call_later(left_s, self._look_at_time)
        else:
            self._fail(ContainerTimeoutError(f"{self._path} was not answered within {self._timeout_s:g} s"))

    def _next_exchange(self) -> bool:
        """Begin the exchange that follows this one, if one does."""
        is_taken = 200 <= self.status < 300 and self._keeps_alive and self._size <= self._limit_bytes
        if self._follow is None or not is_taken or self._transport.get_write_buffer_size() or not self.is_silent():
            return False
        try:
            request = self._follow(self._whole())
        except Exception as error:  # this is called by the event loop: who waits for the response is told
            self._is_complete = False
            self._fail(error)
            return False
        if request is None:
            return False
        self._forget_response()
        self._deadline = self._loop.time() + self._timeout_s
        self._write(request)
        return True

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=0)  # uvloop: what is written leaves at once, not a turn later
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        if not self._is_open:
            self.close()  # nobody asked
            return
        self.has_answered = True
        was_complete = self._is_complete
        if self.status == 0:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(ContainerError(f"{self._path} was answered with what is no HTTP", got=error))
            return
        if self.status == 0 and self._head_size > _HEAD_BYTES:
            self._fail(ContainerError(f"{self._path} was answered with a head of more than {_HEAD_BYTES} bytes"))
            return
        if self._is_complete and not was_complete and self._next_exchange():
            return
        if self._size > _PAUSE_BYTES and self._wanted is not _Wanted.WHOLE and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """The container sends nothing more: some bodies end that way, and the connection in any case."""
        if self.status and self._ends_with_connection:
            self._is_complete = True
            self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self.is_lost = True
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._fail(self._broken(exc or "it was closed"))

    def pause_writing(self) -> None:
        """The container takes nothing more for now."""
        self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        """The container takes more."""
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)

    # What the parser calls

    def on_message_begin(self) -> None:
        """A response begins; a second one was not asked for."""
        if self._is_complete:
            self._keeps_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header field; of a trailer nothing is kept."""
        if self.status:
            return
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        if key not in self.headers:
            self.headers[key] = text
        elif key != "content-type":
            self.headers[key] += f", {text}"

    def on_headers_complete(self) -> None:
        """The head is there; that of an interim response, as `100 Continue`, does not count."""
        if self._is_complete:
            return
        status = self._parser.get_status_code()
        self._is_interim = 100 <= status < 200 and status != _SWITCHING_PROTOCOLS
        if self._is_interim:
            self.headers = {}
            return
        is_framed = "content-length" in self.headers or "transfer-encoding" in self.headers
        self._ends_with_connection = not is_framed and status not in _WITHOUT_BODY
        self.status = status

    def on_body(self, body: bytes) -> None:
        """Some bytes of the body; an object for each of many small chunks would take a hundred times their size."""
        if self._is_complete:
            return
        self._size += len(body)
        joins = self._wanted is _Wanted.WHOLE or len(self._parts) >= _WAITING_PARTS
        if not joins or not self._parts or len(self._parts[-1]) >= _PART_BYTES:
            self._parts.append(body)
            return
        last = self._parts[-1]
        if isinstance(last, bytearray):
            last += body
        else:
            self._parts[-1] = bytearray(last) + body

    def on_message_complete(self) -> None:
        """The response is whole."""
        if self._is_interim or self._is_complete:
            self._is_interim = False
            return
        self._is_complete = True
        self._keeps_alive = self._parser.should_keep_alive() and not self._ends_with_connection
