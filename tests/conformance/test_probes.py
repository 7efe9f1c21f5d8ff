import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from argosy.conformance.probes import Framing, Held, Request, invocation, ping, send, send_garbage
from argosy.conformance.requests import framed

Answer = Callable[[socket.socket], object]
Listen = Callable[[Answer], str]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """Starts servers that do one thing to every connection; returns their URL."""
    with contextlib.ExitStack() as stack:

        def start(answer: Answer) -> str:
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def serve() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        connection, _ = server.accept()
                        with connection, contextlib.suppress(OSError):
                            answer(connection)

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            stack.callback(server.shutdown, socket.SHUT_RDWR)
            return f"http://127.0.0.1:{server.getsockname()[1]}"

        yield start


def read_request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(2**16)
    return received


def answering(head: bytes, body: bytes = b"") -> Answer:
    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    return answer


def test_an_exchange_keeps_what_was_sent_and_what_came_back(listen: Listen) -> None:
    url = listen(answering(b"HTTP/1.1 200 OK\r\nContent-Type: application/json", b'{"a": 1}'))
    exchange = send(url, invocation("text/csv", b"1,2\n", "CSV"), 5.0)
    assert (exchange.status, exchange.body, exchange.length, exchange.error) == (200, b'{"a": 1}', 8, "")
    assert exchange.is_accepted
    assert exchange.evidence.sent == "POST /invocations, CSV of 4 bytes, Content-Type: text/csv, Accept: */*"
    assert exchange.evidence.received == '200, application/json, 8 bytes: {"a": 1}'
    assert exchange.connect_s is not None
    assert 0 < exchange.connect_s <= exchange.total_s


def test_only_the_named_headers_are_sent(listen: Listen) -> None:
    seen: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    send(listen(answer), ping(), 5.0)
    lines = seen[0].decode().split("\r\n")
    assert lines == ["GET /ping HTTP/1.1", "Host: model.aws.local:8080", "User-Agent: AHC/2.0", "", ""]


@pytest.mark.parametrize(
    ("answer", "error", "accepted"),
    [
        (lambda connection: None, "closed without an answer", False),
        (lambda connection: read_request(connection), "closed without an answer", False),
        (lambda connection: connection.sendall(b"SSH-2.0-x\r\n"), "not HTTP", False),
    ],
)
def test_a_failure_is_named_and_never_raised(listen: Listen, answer: Answer, error: str, accepted: bool) -> None:
    exchange = send(listen(answer), ping(), 5.0)
    assert exchange.status is None
    assert exchange.error.startswith((error, "connection reset"))
    assert exchange.is_accepted is accepted


def test_a_reset_is_named(listen: Listen) -> None:
    def reset(connection: socket.socket) -> None:
        read_request(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    assert send(listen(reset), ping(), 5.0).error == "connection reset"


def test_silence_ends_with_the_timeout(listen: Listen) -> None:
    over = threading.Event()
    exchange = send(listen(lambda connection: over.wait(10)), ping(), 0.2)
    over.set()
    assert exchange.error == "no answer within 0.2 s"
    assert exchange.is_accepted


def test_a_refused_connection_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    exchange = send(url, ping(), 1.0)
    assert exchange.error == "connection refused"
    assert exchange.connect_s is None


def test_an_answer_that_comes_before_the_body_is_taken_is_read(listen: Listen) -> None:
    def refuse(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(2**20):
            pass

    assert send(listen(refuse), invocation("text/csv", bytes(2**23), "large"), 5.0).status == 413


def test_a_held_request_is_under_way_until_it_is_finished(listen: Listen) -> None:
    received = bytearray()
    under_way = threading.Event()

    def answer(connection: socket.socket) -> None:
        while not received.endswith(b"end"):
            received.extend(connection.recv(2**16))
            if received.endswith(b"\r\n\r\nthe en"):
                under_way.set()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    held = Held(listen(answer), Request("POST", "/invocations", (), b"the end"), 5.0)
    assert under_way.wait(5.0)
    assert held.finish().status == 200


def test_garbage_never_raises(listen: Listen) -> None:
    send_garbage(listen(lambda connection: None), b"\x16\x03")
    send_garbage(listen(lambda connection: connection.sendall(b"what?")), b"\x16\x03" * 2**16)


def test_control_characters_of_an_answer_do_not_reach_a_terminal(listen: Listen) -> None:
    url = listen(answering(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain", b"\x1b[31mred\x07"))
    assert send(url, ping(), 5.0).outcome == "200, text/plain, 9 bytes: red\N{REPLACEMENT CHARACTER}"


def test_a_body_in_chunks_ends_with_an_empty_one(listen: Listen) -> None:
    received = bytearray()

    def answer(connection: socket.socket) -> None:
        while not received.endswith(b"0\r\n\r\n"):
            received.extend(connection.recv(2**16))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    request = framed(invocation("text/csv", b"1" * (64 * 1024 + 1), "CSV"), Framing.CHUNKED)
    assert send(listen(answer), request, 5.0).status == 200
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head.lower()
    assert b"content-length" not in head.lower()
    assert body == b"10000\r\n" + b"1" * 2**16 + b"\r\n1\r\n1\r\n0\r\n\r\n"
    assert request.line.endswith("Transfer-Encoding: chunked")


def test_an_announced_body_waits_for_the_server(listen: Listen) -> None:
    early: list[bytes] = []

    def answer(connection: socket.socket) -> None:
        head, _, body = read_request(connection).partition(b"\r\n\r\n")
        early.append(body)
        assert b"expect: 100-continue" in head.lower()
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert connection.recv(100) in (b"1,2", b"1,2\n")
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    assert send(listen(answer), framed(invocation("text/csv", b"1,2\n", "CSV"), Framing.EXPECT), 5.0).status == 200
    assert early == [b""]


def test_a_refused_announcement_is_an_answer(listen: Listen) -> None:
    url = listen(answering(b"HTTP/1.1 417 Expectation Failed"))
    assert send(url, framed(invocation("text/csv", b"1,2\n", "CSV"), Framing.EXPECT), 5.0).status == 417


def test_the_moments_of_an_answer_in_parts_are_kept(listen: Listen) -> None:
    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        connection.sendall(b"3\r\ntwo\r\n0\r\n\r\n")

    exchange = send(listen(answer), ping(), 5.0)
    assert (exchange.body, exchange.length, exchange.parts) == (b"onetwo", 6, 2)
    assert exchange.first_s is not None
    assert exchange.first_s <= exchange.total_s


@pytest.mark.parametrize(("status", "kept"), [(b"200 OK", None), (b"400 Bad Request", 400)])
def test_an_answer_that_breaks_off_is_none_but_a_refusal_is_one(
    listen: Listen, status: bytes, kept: int | None
) -> None:
    def answer(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 10\r\n\r\nfive!")

    exchange = send(listen(answer), ping(), 5.0)
    assert exchange.status == kept
    assert exchange.error == ("" if kept else "the answer broke off")


def test_a_client_that_leaves_has_sent_all(listen: Listen) -> None:
    received = bytearray()
    is_over = threading.Event()

    def answer(connection: socket.socket) -> None:
        while part := connection.recv(2**16):
            received.extend(part)
        is_over.set()

    Held(listen(answer), Request("POST", "/invocations", (), b"the end"), 5.0).abandon()
    assert is_over.wait(5.0)
    assert received.endswith(b"\r\n\r\nthe end")
