"""A client that sees each chunk of an answer when it comes."""

import http.client
import json
import socket
from collections.abc import Iterator
from types import TracebackType
from typing import Self


class RawClient:
    """One connection; what is asked for at once is answered in order."""

    def __init__(self, port: int, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", port))
        self.stream = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stream.close()
        self.socket.close()

    def ask(self, body: object, *fields: str, version: str = "1.1") -> None:
        self.socket.sendall(request(body, *fields, version=version))

    def head(self) -> tuple[int, dict[str, str]]:
        """Status and header fields of the next answer."""
        status = int(self.stream.readline().split()[1])
        return status, {name.lower(): value for name, value in http.client.parse_headers(self.stream).items()}

    def chunk(self) -> bytes:
        """The next chunk; empty when the body is whole."""
        line = self.stream.readline()
        if not line:
            raise EOFError("the connection ended within a body")
        body = self.stream.read(int(line, 16))
        assert self.stream.read(2) == b"\r\n"
        return body

    def chunks(self) -> Iterator[bytes]:
        """All chunks up to the end of the body."""
        return iter(self.chunk, b"")


def request(body: object, *fields: str, version: str = "1.1") -> bytes:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"POST /invocations HTTP/{version}", "Host: x", f"Content-Length: {len(text)}", *fields]
    if not any(field.startswith("Content-Type") for field in fields):
        lines.append("Content-Type: application/json")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + text
