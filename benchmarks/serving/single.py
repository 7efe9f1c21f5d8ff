"""The rows that have no rival: `/ping` under a held GIL, starts, memory, the replacement of a killed model process."""

import os
import signal
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from benchmarks.serving import bodies, environments, generator, launches, processes
from benchmarks.serving.generator import Load, Measured
from benchmarks.serving.processes import Running, status
from tests.processes import children

PING_RATE: Final = 200
HELD_S: Final = 10
_LEAST_STARTS: Final = 9
_STARTS: Final = {"echo": "echo.Echo", "mlp": "mlp.Network", "logistic": "scikit.Logistic"}
_BARE_START: Final = """\
import pathlib, sys, time
sys.path.insert(0, sys.argv[1])
import {module}
{module}.{name}().load(pathlib.Path(sys.argv[2]))
print(time.clock_gettime(time.CLOCK_MONOTONIC))
"""


def ping_held(rounds: int) -> Measured:
    """Pings while all of two model processes wait in a call that keeps the GIL."""
    return _pings("holding:Waiting")


def ping_computing(rounds: int) -> Measured:
    """Pings while all of two model processes compute in a call that keeps the GIL, on the front's own processor."""
    return _pings("holding:Computing")


def _pings(predictor: str) -> Measured:
    """Each ping at its time and on a connection of its own, as a health checker's are."""
    workers = 2
    launch = launches.our_launch("echo", predictor=predictor, ARGOSY_WORKERS=str(workers))
    with processes.running(launch) as running:
        _wait_for_workers(running, workers)
        held = [_invoke_in_background(running.port) for _ in range(workers)]
        time.sleep(0.3)
        load = Load("/ping", 64, HELD_S - 1.5, 0.2, rate=PING_RATE, is_fresh=True)
        measured = generator.run(running.port, load)
        still_held = sum(process.poll() is None for process in held)
        for process in held:
            process.wait()
    if still_held != workers:
        raise processes.NotStartedError(f"{still_held} of {workers} model processes were held to the end")
    return measured


def start(rounds: int) -> Measured:
    """Seconds from the start to the first 200 beyond a bare interpreter that imports and loads; the worst model.

    The median of the differences of pairs, one start right after the other: an import of a second varies by more than
    what is looked for.
    """
    measured: Measured = {}
    for work in _STARTS:
        servers, bares = [], []
        for _ in range(max(rounds, _LEAST_STARTS)):
            with processes.running(launches.our_launch(work)) as running:
                servers.append(running.start_s)
            bares.append(_bare_start_s(work))
        measured[f"{work}_s"] = round(statistics.median(servers), 3)
        measured[f"{work}_bare_s"] = round(statistics.median(bares), 3)
        beyond = [server - bare for server, bare in zip(servers, bares, strict=True)]
        measured[f"{work}_beyond_s"] = round(statistics.median(beyond), 3)
    return {"beyond_s": max(measured[f"{work}_beyond_s"] for work in _STARTS), **measured}


def _bare_start_s(work: str) -> float:
    module, _, name = _STARTS[work].partition(".")
    code = _BARE_START.format(module=module, name=name)
    python, folder = str(environments.python(environments.OURS)), str(environments.HERE / "predictors")
    argv = ["taskset", "-c", str(processes.SERVER_CPU), python, "-P", "-c", code, folder, str(bodies.folder())]
    started = time.clock_gettime(time.CLOCK_MONOTONIC)
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, start_new_session=True)
    processes.prefer(process.pid)
    output, _ = process.communicate(timeout=120)
    return float(output) - started


def memory(rounds: int) -> Measured:
    """PSS in MiB of the whole tree, after some load."""
    with processes.running(launches.our_launch("echo")) as running:
        at_start = running.pss_mb()
        body = bodies.path("echo_100", "bytes")
        generator.run(running.port, Load("/invocations", 64, body=body))
        return {"pss_mb": round(running.pss_mb(), 1), "at_start_mb": round(at_start, 1)}


def memory_shared(rounds: int) -> Measured:
    """PSS in MiB of four model processes of one 2 GB model, after each had work."""
    workers = 4
    launch = launches.our_launch("slow", predictor="slow:Big", ARGOSY_WORKERS=str(workers))
    with processes.running(replace(launch, cpus=(processes.SERVER_CPU, processes.LOAD_CPU))) as running:
        _wait_for_workers(running, workers)
        at_start = running.pss_mb()
        load = Load("/invocations", 16, 2.0, body=bodies.path("slow_1", "instances"), content_type="application/json")
        answered = generator.run(running.port, load)["good"]
        pss = running.pss_mb()
        return {"pss_mb": round(pss, 1), "at_start_mb": round(at_start, 1), "answered": answered}


def replacement(rounds: int) -> Measured:
    """Milliseconds from SIGKILL of the only model process to a new one that answers."""
    times = []
    with processes.running(launches.our_launch("logistic")) as running:
        for _ in range(max(3, rounds)):
            (victim,) = _workers(running)
            os.kill(victim, signal.SIGKILL)
            killed = time.perf_counter()
            _wait(lambda v=victim: v not in _workers(running) and status(running.port, "/ping") == 200)  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            times.append((time.perf_counter() - killed) * 1000)
    return {"median_ms": round(statistics.median(times), 1), "worst_ms": round(max(times), 1)}


ROWS: Final[dict[str, Callable[[int], Measured]]] = {
    "ping_held": ping_held,
    "ping_computing": ping_computing,
    "start": start,
    "memory": memory,
    "memory_shared": memory_shared,
    "replacement": replacement,
}


def _invoke_in_background(port: int) -> "subprocess.Popen[bytes]":
    url = f"http://127.0.0.1:{port}/invocations"
    header = ["--header", "Content-Type: application/octet-stream"]
    return subprocess.Popen(["curl", "--silent", "--output", "/dev/null", *header, "--data-binary", "hold", url])


def _workers(running: Running) -> list[int]:
    """The model processes: children of the template, which is the server's child."""
    return [pid for template in children(running.pid) for pid in children(template)]


def _wait_for_workers(running: Running, count: int) -> None:
    _wait(lambda: len(_workers(running)) == count)
    time.sleep(0.5)  # until each has said that it is ready, which only the front knows


def _wait(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        if time.monotonic() > deadline:
            raise processes.NotStartedError("not within 60 s")
        time.sleep(0.001)
