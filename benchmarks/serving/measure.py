"""The server with the breast-cancer model: throughput, latency, and what a killed model process costs.

The server is held to one processor, the load to another. Both ways through the front are measured, the short path and
plain ASGI.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from argosy import project as projects
from argosy.contract import Variable
from benchmarks.load import request
from tests.processes import children
from tests.serving.server_process import free_port, wait_until

EXAMPLE = Path(__file__).parent.parent.parent / "examples/breast-cancer"
ROUNDS = 3
SECONDS = 1.0


def measure() -> dict[str, object]:
    """Requests a second for each way and number of connections, and the times of a start and of a replacement."""
    row = (EXAMPLE / "data/cases-a.csv").read_bytes().splitlines()[0] + b"\n"
    cells = {"ping": request("/ping"), "one row": request("/invocations", row)}
    measured: dict[str, object] = {}
    for way, short in (("short path", "1"), ("plain ASGI", "0")):
        with _server(short) as (server, port):
            for name, sent in cells.items():
                for connections in (1, 8, 64):
                    rounds = [_load(port, sent, connections) for _ in range(ROUNDS)]
                    measured[f"{way}: {name} @ {connections}"] = {
                        key: statistics.median(r[key] for r in rounds) for key in rounds[0]
                    }
            if short == "1":
                measured["replacement"] = _replacement(server, port, request("/invocations", row))
    return measured


@contextmanager
def _server(short_path: str) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    port = free_port()
    example = projects.load(EXAMPLE)
    environ = {
        "PATH": os.environ["PATH"],
        **example.server_environment(),
        Variable.PROGRAM_DIR: str(EXAMPLE),
        Variable.MODEL_DIR: str(example.artifacts_dir),
        Variable.HOST: "127.0.0.1",
        Variable.WORKERS: "1",
        Variable.SHORT_PATH: short_path,
        "SAGEMAKER_BIND_TO_PORT": str(port),
    }
    argv = ["taskset", "-c", "0", sys.executable, "-P", "-m", "argosy.serving", "serve"]
    server = subprocess.Popen(argv, env=environ, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _status(port, "/ping") == 200, 60)
        yield server, port
    finally:
        server.terminate()
        server.wait(30)


def _load(port: int, sent: bytes, connections: int) -> dict[str, float]:
    argv = [sys.executable, "-m", "benchmarks.load", str(port), str(connections), str(SECONDS), "1"]
    done = subprocess.run(argv, input=sent, capture_output=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _replacement(server: "subprocess.Popen[bytes]", port: int, sent: bytes) -> dict[str, float]:
    """Milliseconds from SIGKILL of the only model process to the next /ping 200."""
    times = []
    for _ in range(5):
        (victim,) = children(children(server.pid)[0])
        os.kill(victim, signal.SIGKILL)
        started = time.perf_counter()
        wait_until(lambda v=victim: v not in children(children(server.pid)[0]) and _status(port, "/ping") == 200, 30)
        times.append((time.perf_counter() - started) * 1000)
    return {"median_ms": round(statistics.median(times), 1), "worst_ms": round(max(times), 1)}


def _status(port: int, path: str) -> int:
    done = subprocess.run(
        ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", f"http://127.0.0.1:{port}{path}"],
        capture_output=True,
        text=True,
        check=False,
    )
    return int(done.stdout or 0)
