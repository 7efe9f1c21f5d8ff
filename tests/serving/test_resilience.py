"""What the server does when processes die, hang, or are told to stop: real processes, real signals."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from argosy import contract
from tests.ports import free_port
from tests.processes import await_end, children, is_alive
from tests.serving.server_process import ServerProcess, running, wait_until

SLEEP = {"do": "sleep", "seconds": 0.01}


def test_the_port_accepts_at_once_and_ping_is_503_until_the_model_is_loaded(tmp_path: Path) -> None:
    with running("SlowLoad", tmp_path / "log", wait=False, TEST_LOAD_SECONDS="2") as server:
        started = time.monotonic()
        wait_until(lambda: accepts(server.port), 5)
        assert server.ping() == 503
        assert server.invoke([1]).status == 503
        server.wait_ready()
        assert time.monotonic() - started > 1.5
        assert server.invoke([1]).status == 200


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=contract.ACCEPT_CONNECTION.value).close()
    except OSError:
        return False
    return True


def test_kill_9_under_load_fails_only_what_the_process_held(tmp_path: Path) -> None:
    with running("Commanded", tmp_path / "log", ARGOSY_WORKERS="2") as server:
        stop = threading.Event()
        statuses: Counter[int] = Counter()
        pings: list[int] = []

        def client() -> None:
            while not stop.is_set():
                statuses[server.invoke(SLEEP).status] += 1

        def pinger() -> None:
            while not stop.is_set():
                pings.append(server.ping())

        with ThreadPoolExecutor(17) as pool:
            running_clients = [pool.submit(client) for _ in range(16)] + [pool.submit(pinger)]
            try:
                wait_until(lambda: statuses[200] > 50, 30)
                kills = 3
                for _ in range(kills):
                    victim = server.model_pids()[0]
                    os.kill(victim, signal.SIGKILL)
                    wait_until(lambda v=victim: not is_alive(v) and len(server.model_pids()) == 2, 10)
                    before = statuses[200]
                    wait_until(lambda b=before: statuses[200] > b + 50, 30)
            finally:
                stop.set()
            for running_client in running_clients:
                running_client.result()
    assert set(statuses) <= {200, 500}
    assert 1 <= statuses[500] <= kills
    assert set(pings) == {200}


@pytest.mark.parametrize("command", ["exit", "segfault"])
def test_a_crash_is_the_culprits_alone(tmp_path: Path, command: str) -> None:
    with running("Commanded", tmp_path / "log") as server:
        first = server.invoke({"do": "pid"}).body
        with ThreadPoolExecutor(4) as pool:
            culprit = pool.submit(server.invoke, {"do": command})
            others = [pool.submit(server.invoke, SLEEP) for _ in range(3)]
            assert culprit.result().status == 500
            assert [other.result().status for other in others] == [200, 200, 200]
        assert server.invoke({"do": "pid"}).body != first
        assert server.ping() == 200


@pytest.mark.parametrize("child", ["forked", "inherits", "holds"])
def test_a_process_that_dies_before_a_child_of_its_own_is_replaced_at_once(tmp_path: Path, child: str) -> None:
    with running("drilled:Drilled", tmp_path / "log", TEST_CHILD=child) as server:
        first = server.invoke({"do": "pid"}).body
        before = time.monotonic()
        assert server.invoke({"do": "exit"}).status == 500
        assert server.invoke({"do": "pid"}).body != first
        assert time.monotonic() - before < 10  # and not after the deadline, or never
        assert server.ping() == 200


def test_a_killed_template_is_replaced_and_nobody_notices(tmp_path: Path) -> None:
    with running("Commanded", tmp_path / "log") as server:
        (template,) = children(server.popen.pid)
        (model,) = children(template)
        os.kill(template, signal.SIGKILL)
        wait_until(lambda: not is_alive(template), 5)
        assert server.invoke(SLEEP).status == 200
        wait_until(lambda: len(children(server.popen.pid)) == 1, 10)
        os.kill(model, signal.SIGKILL)
        wait_until(lambda: server.model_pids() not in ([], [model]) and server.ping() == 200, 10)
        assert server.invoke(SLEEP).status == 200


def test_sigterm_finishes_what_is_in_flight_and_ends_with_0(tmp_path: Path) -> None:
    body = b'{"do": "sleep", "seconds": 0.7}'
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with running("Commanded", tmp_path / "log") as server:
        flying = [socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(3)]
        for connection in flying:
            connection.sendall(head + body)
        wait_until(lambda: is_busy(server), 5)
        assert [server.ping(), server.ping()] == [200, 200]  # by now the front has read what was sent before
        server.terminate()
        wait_until(lambda: server.ping() == 503, 5)
        late = server.invoke(SLEEP)
        for connection in flying:
            assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")
            connection.close()
        assert (late.status, late.error["code"]) == (503, "unavailable")
        assert server.popen.wait(contract.STOP_GRACE.value) == 0


@pytest.mark.parametrize("short_path", ["1", "0"])
def test_a_body_that_is_under_way_when_sigterm_comes_is_answered(tmp_path: Path, short_path: str) -> None:
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\n"
    with (
        running("Commanded", tmp_path / "log", ARGOSY_SHORT_PATH=short_path) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection,
    ):
        connection.sendall(head + b'{"do": "')
        assert [server.ping(), server.ping()] == [200, 200]  # by now the front has read what was sent before
        server.terminate()
        wait_until(lambda: server.ping() == 503, 5)
        connection.sendall(b'sleepy"}')
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")
        assert server.popen.wait(contract.STOP_GRACE.value) == 0


def test_a_body_that_is_under_way_when_sigterm_comes_is_answered_even_if_the_model_process_dies(tmp_path: Path) -> None:
    body = b'{"do": "sleep", "seconds": 0}'
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with (
        running("Commanded", tmp_path / "log") as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection,
    ):
        (model,) = server.model_pids()
        connection.sendall(head + body[:5])
        assert [server.ping(), server.ping()] == [200, 200]  # by now the front has read what was sent before
        server.terminate()
        wait_until(lambda: server.ping() == 503, 5)
        os.kill(model, signal.SIGKILL)
        wait_until(lambda: server.model_pids() not in ([], [model]), 5)
        connection.sendall(body[5:])
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")
        assert server.popen.wait(contract.STOP_GRACE.value) == 0


def test_a_body_that_does_not_come_delays_the_end_by_seconds_only(tmp_path: Path) -> None:
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\n"
    with (
        running("Commanded", tmp_path / "log") as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as late,
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as never,
    ):
        for connection in (late, never):
            connection.sendall(head + b'{"do": "')
        assert [server.ping(), server.ping()] == [200, 200]
        server.terminate()
        wait_until(lambda: server.ping() == 503, 5)
        late.sendall(b'sleepy"}')
        assert late.recv(1000).startswith(b"HTTP/1.1 200 OK")
        assert server.popen.wait(contract.STOP_GRACE.value / 2) == 0


def is_busy(server: ServerProcess) -> bool:
    """Whether the model process sleeps in the predictor: its queue of one is then taken."""
    (pid,) = server.model_pids()
    return "nanosleep" in Path(f"/proc/{pid}/wchan").read_text()


def test_sigterm_as_soon_as_the_port_accepts_ends_with_0(tmp_path: Path) -> None:
    with running("SlowLoad", tmp_path / "log", wait=False, TEST_LOAD_SECONDS="60") as server:
        while not accepts(server.port):
            assert server.popen.poll() is None, server.log
        below = children(server.popen.pid)
        server.terminate()
        assert server.popen.wait(contract.STOP_GRACE.value) == 0
        await_end(below)


def test_sigterm_while_the_model_loads_ends_with_0(tmp_path: Path) -> None:
    with running("SlowLoad", tmp_path / "log", wait=False, TEST_LOAD_SECONDS="60") as server:
        wait_until(lambda: accepts(server.port) and server.ping() == 503, 10)
        server.terminate()
        assert server.popen.wait(contract.STOP_GRACE.value) == 0


def test_sigterm_with_an_idle_connection_open_ends_with_0(tmp_path: Path) -> None:
    with (
        running("Commanded", tmp_path / "log") as server,
        socket.create_connection(("127.0.0.1", server.port)),
        socket.create_connection(("127.0.0.1", server.port)) as half,
    ):
        half.sendall(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf of it")
        server.ping()
        server.terminate()
        assert server.popen.wait(contract.STOP_GRACE.value) == 0


@pytest.mark.parametrize(
    ("predictor", "sentence"),
    [
        ("CannotLoad", "`predictors:CannotLoad` could not be loaded"),
        ("DiesAtLoad", "ended before they had loaded"),
        ("WantsSet", "`predict` has an annotation that no codec decodes to"),
        ("NotAPredictor", "is not a subclass of `argosy.Predictor`"),
        ("Missing", "has no `Missing`"),
    ],
)
def test_a_model_that_cannot_load_ends_the_server_with_one_clear_line(
    tmp_path: Path, predictor: str, sentence: str
) -> None:
    with running(predictor, tmp_path / "log", wait=False) as server:
        assert server.popen.wait(30) == 1
        lines = [line for line in server.log.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1
        assert sentence in lines[0]


def test_a_stuck_process_is_answered_for_and_replaced(tmp_path: Path) -> None:
    with running("Commanded", tmp_path / "log", ARGOSY_DEADLINE_S="1") as server:
        stuck = server.model_pids()
        reply = server.invoke({"do": "hold-gil", "seconds": 60})
        assert (reply.status, reply.error["code"]) == (503, "deadline-exceeded")
        wait_until(lambda: server.model_pids() not in ([], stuck) and server.ping() == 200, 10)
        assert server.invoke({"do": "pid"}).status == 200


def test_what_waits_too_long_in_the_queue_is_503_and_the_rest_is_served(tmp_path: Path) -> None:
    with running("Commanded", tmp_path / "log", ARGOSY_DEADLINE_S="2") as server, ThreadPoolExecutor(8) as pool:
        before = server.model_pids()
        replies = [pool.submit(server.invoke, {"do": "sleep", "seconds": 0.8}) for _ in range(5)]
        statuses = Counter(reply.result().status for reply in replies)
        wait_until(lambda: server.invoke(SLEEP).status == 200, 5)
        assert server.model_pids() == before  # late is not stuck
    assert statuses[200] >= 2
    assert set(statuses) <= {200, 503}
    assert statuses[503] >= 1


def test_a_full_queue_is_503_at_once(tmp_path: Path) -> None:
    with running("Commanded", tmp_path / "log", ARGOSY_QUEUE="1") as server, ThreadPoolExecutor(8) as pool:
        replies = [pool.submit(server.invoke, {"do": "sleep", "seconds": 0.5}) for _ in range(6)]
        answers = [reply.result() for reply in replies]
    statuses = Counter(answer.status for answer in answers)
    assert statuses == {200: 2, 503: 4}
    assert {a.error["code"] for a in answers if a.status == 503} == {"overloaded"}


def test_ping_answers_while_the_predictor_holds_the_gil(tmp_path: Path) -> None:
    with running("Commanded", tmp_path / "log") as server, ThreadPoolExecutor(1) as pool:
        held = pool.submit(server.invoke, {"do": "hold-gil", "seconds": 2})
        while not held.done():
            assert server.ping() == 200  # the client gives up after the contract's 2 s
        assert held.result().status == 200


def test_a_client_that_left_is_not_served(tmp_path: Path) -> None:
    with running("Commanded", tmp_path / "log") as server, ThreadPoolExecutor(1) as pool:
        busy = pool.submit(server.invoke, {"do": "sleep", "seconds": 0.5})
        wait_until(lambda: is_busy(server), 5)
        body = b'{"do": "exit"}'
        head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(head + body)
        assert busy.result().status == 200
        before = server.model_pids()
        assert server.invoke(SLEEP).status == 200
        assert server.model_pids() == before


def test_clients_that_left_make_room_in_the_queue(tmp_path: Path) -> None:
    body = b'{"do": "exit"}'
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with running("Commanded", tmp_path / "log", ARGOSY_QUEUE="2") as server, ThreadPoolExecutor(1) as pool:
        busy = pool.submit(server.invoke, {"do": "sleep", "seconds": 1.5})
        wait_until(lambda: is_busy(server), 5)
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", server.port)) as connection:
                connection.sendall(head + body)
        assert [server.ping(), server.ping()] == [200, 200]  # by now the front knows that they left
        assert server.invoke(SLEEP).status == 200
        assert busy.result().status == 200


@pytest.mark.parametrize("short_path", ["1", "0"])
def test_a_slow_reader_gets_the_rest_of_its_answer_after_sigterm(tmp_path: Path, short_path: str) -> None:
    size = 20_000_000
    body = str(size).encode()
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with (
        running("Flood", tmp_path / "log", ARGOSY_SHORT_PATH=short_path) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection,
    ):
        connection.sendall(head + body)
        received = len(connection.recv(1000))
        server.terminate()
        wait_until(lambda: not accepts(server.port), 20)
        while chunk := connection.recv(1_000_000):
            received += len(chunk)
            time.sleep(0.1)  # slow on purpose: about as long as the server used to wait
        assert received > size
        assert server.popen.wait(contract.STOP_GRACE.value) == 0


def test_a_model_process_that_loads_does_not_outlive_the_server(tmp_path: Path) -> None:
    with running("SlowLoad", tmp_path / "log", wait=False, TEST_LOAD_SECONDS="60") as server:
        wait_until(lambda: len(children(server.popen.pid)) == 1 and len(server.model_pids()) == 1, 10)
        (loading,) = server.model_pids()
        server.terminate()
        assert server.popen.wait(contract.STOP_GRACE.value) == 0
        wait_until(lambda: not is_alive(loading), 5)


def test_nothing_outlives_a_front_that_is_killed(tmp_path: Path) -> None:
    with running("Commanded", tmp_path / "log", ARGOSY_WORKERS="2") as server:
        family = [*children(server.popen.pid), *server.model_pids()]
        assert len(family) == 3
        server.popen.kill()
        server.popen.wait(10)
        wait_until(lambda: not any(is_alive(pid) for pid in family), 10)


def test_a_taken_port_is_said_and_ends_with_3(tmp_path: Path) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        server = ServerProcess("EchoBytes", port, {}, tmp_path / "log")
        assert server.popen.wait(10) == 3
    assert f"error: cannot listen on 127.0.0.1:{port}" in server.log


@pytest.mark.parametrize(
    ("name", "value"),
    [("ARGOSY_WORKERS", "many"), ("SAGEMAKER_BIND_TO_PORT", "99999"), ("ARGOSY_DEADLINE_S", "-1")],
)
def test_a_wrong_variable_is_named_and_ends_with_2(tmp_path: Path, name: str, value: str) -> None:
    server = ServerProcess("EchoBytes", free_port(), {name: value}, tmp_path / "log")
    assert server.popen.wait(10) == 2
    assert f"error: `{name}` is wrong: got `{value}`" in server.log


def test_another_argument_than_serve_ends_with_2(tmp_path: Path) -> None:
    server = ServerProcess("EchoBytes", free_port(), {}, tmp_path / "log")
    server.popen.kill()
    argv = [*server.popen.args[:-1], "train"]  # type: ignore[index] # a list, as it was given
    ended = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    server.popen.wait(10)
    assert ended.returncode == 2
    assert "want `serve`" in ended.stderr
