"""The client against servers of a few lines each, which do what real ones should not."""

import asyncio
import itertools
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import ContainerError, ContainerTimeoutError, UsageError
from argosy.simulator.connection import ENDPOINT, Connection, Reply
from argosy.simulator.http_channel import Channel

Result = TypeVar("Result")
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Server:
    url: str
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)


Script = Callable[[socket.socket, Server], None]


@contextmanager
def running(script: Script) -> Iterator[Server]:
    """Runs the script for each connection, on a thread of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server(f"http://127.0.0.1:{listener.getsockname()[1]}")

        def serve(client: socket.socket) -> None:
            with client, suppress(OSError):
                script(client, server)
            server.left.set()

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                server.connections += 1
                client.settimeout(20)
                threading.Thread(target=serve, args=(client,), daemon=True).start()

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def read_request(client: socket.socket, server: Server) -> bool:
    """One request with a Content-Length, or none; False at the end of the connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = client.recv(65536)
        if not part:
            return False
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0
    )
    while len(body) < length:
        body += client.recv(65536)
    server.requests.append(head + b"\r\n\r\n" + body)
    return True


def answering(*responses: bytes) -> Script:
    """Answers one request after the other on a connection, then closes it."""

    def script(client: socket.socket, server: Server) -> None:
        for response in responses:
            if not read_request(client, server):
                return
            client.sendall(response)

    return script


def run(url: str, work: Callable[[Connection], Awaitable[Result]], loop: str = "uvloop") -> Result:
    async def main() -> Result:
        connection = Connection(url, ENDPOINT)
        try:
            return await work(connection)
        finally:
            await connection.close()

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        return runner.run(main())


async def post(connection: Connection, body: bytes = b"x", timeout_s: float = 20, limit_bytes: int = 2**30) -> Reply:
    return await connection.send(
        "POST", "/invocations", {"Accept": "text/csv"}, body, timeout_s=timeout_s, limit_bytes=limit_bytes
    )


def replied(*responses: bytes, loop: str = "uvloop") -> Reply:
    with running(answering(*responses)) as server:
        return run(server.url, post, loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_the_container_gets_exactly_these_bytes(loop: str) -> None:
    with running(answering(OK, OK)) as server:

        async def work(connection: Connection) -> None:
            await connection.get("/ping", 20)
            await post(connection, b"1,2")

        run(server.url, work, loop)
    assert server.requests == [
        b"GET /ping HTTP/1.1\r\nHost: model.aws.local:8080\r\nUser-Agent: AHC/2.0\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nHost: model.aws.local:8080\r\nUser-Agent: AHC/2.0\r\nAccept: text/csv\r\n"
        b"Content-Length: 3\r\n\r\n1,2",
    ]
    assert server.connections == 1


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\nb",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\n\nb\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\na\nb\r\n0\r\nTrailer: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\na\nb",
        b"HTTP/1.0 200 OK\r\n\r\na\nb",
        b"HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\nb",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\na\nb",
    ],
)
def test_every_framing_of_a_body_is_read(response: bytes, loop: str) -> None:
    reply = replied(response, loop=loop)
    assert (reply.status, reply.body, "x-a" in reply.headers) == (200, b"a\nb", False)


def test_header_fields_keep_their_bytes_and_several_are_joined() -> None:
    reply = replied(b"HTTP/1.1 200 OK\r\nX-Two: 1\r\nx-two: 2\r\nX-Raw: \xe6\x97\xa5\r\nContent-Length: 0\r\n\r\n")
    assert reply.headers == {"x-two": "1, 2", "x-raw": "\xe6\x97\xa5", "content-length": "0"}
    assert replied(b"HTTP/1.1 204 No Content\r\n\r\n").status == 204


