"""Bodies that are being received, all together: real clients that each send a part of one."""

import json
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.serving.front import exposition
from tests.serving.raw_client import RawClient
from tests.serving.server_process import ServerProcess, running, wait_until

MB = 2**20
PATHS = pytest.mark.parametrize("path", ["1", "0"], ids=["short path", "plain ASGI"])


def head(size: int, *, is_chunked: bool = False) -> bytes:
    length = b"Transfer-Encoding: chunked" if is_chunked else b"Content-Length: %d" % size
    return b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\n%b\r\n\r\n" % length


def refusals(server: ServerProcess) -> float:
    family = exposition.read(server.request("GET", "/metrics").body)["argosy_invocations_total"]
    return family.samples.get(("argosy_invocations_total", (("status", "503"),)), 0)


def receiving(server: ServerProcess) -> float:
    family = exposition.read(server.request("GET", "/metrics").body)["argosy_receiving_bytes"]
    return family.value("argosy_receiving_bytes")


@PATHS
def test_more_than_there_is_room_for_is_503_and_what_was_begun_is_answered(path: str, tmp_path: Path) -> None:
    with (
        running(
            "EchoBytes",
            tmp_path / "log",
            ARGOSY_SHORT_PATH=path,
            ARGOSY_MAX_BODY_MB="2",
            ARGOSY_MAX_RECEIVING_MB="4",
        ) as server,
        ExitStack() as stack,
    ):
        first = [stack.enter_context(RawClient(server.port)) for _ in range(2)]
        for client in first:
            client.socket.sendall(head(2 * MB) + b"x")
        for client in first:
            client.socket.sendall(b"x" * (2 * MB - 2))
        wait_until(lambda: receiving(server) == 2 * (2 * MB - 1), 10, lambda: receiving(server))
        late = stack.enter_context(RawClient(server.port))
        late.socket.sendall(head(2 * MB) + b"x" * (MB + 2**19))
        status, fields = late.head()
        error = json.loads(late.stream.read(int(fields["content-length"])))["error"]
        assert (status, fields["retry-after"], error["code"]) == (503, "1", "overloaded")
        assert error["message"].startswith("too many bodies are being received: want at most 4194304 bytes")
        assert refusals(server) == 1
        assert server.request("POST", "/invocations", b"small").body == b"small", "what comes at once needs no room"
        for client in first:
            client.socket.sendall(b"x")
            status, fields = client.head()
            assert (status, client.stream.read(2 * MB)) == (200, b"x" * (2 * MB))
        assert server.request("POST", "/invocations", b"y" * (2 * MB)).body == b"y" * (2 * MB), "there is room again"


@PATHS
def test_what_stalled_clients_sent_in_one_piece_counts(path: str, tmp_path: Path) -> None:
    piece = b"x" * 60_000
    with (
        running(
            "EchoBytes",
            tmp_path / "log",
            ARGOSY_SHORT_PATH=path,
            ARGOSY_MAX_BODY_MB="2",
            ARGOSY_MAX_RECEIVING_MB="2",
        ) as server,
        ExitStack() as stack,
    ):
        fit = 2 * MB // len(piece)
        for is_chunked in (True, False):
            with ExitStack() as leaving:
                for _ in range(fit):
                    client = leaving.enter_context(RawClient(server.port))
                    framed = b"%x\r\n%b" % (len(piece) + 1, piece) if is_chunked else piece
                    client.socket.sendall(head(len(piece) + 1, is_chunked=is_chunked) + framed)
                wait_until(lambda: receiving(server) == fit * len(piece), 10, lambda: receiving(server))
                late = stack.enter_context(RawClient(server.port))
                late.socket.sendall(head(len(piece) + 1) + piece)
                assert late.head()[0] == 503
                assert server.request("POST", "/invocations", piece).body == piece, "one read is free"
                client.socket.sendall(b"x\r\n0\r\n\r\n" if is_chunked else b"x")
                assert client.head()[0] == 200
                assert receiving(server) == (fit - 1) * len(piece)
            wait_until(lambda: receiving(server) == 0, 10, lambda: receiving(server))


@PATHS
@pytest.mark.parametrize("is_chunked", [False, True], ids=["known length", "chunked"])
def test_clients_that_leave_in_mid_body_leave_their_room(path: str, is_chunked: bool, tmp_path: Path) -> None:
    with running(
        "EchoBytes", tmp_path / "log", ARGOSY_SHORT_PATH=path, ARGOSY_MAX_BODY_MB="2", ARGOSY_MAX_RECEIVING_MB="2"
    ) as server:
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
                chunk = b"x" * (MB + 2**19)
                framed = b"%x\r\n%b\r\n" % (len(chunk), chunk) if is_chunked else chunk
                connection.sendall(head(2 * MB, is_chunked=is_chunked) + framed)
                wait_until(lambda: receiving(server) > MB, 10)
            wait_until(lambda: receiving(server) == 0, 10)
        assert server.request("POST", "/invocations", b"y" * (2 * MB)).status == 200
