"""A client of bidirectional streams: `h2` over a blocking socket, events read by botocore's parser."""

import contextlib
import json
import socket
import ssl
import struct
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import h2.connection
import h2.events
from botocore.eventstream import EventStreamBuffer

PATH = "/endpoints/demo/invocations-bidirectional-stream"


@dataclass(frozen=True)
class Event:
    headers: dict[str, Any]
    payload: bytes

    @property
    def part(self) -> tuple[bytes, str, str]:
        assert self.headers[":message-type"] == "event", self
        assert self.headers[":event-type"] == "PayloadPart"
        return self.payload, self.headers["DataType"], self.headers["CompletionState"]

    @property
    def error(self) -> tuple[str, dict[str, str]]:
        assert self.headers[":message-type"] == "exception", self
        return self.headers[":exception-type"], json.loads(self.payload)


def message(headers: Mapping[str, str | bytes], payload: bytes) -> bytes:
    """A message with string and byte headers, written down apart from what the simulator has."""
    block = b""
    for name, value in headers.items():
        kind, text = (7, value.encode()) if isinstance(value, str) else (6, value)
        block += bytes([len(name)]) + name.encode() + bytes([kind]) + struct.pack("!H", len(text)) + text
    prelude = struct.pack("!II", 16 + len(block) + len(payload), len(block))
    prelude += struct.pack("!I", zlib.crc32(prelude))
    return prelude + block + payload + struct.pack("!I", zlib.crc32(prelude + block + payload))


def part(payload: bytes, data_type: str | None = None, state: str | None = None) -> bytes:
    headers: dict[str, str | bytes] = {":message-type": "event", ":event-type": "PayloadPart"}
    headers |= {name: value for name, value in (("DataType", data_type), ("CompletionState", state)) if value}
    return message(headers, payload)


def signed(payload: bytes) -> bytes:
    """As clients with credentials send it; nobody checks the signature here."""
    return message({":chunk-signature": b"s" * 32}, payload)


class Http2Client:
    """One request on a connection of its own."""

    def __init__(
        self, port: int, path: str = PATH, headers: Mapping[str, str] | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket, server_hostname="localhost")
        self._protocol = h2.connection.H2Connection()
        self._protocol.initiate_connection()
        self._number = self._protocol.get_next_available_stream_id()
        fields = {":method": "POST", ":path": path, ":scheme": "http", ":authority": "localhost"}
        self._protocol.send_headers(self._number, [*fields.items(), *(headers or {}).items()])
        self._flush()
        self.headers: dict[str, str] = {}
        self.body = b""
        self.is_ended = False
        self._events: deque[Event] = deque()
        self._buffer = EventStreamBuffer()

    def __enter__(self) -> "Http2Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def status(self) -> int:
        while not self.headers:
            self._read()
        return int(self.headers[":status"])

    def send(self, data: bytes) -> None:
        while data:
            room = min(self._protocol.local_flow_control_window(self._number), self._protocol.max_outbound_frame_size)
            if room == 0:
                self._read()
                continue
            self._protocol.send_data(self._number, data[:room])
            data = data[room:]
            self._flush()

    def end(self) -> None:
        self._protocol.end_stream(self._number)
        self._flush()

    def reset(self) -> None:
        self._protocol.reset_stream(self._number)
        self._flush()

    def receive(self) -> Event | None:
        """The next event; None at the end."""
        while not self._events and not self.is_ended:
            self._read()
        return self._events.popleft() if self._events else None

    def ask(self, data: bytes) -> Event | None:
        self.send(data)
        return self.receive()

    def read_all(self) -> bytes:
        while not self.is_ended:
            self._read()
        return self.body

    def rest(self) -> list[Event]:
        return list(iter(self.receive, None))

    def _read(self) -> None:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the server has left")
        for event in self._protocol.receive_data(data):
            match event:
                case h2.events.ResponseReceived():
                    self.headers = {_text(name): _text(value) for name, value in event.headers or ()}
                case h2.events.DataReceived():
                    self._take(event.data or b"")
                    self._protocol.acknowledge_received_data(event.flow_controlled_length or 0, self._number)
                case h2.events.StreamEnded() | h2.events.StreamReset():
                    self.is_ended = True
        self._flush()

    def _take(self, data: bytes) -> None:
        self.body += data
        if self.headers.get("content-type") == "application/vnd.amazon.eventstream":
            self._buffer.add_data(data)
            self._events.extend(Event(found.headers, found.payload) for found in self._buffer)

    def _flush(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._socket.sendall(self._protocol.data_to_send())


def _text(field: Any) -> str:
    return field.decode() if isinstance(field, bytes) else str(field)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]
