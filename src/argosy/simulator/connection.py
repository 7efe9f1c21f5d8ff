"""The platform's HTTP to a container: health checks, execution parameters, invocations.

Header fields are exactly those given here and by the caller: what an HTTP library would add by itself does not reach
the container, as it does not on SageMaker. A POST is never sent twice: the container may have worked on it.
"""

import asyncio
import urllib.parse
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from argosy import contract
from argosy.errors import ContainerError, ContainerTimeoutError, UsageError
from argosy.simulator.http_channel import Channel, Follow

_IDLE_S: Final = 1.0  # below every server's own keep-alive (gunicorn's is 2 s), so that no request meets a closing one

Body = bytes | AsyncIterator[bytes]
INVOCATIONS: Final = "/invocations"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who SageMaker says it is.

    Attributes:
        host: The `Host` field.
        user_agent: The `User-Agent` field.
    """

    host: str
    user_agent: str


ENDPOINT: Final = Caller("model.aws.local:8080", "AHC/2.0")
"""Seen in public logs of containers behind endpoints, 2019 (read 2026-11-22)."""
TRANSFORM_JOB: Final = Caller("169.254.255.131:8080", "Go-http-client/1.1")
"""Seen in logs of transform jobs: https://github.com/aws/amazon-sagemaker-examples/issues/815 (read 2026-11-22)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A container's answer to a short request, body included.

    Attributes:
        status: The HTTP status.
        headers: Names in lower case, values decoded as Latin-1, so that no byte is lost.
        body: As it came, content codings untouched.
        is_cut: Whether the body was longer than the caller wanted and is not here whole.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_cut: bool = False


class Response:
    """A container's answer whose body is still to come.

    Attributes:
        status: The HTTP status.
        headers: Names in lower case, values decoded as Latin-1.
    """

    def __init__(self, channel: Channel) -> None:
        self.status = channel.status
        self.headers: Mapping[str, str] = channel.headers
        self._channel = channel

    async def whole(self, limit_bytes: int) -> bytes | None:
        """The body, content codings untouched; None as soon as it is longer than that, and `parts` gives all of it.

        Raises:
            ContainerError: The connection broke before its end.
            ContainerTimeoutError: It took too long.
        """
        return await self._channel.read_whole(limit_bytes)

    async def parts(self) -> AsyncIterator[bytes]:
        """The body as it comes, content codings untouched; a reader that is slow holds the container back.

        Raises:
            ContainerError: The connection broke before its end.
            ContainerTimeoutError: It took too long.
        """
        while part := await self._channel.read_part():
            yield part

    def limit(self, timeout_s: float) -> None:
        """Give the rest of the answer `timeout_s` from now, instead of the time that the request had."""
        self._channel.limit(timeout_s)


