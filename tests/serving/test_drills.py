"""Drills: what a machine does to a server. In each of them `/ping` answers within 2 s and says what is true.

A killed process, a load that fails, a deadline and the lesser endings are in `test_resilience`.
"""

import http.client
import shlex
import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from argosy import contract
from tests.serving.server_process import Reply, ServerProcess, running, wait_until
from tests.serving.slow_clients import SlowClients, many_files
from tests.serving.watch import Watch, open_files, watched

ROOT = Path(__file__).parent.parent.parent
DRILLED = "drilled:Drilled"
PATHS = pytest.mark.parametrize("short_path", ["1", "0"], ids=["short path", "plain ASGI"])


class Pause(NamedTuple):
    """One invocation that stops its model process for long, and one that waits behind it."""

    server: ServerProcess
    watch: Watch
    first: Future[Reply]
    behind: Future[Reply]


@contextmanager
def pausing(log: Path, body: object) -> Iterator[Pause]:
    with running(DRILLED, log) as server, watched(server) as watch, ThreadPoolExecutor(2) as pool:
        first = pool.submit(server.invoke, body, 60)
        yield Pause(server, watch, first, pool.submit(server.invoke, {"do": "pid"}, 60))


@pytest.fixture(scope="module", autouse=True)
def pauses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Pause]]:
    """Begun before the first drill of this file and judged after the last: nobody waits for them."""
    folder = tmp_path_factory.mktemp("pauses")
    with ExitStack() as stack:
        bodies = {"lock": {"do": "hold-lock", "seconds": 30}, "garbage": {"do": "collect", "seconds": 5}}
        yield {name: stack.enter_context(pausing(folder / name, body)) for name, body in bodies.items()}


@pytest.mark.parametrize("command", ["segfault", "exit", "die-of-memory"])
def test_ping_is_503_from_a_crash_until_the_model_is_loaded_again(tmp_path: Path, command: str) -> None:
    with (
        running(DRILLED, tmp_path / "log", TEST_LOAD_SECONDS="0.5") as server,
        watched(server) as watch,
        ThreadPoolExecutor(1) as pool,
    ):
        first = server.model_pids()
        assert server.invoke({"do": command}).status == 500
        assert server.ping() == 503
        waits = pool.submit(server.invoke, {"do": "pid"})
        wait_until(lambda: server.ping() == 200, 10)
        assert waits.result().status == 200
        assert server.model_pids() not in ([], first)
        wait_until(lambda: watch.turns[-1:] == [200], 5)
    assert watch.turns == [200, 503, 200]


def test_a_crash_of_one_of_two_leaves_ping_at_200(tmp_path: Path) -> None:
    with running(DRILLED, tmp_path / "log", ARGOSY_WORKERS="2", TEST_LOAD_SECONDS="0.5") as server:
        wait_until(lambda: both_loaded(server), 10)
        with watched(server) as watch:
            for command in ("segfault", "exit"):
                assert server.invoke({"do": command}).status == 500
                assert server.invoke({"do": "pid"}).status == 200
                wait_until(lambda: both_loaded(server), 10)
    assert watch.turns == [200]


