"""Batches of a real server: who shares a call, who dies of it, and that nobody waits who need not."""

import io
import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.serving.server_process import Reply, ServerProcess, running, wait_until

KILLS, STUCK, RAISES, SLEEPS = -1.0, -2.0, -3.0, -4.0


def npy(rows: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, np.array(rows, np.float64))
    return out.getvalue()


def both(server: ServerProcess, bodies: list[Any], **fields: str) -> list[Reply]:
    """All at once, while the model process is busy with another."""
    with ThreadPoolExecutor(len(bodies) + 1) as pool:
        busy = pool.submit(server.invoke, [[SLEEPS, 0.0]])
        wait_until(lambda: b'state="busy"} ' in server.request("GET", "/metrics").body, 5)
        replies = [
            pool.submit(server.request, "POST", "/invocations", body, Content_Type=kind, Accept="application/json")
            for kind, body in bodies
        ]
        assert busy.result().status == 200
        return [reply.result() for reply in replies]


def as_json(rows: Any) -> tuple[str, bytes]:
    return "application/json", json.dumps(rows).encode()


def as_npy(rows: Any) -> tuple[str, bytes]:
    return "application/x-npy", npy(rows)


def size_of(reply: Reply) -> int:
    """Rows of the call that answered it."""
    assert reply.status == 200, reply.body
    return int(json.loads(reply.body)[0][1])


def test_concurrent_clients_share_calls_and_get_their_own_answers(tmp_path: Path) -> None:
    with (
        running("core:Rows", tmp_path / "log", TEST_SECONDS="0.01", ARGOSY_MAX_BATCH_SIZE="8") as server,
        ThreadPoolExecutor(32) as pool,
    ):
        asked = [[float(number), 0.5] for number in range(600)]
        replies = list(pool.map(lambda row: server.invoke([row]), asked))
        metrics = server.request("GET", "/metrics").body.decode()
    assert [json.loads(reply.body)[0][0] for reply in replies] == [row[0] + row[1] for row in asked]
    sizes = Counter(map(size_of, replies))
    assert max(sizes) in range(4, 9)
    assert sum(count for size, count in sizes.items() if size > 1) > 300
    assert 'argosy_invocations_total{status="200"} 600\n' in metrics
    assert "argosy_batch_rows_sum 600\n" in metrics


def test_the_limit_is_in_rows_and_a_large_body_goes_alone(tmp_path: Path) -> None:
    with running("core:Rows", tmp_path / "log", ARGOSY_MAX_BATCH_SIZE="4") as server:
        for _ in range(3):
            replies = both(server, [as_json([[1.0, float(n)]] * size) for n, size in enumerate([3, 3, 1, 7, 2, 2])])
            for size, reply in zip([3, 3, 1, 7, 2, 2], replies, strict=True):
                assert len(json.loads(reply.body)) == size
                assert size_of(reply) == 7 if size == 7 else size_of(reply) <= 4


def test_a_single_client_never_waits_for_others(tmp_path: Path) -> None:
    with running("core:Rows", tmp_path / "log") as server:
        assert {size_of(server.invoke([[1.0, 2.0]])) for _ in range(50)} == {1}


def test_two_clients_within_the_delay_are_joined(tmp_path: Path) -> None:
    with (
        running("core:Rows", tmp_path / "log", ARGOSY_MAX_DELAY_MS="50") as server,
        ThreadPoolExecutor(2) as pool,
    ):
        for _ in range(6):
            server.invoke([[1.0, 2.0]])  # how much a frame may hold is learned first
        start = threading.Barrier(2)

        def ask(number: int) -> int:
            start.wait()
            return size_of(server.invoke([[float(number), 2.0]]))

        sizes = [size for _ in range(4) for size in pool.map(ask, range(2))]
    assert sizes.count(2) >= 4


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("short_path", ["1", "0"])
def test_who_kills_the_process_is_the_only_one_that_fails(tmp_path: Path, workers: str, short_path: str) -> None:
    with running("core:Rows", tmp_path / "log", ARGOSY_WORKERS=workers, ARGOSY_SHORT_PATH=short_path) as server:
        for _ in range(8):
            server.invoke([[1.0, 1.0]])
        large = np.ones((5000, 2))  # 80 KB: in the arena
        poisoned = large.copy()
        poisoned[4000, 0] = KILLS
        bodies = [as_json([[float(number), 0.5]]) for number in range(12)]
        bodies[5] = as_json([[KILLS, 0.5]])
        bodies[7] = as_npy(large * 3)
        bodies[8] = as_npy(poisoned)
        bodies[9] = as_npy(large * 4)
        bodies[10] = as_json([[RAISES, 0.5]])
        replies = both(server, bodies)
        assert [n for n, reply in enumerate(replies) if reply.status != 200] == [5, 8, 10]
        assert [replies[n].status for n in (5, 8, 10)] == [500] * 3
        assert "ended while it answered" in replies[5].error["message"]
        assert "RuntimeError" in replies[10].error["message"]
        for number in (0, 1, 2, 3, 4, 6, 11):
            assert json.loads(replies[number].body)[0][0] == number + 0.5
        assert {row[0] for row in json.loads(replies[7].body)} == {6.0}
        assert {row[0] for row in json.loads(replies[9].body)} == {8.0}
        wait_until(lambda: server.ping() == 200, 10)
        metrics = server.request("GET", "/metrics").body.decode()
        assert 'argosy_invocations_total{status="500"} 3\n' in metrics


def test_who_gets_stuck_is_told_the_deadline_and_the_process_replaced(tmp_path: Path) -> None:
    with running("core:Rows", tmp_path / "log", ARGOSY_DEADLINE_S="1") as server:
        before = server.model_pids()
        started = time.monotonic()
        reply = server.invoke([[STUCK, 1.0]])
        assert (reply.status, reply.error["code"]) == (503, "deadline-exceeded")
        assert "1 s" in reply.error["message"]
        assert time.monotonic() - started < 5
        wait_until(lambda: server.ping() == 200 and server.model_pids() not in ([], before), 10)
        assert size_of(server.invoke([[1.0, 1.0]])) == 1
        assert '"event":"stuck"' in server.log


def test_a_batch_that_is_lost_while_the_server_stops_is_answered_all_the_same(tmp_path: Path) -> None:
    with running("core:Rows", tmp_path / "log") as server, ThreadPoolExecutor(6) as pool:
        for _ in range(8):
            server.invoke([[1.0, 1.0]])
        busy = pool.submit(server.invoke, [[SLEEPS, 0.0]])
        wait_until(lambda: b'state="busy"} 1' in server.request("GET", "/metrics").body, 5)
        rows = [[1.0, 1.0], [KILLS, 1.0], [2.0, 1.0], [3.0, 1.0]]
        replies = [pool.submit(server.invoke, [row]) for row in rows]
        wait_until(lambda: b"argosy_queue_length 4" in server.request("GET", "/metrics").body, 5)
        server.terminate()
        assert busy.result().status == 200
        assert [reply.result().status for reply in replies] == [200, 500, 200, 200]
        assert server.popen.wait(20) == 0