class Connection:
    """HTTP connections to one container, for one event loop.

    Args:
        url: `http://ADDRESS:PORT` of the container.
        caller: What the platform calls itself.
    """

    def __init__(self, url: str, caller: Caller) -> None:
        parsed = urllib.parse.urlsplit(url)
        self.url = url
        self._host, self._port = parsed.hostname or "", parsed.port or 80
        self._fields = f" HTTP/1.1\r\nHost: {caller.host}\r\nUser-Agent: {caller.user_agent}\r\n"
        self._idle: list[Channel] = []
        self._busy: set[Channel] = set()
        self._sweep: asyncio.TimerHandle | None = None

    async def close(self) -> None:
        """Close what is open."""
        if self._sweep is not None:
            self._sweep.cancel()
        for channel in (*self._idle, *self._busy):
            channel.close()
        self._idle.clear()

    async def ping(self) -> str | None:
        """One health check: what was wrong, in a clause, or None; only 200 within 2 seconds passes it."""
        try:
            reply = await self.get("/ping", contract.PING.value)
        except ContainerError as error:
            return error.what
        return None if reply.status == 200 else f"/ping answers {reply.status}"

    async def get(self, path: str, timeout_s: float) -> Reply:
        """A GET request with its whole answer.

        Raises:
            ContainerError: No answer.
            ContainerTimeoutError: None within `timeout_s`.
        """
        return await self.send("GET", path, {}, b"", timeout_s=timeout_s, limit_bytes=int(contract.ENDPOINT_BODY.value))

    async def send(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, *, timeout_s: float, limit_bytes: int
    ) -> Reply:
        """One request with its whole answer, at most `limit_bytes` of it.

        Raises:
            ContainerError: No answer, or a connection was not accepted within 250 ms.
            ContainerTimeoutError: Not the whole of it within `timeout_s`.
        """
        head = self._head(method, path, headers, body)
        while True:
            channel = self._kept()
            is_reused = channel is not None
            if channel is None:
                channel = await self._connect()
            self._busy.add(channel)
            try:
                channel.begin(path, timeout_s)
                channel.send(head, body)
                whole = await channel.read_whole(limit_bytes)
                return Reply(channel.status, channel.headers, whole or b"", is_cut=whole is None)
            except ContainerError as error:
                # An idle connection that its server closed meanwhile says nothing; to ask again changes nothing.
                is_late = isinstance(error, ContainerTimeoutError)
                if method != "GET" or not is_reused or channel.has_answered or is_late:
                    raise
            finally:
                self._release(channel)

    @asynccontextmanager
    async def series(
        self, path: str, headers: Mapping[str, str], body: bytes, follow: Follow, *, timeout_s: float, limit_bytes: int
    ) -> AsyncIterator[Response]:
        """Invocations with the same header fields, one after the other on one connection.

        Args:
            path: Of all.
            headers: Of all, without Content-Length.
            body: Of the first one.
            follow: Takes the body of an answer and gives the next invocation's, at once and without waiting; or None,
                and that answer, the series' last one, is the caller's. So is one that is no success, is longer than
                `limit_bytes`, or does not keep the connection open.
            timeout_s: For each.
            limit_bytes: Longest body that `follow` takes.

        Raises:
            ContainerError: The last invocation was not answered.
            ContainerTimeoutError: Not within its `timeout_s`.
        """
        head = self._head("POST", path, headers, body)
        fields = head.removesuffix(b"%d\r\n\r\n" % len(body))

        def request(answer: bytes) -> bytes | None:
            following = follow(answer)
            return None if following is None else b"%b%d\r\n\r\n%b" % (fields, len(following), following)

        channel = self._kept() or await self._connect()
        self._busy.add(channel)
        try:
            channel.begin(path, timeout_s)
            channel.follow(request)
            channel.send(head, body)
            await channel.read_whole(limit_bytes)
            yield Response(channel)
        finally:
            self._release(channel)

    @asynccontextmanager
    async def stream(
        self, path: str, headers: Mapping[str, str], body: Body, *, timeout_s: float
    ) -> AsyncIterator[Response]:
        """One invocation whose answer is read by the caller inside the same time limit.

        A body that is an iterator goes in chunks, unless `headers` hold its Content-Length. Leaving early closes the
        connection to the container.

        Raises:
            ContainerError: No answer, or a connection was not accepted within 250 ms.
            ContainerTimeoutError: Not the whole of it within `timeout_s`.
        """
        head = self._head("POST", path, headers, body)
        channel = self._kept() or await self._connect()
        self._busy.add(channel)
        try:
            channel.begin(path, timeout_s)
            if isinstance(body, bytes):
                channel.send(head, body)
            else:
                channel.send_parts(head, body, is_chunked="Content-Length" not in headers)
            await channel.read_head()
            yield Response(channel)
        finally:
            self._release(channel)

    def _head(self, method: str, path: str, headers: Mapping[str, str], body: Body) -> bytes:
        """A request's first lines."""
        lines = [method, " ", path, self._fields]
        for name, value in headers.items():
            if "\n" in value or "\r" in value or "\0" in value:
                raise UsageError("a header field cannot hold a line break", where=name)
            lines += (name, ": ", value, "\r\n")
        if "Content-Length" in headers:
            lines.append("\r\n")
        elif not isinstance(body, bytes):
            lines.append("Transfer-Encoding: chunked\r\n\r\n")
        elif body or method == "POST":
            lines.append(f"Content-Length: {len(body)}\r\n\r\n")
        else:
            lines.append("\r\n")
        try:
            return "".join(lines).encode("latin-1")
        except UnicodeEncodeError as error:
            raise UsageError(
                "a header field can hold only Latin-1", got=error.object[error.start : error.end]
            ) from None

    def _kept(self) -> Channel | None:
        """A connection that is open and idle, if there is one that the container has not closed."""
        earliest = asyncio.get_running_loop().time() - _IDLE_S
        while self._idle:
            channel = self._idle.pop()
            if channel.idle_since >= earliest and channel.is_silent():
                return channel
            channel.close()
        return None

    async def _connect(self) -> Channel:
        """A new connection; a container has to take one within 250 ms."""
        loop = asyncio.get_running_loop()
        limit_s = contract.ACCEPT_CONNECTION.value
        connecting = loop.create_task(loop.create_connection(Channel, self._host, self._port))
        try:
            await asyncio.wait({connecting}, timeout=limit_s)
            for _ in range(2):  # this loop may have been late itself: what has come meanwhile counts
                await asyncio.sleep(0)
            if connecting.done():
                return connecting.result()[1]
        except OSError as error:
            raise ContainerError("nothing listens at the container's port") from error
        except asyncio.CancelledError:
            if connecting.done() and not connecting.exception():
                connecting.result()[1].close()
            raise
        finally:
            connecting.cancel()
        raise ContainerError(f"the container did not take a connection within {1000 * limit_s:g} ms")

    def _release(self, channel: Channel) -> None:
        """Keep a connection for the next request, if it can carry one."""
        self._busy.discard(channel)
        if not channel.end():
            return
        loop = asyncio.get_running_loop()
        channel.idle_since = loop.time()
        self._idle.append(channel)
        if self._sweep is None:
            self._sweep = loop.call_later(_IDLE_S, self._close_idle)

    def _close_idle(self) -> None:
        """Close what was idle for long enough, so that no connection keeps a container's thread to itself."""
        loop = asyncio.get_running_loop()
        earliest = loop.time() - _IDLE_S
        kept: list[Channel] = []
        for channel in self._idle:
            if channel.idle_since > earliest and not channel.is_lost:
                kept.append(channel)
            else:
                channel.close()
        self._idle = kept
        self._sweep = loop.call_later(_IDLE_S, self._close_idle) if kept else None
