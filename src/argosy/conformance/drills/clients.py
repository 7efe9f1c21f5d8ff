"""Clients of all sorts: some that invoke without end, and some that no server likes."""

import contextlib
import resource
import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from types import TracebackType
from typing import Final
from urllib.parse import urlsplit

from argosy.conformance.probes import PLATFORM_HOST, Exchange, Request, send

_CONNECT_S: Final = 5.0
_PAUSE_S: Final = 0.02
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset
_SPARE_FILES: Final = 128
HALF_A_HEAD: Final = f"POST /invocations HTTP/1.1\r\nHost: {PLATFORM_HOST}\r\nContent-Ty".encode()
"""What a client sends that never comes to an end."""


class Load:
    """Clients that invoke one after the other, for as long as a `with` block.

    Args:
        url: `http://HOST:PORT`.
        request: What they send.
        clients: How many there are.
        timeout_s: How long each waits for an answer.
    """

    def __init__(self, url: str, request: Request, clients: int, timeout_s: float) -> None:
        self._url = url
        self._request = request
        self._timeout_s = timeout_s
        self._is_over = threading.Event()
        self._ended: list[Exchange] = []
        self._threads = [threading.Thread(target=self._invoke, name="argosy-client") for _ in range(clients)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    @property
    def ended(self) -> tuple[Exchange, ...]:
        """The invocations that have ended so far, without their bodies, in order."""
        return tuple(self._ended)

    def _invoke(self) -> None:
        while not self._is_over.is_set():
            exchange = send(self._url, self._request, self._timeout_s)
            self._ended.append(replace(exchange, body=b""))
            self._is_over.wait(_PAUSE_S)


def open_connection(url: str, sent: bytes = b"") -> socket.socket | None:
    """A connection on which something was sent; None where the server refuses it, or takes nothing more."""
    parts = urlsplit(url)
    try:
        opened = socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 80), _CONNECT_S)
    except OSError:
        return None
    try:
        opened.sendall(sent)
    except OSError:
        opened.close()
        return None
    return opened


def vanish(opened: socket.socket) -> None:
    """Close a connection with a reset, as when the client's machine is gone."""
    with contextlib.suppress(OSError):
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    opened.close()


def message(request: Request) -> bytes:
    """A request as it goes over the wire."""
    body = request.body or b""
    lines = [f"{request.method} {request.path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in (*request.headers, ("Content-Length", str(len(body))))]
    return "\r\n".join([*lines, "", ""]).encode() + body


def half_of(request: Request) -> bytes:
    """The head of a request, and half of its body; a body of one byte or none is promised longer than it is."""
    body = (request.body or b"") * 2 + b"  "
    whole = message(replace(request, body=body))
    return whole[: len(whole) - len(body) // 2]


@contextlib.contextmanager
def opened(url: str, count: int, sent: bytes = b"", patience_s: float = 20.0) -> Iterator[list[socket.socket]]:
    """As many connections as the server takes, closed in the end.

    Args:
        url: `http://HOST:PORT`.
        count: How many are wanted.
        sent: What is sent on each.
        patience_s: No more are opened after that.
    """
    deadline = time.monotonic() + patience_s
    found: list[socket.socket] = []
    try:
        while len(found) < count and time.monotonic() < deadline:
            one = open_connection(url, sent)
            if one is None:
                break
            found.append(one)
        yield found
    finally:
        for one in found:
            one.close()


@contextlib.contextmanager
def files_for(count: int) -> Iterator[int]:
    """Raise this process's limit of open files for some connections; gives how many of them there is room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + _SPARE_FILES
    limit = max(soft, wanted if hard == resource.RLIM_INFINITY else min(hard, wanted))
    limit = soft if soft == resource.RLIM_INFINITY else limit
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        yield count if limit == resource.RLIM_INFINITY else min(count, limit - _SPARE_FILES)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