def test_of_several_content_types_the_first_counts() -> None:
    reply = replied(b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\ncontent-type: c/d\r\nContent-Length: 0\r\n\r\n")
    assert reply.headers["content-type"] == "a/b"


def test_a_body_over_the_limit_is_cut() -> None:
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + bytes(1000)
    with running(answering(response, response)) as server:
        at_limit = run(server.url, lambda connection: post(connection, limit_bytes=1000))
        above = run(server.url, lambda connection: post(connection, limit_bytes=999))
    assert (at_limit.is_cut, len(at_limit.body)) == (False, 1000)
    assert (above.is_cut, above.body) == (True, b"")


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "what is no HTTP"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
            "broke before /invocations was answered: got it was closed",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", "broke before"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n", "what is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70000, "a head of more than 65536 bytes"),
        (b"", "broke before"),
    ],
)
def test_a_broken_answer_is_a_container_error(response: bytes, words: str) -> None:
    with pytest.raises(ContainerError) as error:
        replied(response)
    assert words in error.value.message


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(ContainerError, match="nothing listens at the container's port"):
        run(url, post)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_that_is_not_taken_within_250_ms_is_an_error(loop: str) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        queued = [socket.socket() for _ in range(4)]
        for one in queued:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        with pytest.raises(ContainerError, match="did not take a connection within 250 ms"):
            run(f"http://127.0.0.1:{full.getsockname()[1]}", post, loop)
        for one in queued:
            one.close()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_that_broke_before_it_was_used_is_an_error(loop: str) -> None:
    """Docker takes connections for a container that does not listen yet, and drops them."""

    async def work(port: int) -> None:
        _, channel = await asyncio.get_running_loop().create_connection(Channel, "127.0.0.1", port)
        async with asyncio.timeout(20):
            while not channel.is_lost:
                await asyncio.sleep(0)
        channel.begin("/ping", 20)
        channel.send(b"GET /ping HTTP/1.1\r\n\r\n", b"")
        with pytest.raises(ContainerError, match="broke before /ping was answered"):
            await channel.read_head()
        assert not channel.end()

    with running(lambda client, server: None) as server, asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(work(int(server.url.rpartition(":")[2])))


def test_an_answer_that_takes_too_long_is_a_timeout() -> None:
    def slow(client: socket.socket, server: Server) -> None:
        read_request(client, server)
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
        assert client.recv(1) == b""

    with running(slow) as server:
        with pytest.raises(ContainerTimeoutError, match=r"/invocations was not answered within 0.05 s"):
            run(server.url, lambda connection: post(connection, timeout_s=0.05))
        assert server.left.wait(20)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_that_was_closed_while_idle_is_not_used(loop: str) -> None:
    with running(answering(OK)) as server:

        async def work(connection: Connection) -> list[bytes]:
            first = await post(connection)
            assert server.left.wait(20)  # its end is in the socket by now, yet the loop has not seen it
            return [first.body, (await post(connection)).body]

        assert run(server.url, work, loop) == [b"ok", b"ok"]
    assert server.connections == 2


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("linger", [b"\0" * 8, b"\1\0\0\0\0\0\0\0"], ids=["end", "reset"])
def test_a_proxy_that_closes_each_connection_at_once_is_no_answer(loop: str, linger: bytes) -> None:
    """Docker's takes connections for a container that does not listen yet."""

    def script(client: socket.socket, _server: Server) -> None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    async def work(connection: Connection) -> None:
        for _ in range(50):
            assert await connection.ping() is not None
        with pytest.raises(ContainerError, match=r"broke before|nothing listens"):
            await post(connection, bytes(2**20))
        with pytest.raises(ContainerError, match=r"broke before|nothing listens"):
            async with connection.stream("/invocations", {}, parts(), timeout_s=20):
                pytest.fail("it was answered")

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield bytes(2**16)

    with running(script) as server:
        run(server.url, work, loop)


def test_a_connection_that_the_container_wants_closed_is_not_kept() -> None:
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    with running(answering(closing, closing)) as server:

        async def work(connection: Connection) -> None:
            await post(connection)
            await post(connection)

        run(server.url, work)
    assert server.connections == 2


