"""HTTP requests whose every byte and moment is known: what was sent, what came back, how long each part took.

A client library would add headers, retry and reuse connections; a check must know what the container really saw. Every
exchange has a connection of its own. A failure is part of the record, never an exception.
"""

import contextlib
import http.client
import re
import select
import socket
import time
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from argosy.conformance.check import Evidence
from argosy.contract import STREAM

GARBAGE_S: Final = 5.0  # how long what comes back to bytes that are no request is read
KEPT_BODY: Final = 64 * 1024
_SHOWN_BODY: Final = 160
_SHOWN_LINES: Final = 8
_APART_S: Final = 0.05
"""Parts of an answer that come within this time may be one that was cut on its way."""
_CONNECT_TIMEOUT_S: Final = 5.0
_CONTINUE_S: Final = 1.0
"""How long `100 Continue` is waited for before the body is sent all the same: a client's choice (RFC 9110, 10.1.1)."""
_CHUNK: Final = 64 * 1024
_LAST_CHUNK: Final = b"0\r\n\r\n"

PLATFORM_HOST: Final = "model.aws.local:8080"
"""The Host header that SageMaker's endpoints send (seen in public logs, 2019)."""
BATCH_HOST: Final = "169.254.255.131:8080"
"""The Host header that transform jobs send (seen in public logs)."""
ENDPOINT_HEADERS: Final = (("Host", PLATFORM_HOST), ("User-Agent", "AHC/2.0"))
"""What every request of an endpoint has."""

_ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


class Framing(Enum):
    """How a server is told where a body ends (RFC 9112, section 6)."""

    LENGTH = "Content-Length"
    CHUNKED = "Transfer-Encoding: chunked"
    EXPECT = "Content-Length, Expect: 100-continue"
    """The body follows when the server asks for it, or after a second."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request: only these headers, Host and what tells the body's end are sent.

    Attributes:
        method: `GET` or `POST`.
        path: Beginning with a slash.
        headers: Names and values in order.
        body: None sends none, and no Content-Length.
        name: What a person calls the body: `malformed JSON`.
        framing: How the end of the body is told.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = field(default=None, repr=False)
    name: str = ""
    framing: Framing = Framing.LENGTH

    @property
    def content_type(self) -> str:
        """The Content-Type header, empty when there is none."""
        return self.header("Content-Type")

    def header(self, name: str) -> str:
        """A header's value, empty when there is none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def with_headers(self, *headers: tuple[str, str]) -> "Request":
        """The same request with further headers, each replacing one of its name."""
        names = {name.lower() for name, _ in headers}
        kept = tuple(header for header in self.headers if header[0].lower() not in names)
        return replace(self, headers=kept + headers)

    def without_header(self, name: str) -> "Request":
        """The same request without a header."""
        return replace(self, headers=tuple(header for header in self.headers if header[0].lower() != name.lower()))

    @property
    def line(self) -> str:
        """The request in one line: the body by its name and length, without what every endpoint's request has."""
        parts = [f"{self.method} {self.path}"]
        if self.body is not None:
            parts.append(f"{self.name or 'body'} of {size(len(self.body))}")
        parts += [f"{name}: {value}" for name, value in self.headers if (name, value) not in ENDPOINT_HEADERS]
        parts += [self.framing.value] if self.framing is not Framing.LENGTH else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what became of it.

    Attributes:
        request: What was sent.
        status: The answer's status, None when no answer came.
        headers: The answer's headers, names in lower case.
        body: The first 64 KB of the answer's body.
        length: The length of the answer's body in bytes.
        connect_s: Seconds until the connection was accepted, None when it was not.
        total_s: Seconds until the whole answer, or the failure, was there.
        error: Why no answer came: `refused`, `closed without an answer`, `reset`, `no answer within 2 s`; else empty.
        ended_at: `time.monotonic()` at the end.
        log: Lines that the container logged meanwhile, where they were fetched; evidence shows the last ones.
        first_s: Seconds until the first byte of the answer's body, None when it has none.
        parts: In how many pieces the answer's body came: at least one for each chunk.
    """

    request: Request
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    length: int = 0
    connect_s: float | None = None
    total_s: float = 0.0
    error: str = ""
    ended_at: float = 0.0
    log: tuple[str, ...] = ()
    first_s: float | None = None
    parts: int = 0

    def header(self, name: str) -> str | None:
        """The value of one of the answer's headers, None when there is none."""
        return next((value for key, value in self.headers if key == name.lower()), None)

    @property
    def is_accepted(self) -> bool:
        """Whether a server took the connection.

        A connection that closes at once may have been taken by the engine's port forwarder with no server behind it.
        """
        return self.status is not None or self.is_silent

    @property
    def is_silent(self) -> bool:
        """Whether a server took the connection, and did not answer in time."""
        return self.error.startswith(("no answer", "no end"))

    @property
    def is_success(self) -> bool:
        """Whether the answer is 2xx."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_chunked(self) -> bool:
        """Whether the answer's body came in chunks (RFC 9112, section 7.1)."""
        return "chunked" in (self.header("transfer-encoding") or "").lower()

    @property
    def is_event_stream(self) -> bool:
        """Whether the answer says that it is a stream of events."""
        return (self.header("content-type") or "").lower().startswith("text/event-stream")

    @property
    def is_stream(self) -> bool:
        """Whether the answer says that it is a stream of events, or came in chunks that were apart."""
        is_apart = self.first_s is not None and self.parts > 1 and self.total_s - self.first_s > _APART_S
        return self.is_event_stream or (self.is_chunked and is_apart)

    @property
    def is_client_error(self) -> bool:
        """Whether the answer is 4xx."""
        return self.status is not None and 400 <= self.status < 500

    @property
    def is_server_error(self) -> bool:
        """Whether the answer is 5xx."""
        return self.status is not None and self.status >= 500

    @property
    def outcome(self) -> str:
        """The answer in one line: status, media type, length, the beginning of the body; or the failure."""
        if self.status is None:
            return self.error
        content_type = self.header("content-type") or "no Content-Type"
        shown = printable(" ".join(self.body[:_SHOWN_BODY].decode(errors="replace").split()))
        line = f"{self.status}, {content_type}, {size(self.length)}"
        return f"{line}: {shown}" if shown else line

    @property
    def evidence(self) -> Evidence:
        """The exchange as a finding shows it."""
        return Evidence(self.request.line, self.outcome, round(self.total_s, 3), self.log[-_SHOWN_LINES:])


