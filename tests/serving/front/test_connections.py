"""How long a request may take to come, told by the clock that the sweep hands in."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import uvicorn
from uvicorn.server import ServerState

from argosy.serving.front.asgi import Receive, Scope, Send
from argosy.serving.front.connections import HEAD_S, IDLE, IN_BODY, IN_HEAD, WINDOW_S, Connection, Connections
from tests.declined_upgrades import UPGRADES, request


async def answers_never(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Connection, socket.socket]]:
    """A connection over a real socket, and the client's end of it."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    protocol = Connection.bound(watched=Connections(16))
    config = uvicorn.Config(answers_never, log_config=None, ws="none", lifespan="off")
    transport, connection = await loop.connect_accepted_socket(lambda: protocol(config, ServerState(), {}), ours)
    with theirs:
        yield connection, theirs
        transport.abort()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0)


def run(scene: Callable[[Connection, socket.socket], Awaitable[None]]) -> None:
    async def play() -> None:
        async with connected() as (connection, client):
            await scene(connection, client)

    asyncio.run(play())


@pytest.mark.parametrize("is_read", [True, False])
def test_a_head_is_late_when_it_could_have_come(is_read: bool) -> None:
    async def scene(connection: Connection, client: socket.socket) -> None:
        client.send(b"GET /ping HTTP/1.1\r\nHos")
        await until(lambda: connection.stage == IN_HEAD)
        if not is_read:
            connection.flow.pause_reading()
        assert not connection.is_late(1.0)
        assert connection.is_late(2.0 + HEAD_S) is is_read

    run(scene)


def test_what_comes_behind_garbage_is_neither_read_nor_late() -> None:
    async def scene(connection: Connection, client: socket.socket) -> None:
        client.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: connection.is_answering)
        turn = connection.turn
        connection.data_received(b"\x00junk\r\n\r\n")
        connection.data_received(b"GET /ping HTTP/1.1\r\n\r\n")
        assert (connection.stage, connection.turn) == (IDLE, turn + 1)
        assert not any(connection.is_late(now) for now in (1.0, 2.0 + HEAD_S))

    run(scene)


@pytest.mark.parametrize("upgrade", UPGRADES.values(), ids=UPGRADES)
def test_the_body_behind_a_declined_upgrade_is_late_as_any_other(upgrade: bytes) -> None:
    async def scene(connection: Connection, client: socket.socket) -> None:
        connection.data_received(request("/invocations", b"hello", upgrade).removesuffix(b"lo"))
        assert (connection.stage, connection.received) == (IN_BODY, 3)
        assert not connection.is_late(1.0)
        assert connection.is_late(2.0 + WINDOW_S)
        connection.data_received(b"lo")
        assert (connection.stage, connection.received) == (IDLE, 5)

    run(scene)
