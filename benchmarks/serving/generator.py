"""The load: one run of the C program in `load/` on a processor of its own."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving import environments, processes

SOURCE = environments.HERE / "load/generator.c"
Measured = dict[str, float]
"""requests_per_s, p50_ms, p99_ms, p999_ms, worst_ms, first_byte_p50_ms, ..., as the program prints them."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent.

    Attributes:
        path: Of the request.
        connections: Number of connections, each with one request at a time.
        seconds: Measured time, after the warm-up.
        warm_up_s: Time before it.
        body: File with the body; None: a GET.
        content_type: Of the body.
        accept: The header field, None: not sent.
        answer_bytes: Length that an answer must have, None: any.
        rate: Requests a second at a constant pace, whatever the answers do; None: as fast as they are answered.
        is_fresh: Whether each request has a connection of its own.
    """

    path: str
    connections: int
    seconds: float = 1.0
    warm_up_s: float = 0.3
    body: Path | None = None
    content_type: str = "application/octet-stream"
    accept: str | None = None
    answer_bytes: int | None = None
    rate: float | None = None
    is_fresh: bool = False


def command(port: int, load: Load) -> list[str]:
    """The command line of a load."""
    program = environments.compiled(SOURCE)
    argv = ["taskset", "-c", str(processes.LOAD_CPU), str(program), "-p", str(port), "-u", load.path]
    argv += ["-c", str(load.connections), "-s", str(load.seconds), "-w", str(load.warm_up_s)]
    if load.body is not None:
        argv += ["-m", "POST", "-b", str(load.body), "-t", load.content_type]
    if load.accept is not None:
        argv += ["-a", load.accept]
    if load.answer_bytes is not None:
        argv += ["-l", str(load.answer_bytes)]
    if load.rate is not None:
        argv += ["-r", str(load.rate)]
    return argv + (["-n"] if load.is_fresh else [])


def start(port: int, load: Load) -> "subprocess.Popen[str]":
    """A load that runs beside something else; `read` waits for it."""
    process = subprocess.Popen(command(port, load), stdout=subprocess.PIPE, text=True, start_new_session=True)
    processes.prefer(process.pid)
    return process


def read(process: "subprocess.Popen[str]") -> Measured:
    """What a load measured."""
    output, _ = process.communicate(timeout=700)
    measured: Measured = json.loads(output)
    return measured


def run(port: int, load: Load) -> Measured:
    """One load from start to end."""
    return read(start(port, load))