def ping(*, host: str | None = None, method: str = "GET", agent: str = "AHC/2.0") -> Request:
    """A health check as an endpoint sends it."""
    headers = (("Host", host or PLATFORM_HOST), ("User-Agent", agent))
    return Request(method, "/ping", headers, b"" if method == "POST" else None)


def invocation(content_type: str | None, body: bytes, name: str, accept: str = "*/*") -> Request:
    """An invocation as an endpoint sends it."""
    headers = list(ENDPOINT_HEADERS)
    headers += [("Content-Type", content_type)] if content_type else []
    headers += [("Accept", accept)]
    return Request("POST", "/invocations", tuple(headers), body, name)


def printable(text: str) -> str:
    """A stranger's text without colours, and with nothing that could steer a terminal."""
    plain = _ESCAPES.sub("", text).expandtabs(4)
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in plain).rstrip()


def size(count: int) -> str:
    """A length for people.

    >>> size(26214400), size(17)
    ('25.0 MB', '17 bytes')
    """
    return f"{count / 2**20:.1f} MB" if count >= 2**20 else f"{count} bytes"


class Held:
    """A request that is under way: all of its body but the last byte, or the last chunk, is sent.

    Closes its connection in `finish` or `abandon`, one of which must be called once.
    """

    def __init__(self, url: str, request: Request, timeout_s: float) -> None:
        self._request = request
        self._timeout_s = timeout_s
        self._started = time.monotonic()
        self._connected: float | None = None
        self._stack = contextlib.ExitStack()
        self._connection: http.client.HTTPConnection | None = None
        self._error = ""
        try:
            self._connect(*_address(url))
        except OSError as error:
            self._error = _named(error, _CONNECT_TIMEOUT_S)
            return
        try:
            self._send_head(urlsplit(url).netloc)
        except OSError as error:
            # The answer may have come before the body was taken: 413 is answered from the headers alone.
            self._error = _named(error, timeout_s)

    def finish(self) -> Exchange:
        """Send the last byte and wait for the answer."""
        with self._stack:
            if self._connection is None or self._connected is None:
                return self._failed(self._error)
            self._send_last()
            return self._receive()

    def abandon(self) -> None:
        """Send the last byte and leave, as a client does whose patience is over."""
        with self._stack:
            self._send_last()

    def _send_last(self) -> None:
        request = self._request
        last = _LAST_CHUNK if request.framing is Framing.CHUNKED else (request.body or b"")[-1:]
        if self._connection is None or not last or self._error:
            return
        try:
            self._connection.send(last)
        except OSError as error:
            self._error = _named(error, self._timeout_s)

    def _connect(self, host: str, port: int) -> None:
        sock = self._stack.enter_context(socket.create_connection((host, port), _CONNECT_TIMEOUT_S))
        self._connected = time.monotonic() - self._started
        sock.settimeout(self._timeout_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = http.client.HTTPConnection(host, port)
        self._connection.sock = sock
        self._stack.callback(self._connection.close)

    def _send_head(self, netloc: str) -> None:
        connection, request = self._connection, self._request
        if connection is None:
            return
        connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
        if not any(name.lower() == "host" for name, _ in request.headers):
            connection.putheader("Host", netloc)
        for name, value in request.headers:
            connection.putheader(name, value)
        if request.framing is Framing.CHUNKED:
            connection.putheader("Transfer-Encoding", "chunked")
        elif request.body is not None:
            connection.putheader("Content-Length", str(len(request.body)))
        if request.framing is Framing.EXPECT:
            connection.putheader("Expect", "100-continue")
        connection.endheaders()
        body = memoryview(request.body or b"")
        if request.framing is Framing.CHUNKED:
            for start in range(0, len(body), _CHUNK):
                chunk = body[start : start + _CHUNK]
                connection.send(b"%x\r\n%b\r\n" % (len(chunk), bytes(chunk)))
            return
        if request.framing is Framing.EXPECT:
            select.select([connection.sock], [], [], _CONTINUE_S)
        if body:
            connection.send(body[:-1])

    def _receive(self) -> Exchange:
        connection = self._connection
        if connection is None:
            return self._failed(self._error)
        # `getresponse` refuses while it believes that the request is not sent; after a reset the answer may be there.
        response = http.client.HTTPResponse(connection.sock, method=self._request.method)
        kept, length, parts = bytearray(), 0, 0
        first_s: float | None = None
        try:
            response.begin()
            while part := response.read1(_CHUNK):
                first_s = time.monotonic() - self._started if first_s is None else first_s
                kept += part[: KEPT_BODY - len(kept)]
                length, parts = length + len(part), parts + 1
                if time.monotonic() - self._started > (whole_s := self._whole_s(response)):
                    return self._failed(f"no end within {whole_s:.3g} s")
            if response.length:  # an answer that ends before its Content-Length: `read1` does not tell
                raise http.client.IncompleteRead(bytes(kept), response.length)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # A refusal whose body is cut is one all the same: the server need not read on, and may reset.
            if not (isinstance(response.status, int) and response.status >= 400):
                return self._failed(self._error or _named(error, self._timeout_s))
        finally:
            response.close()
        return Exchange(
            self._request,
            response.status,
            tuple((name.lower(), value) for name, value in response.getheaders()),
            bytes(kept),
            length,
            self._connected,
            time.monotonic() - self._started,
            ended_at=time.monotonic(),
            first_s=first_s,
            parts=parts,
        )

    def _whole_s(self, response: http.client.HTTPResponse) -> float:
        """How long the whole answer may take: a stream has its own time, and others may take a while to be read."""
        return max(2 * self._timeout_s, STREAM.value if response.chunked and self._request.body else 0)

    def _failed(self, error: str) -> Exchange:
        now = time.monotonic()
        return Exchange(
            self._request, connect_s=self._connected, total_s=now - self._started, error=error, ended_at=now
        )


def send(url: str, request: Request, timeout_s: float) -> Exchange:
    """Send a request on a connection of its own and wait for the answer.

    Args:
        url: `http://HOST:PORT`.
        request: What to send.
        timeout_s: How long the server may be silent.
    """
    return Held(url, request, timeout_s).finish()


def send_garbage(url: str, garbage: bytes) -> None:
    """Send bytes that are no HTTP, wait for what comes, and close; whatever happens is fine."""
    with contextlib.suppress(OSError), socket.create_connection(_address(url), 1.0) as sock:
        sock.settimeout(1.0)
        sock.sendall(garbage)
        sock.shutdown(socket.SHUT_WR)
        until = time.monotonic() + GARBAGE_S
        while sock.recv(2**16) and time.monotonic() < until:
            pass


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 80


def _named(error: Exception, timeout_s: float) -> str:
    """A failure of a connection in the words of reports."""
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_s:.3g} s"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, http.client.RemoteDisconnected):  # a ConnectionResetError too, hence first
        return "closed without an answer"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "connection reset"
    if isinstance(error, http.client.IncompleteRead):
        return "the answer broke off"
    if isinstance(error, http.client.HTTPException | ValueError):
        return f"not HTTP: {type(error).__name__}"
    return f"connection failed: {error}"
