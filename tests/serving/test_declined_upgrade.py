"""Requests that ask for an upgrade which they do not get, over the short path and over plain ASGI."""

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.declined_upgrades import UPGRADES, Talk, answer, answers, request, talks
from tests.serving.front import exposition
from tests.serving.raw_client import RawClient
from tests.serving.server_process import ServerProcess, running, wait_until

MB = 2**20
INVOKE = "/invocations"


@pytest.fixture(scope="module", params=["1", "0"], ids=["short path", "plain ASGI"])
def echo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    log = tmp_path_factory.mktemp("server") / "log"
    with running("EchoBytes", log, ARGOSY_SHORT_PATH=request.param, ARGOSY_MAX_BODY_MB="25") as server:
        yield server


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_every_body_arrives_whole_wherever_the_bytes_are_cut(echo: ServerProcess, data: st.DataObject) -> None:
    talk = data.draw(talks(INVOKE))
    assert answers(echo.port, talk, echo.ping) == [(200, body) for body in talk.bodies]


@pytest.mark.parametrize("chunk", [0, MB], ids=["known length", "chunked"])
def test_a_body_as_large_as_it_may_be_arrives_whole(echo: ServerProcess, chunk: int) -> None:
    body = bytes(range(256)) * (25 * MB // 256)
    sent = request(INVOKE, body, UPGRADES["h2c"], chunk) + request(INVOKE, b"next")
    assert answers(echo.port, Talk((sent,), (body, b"next")), echo.ping) == [(200, body), (200, b"next")]


@pytest.mark.parametrize("chunk", [0, MB], ids=["known length", "chunked"])
def test_a_larger_body_is_413(echo: ServerProcess, chunk: int) -> None:
    with RawClient(echo.port) as client:
        client.socket.sendall(request(INVOKE, bytes(25 * MB + 1), UPGRADES["h2c"], chunk))
        assert answer(client.stream)[0] == 413


def test_a_broken_body_is_400_behind_the_answers_that_are_due(echo: ServerProcess) -> None:
    broken = request(INVOKE, b"hi", UPGRADES["h2c"], chunk=2).replace(b"0\r\n\r\n", b"zz\r\n")
    with RawClient(echo.port) as client:
        client.socket.sendall(request(INVOKE, b"first", UPGRADES["h2c"]) + request(INVOKE, b"second") + broken)
        assert answer(client.stream) == (200, b"first")
        assert answer(client.stream) == (200, b"second")
        assert answer(client.stream)[0] == 400
        assert client.stream.read() == b""


def test_a_client_that_leaves_in_mid_body_invokes_nothing_and_leaves_its_room(echo: ServerProcess) -> None:
    def metrics() -> dict[str, exposition.Family]:
        return exposition.read(echo.request("GET", "/metrics").body)

    def receiving() -> float:
        return metrics()["argosy_receiving_bytes"].value("argosy_receiving_bytes")

    before = metrics()["argosy_invocations_total"]
    with socket.create_connection(("127.0.0.1", echo.port), timeout=10) as client:
        client.sendall(request(INVOKE, b"hello", UPGRADES["websocket"]).removesuffix(b"lo"))
        wait_until(lambda: receiving() == 3, 10, receiving)
    wait_until(lambda: receiving() == 0, 10, receiving)
    assert metrics()["argosy_invocations_total"].samples == before.samples


@pytest.mark.parametrize("upgrade", UPGRADES.values(), ids=UPGRADES)
@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /ping", 200),
        ("GET /nowhere", 404),
        ("POST /invocations-bidirectional-stream", 405),
        ("CONNECT /ping", 405),
    ],
)
def test_other_requests_are_answered_as_without_upgrade(
    echo: ServerProcess, upgrade: bytes, line: str, status: int
) -> None:
    sent = b"%b HTTP/1.1\r\nHost: x\r\n%b\r\n" % (line.encode(), upgrade)
    talk = Talk((sent + request(INVOKE, b"next"),), (b"", b""))
    assert [got for got, _ in answers(echo.port, talk, echo.ping)] == [status, 200]


def test_a_web_socket_behind_an_open_request_is_declined_and_what_follows_is_answered(echo: ServerProcess) -> None:
    web_socket = b"GET /invocations-bidirectional-stream HTTP/1.1\r\nHost: x\r\n%b\r\n" % UPGRADES["websocket"]
    talk = Talk((request(INVOKE, b"first") + web_socket + request(INVOKE, b"next"),), (b"", b"", b""))
    first, declined, following = answers(echo.port, talk, echo.ping)
    assert (first, declined[0], following) == ((200, b"first"), 404, (200, b"next"))