def both_loaded(server: ServerProcess) -> bool:
    """Whether two invocations at a time are answered by two processes."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(server.invoke, [{"do": "sleep", "seconds": 0.1}] * 2))
        replies = list(pool.map(server.invoke, [{"do": "sleep", "seconds": 0.1}] * 2))
    return len({reply.body for reply in replies}) == 2


def test_an_allocation_over_the_limit_is_told_and_nothing_more(tmp_path: Path) -> None:
    with running(DRILLED, tmp_path / "log", TEST_ROOM_MB="256") as server, watched(server) as watch:
        before = server.invoke({"do": "pid"}).body
        for _ in range(3):
            reply = server.invoke({"do": "allocate", "mb": 1024})
            assert (reply.status, reply.error["code"]) == (507, "out-of-memory")
        assert server.invoke({"do": "pid"}).body == before
    assert watch.turns == [200]


def test_a_body_that_does_not_fit_into_memory_is_told_and_the_next_is_served(tmp_path: Path) -> None:
    body = b'{"do": "pid", "more": [' + b"0," * 30_000_000 + b"0]}"
    with running(DRILLED, tmp_path / "log", TEST_ROOM_MB="256") as server, watched(server) as watch:
        before = server.invoke({"do": "pid"}).body
        reply = server.invoke(body)
        assert (reply.status, reply.error["code"]) == (507, "out-of-memory")
        assert server.invoke({"do": "pid"}).body == before
    assert watch.turns == [200]


def test_a_full_disk_costs_only_who_writes_to_it(tmp_path: Path) -> None:
    body = np.random.default_rng(0).integers(0, 256, 30_000_000, dtype=np.uint8).tobytes()
    with running("EchoBytes", tmp_path / "echo", under=full_disk()) as server, watched(server) as watch:
        reply = server.request("POST", "/invocations", body, Content_Type="image/x-raw")
        assert (reply.status, reply.body == body) == (200, True)
    assert watch.turns == [200]
    with running(DRILLED, tmp_path / "log", under=full_disk()) as server, watched(server) as watch:
        before = server.invoke({"do": "pid"}).body
        reply = server.invoke({"do": "write", "bytes": 1_000_000})
        assert (reply.status, reply.error["code"]) == (500, "predict")
        assert "No space left on device" in server.log
        assert server.invoke({"do": "pid"}).body == before
    assert watch.turns == [200]


def full_disk() -> list[str]:
    """Becomes a command in a mount namespace whose `/tmp` has not one byte left; this checkout may lie below it."""
    here = shlex.quote(str(ROOT))
    script = f"""
        cd {here}
        mount -t tmpfs -o size=64k full /tmp
        mkdir -p {here}
        mount --no-canonicalize --bind . {here}
        cat /dev/zero >/tmp/filler 2>/dev/null
        exec "$@"
    """
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh"]


def test_ten_thousand_slow_clients_keep_nobody_waiting(tmp_path: Path) -> None:
    with many_files() as count, running(DRILLED, tmp_path / "log") as server:
        assert count >= 3_000, "raise the hard limit of open files (ulimit -Hn)"
        assert server.invoke({"do": "pid"}).status == 200
        before = open_files(server.popen.pid)
        with watched(server) as watch:
            clients = SlowClients(server.port, count)
            try:
                for _ in range(3):
                    clients.drip()
                    assert {server.invoke({"do": "pid"}).status for _ in range(5)} == {200}
                    large = server.invoke({"do": "answer", "bytes": 1_000_000, "more": "x" * 1_000_000})
                    assert (large.status, len(large.body)) == (200, 1_000_002)
            finally:
                clients.close()
            wait_until(lambda: open_files(server.popen.pid) <= before + 1, 30)  # the pinger's, perhaps
            assert server.invoke({"do": "pid"}).status == 200
        assert watch.turns == [200]
        server.terminate()
        assert server.popen.wait(contract.STOP_GRACE.value) == 0


@PATHS
def test_a_client_may_connect_long_before_its_first_request(tmp_path: Path, short_path: str) -> None:
    with (
        running(DRILLED, tmp_path / "log", ARGOSY_SHORT_PATH=short_path) as server,
        watched(server) as watch,
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection,
    ):
        asked = len(watch.pings)
        wait_until(lambda: len(watch.pings) > asked + 100, 20)  # more than 2 s
        connection.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")


@PATHS
@pytest.mark.parametrize("ending", ["FIN", "RST"])
def test_clients_that_leave_in_mid_body_leave_nothing_behind(tmp_path: Path, short_path: str, ending: str) -> None:
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    cuts = [
        head + b"Content-Length: 1000\r\n\r\n" + b"{" * 500,
        head + b"Content-Length: 1000000\r\n\r\n" + b"{" * 500_000,
        head + b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n" + b"{" * 500,
        head + b"Content-Len",
    ]
    with running(DRILLED, tmp_path / "log", ARGOSY_SHORT_PATH=short_path) as server:
        pid, before = server.invoke({"do": "pid"}).body, open_files(server.popen.pid)
        with watched(server) as watch:
            for cut in cuts * 25:
                leave(server.port, cut, ending)
            wait_until(lambda: open_files(server.popen.pid) <= before + 1, 10)
            assert server.invoke({"do": "pid", "more": "x" * 30_000_000}).body == pid
        assert watch.turns == [200]
        server.terminate()
        assert server.popen.wait(contract.STOP_GRACE.value / 2) == 0  # no body is waited for that cannot come


@PATHS
@pytest.mark.parametrize("ending", ["FIN", "RST"])
def test_clients_that_leave_in_mid_answer_leave_nothing_behind(tmp_path: Path, short_path: str, ending: str) -> None:
    body = b'{"do": "answer", "bytes": 20000000}'
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    with running(DRILLED, tmp_path / "log", ARGOSY_SHORT_PATH=short_path) as server:
        pid, before = server.invoke({"do": "pid"}).body, open_files(server.popen.pid)
        with watched(server) as watch:
            for _ in range(20):
                assert leave(server.port, head + body, ending, read=1000).startswith(b"HTTP/1.1 200 OK\r\n")
            wait_until(lambda: open_files(server.popen.pid) <= before + 1, 10)
            assert server.invoke({"do": "pid"}).body == pid
        assert watch.turns == [200]


def leave(port: int, sent: bytes, ending: str, read: int = 0) -> bytes:
    """Send, read that much, and go; RST is what a client does that crashes, FIN what one does that gives up."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(sent)
        if ending == "RST":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return connection.recv(read) if read else b""


