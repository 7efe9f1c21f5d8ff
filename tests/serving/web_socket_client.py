"""A plain WebSocket client: wsproto over a blocking socket."""

import socket
import struct
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from wsproto import ConnectionType, WSConnection, events

PATH = "/invocations-bidirectional-stream"


class Closed(NamedTuple):
    """The server's Close frame; 1006 stands for none."""

    code: int
    reason: str


class RefusedError(Exception):
    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


class WebSocketClient:
    """One conversation.

    Raises:
        RefusedError: The server answers the upgrade with anything but 101.
    """

    def __init__(self, port: int, target: str = PATH, timeout: float = 30, **headers: str) -> None:
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._messages: deque[str | bytes | Closed] = deque()
        self._parts: list[str | bytes] = []
        self._is_open = False
        self._status = 0
        self._body = b""
        self.pongs: list[bytes] = []
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        try:
            self._put(events.Request(host="model.aws.local:8080", target=target, extra_headers=named))
            while not self._is_open:
                self._read()
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self) -> "WebSocketClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, message: str | bytes) -> None:
        self._put(_frame(message))

    def send_parts(self, parts: Sequence[str | bytes]) -> None:
        """One message in several frames, with a ping between them."""
        for number, part in enumerate(parts):
            self._put(_frame(part, is_last=number == len(parts) - 1))
            if number == 0:
                self.ping(b"between")

    def ping(self, payload: bytes) -> None:
        self._put(events.Ping(payload=payload))

    def receive(self) -> str | bytes | Closed:
        """The next message, or the end."""
        while not self._messages:
            self._read()
        return self._messages.popleft()

    def ask(self, message: str | bytes) -> str | bytes | Closed:
        self.send(message)
        return self.receive()

    def receive_close(self) -> Closed:
        """The end; messages before it are dropped."""
        while not isinstance(found := self.receive(), Closed):
            continue
        return found

    def close(self) -> Closed:
        """Close, and wait for the answer."""
        self._put(events.CloseConnection(code=1000, reason="done"))
        return self.receive_close()

    def vanish(self) -> None:
        """Reset the connection."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _put(self, event: events.Event) -> None:
        self.socket.sendall(self._protocol.send(event))

    def _read(self) -> None:
        try:
            data = self.socket.recv(65_536)
        except ConnectionResetError:
            data = b""
        if not data:
            self._messages.append(Closed(1006, ""))
            self._is_open = True
            return
        self._protocol.receive_data(data)
        for event in self._protocol.events():
            self._take(event)

    def _take(self, event: events.Event) -> None:
        match event:
            case events.AcceptConnection():
                self._is_open = True
            case events.RejectConnection():
                self._status = event.status_code
                if not event.has_body:
                    raise RefusedError(self._status, b"")
            case events.RejectData():
                self._body += event.data
                if event.body_finished:
                    raise RefusedError(self._status, self._body)
            case events.Message():
                self._parts.append(event.data)
                if event.message_finished:
                    is_text = isinstance(event.data, str)
                    self._messages.append("".join(self._parts) if is_text else b"".join(self._parts))  # type: ignore[arg-type] # of one kind
                    self._parts.clear()
            case events.Ping():
                self._put(event.response())
            case events.Pong():
                self.pongs.append(bytes(event.payload))
            case events.CloseConnection():
                self._messages.append(Closed(event.code, event.reason or ""))
                with suppress(Exception):
                    self._put(event.response())


def _frame(part: str | bytes, *, is_last: bool = True) -> events.Event:
    if isinstance(part, str):
        return events.TextMessage(data=part, message_finished=is_last)
    return events.BytesMessage(data=part, message_finished=is_last)
