"""A small HTTP/2 server: whoever owns it gets each request as a stream that can be read and written at the same time.

`h2` keeps the state of the protocol and does no input or output; this module moves its bytes. A client that sends
faster than its stream is read is held up by flow control, and so is who writes faster than a client reads.

Source:
    RFC 9113, and https://python-hyper.org/projects/h2/en/stable/asyncio-example.html (read 2026-11-23).
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Final

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

ALPN: Final = "h2"
_WINDOW: Final = 2**20
_READ: Final = 64 * 1024
_STREAMS: Final = 100


class StreamEndedError(Exception):
    """The client has reset the stream, or left."""


class Stream:
    """One request and its answer.

    Args:
        connection: Carries it.
        number: Its number there.
        headers: Of the request, names in lower case.
    """

    def __init__(self, connection: "_Connection", number: int, headers: Mapping[str, str]) -> None:
        self.headers = headers
        self._connection = connection
        self._number = number
        self._parts: asyncio.Queue[tuple[bytes, int] | None] = asyncio.Queue()
        self._is_read = False
        self._is_gone = False
        self._window = asyncio.Event()

    async def read(self) -> bytes:
        """The next bytes of the request's body; none when it has ended.

        Raises:
            StreamEndedError: The client has reset the stream, or left.
        """
        if self._is_read:
            return b""
        part = await self._parts.get()
        if self._is_gone:
            raise StreamEndedError
        if part is None:
            self._is_read = True
            return b""
        data, flow_bytes = part
        await self._connection.acknowledge(self._number, flow_bytes)
        return data

    async def start(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Begin the answer.

        Raises:
            StreamEndedError: The client has reset the stream, or left.
        """
        fields = [(":status", str(status)), *((name.lower(), value) for name, value in headers)]
        await self._do(lambda protocol: protocol.send_headers(self._number, fields))

    async def write(self, data: bytes) -> None:
        """Send bytes of the answer's body, as fast as the client takes them.

        Raises:
            StreamEndedError: The client has reset the stream, or left.
        """
        rest = memoryview(data)
        while rest:
            self._window.clear()
            room = self._connection.room(self._number)
            if self._is_gone:
                raise StreamEndedError
            if room <= 0:
                await self._window.wait()
                continue
            await self._send(bytes(rest[:room]))
            rest = rest[room:]

    async def end(self) -> None:
        """End the answer; a client that still sends is told that nobody listens. Does nothing when the client left."""
        with suppress(StreamEndedError):
            await self._do(lambda protocol: protocol.end_stream(self._number))
            if not self._is_read:
                await self._do(lambda protocol: protocol.reset_stream(self._number, h2.errors.ErrorCodes.NO_ERROR))

    async def _send(self, part: bytes) -> None:
        await self._do(lambda protocol: protocol.send_data(self._number, part))

    async def _do(self, action: Callable[[h2.connection.H2Connection], None]) -> None:
        if self._is_gone:
            raise StreamEndedError
        await self._connection.do(action)

    def receive(self, data: bytes, flow_bytes: int) -> None:
        """Called by the connection when a part of the body came."""
        self._parts.put_nowait((data, flow_bytes))

    def finish(self) -> None:
        """Called by the connection when the body has ended."""
        self._parts.put_nowait(None)

    def leave(self) -> None:
        """Called by the connection when the client has reset the stream, or left."""
        self._is_gone = True
        self._parts.put_nowait(None)
        self._window.set()

    def widen(self) -> None:
        """Called by the connection when the client may take more."""
        self._window.set()


Answer = Callable[[Stream], Awaitable[None]]
"""Answers one request, its `end` included; what it raises resets the stream."""


