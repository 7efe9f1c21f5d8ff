"""Beside the local mode of AWS's SageMaker SDK, on the jobs that it can do, with one image in one Docker.

In each round come one after the other: the container alone, local mode, and `argosy simulate up`, each of these with a
deployment, calls, and a transform job that starts a container of its own.
"""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import urllib3

from benchmarks.serving import processes
from benchmarks.simulator import start
from benchmarks.simulator.subject import ROOT, ROW, ROWS, Subject

ROUNDS: Final = 3
_SDK: Final = ROOT / "tests/scenarios/clients/sagemaker_sdk.txt"
_PEER: Final = Path(__file__).parent / "peer/local_mode.py"
_NETWORK: Final = "sagemaker-local"
_CALLS_S: Final = 3.0
_CONTENT: Final = ROWS * 100
_PAYLOAD_MB: Final = 1
_CSV: Final = "text/csv"

Figures = dict[str, float]
Tell = Callable[..., Figures]


def measure(subject: Subject) -> dict[str, Figures]:
    """Medians: of the container alone, of local mode, of the simulator."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for path in (folder / "in", folder / "s3/bench/in"):
            path.mkdir(parents=True)
            (path / "rows.csv").write_bytes(_CONTENT)
        shutil.copy(subject.artifacts, folder / "s3/bench/model.tar.gz")
        # In this order: local mode takes its port only when it starts a container.
        with start.simulated(subject, "docker", folder / "s3") as port, _local_mode(subject, folder) as tell:
            rounds = [_round(subject, folder, tell, port) for _ in range(ROUNDS)]
    rows = {}
    for name, figures in rounds[0].items():
        rows[name] = {key: round(statistics.median(one[name][key] for one in rounds), 3) for key in figures}
    return rows | {"object": {"bytes": len(_CONTENT), "lines": _CONTENT.count(b"\n")}}


def _round(subject: Subject, folder: Path, tell: Tell, port: int) -> dict[str, Figures]:
    with start.own_container(subject, "docker") as (own_port, own_s):
        alone = {"start_s": own_s, "plain_p50_ms": _plain_calls(own_port, "/invocations")}
    figures = {"alone": alone, "local_mode": _peer_round(folder, tell), "argosy": _own_round(folder, port)}
    sys.stderr.write(f"{json.dumps(figures)}\n")
    return figures


def _peer_round(folder: Path, tell: Tell) -> Figures:
    start_s = tell(do="deploy")["seconds"]
    p50_ms = tell(do="invoke", seconds=_CALLS_S)["p50_ms"]
    tell(do="delete")
    target = Path(tempfile.mkdtemp(dir=folder))
    job = tell(do="transform", source=str(folder / "in"), target=str(target), payload_mb=_PAYLOAD_MB)
    _require_result(target / "rows.csv.out")
    return {"start_s": start_s, "client_p50_ms": p50_ms, "job_s": job["seconds"]}


def _own_round(folder: Path, port: int) -> Figures:
    runtime = start.client("sagemaker-runtime", port)

    def call() -> None:
        answer = runtime.invoke_endpoint(EndpointName=start.NAME, ContentType=_CSV, Accept=_CSV, Body=ROW)
        answer["Body"].read()

    with start.created(port) as start_s:
        client_p50_ms, plain_p50_ms = _p50_ms(call), _plain_calls(port, start.INVOCATIONS)
    job = _job(start.client("sagemaker", port))
    _require_result(folder / "s3/bench/out/rows.csv.out")
    return {"start_s": start_s, "client_p50_ms": client_p50_ms, "plain_p50_ms": plain_p50_ms, **job}


def _job(sagemaker: Any) -> Figures:  # Any: boto3 makes its clients at run time
    """The same transform job with `argosy simulate up`."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bench/in/"}}
    started = time.perf_counter()
    sagemaker.create_transform_job(
        TransformJobName=name, ModelName=start.NAME, MaxPayloadInMB=_PAYLOAD_MB, BatchStrategy="MultiRecord",
        TransformInput={"DataSource": source, "ContentType": _CSV, "SplitType": "Line"},
        TransformOutput={"S3OutputPath": "s3://bench/out", "Accept": _CSV, "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )  # fmt: skip

    def told() -> dict[str, Any]:  # Any: as above
        found: dict[str, Any] = sagemaker.describe_transform_job(TransformJobName=name)
        return found

    start.poll(lambda: told()["TransformJobStatus"] not in ("InProgress", "Stopping"), "the job does not end")
    seconds, last = time.perf_counter() - started, told()
    if last["TransformJobStatus"] != "Completed":
        raise RuntimeError(last["FailureReason"])
    return {"job_s": seconds}


def _require_result(result: Path) -> None:
    """Every line has its answer. Local mode adds a line break to each mini-batch, whether it ends with one or not."""
    lines = [line for line in result.read_bytes().split(b"\n") if line]
    if len(lines) != _CONTENT.count(b"\n"):
        raise RuntimeError(f"{result}: {len(lines)} lines")


def _plain_calls(port: int, path: str) -> float:
    """Calls of the HTTP client that boto3 and local mode use, with nothing of them around it."""
    pool = urllib3.PoolManager()
    headers = {"Content-Type": _CSV, "Accept": _CSV}

    def call() -> None:
        answer = pool.request("POST", f"http://127.0.0.1:{port}{path}", body=ROW, headers=headers)
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")

    return _p50_ms(call)


def _p50_ms(call: Callable[[], None]) -> float:
    """One call after the other, the first ones not counted."""
    for _ in range(20):
        call()
    times = []
    until = time.perf_counter() + _CALLS_S
    while (started := time.perf_counter()) < until:
        call()
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)


@contextmanager
def _local_mode(subject: Subject, folder: Path) -> Iterator[Tell]:
    """AWS's SDK in an environment of its own, which does what it is told; its containers are removed at the end."""
    row = folder / "row.csv"
    row.write_bytes(ROW)
    environ = {**subject.environ, "PATH": f"{_compose()}:{os.environ['PATH']}", "SAGEMAKER_SUPPRESS_V2_WARNING": "1"}
    uv: list[str | Path] = [Path(sys.executable).parent / "uv", "run", "--quiet", "--no-project", "--isolated"]
    command = [*uv, "--with-requirements", _SDK, "python", _PEER]
    command += [subject.name, subject.artifacts, str(processes.free_port()), row]
    with (folder / "local-mode.log").open("w+b") as log:
        peer = subprocess.Popen(
            command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            start_new_session=True,
        )  # fmt: skip

        def tell(**order: object) -> Figures:
            assert peer.stdin is not None and peer.stdout is not None
            peer.stdin.write(json.dumps(order) + "\n")
            peer.stdin.flush()
            for line in peer.stdout:
                if line.startswith("RESULT "):
                    found: Figures = json.loads(line.removeprefix("RESULT "))
                    return found
            log.seek(0)
            raise RuntimeError(f"local mode ended: {log.read()[-3000:].decode(errors='replace')}")

        try:
            yield tell
        finally:
            assert peer.stdin is not None
            peer.stdin.close()
            with suppress(ProcessLookupError):
                os.killpg(peer.pid, signal.SIGKILL)
            peer.wait()
            _remove_leftovers(environ)


def _compose() -> str:
    """The folder of `docker-compose`."""
    brought = subprocess.run(
        [ROOT / "scripts/engine", "up", "compose"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return next(word.partition("=")[2] for word in brought.split() if word.startswith("ARGOSY_TEST_COMPOSE="))


def _remove_leftovers(environ: dict[str, str]) -> None:
    """Local mode leaves its containers stopped, and its network."""
    found = subprocess.run(["docker", "ps", "--all", "--quiet", "--filter", f"network={_NETWORK}"], env=environ,
                           capture_output=True, text=True, check=True).stdout.split()  # fmt: skip
    if found:
        subprocess.run(["docker", "rm", "--force", *found], env=environ, stdout=subprocess.DEVNULL, check=True)
    subprocess.run(["docker", "network", "rm", _NETWORK], env=environ, capture_output=True)
