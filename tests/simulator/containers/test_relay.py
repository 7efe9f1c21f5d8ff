"""The relay between two sockets of this machine; across namespaces `test_sandbox.py` uses it."""

import random
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.simulator.containers.relay import Loop, Relay
from tests.ports import free_port

TIMEOUT_S = 20.0


class Turning:
    """A relay that turns on a thread."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", free_port()))
        self.address = self.listener.getsockname()
        self.loop = Loop()
        self.relay = Relay(self.loop, self.listener, target)
        self.relay.open()
        self.is_over = False
        self.thread = threading.Thread(target=self.turn, daemon=True)
        self.thread.start()

    def turn(self) -> None:
        while not self.is_over:
            self.loop.turn(0.01)

    def end(self) -> None:
        self.is_over = True
        self.thread.join(TIMEOUT_S)
        self.relay.close()
        deadline = time.monotonic() + TIMEOUT_S
        while self.loop._ready and time.monotonic() < deadline:  # both ends are closed; each connection hears of it
            self.loop.turn(0.01)
        self.listener.close()


@pytest.fixture(scope="module")
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(TIMEOUT_S)
        yield listening


@pytest.fixture(scope="module")
def turning(server: socket.socket) -> Iterator[Turning]:
    made = Turning(server.getsockname())
    yield made
    made.end()


def connect(turning: Turning, server: socket.socket) -> tuple[socket.socket, socket.socket]:
    client = socket.create_connection(turning.address, timeout=TIMEOUT_S)
    other, _ = server.accept()
    other.settimeout(TIMEOUT_S)
    return client, other


def receive_all(from_: socket.socket) -> bytes:
    parts = []
    while part := from_.recv(65536):
        parts.append(part)
    return b"".join(parts)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 300_000), max_size=4), st.lists(st.integers(0, 300_000), max_size=4), st.booleans())
def test_what_goes_in_comes_out_both_ways(
    turning: Turning, server: socket.socket, there: list[int], back: list[int], is_quick: bool
) -> None:
    client, other = connect(turning, server)
    sent = {side: b"".join(random.Random(n).randbytes(n) for n in sizes) for side, sizes in ((0, there), (1, back))}

    def send(side: int, through: socket.socket) -> None:
        through.sendall(sent[side])
        through.shutdown(socket.SHUT_WR)

    with client, other:
        if not is_quick:  # the server says nothing before it has heard all
            send(0, client)
            assert receive_all(other) == sent[0]
            threads = [threading.Thread(target=send, args=(1, other))]
        else:
            threads = [threading.Thread(target=send, args=pair) for pair in ((0, client), (1, other))]
        for thread in threads:
            thread.start()
        if is_quick:
            heard: list[bytes] = []
            threads.append(threading.Thread(target=lambda: heard.append(receive_all(other))))
            threads[-1].start()
        assert receive_all(client) == sent[1]
        for thread in threads:
            thread.join(TIMEOUT_S)
        if is_quick:
            assert heard == [sent[0]]


def test_a_reset_goes_through(turning: Turning, server: socket.socket) -> None:
    client, other = connect(turning, server)
    other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    other.close()
    with client, pytest.raises(ConnectionResetError):
        client.recv(1)


def test_who_does_not_listen_to_the_answer_holds_up_nobody_else(turning: Turning, server: socket.socket) -> None:
    deaf, towards_deaf = connect(turning, server)
    towards_deaf.setblocking(False)
    with deaf, towards_deaf:
        with suppress(BlockingIOError):
            while True:  # until every buffer on the way is full
                towards_deaf.send(bytes(65536))
                select.select([], [towards_deaf], [], 0.1)
        client, other = connect(turning, server)
        with client, other:
            client.sendall(b"hello")
            assert other.recv(5) == b"hello"


def test_a_closed_relay_refuses_and_keeps_its_port(server: socket.socket) -> None:
    made = Turning(server.getsockname())
    try:
        for _ in range(2):
            client, other = connect(made, server)
            client.close()
            other.close()
            made.is_over = True
            made.thread.join(TIMEOUT_S)
            made.relay.close()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(made.address, timeout=TIMEOUT_S)
            made.relay.open()
            made.is_over = False
            made.thread = threading.Thread(target=made.turn, daemon=True)
            made.thread.start()
    finally:
        made.end()


def test_a_server_that_has_ended_closes_the_relay() -> None:
    made = Turning(("127.0.0.1", free_port()))
    try:
        # A busy machine may close it even before the client is back from connecting.
        with suppress(ConnectionResetError), socket.create_connection(made.address, timeout=TIMEOUT_S) as client:
            assert client.recv(1) == b""
    finally:
        made.end()
