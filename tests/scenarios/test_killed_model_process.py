"""A model process is killed while 16 clients invoke: who notices, and for how long."""

import contextlib
import http.client
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.scenarios.running import ROOT, running, status

PROJECT = ROOT / "tests/projects/tells-its-pid"
LOAD_S = 0.5
CLIENTS = 16


@dataclass
class Load:
    """What the clients and the prober saw: (monotonic time, status, pid or None) and (time, status, seconds)."""

    port: int
    answers: list[tuple[float, int, int | None]] = field(default_factory=list)
    pings: list[tuple[float, int, float]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def pids_since(self, moment: float) -> set[int]:
        """The model processes that answered after a moment."""
        return {pid for at, _, pid in list(self.answers) if pid is not None and at > moment}

    @contextlib.contextmanager
    def on(self) -> Iterator[None]:
        """Clients and prober run inside the block."""
        targets = [self._invoke] * CLIENTS + [self._ping]
        threads = [threading.Thread(target=target, daemon=True) for target in targets]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(30)

    def _invoke(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            self._invoke_until_stopped(connection)

    def _invoke_until_stopped(self, connection: http.client.HTTPConnection) -> None:
        while not self._stop.is_set():
            connection.request("POST", "/invocations", b"[1]", {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read()
            pid = json.loads(body)[0] if answer.status == 200 else None
            self.answers.append((time.monotonic(), answer.status, pid))

    def _ping(self) -> None:
        while not self._stop.is_set():
            started = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            with contextlib.closing(connection):
                connection.request("GET", "/ping")
                with connection.getresponse() as answer:
                    self.pings.append((started, answer.status, time.monotonic() - started))
            self._stop.wait(0.02)


@pytest.mark.slow
def test_only_what_it_held_fails_and_the_pool_is_whole_again(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path / "log", "serve", PROJECT, "--port", port) as server:
        server.await_true(lambda: status(f"http://127.0.0.1:{port}/ping") == 200)
        load = Load(port)
        with load.on():
            server.await_true(lambda: len(load.pids_since(0)) == 2 and len(load.answers) > 100)
            before = load.pids_since(0)
            victim = min(before)
            killed = time.monotonic()
            os.kill(victim, signal.SIGKILL)
            server.await_true(lambda: bool(load.pids_since(killed) - before), timeout_s=30)
            whole = min(at for at, _, pid in load.answers if pid is not None and pid not in before)
            settled = len(load.answers)
            server.await_true(lambda: len(load.answers) > settled + 100)

        failed = [code for _, code, _ in load.answers if code != 200]
        assert len(failed) <= 1, "a model process holds one invocation at a time"
        assert all(500 <= code < 600 for code in failed)
        assert whole - killed < LOAD_S + 1
        assert len(load.pids_since(whole) - {victim}) == 2
        assert {code for _, code, _ in load.pings} == {200}
        assert max(seconds for _, _, seconds in load.pings) < 2
        assert server.stop() == 0
