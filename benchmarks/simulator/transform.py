"""What a transform job makes of a container's throughput, and how much memory it takes.

Run as a module it is one job, in a process of its own on the processor that the load has otherwise.
"""

import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy.simulator.containers.attempt import Attempt
from argosy.simulator.runtime.service import new_event_loop
from argosy.simulator.storage.local_folder import LocalFolder
from argosy.simulator.transform.definition import TransformJobDefinition
from argosy.simulator.transform.job import Surroundings, TransformJob
from argosy.simulator.transform.progress import Listener
from benchmarks.serving import environments, generator, processes

ROUNDS = 3
MIB = 2**20
LARGE_BYTES = 5 * 10**9
ROW = ",".join(f"{number / 7:.5f}" for number in range(30)).encode() + b"\n"
PREDICTOR = """
import numpy as np
from argosy import Predictor

class Linear(Predictor):
    def load(self, model_dir):
        self.weights = np.random.default_rng(1).normal(size=(30, 2048)), np.random.default_rng(2).normal(size=(2048, 3))

    def predict(self, features: np.ndarray) -> np.ndarray:
        return np.tanh(features @ self.weights[0]) @ self.weights[1]
"""


class RunningContainer:
    """A container that others started and will end."""

    name = kind = "running"
    is_offline = False
    caveat = ""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.models_path = "/opt/ml/models"
        self.kind = "process"
        self.caveat = ""
        self.is_offline = self.lends_network = self.can_restart = False

    def start(self) -> None:
        """It runs."""

    def exit_code(self) -> int | None:
        """The simulator shall not end it."""
        return 0

    def restart(self) -> None:
        """It does not end."""

    def written(self) -> Sequence[str]:
        """Nobody looks."""
        return ()

    def processes(self) -> Sequence[tuple[str, int]]:
        """Nobody looks."""
        return ()

    def terminate(self) -> None:
        """Others end it."""

    def kill(self) -> None:
        """Others end it."""

    def wait(self, timeout_s: float) -> int | None:
        """Nobody waits."""
        return 0

    def logs(self, last_bytes: int | None = None) -> str:
        """It writes none."""
        return ""

    def attempts(self) -> Sequence[Attempt]:
        """Nobody watches it."""
        return ()

    def out_of_memory(self) -> str:
        """Nothing limits it."""
        return ""

    def memory_bytes(self) -> int | None:
        """Nobody asks."""
        return None

    def is_on_loopback_only(self) -> bool:
        """It is asked to."""
        return True

    def remove(self) -> None:
        """Others remove it."""


@dataclass(frozen=True, slots=True)
class Case:
    """One comparison.

    Attributes:
        name: What is sent.
        body: One request's body.
        requests: Number of requests of the job.
        objects: Number of objects that they come from.
        fields: Of the job.
        concurrency: Requests under way at a time, of the job and of the load.
    """

    name: str
    body: bytes
    requests: int
    objects: int
    fields: dict[str, Any]
    concurrency: int


