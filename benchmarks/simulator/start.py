"""From a start to the first 200: the container's own, and an endpoint's around it.

A container's own start is the time from its start, with nothing around it, to the first 200 of `GET /ping`. An
endpoint's is the time to the first 200 of an invocation: from `argosy simulate endpoint`, or from a request to
`CreateEndpoint` to an `argosy simulate up` that runs. All take turns.
"""

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import boto3

from argosy.cli import environment
from argosy.cli.containers import open_container
from argosy.simulator.containers.container import Launch
from benchmarks.serving import processes
from benchmarks.simulator.subject import ACCOUNT, CONTAINER_KINDS, ROW, Subject, argosy

ROUNDS: Final = 9
LARGEST_ADDED_S: Final = 0.5
NAME: Final = "bench"
INVOCATIONS: Final = f"/endpoints/{NAME}/invocations"
ROLE: Final = "arn:aws:iam::123456789012:role/service-role/any"
_ASKED_EVERY_S: Final = 0.005
_LIMIT_S: Final = 60.0
_END_S: Final = 40.0


def measure(subject: Subject) -> dict[str, dict[str, float]]:
    """The medians of each kind of container, in seconds."""
    rows = {}
    for kind in CONTAINER_KINDS:
        with simulated(subject, kind) as port:
            rounds = [_round(subject, kind, port) for _ in range(ROUNDS + 1)][1:]  # the first unpacks the image
        row = {f"{name}_s": statistics.median(one[name] for one in rounds) for name in rounds[0]}
        for name in ("endpoint", "up"):
            row[f"{name}_added_s"] = statistics.median(one[name] - one["own"] for one in rounds)
        rows[kind] = {name: round(value, 3) for name, value in row.items()}
    return rows


def _round(subject: Subject, kind: str, port: int) -> dict[str, float]:
    with own_container(subject, kind) as (_, own_s):
        pass
    endpoint_s = _endpoint_start(subject, kind)
    with created(port) as up_s:
        pass
    return {"own": own_s, "endpoint": endpoint_s, "up": up_s}


@contextmanager
def own_container(subject: Subject, kind: str) -> Iterator[tuple[int, float]]:
    """A container with nothing around it: its port, and the seconds of its start."""
    if kind == "sandbox":
        container = open_container(subject.layout, kind, Launch(), environment.read())
        try:
            started = time.perf_counter()
            container.start()
            port = int(container.url.rpartition(":")[2])
            await_200(port, "/ping")
            yield port, time.perf_counter() - started
        finally:
            container.remove()
        return
    port, name = processes.free_port(), f"argosy-bench-{time.time_ns()}"
    run = ["docker", "run", "--rm", "--detach", f"--name={name}", "--shm-size=64m", f"--publish=127.0.0.1:{port}:8080"]
    started = time.perf_counter()
    running = subprocess.Popen([*run, subject.name, "serve"], env=subject.environ, stdout=subprocess.DEVNULL)
    try:
        await_200(port, "/ping")
        yield port, time.perf_counter() - started
    finally:
        running.wait()
        subprocess.run(["docker", "kill", name], env=subject.environ, stdout=subprocess.DEVNULL, check=True)


def _endpoint_start(subject: Subject, kind: str) -> float:
    """`argosy simulate endpoint`, its own start included."""
    port = processes.free_port()
    given = ("--endpoint-name", NAME, "--port", port, "--container", kind)
    started = time.perf_counter()
    with _running(argosy("simulate", "endpoint", subject.reference(kind), *given), subject.environ):
        await_200(port, INVOCATIONS, ROW)
        return time.perf_counter() - started


@contextmanager
def created(port: int) -> Iterator[float]:
    """An endpoint of the model and the configuration that `simulated` has made: the seconds of its start."""
    sagemaker = client("sagemaker", port)
    started = time.perf_counter()
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    await_200(port, INVOCATIONS, ROW)
    seconds = time.perf_counter() - started
    poll(lambda: sagemaker.describe_endpoint(EndpointName=NAME)["EndpointStatus"] == "InService", "not in service")
    try:
        yield seconds
    finally:
        sagemaker.delete_endpoint(EndpointName=NAME)
        poll(lambda: not sagemaker.list_endpoints()["Endpoints"], "the endpoint is not deleted")


@contextmanager
def simulated(subject: Subject, kind: str, store: Path | None = None) -> Iterator[int]:
    """The port of an `argosy simulate up` with the model and the endpoint configuration `bench`.

    Args:
        subject: What the model is.
        kind: What runs it.
        store: The folder of buckets, with the model's artifacts in the bucket `bench`; None does without artifacts.
    """
    port = processes.free_port()
    with tempfile.TemporaryDirectory() as state:
        given = ["--port", port, "--state", state, "--container", kind, "--image", f"{NAME}={subject.reference(kind)}"]
        given += ["--s3", store] if store else []
        with _running(argosy("simulate", "up", *given), subject.environ):
            poll(lambda: processes.status(port, "/") != 0, "nothing answers")
            sagemaker = client("sagemaker", port)
            container = {"Image": NAME}
            if store:
                container["ModelDataUrl"] = f"s3://{NAME}/model.tar.gz"
            sagemaker.create_model(ModelName=NAME, PrimaryContainer=container, ExecutionRoleArn=ROLE)
            variant = {"VariantName": "v", "ModelName": NAME, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
            sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
            yield port


def client(service: str, port: int) -> Any:  # Any: boto3 makes its clients at run time
    """boto3's client of an `up`."""
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=ACCOUNT["AWS_DEFAULT_REGION"],
        aws_access_key_id=ACCOUNT["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ACCOUNT["AWS_SECRET_ACCESS_KEY"],
    )


def await_200(port: int, path: str, body: bytes = b"") -> None:
    """Repeat a request until it is answered with 200."""
    poll(lambda: processes.status(port, path, body=body) == 200, f"{path}: no 200")


def poll(is_so: Callable[[], bool], complaint: str) -> None:
    """Wait until something is so.

    Raises:
        TimeoutError: It was not so within a minute.
    """
    deadline = time.perf_counter() + _LIMIT_S
    while not is_so():
        if time.perf_counter() > deadline:
            raise TimeoutError(complaint)
        time.sleep(_ASKED_EVERY_S)


@contextmanager
def _running(command: list[str], environ: dict[str, str]) -> Iterator[None]:
    """A command that runs, and is ended as Ctrl-C ends it; a failure tells the end of its log."""
    with tempfile.TemporaryFile() as log:
        running = subprocess.Popen(command, env=environ, stdout=log, stderr=log, start_new_session=True)
        try:
            yield
        except BaseException as error:
            log.seek(0)
            error.add_note(log.read()[-3000:].decode(errors="replace"))
            raise
        finally:
            running.terminate()
            running.wait(_END_S)