class Server:
    """A server on a bound port.

    Args:
        answer: Called once a request.
        report: Takes a line for each failure of `answer`.
    """

    def __init__(self, answer: Answer, report: Callable[[str], None]) -> None:
        self._answer = answer
        self._report = report
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        """Listen on loopback.

        Args:
            port: 0 takes a free one; `port` says which.
            tls: None expects clients that know beforehand that HTTP/2 is spoken here, without TLS.

        Raises:
            OSError: The port is taken.
        """
        if tls is not None:
            tls.set_alpn_protocols([ALPN])
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Take no connection more and end those that are open."""
        if self._server is None:
            return
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await _Connection(reader, writer, self._answer, self._report).run()
        except asyncio.CancelledError:
            pass  # by `close`; a task of asyncio's server has nobody who wants to know
        finally:
            self._connections.discard(task)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


class _Connection:
    """One client's connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer, report: Callable[[str], None]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._answer = answer
        self._report = report
        config = h2.config.H2Configuration(client_side=False, header_encoding=None)
        self._protocol = h2.connection.H2Connection(config)
        self._streams: dict[int, Stream] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until the client leaves."""
        codes = h2.settings.SettingCodes
        self._protocol.local_settings = h2.settings.Settings(
            client=False,
            initial_values={codes.INITIAL_WINDOW_SIZE: _WINDOW, codes.MAX_CONCURRENT_STREAMS: _STREAMS},
        )
        self._protocol.initiate_connection()
        self._protocol.increment_flow_control_window(_STREAMS * _WINDOW)
        try:
            await self._flush()
            while data := await self._reader.read(_READ):
                try:
                    events = self._protocol.receive_data(data)
                except h2.exceptions.ProtocolError as error:
                    self._report(f"a client does not speak HTTP/2: {error}")
                    await self._flush()
                    return
                for event in events:
                    self._take(event)
                await self._flush()
        except OSError:
            return  # it left without a word
        finally:
            for stream in self._streams.values():
                stream.leave()
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)

    async def do(self, action: Callable[[h2.connection.H2Connection], None]) -> None:
        """Have the protocol do something, and send what comes of it.

        Raises:
            StreamEndedError: The client has reset the stream, or left.
        """
        try:
            action(self._protocol)
            await self._flush()
        except (h2.exceptions.ProtocolError, OSError) as error:
            raise StreamEndedError from error

    async def acknowledge(self, number: int, flow_bytes: int) -> None:
        """Let the client send as many bytes again."""
        with suppress(StreamEndedError):
            await self.do(lambda protocol: protocol.acknowledge_received_data(flow_bytes, number))

    def room(self, number: int) -> int:
        """How many bytes may be sent now; 0 for a stream that is gone."""
        try:
            return min(self._protocol.local_flow_control_window(number), self._protocol.max_outbound_frame_size)
        except h2.exceptions.ProtocolError:
            return 0

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.RequestReceived():
                number, fields = event.stream_id, event.headers
                assert number is not None and fields is not None
                stream = Stream(self, number, {_text(name): _text(value) for name, value in fields})
                self._streams[number] = stream
                task = asyncio.create_task(self._handle(number, stream))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case h2.events.DataReceived():
                self._deliver(event)
            case h2.events.StreamEnded():
                if (found := self._streams.get(event.stream_id or 0)) is not None:
                    found.finish()
            case h2.events.StreamReset():
                if (found := self._streams.get(event.stream_id or 0)) is not None:
                    found.leave()
            case h2.events.WindowUpdated() | h2.events.RemoteSettingsChanged():
                for stream in self._streams.values():
                    stream.widen()
            case _:
                pass

    def _deliver(self, event: h2.events.DataReceived) -> None:
        number, flow_bytes = event.stream_id or 0, event.flow_controlled_length or 0
        stream = self._streams.get(number)
        if stream is not None:
            stream.receive(event.data or b"", flow_bytes)
        else:  # answered already; the connection's window is others', too
            with suppress(h2.exceptions.ProtocolError):
                self._protocol.acknowledge_received_data(flow_bytes, number)

    async def _handle(self, number: int, stream: Stream) -> None:
        try:
            await self._answer(stream)
        except StreamEndedError:
            pass
        except Exception as error:
            self._report(f"a stream failed: {error!r}")
            with suppress(StreamEndedError):
                await self.do(lambda protocol: protocol.reset_stream(number, h2.errors.ErrorCodes.INTERNAL_ERROR))
        finally:
            del self._streams[number]

    async def _flush(self) -> None:
        data = self._protocol.data_to_send()
        if data:
            self._writer.write(data)
            await self._writer.drain()


def _text(field: str | bytes) -> str:
    return field.decode("latin-1") if isinstance(field, bytes) else field