CASES = (
    Case("CSV, MultiRecord, 1 MB a request", ROW * (MIB // len(ROW)), 80, 1,
         {"SplitType": "Line", "AssembleWith": "Line", "MaxPayloadInMB": 1}, 2),
    Case("CSV, whole objects of 100 KB", ROW * (100_000 // len(ROW)), 1500, 1500, {}, 4),
    *(
        Case("CSV, SingleRecord, 250 bytes a request", ROW, 40000, 1,
             {"SplitType": "Line", "BatchStrategy": "SingleRecord", "AssembleWith": "Line"}, concurrency)
        for concurrency in (4, 16)
    ),
)  # fmt: skip


def definition(fields: dict[str, Any], concurrency: int) -> TransformJobDefinition:
    """A job from `s3://in/` to `s3://out/`."""
    given = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://in/"}}, "ContentType": "text/csv"}
    output = {"S3OutputPath": "s3://out/", "Accept": "text/csv"}
    rest = dict(fields)
    given |= {name: rest.pop(name) for name in ("SplitType",) if name in rest}
    output |= {name: rest.pop(name) for name in ("AssembleWith",) if name in rest}
    return TransformJobDefinition.from_request(
        {"TransformJobName": "bench", "ModelName": "bench", "TransformInput": given, "TransformOutput": output,
         "MaxConcurrentTransforms": concurrency, **rest}
    )  # fmt: skip


def job(root: Path, port: int, fields: dict[str, Any], concurrency: int) -> dict[str, float]:
    """One job in this process: its seconds, requests and most memory."""
    around = Surroundings(
        LocalFolder(root),
        lambda _: [RunningContainer(port)],
        Listener(lambda _: None, lambda _: None, lambda _: None),
        scratch=root,
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    worked = time.process_time()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        outcome = runner.run(TransformJob(definition(fields, concurrency), around).run())
    assert outcome.status == "Completed", outcome
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    requests = outcome.progress.requests
    cpu_us = 1e6 * (time.process_time() - worked) / requests
    return {"seconds": outcome.seconds, "requests": requests, "cpu_us": cpu_us, "grown_mb": grown / 1024}


def run_job(root: Path, port: int, fields: dict[str, Any], concurrency: int) -> dict[str, float]:
    """One job in a process of its own, on the load's processor."""
    arguments = [str(root), str(port), json.dumps(fields), str(concurrency)]
    command = ["taskset", "-c", str(processes.LOAD_CPU), sys.executable, "-m", __name__, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    processes.prefer(process.pid)
    stdout, _ = process.communicate(timeout=600)
    found: dict[str, float] = json.loads(stdout)
    return found


@contextmanager
def server() -> Iterator[int]:
    """Argosy's own server with a small model, one model process, on the server's processor."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "argosy.toml").write_text('[model]\npredictor = "predictor:Linear"\n[serving]\nworkers = 1\n')
        (folder / "predictor.py").write_text(PREDICTOR)
        port = processes.free_port()
        environ = {**os.environ, "ARGOSY_PROGRAM_DIR": str(folder), "ARGOSY_PREDICTOR": "predictor:Linear",
                   "ARGOSY_WORKERS": "1", "SAGEMAKER_BIND_TO_PORT": str(port), "OMP_NUM_THREADS": "1",
                   "OPENBLAS_NUM_THREADS": "1", "SAGEMAKER_BATCH": "true"}  # fmt: skip
        command = [sys.executable, "-P", "-m", "argosy.serving", "serve"]
        with processes.running(processes.Launch(command, environ, folder, port)):
            yield port


def compare(case: Case, port: int, root: Path) -> dict[str, object]:
    """The job's throughput and the load's, in turn; the first round does not count."""
    body = root / "body"
    body.write_bytes(case.body)
    (root / "in").mkdir()
    each = case.requests // case.objects
    for number in range(case.objects):
        (root / "in" / f"{number:05}").write_bytes(case.body * each)
    load = generator.Load("/invocations", case.concurrency, 3.0, 0.5, body, "text/csv", "text/csv")
    rows = []
    for _ in range(ROUNDS + 1):
        direct = generator.run(port, load)["requests_per_s"]
        done = run_job(root, port, case.fields, case.concurrency)
        rows.append((direct, done["requests"] / done["seconds"], done["cpu_us"], done["grown_mb"]))
    direct, through, cpu_us, grown = (statistics.median(column) for column in zip(*rows[1:], strict=True))
    shares = sorted(100 * row[1] / row[0] for row in rows[1:])
    return {"case": case.name, "concurrency": case.concurrency, "direct_per_s": round(direct, 1),
            "job_per_s": round(through, 1), "share_percent": round(statistics.median(shares), 1),
            "share_lowest": round(shares[0], 1), "share_highest": round(shares[-1], 1), "job_cpu_us": round(cpu_us, 1),
            "grown_mb": round(grown, 1)}  # fmt: skip


def large(root: Path, size: int) -> Iterator[dict[str, object]]:
    """One object of many gigabytes, in mini-batches and as one chunked body."""
    (root / "in").mkdir(parents=True)
    block = ROW * (MIB // len(ROW))
    with (root / "in/large").open("wb") as stream:
        for _ in range(size // len(block)):
            stream.write(block)
    size = (root / "in/large").stat().st_size
    port = processes.free_port()
    floor = environments.compiled(environments.HERE / "load/floor.c")
    stand_in = Path("tests/simulator/stand_in.py").resolve()
    lines = {"SplitType": "Line", "AssembleWith": "Line", "MaxPayloadInMB": 6}
    for name, command, ready, fields in (
        ("mini-batches of 6 MB, echoed", [str(floor), str(port)], "/ping", lines),
        ("one chunked body", [sys.executable, str(stand_in), str(port)], "/ping", {"MaxPayloadInMB": 0}),
    ):
        with processes.running(processes.Launch(command, dict(os.environ), root, port, ready)):
            done = run_job(root, port, fields, 4)
        yield {"case": name, "gb": round(size / 1e9, 2), "seconds": round(done["seconds"], 1),
               "mb_per_s": round(size / 1e6 / done["seconds"]), "grown_mb": round(done["grown_mb"], 1)}  # fmt: skip


def measure() -> dict[str, list[dict[str, object]]]:
    """Every case, and an object of 5 GB."""
    shares = []
    with server() as port:
        for case in CASES:
            with tempfile.TemporaryDirectory() as made:
                shares.append(compare(case, port, Path(made)))
                sys.stderr.write(f"{json.dumps(shares[-1])}\n")
    with tempfile.TemporaryDirectory() as made:
        return {"shares": shares, "large": list(large(Path(made) / "s3", LARGE_BYTES))}


if __name__ == "__main__":
    print(json.dumps(job(Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]), int(sys.argv[4]))))
