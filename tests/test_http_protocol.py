"""Declined upgrades, with uvicorn's own machinery and an application that sends each body back."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

import pytest
import uvicorn
from hypothesis import given
from uvicorn.server import ServerState

from argosy.http_protocol import HttpProtocol
from tests.declined_upgrades import UPGRADES, Talk, answer, request, talks

UPGRADE = UPGRADES["h2c"]
LAST = b"the very last body"
NEXT = request("/", LAST)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body, is_whole = b"", False
    while not is_whole:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        is_whole = not message["more_body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


def play(scene: Callable[[HttpProtocol, asyncio.StreamReader], Awaitable[None]]) -> None:
    """Play with a connection, which is handed its bytes directly, and the client's end of its socket."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        config = uvicorn.Config(echo, log_config=None, ws="none", lifespan="off")
        transport, connection = await loop.connect_accepted_socket(
            lambda: HttpProtocol(config, ServerState(), {}), ours
        )
        reader, writer = await asyncio.open_connection(sock=theirs, limit=2**26)
        try:
            async with asyncio.timeout(20):
                await scene(connection, reader)
        finally:
            writer.close()
            transport.abort()

    asyncio.run(run())


def exchange(*segments: bytes, is_closed: bool = False) -> bytes:
    """What comes back for segments that are read one by one; up to the last body, or to the connection's end."""
    received = b""

    async def scene(connection: HttpProtocol, reader: asyncio.StreamReader) -> None:
        nonlocal received
        for segment in segments:
            if not connection.transport.is_closing():
                connection.data_received(segment)
            await asyncio.sleep(0)
        received = await (reader.read() if is_closed else reader.readuntil(LAST))

    play(scene)
    return received


@given(talks("/"))
def test_every_body_arrives_whole_wherever_the_bytes_are_cut(talk: Talk) -> None:
    received = BytesIO(exchange(*talk.segments, NEXT))
    assert [answer(received) for _ in talk.bodies] == [(200, body) for body in talk.bodies]
    assert answer(received) == (200, LAST)


def test_a_body_of_25_mb_arrives_whole() -> None:
    body = bytes(range(256)) * (25 * 2**20 // 256)
    sent = request("/", body, UPGRADE) + NEXT
    received = BytesIO(exchange(*(sent[place : place + 2**18] for place in range(0, len(sent), 2**18))))
    assert answer(received) == (200, body)


@pytest.mark.parametrize(
    ("framing", "body"),
    [(b"Transfer-Encoding: chunked\r\n", b"2\r\nhi\r\nzz\r\n"), (b"Transfer-Encoding: gzip\r\n", b"hi")],
    ids=["no chunk", "no framing"],
)
@pytest.mark.parametrize("is_cut", [False, True])
def test_a_broken_body_is_400(framing: bytes, body: bytes, is_cut: bool) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\n%b%b\r\n" % (UPGRADE, framing)
    received = exchange(*((head, body) if is_cut else (head + body,)), is_closed=True)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("method", [b"GET", b"CONNECT"])
def test_a_request_without_a_body_ends_with_its_head(method: bytes) -> None:
    received = BytesIO(exchange(b"%b / HTTP/1.1\r\nHost: x\r\n%b\r\n" % (method, UPGRADE), NEXT))
    assert answer(received) == (200, b"")


def test_what_follows_a_connect_is_no_tunnel() -> None:
    received = BytesIO(exchange(b"CONNECT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi" + NEXT))
    assert answer(received) == (200, b"hi")


@pytest.mark.parametrize(
    ("version", "field"), [(b"1.0", b""), (b"1.1", b"Connection: close\r\n")], ids=["HTTP/1.0", "close"]
)
def test_the_last_request_of_a_connection_stays_the_last(version: bytes, field: bytes) -> None:
    head = b"POST / HTTP/%b\r\nHost: x\r\n%b%bContent-Length: 2\r\n\r\n" % (version, UPGRADE, field)
    received = exchange(head + b"hi" + NEXT, is_closed=True)
    assert answer(BytesIO(received)) == (200, b"hi")
    assert received.count(b"HTTP/1.1 ") == 1


def test_an_empty_field_is_no_trouble() -> None:
    received = BytesIO(exchange(request("/", b"hi", b"X-Empty:\r\n" + UPGRADE) + NEXT))
    assert answer(received) == (200, b"hi")


def test_trailers_end_the_body() -> None:
    sent = request("/", b"hi", UPGRADE, chunk=1).removesuffix(b"\r\n") + b"X-Sum: 1\r\n\r\n"
    assert answer(BytesIO(exchange(sent + NEXT))) == (200, b"hi")


def test_a_client_that_expects_100_is_told_to_go_on() -> None:
    sent = request("/", b"hi", UPGRADE + b"Expect: 100-continue\r\n").removesuffix(b"hi")
    received = b""

    async def scene(connection: HttpProtocol, reader: asyncio.StreamReader) -> None:
        nonlocal received
        connection.data_received(sent)
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.data_received(b"hi" + NEXT)
        received = await reader.readuntil(LAST)

    play(scene)
    assert answer(BytesIO(received)) == (200, b"hi")


def test_only_an_upgrade_costs_another_parser() -> None:
    async def scene(connection: HttpProtocol, reader: asyncio.StreamReader) -> None:
        first = connection.parser
        connection.data_received(request("/", b"hi", b"Connection: keep-alive\r\n") + NEXT)
        assert connection.parser is first
        connection.data_received(request("/", b"hi", UPGRADE))
        assert connection.parser is not first

    play(scene)