class Sent(NamedTuple):
    """When a request had been sent, and what came: a status, or how the connection ended instead."""

    at: float
    outcome: int | str


@PATHS
def test_sigterm_under_load_loses_no_accepted_request(tmp_path: Path, short_path: str) -> None:
    sent: list[Sent] = []
    with (
        running(DRILLED, tmp_path / "log", ARGOSY_SHORT_PATH=short_path) as server,
        ThreadPoolExecutor(24) as pool,
        watched(server, ends=True) as watch,
    ):
        clients = [pool.submit(invoke_until_gone, server, sent) for _ in range(24)]
        wait_until(lambda: len(sent) > 100, 30)
        marked = time.monotonic()
        assert [server.ping(), server.ping()] == [200, 200]  # by now the front has read what was sent before
        told = time.monotonic()
        server.terminate()
        assert server.popen.wait(contract.STOP_GRACE.value) == 0
        for client in clients:
            client.result()
    assert {one.outcome for one in sent if one.at < marked} == {200}
    assert {one.outcome for one in sent if one.at < told} <= {200, 503}
    assert {one.outcome for one in sent} <= {200, 503, "closed"}
    assert sum(one.at < marked for one in sent) > 100
    assert watch.turns == [200, 503]


def invoke_until_gone(server: ServerProcess, sent: list[Sent]) -> None:
    """One invocation after the other on one connection, or on the next, until nobody listens."""
    body = b'{"do": "sleep", "seconds": 0.01}'
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    while True:
        try:
            connection.request("POST", "/invocations", body, {"Content-Type": "application/json"})
        except ConnectionError:
            if connection.sock is None:
                return
            connection.close()  # it was closed while it was idle: nothing was sent
            continue
        at = time.monotonic()
        try:
            response = connection.getresponse()
            response.read()
            sent.append(Sent(at, response.status))
        except http.client.IncompleteRead:
            sent.append(Sent(at, "cut short"))
        except ConnectionError:
            sent.append(Sent(at, "closed"))
            connection.close()
        if server.popen.poll() is not None:
            connection.close()
            return


@pytest.mark.parametrize("predictor", ["HasThreads", "AsksItsThread"])
def test_threads_of_a_predictors_module_are_named_in_one_line_and_hurt_only_who_asks_them(
    tmp_path: Path, predictor: str
) -> None:
    """A forked process has none of the threads of the one that it came from."""
    with running(f"threaded:{predictor}", tmp_path / "log") as server, watched(server) as watch:
        asks = predictor == "AsksItsThread"
        replies = [server.invoke(number) for number in range(2)]
        assert {reply.status for reply in replies} == ({500} if asks else {200})
        (line,) = [line for line in server.log.splitlines() if "threads-not-forked" in line]
        assert "doubler" in line
    assert watch.turns == [200]


@pytest.mark.parametrize("pause", ["garbage", "lock"])
def test_ping_is_200_while_the_model_process_pauses_and_what_waits_is_served(
    pauses: dict[str, Pause], pause: str
) -> None:
    server, watch, first, behind = pauses[pause]
    (pid,) = server.model_pids()
    first_reply = first.result()
    assert (first_reply.status, behind.result().status) == (200, 200)
    assert first_reply.body == (b'{"collected":50}' if pause == "garbage" else b'{"pid":%d}' % pid)
    assert behind.result().body == b'{"pid":%d}' % pid  # late is not stuck
    assert watch.turns == [200]
    assert watch.late == []