@pytest.mark.parametrize(("method", "sent"), [("GET", 3), ("POST", 2)])
def test_only_a_get_is_sent_again_when_a_kept_connection_breaks(method: str, sent: int) -> None:
    """Closed after it was read: the container may have worked on it."""

    def script(client: socket.socket, server: Server) -> None:
        while read_request(client, server):
            if len(server.requests) == 2:
                return
            client.sendall(OK)

    async def work(connection: Connection) -> bytes:
        await post(connection)
        reply = await connection.send(method, "/ping", {}, b"", timeout_s=20, limit_bytes=100)
        return reply.body

    with running(script) as server:
        if method == "GET":
            assert run(server.url, work) == b"ok"
        else:
            with pytest.raises(ContainerError, match="broke before"):
                run(server.url, work)
    assert len(server.requests) == sent


def test_an_answer_before_the_end_of_the_request_counts() -> None:
    def early(client: socket.socket, server: Server) -> None:
        client.recv(100)
        client.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        while client.recv(2**20):
            pass

    with running(early) as server:
        reply = run(server.url, lambda connection: post(connection, bytes(50 * 2**20)))
    assert (reply.status, reply.body) == (413, b"big")


def test_bytes_that_nobody_asked_for_end_the_connection() -> None:
    with running(answering(OK + OK, OK)) as server:

        async def work(connection: Connection) -> list[bytes]:
            return [(await post(connection)).body, (await post(connection)).body]

        assert run(server.url, work) == [b"ok", b"ok"]
    assert server.connections == 2


def test_connections_are_closed_when_they_were_idle_for_a_second() -> None:
    def script(client: socket.socket, server: Server) -> None:
        while read_request(client, server):
            client.sendall(OK)

    async def work(connection: Connection) -> None:
        await post(connection)
        await has_left(server)

    with running(script) as server:
        run(server.url, work)


async def has_left(server: Server) -> None:
    deadline = time.monotonic() + 20
    while not server.left.is_set():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


# Streams


