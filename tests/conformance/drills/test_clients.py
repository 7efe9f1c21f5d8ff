import resource
import socket
import threading
from collections.abc import Iterator

import pytest

from argosy.conformance.drills.clients import Load, files_for, half_of, message, open_connection, opened, vanish
from argosy.conformance.probes import invocation
from tests.ports import free_port

REQUEST = invocation("text/csv", b"1,2\n", "rows")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", free_port())) as listening:
        listening.settimeout(20)
        yield listening


def url_of(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_half_of_a_request_ends_in_the_middle_of_its_body() -> None:
    head, _, body = half_of(REQUEST).partition(b"\r\n\r\n")
    assert b"Content-Length: 10" in head
    assert 0 < len(body) < 10
    assert message(REQUEST).endswith(b"Content-Length: 4\r\n\r\n1,2\n")
    assert half_of(invocation(None, b"", "nothing")).count(b"\r\n\r\n") == 1


def test_a_client_that_vanishes_resets_its_connection(listener: socket.socket) -> None:
    gone = open_connection(url_of(listener), half_of(REQUEST))
    taken, _ = listener.accept()
    assert gone is not None
    vanish(gone)
    with taken, pytest.raises(ConnectionResetError):
        while taken.recv(2**16):
            pass


def test_a_connection_that_is_refused_is_none() -> None:
    assert open_connection(f"http://127.0.0.1:{free_port()}") is None


def test_connections_are_closed_in_the_end(listener: socket.socket) -> None:
    with opened(url_of(listener), 3) as found:
        taken = [listener.accept()[0] for _ in found]
        assert len(found) == 3
    for one in taken:
        with one:
            assert one.recv(1) == b""


def test_the_limit_of_open_files_is_raised_and_put_back() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = 512
    resource.setrlimit(resource.RLIMIT_NOFILE, (low, hard))
    try:
        with files_for(1000) as room:
            assert room == 1000
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 1000
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (low, hard)
        with files_for(hard) as room:
            assert room < hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_load_invokes_until_it_is_over(listener: socket.socket) -> None:
    def answer() -> None:
        for _ in range(4):
            taken, _ = listener.accept()
            with taken:
                taken.recv(2**16)
                taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        listener.close()

    answering = threading.Thread(target=answer)
    answering.start()
    with Load(url_of(listener), REQUEST, 2, 20.0) as load:
        answering.join()
    answered = [exchange for exchange in load.ended if exchange.status == 200]
    assert len(answered) == 4
    assert all(exchange.body == b"" for exchange in load.ended)
