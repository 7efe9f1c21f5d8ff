"""What a call through the simulated endpoint costs beside the same call to its container.

The simulator has one processor to itself; the container, a bare HTTP server in C that echoes, shares the other one with
the load. Both are loaded in turn, the container directly and through the simulator; figures are medians of the rounds.
"""

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.serving import environments, generator, processes
from benchmarks.serving.generator import Load, Measured
from benchmarks.serving.processes import LOAD_CPU, SERVER_CPU, Launch, Running
from benchmarks.simulator.simulated import NAME
from benchmarks.simulator.subject import ROOT

ROUNDS: Final = 5
_ROW: Final = b"5.1,3.5,1.4,0.2\n"
_LOADS: Final = (
    # name, connections, bytes of the body
    ("one connection", 1, 96),
    ("8 connections", 8, 96),
    ("64 connections", 64, 96),
    ("8 connections, 100 KB", 8, 100_000),
)
_LIKE_BOTO = "\r\n".join(  # the generator writes it behind `Content-Type: `, other header lines may follow
    (
        "text/csv",
        "User-Agent: Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux#6.18 md/arch#x86_64 lang/python#3.11.7",
        "X-Amz-Date: 20261123T000000Z",
        "Authorization: AWS4-HMAC-SHA256 Credential=any/20261123/us-east-1/sagemaker/aws4_request, "
        f"SignedHeaders=content-type;host;x-amz-date, Signature={'0' * 64}",
        f"amz-sdk-invocation-id: {'0' * 36}",
        "amz-sdk-request: attempt=1",
        "Accept-Encoding: identity",
    )
)


def measure() -> dict[str, dict[str, float]]:
    """All loads, both ways, in turn."""
    rows: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="argosy-benchmark-") as scratch, _both() as (container, simulator):
        for name, connections, size in _LOADS:
            body = Path(scratch) / f"{size}"
            body.write_bytes((_ROW * (size // len(_ROW) + 1))[:size])
            rows[name] = _row(container, simulator, connections, body)
            sys.stderr.write(f"{name}: {json.dumps(rows[name])}\n")
    return rows


@contextmanager
def _both() -> Iterator[tuple[Running, Running]]:
    """The container, and the simulator in front of it."""
    floor = environments.compiled(environments.HERE / "load/floor.c")
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    port = processes.free_port()
    at_container = Launch([str(floor), str(port)], environ, ROOT, port, cpus=(LOAD_CPU,))
    with processes.running(at_container) as container:
        own = processes.free_port()
        command = [sys.executable, "-m", "benchmarks.simulator.simulated", str(own), str(port)]
        at_simulator = Launch(command, environ, ROOT, own, ready="/bench/ready", cpus=(SERVER_CPU,))
        with processes.running(at_simulator) as simulator:
            yield container, simulator


def _row(container: Running, simulator: Running, connections: int, body: Path) -> dict[str, float]:
    """Medians of the rounds."""
    direct: list[Measured] = []
    through: list[Measured] = []
    costs: list[float] = []
    size = body.stat().st_size
    for number in range(ROUNDS + 1):
        alone = generator.run(
            container.port,
            Load("/invocations", connections, body=body, content_type=_LIKE_BOTO, answer_bytes=size),
        )
        before = simulator.cpu_s()
        load = Load(
            f"/endpoints/{NAME}/invocations",
            connections,
            warm_up_s=0,
            body=body,
            content_type=_LIKE_BOTO,
            answer_bytes=size,
        )
        measured = generator.run(simulator.port, load)
        failed = sum(measured[key] for key in ("not_200", "broken", "timeouts"))
        if failed:
            raise RuntimeError(f"{failed:.0f} calls failed")
        if number:  # the first round warms up
            direct.append(alone)
            through.append(measured)
            costs.append(1e6 * (simulator.cpu_s() - before) / (measured["requests_per_s"] * load.seconds))
    return {
        "direct_per_s": _median(direct, "requests_per_s"),
        "through_per_s": _median(through, "requests_per_s"),
        "direct_p50_ms": _median(direct, "p50_ms"),
        "through_p50_ms": _median(through, "p50_ms"),
        "through_p99_ms": _median(through, "p99_ms"),
        "added_p50_ms": round(_median(through, "p50_ms") - _median(direct, "p50_ms"), 3),
        "cpu_us_per_call": round(statistics.median(costs), 1),
    }


def _median(rounds: list[Measured], key: str) -> float:
    return round(statistics.median(one[key] for one in rounds), 3)