def echo_chunks(client: socket.socket, _server: Server) -> None:
    """Sends back every byte of the chunked body as it comes, in the very same chunks."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += client.recv(65536)
    head, _, rest = received.partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head.lower()
    client.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + rest)
    tail = rest[-5:]
    while tail != b"0\r\n\r\n":
        part = client.recv(65536)
        client.sendall(part)
        tail = (tail + part)[-5:]


@pytest.mark.parametrize("loop", LOOPS)
def test_an_answer_may_come_while_the_body_is_sent(loop: str) -> None:
    echoed: list[int] = []

    async def work(connection: Connection) -> bool:
        is_interleaved = False
        answered = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield b"first"
            await answered.wait()  # only then the rest: a client that sends first and reads later hangs here
            for _ in range(100):
                yield bytes(100_000)

        async with connection.stream("/invocations", {}, body(), timeout_s=20) as response:
            async for part in response.parts():
                answered.set()
                echoed.append(len(part))
                is_interleaved = True
        return is_interleaved

    with running(echo_chunks) as server:
        assert run(server.url, work, loop)
    assert sum(echoed) == 5 + 100 * 100_000


def test_a_body_with_a_known_length_goes_without_chunks() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"ab"
        yield b"c"

    async def work(connection: Connection) -> bytes:
        async with connection.stream("/invocations", {"Content-Length": "3"}, body(), timeout_s=20) as response:
            return b"".join([part async for part in response.parts()])

    with running(answering(OK)) as server:
        assert run(server.url, work) == b"ok"
    assert server.requests[0].endswith(b"Content-Length: 3\r\n\r\nabc")


def test_a_slow_reader_holds_the_container_back() -> None:
    def script(client: socket.socket, server: Server) -> None:
        read_request(client, server)
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (50 * 2**20) + bytes(50 * 2**20))

    async def work(connection: Connection) -> int:
        async with connection.stream("/invocations", {}, b"x", timeout_s=60) as response:
            [channel] = connection._busy
            deadline = time.monotonic() + 20
            while not channel._is_paused:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)
            assert channel._size < 2**20
            return sum([len(part) async for part in response.parts()])

    with running(script) as server:
        assert run(server.url, work) == 50 * 2**20


def test_a_slow_container_holds_the_body_back() -> None:
    produced = itertools.count()

    def script(client: socket.socket, server: Server) -> None:
        assert held.wait(20)
        client.sendall(OK)
        while client.recv(2**20):
            pass

    async def body() -> AsyncIterator[bytes]:
        for _ in produced:
            yield bytes(2**16)

    async def work(connection: Connection) -> bytes:
        async def watch() -> None:
            deadline = time.monotonic() + 20
            while not (connection._busy and all(channel._drained is not None for channel in connection._busy)):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)
            held.set()

        watching = asyncio.create_task(watch())
        async with connection.stream("/invocations", {}, body(), timeout_s=60) as response:
            await watching
            return b"".join([part async for part in response.parts()])

    held = threading.Event()
    with running(script) as server:
        assert run(server.url, work) == b"ok"


def test_what_goes_wrong_in_the_source_of_a_body_is_told_as_it_is() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"x"
        raise ValueError("the file became shorter")

    async def work(connection: Connection) -> None:
        async with connection.stream("/invocations", {}, body(), timeout_s=20):
            pytest.fail("it was answered")

    def script(client: socket.socket, _server: Server) -> None:
        while client.recv(65536):
            pass

    with running(script) as server, pytest.raises(ValueError, match="the file became shorter"):
        run(server.url, work)


def test_leaving_a_stream_early_closes_the_connection() -> None:
    def script(client: socket.socket, server: Server) -> None:
        read_request(client, server)
        client.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        while client.recv(1):
            pass

    async def work(connection: Connection) -> None:
        async with connection.stream("/invocations", {}, b"x", timeout_s=20) as response:
            async for part in response.parts():
                assert part == b"ab"
                break
        await has_left(server)

    with running(script) as server:
        run(server.url, work)


def test_a_whole_body_is_given_up_for_its_parts_when_it_is_too_long() -> None:
    async def work(connection: Connection) -> list[object]:
        read: list[object] = []
        for limit in (1000, 999):
            async with connection.stream("/invocations", {}, b"x", timeout_s=20) as response:
                read.append(await response.whole(limit))
                read.append(b"".join([part async for part in response.parts()]))
        return read

    body = bytes(1000)
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + body
    with running(answering(response, response)) as server:
        assert run(server.url, work) == [body, body, None, body]


# A series


@dataclass
class Series:
    """Gives bodies one after the other, and keeps what was answered."""

    rest: list[bytes]
    taken: list[bytes] = field(default_factory=list)

    def follow(self, answer: bytes) -> bytes | None:
        if not self.rest:
            return None
        self.taken.append(answer)
        return self.rest.pop(0)

    async def run(self, connection: Connection, timeout_s: float = 20, limit_bytes: int = 100) -> tuple[int, bytes]:
        async with connection.series(
            "/invocations", {"Accept": "a/b"}, b"0", self.follow, timeout_s=timeout_s, limit_bytes=limit_bytes
        ) as response:
            return response.status, b"".join([part async for part in response.parts()])


def answer(body: bytes, status: int = 200, fields: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d X\r\n%bContent-Length: %d\r\n\r\n%b" % (status, fields, len(body), body)


@pytest.mark.parametrize("loop", LOOPS)
def test_in_a_series_one_request_follows_the_other_on_one_connection(loop: str) -> None:
    series = Series([b"11", b"", b"3"])
    with running(answering(*map(answer, (b"a", b"bb", b"", b"d")))) as server:
        assert run(server.url, series.run, loop) == (200, b"d")
    assert series.taken == [b"a", b"bb", b""]
    head = b"POST /invocations HTTP/1.1\r\nHost: model.aws.local:8080\r\nUser-Agent: AHC/2.0\r\nAccept: a/b\r\n"
    assert server.requests == [
        head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body) for body in (b"0", b"11", b"", b"3")
    ]
    assert server.connections == 1


@pytest.mark.parametrize(
    "last",
    [
        answer(b"no", status=500),
        answer(bytes(101)),
        answer(b"x", fields=b"Connection: close\r\n"),
        b"HTTP/1.1 200 OK\r\n\r\nends with the connection",
    ],
)
def test_a_series_ends_with_an_answer_that_is_the_caller_s(last: bytes) -> None:
    series = Series([b"1", b"2"])
    with running(answering(answer(b"a"), last)) as server:
        status, body = run(server.url, series.run)
    assert (status, body) == (int(last[9:12]), last.partition(b"\r\n\r\n")[2])
    assert (series.taken, series.rest) == ([b"a"], [b"2"])


def test_a_series_ends_with_a_connection_that_breaks() -> None:
    series = Series([b"1", b"2"])
    with running(answering(answer(b"a"), b"")) as server, pytest.raises(ContainerError, match="broke before"):
        run(server.url, series.run)
    assert (series.taken, series.rest) == ([b"a"], [b"2"])


def test_each_request_of_a_series_has_its_own_time() -> None:
    def script(client: socket.socket, server: Server) -> None:
        for _ in range(3):
            read_request(client, server)
            server.left.wait(0.3)
            client.sendall(OK)
        read_request(client, server)
        client.recv(1)

    series = Series([b"1", b"2", b"3"])
    with running(script) as server, pytest.raises(ContainerTimeoutError, match=r"within 0.6 s"):
        run(server.url, lambda connection: series.run(connection, timeout_s=0.6))
    assert series.taken == [b"ok"] * 3


def test_what_goes_wrong_between_two_requests_of_a_series_is_told_as_it_is() -> None:
    def follow(_answer: bytes) -> bytes:
        raise ValueError("the disk is full")

    async def work(connection: Connection) -> None:
        async with connection.series("/invocations", {}, b"x", follow, timeout_s=20, limit_bytes=100):
            pytest.fail("it was answered")

    with running(answering(OK, b"")) as server, pytest.raises(ValueError, match="the disk is full"):
        run(server.url, work)


def test_a_stream_gets_another_time_limit() -> None:
    async def work(connection: Connection) -> bytes:
        async with connection.stream("/invocations", {}, b"x", timeout_s=20) as response:
            response.limit(0.05)
            return b"".join([part async for part in response.parts()])

    def script(client: socket.socket, server: Server) -> None:
        read_request(client, server)
        client.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        client.recv(1)

    with running(script) as server, pytest.raises(ContainerTimeoutError, match=r"within 0.05 s"):
        run(server.url, work)


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "a\nb", "a\0b", "日本"])
def test_header_values_that_are_none_are_refused(value: str) -> None:
    async def work(connection: Connection) -> None:
        await connection.send("POST", "/invocations", {"Accept": value}, b"", timeout_s=20, limit_bytes=100)

    with pytest.raises(UsageError):
        run("http://127.0.0.1:1", work)


BARE = b"HTTP/1.1 204 No Content\r\n\r\n"
AND_MORE = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcEXTRA", 200, b"abc"),
    "204-chunked": (b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 204, b""),
    "204-body": (b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc", 204, b""),
    "304-body": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\nabc", 304, b""),
    "101": (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nabc", 101, b""),
}


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("case", AND_MORE)
def test_what_comes_behind_a_whole_answer_ends_the_connection_and_not_the_answer(case: str, loop: str) -> None:
    sent, status, body = AND_MORE[case]

    def script(client: socket.socket, server: Server) -> None:
        read_request(client, server)
        client.sendall(sent)
        while client.recv(1):  # left open: the answer is whole without its end
            pass

    async def work(connection: Connection) -> None:
        async with asyncio.timeout(10):
            reply = await post(connection)
            assert (reply.status, reply.body) == (status, body)
            async with connection.stream("/invocations", {}, b"x", timeout_s=20) as response:
                assert response.status == status
                assert b"".join([part async for part in response.parts()]) == body
            assert await connection.ping() == (None if status == 200 else f"/ping answers {status}")

    with running(script) as server:
        run(server.url, work, loop)
    assert server.connections == 3


# Any cut of the same bytes is the same answer


class Wire(asyncio.Transport):
    """What a channel needs of a transport, and no network."""

    def __init__(self) -> None:
        self.end = socket.socket()
        super().__init__({"socket": self.end})

    def write(self, data: object) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def abort(self) -> None:
        self.end.close()

    def is_closing(self) -> bool:
        return self.end.fileno() < 0

    def pause_reading(self) -> None:
        pass


@given(st.binary(max_size=300), st.integers(1, 60), st.lists(st.integers(1, 40)), st.booleans())
def test_how_an_answer_is_cut_on_its_way_does_not_matter(
    body: bytes, chunk: int, cuts: list[int], is_chunked: bool
) -> None:
    if is_chunked:
        parts = [body[start : start + chunk] for start in range(0, len(body), chunk)]
        framed = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        data = b"HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n" + framed
    else:
        data = b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    async def received() -> tuple[int, str, bytes | None, bool]:
        channel = Channel()
        wire = Wire()
        channel.connection_made(wire)
        channel.begin("/invocations", 20)
        rest = data
        for cut in cuts:
            channel.data_received(rest[:cut])
            rest = rest[cut:]
            if not rest:
                break
        if rest:
            channel.data_received(rest)
        whole = await channel.read_whole(1000)
        is_kept = channel.end()
        wire.end.close()
        return channel.status, channel.headers["x"], whole, is_kept

    assert asyncio.run(received()) == (200, "y", body, True)


@pytest.mark.parametrize("is_streamed", [False, True])
def test_many_small_chunks_wait_as_few_parts(is_streamed: bool) -> None:
    body = bytes(range(256)) * 400
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    data = head + b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"

    async def received() -> None:
        channel = Channel()
        wire = Wire()
        channel.connection_made(wire)
        channel.begin("/invocations", 20)
        reading = asyncio.create_task(channel.read_head() if is_streamed else channel.read_whole(len(body)))
        await asyncio.sleep(0)
        for start in range(0, len(data), 10_000):
            channel.data_received(data[start : start + 10_000])
        await reading
        assert len(channel._parts) <= (300 if is_streamed else 2)
        if is_streamed:
            assert b"".join([await channel.read_part() for _ in range(len(channel._parts))]) == body
            assert await channel.read_part() == b""
        else:
            assert reading.result() == body
        wire.end.close()

    asyncio.run(received())


@given(st.lists(st.binary(max_size=60), max_size=8), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", OK[:-2], OK, BARE]))
def test_no_bytes_do_more_than_end_an_exchange(pieces: list[bytes], beginning: bytes) -> None:
    async def received() -> None:
        channel = Channel()
        wire = Wire()
        channel.connection_made(wire)
        channel.begin("/invocations", 20)
        reading = asyncio.create_task(channel.read_whole(1000))
        await asyncio.sleep(0)  # it waits now: each piece has to wake it when it should
        for piece in (beginning, *pieces):
            if piece and not wire.is_closing():
                channel.data_received(piece)
        channel.eof_received()
        channel.connection_lost(None)
        wire.end.close()
        with suppress(ContainerError):
            assert await asyncio.wait_for(reading, 5) is not None
        assert channel.end() is False

    asyncio.run(received())
