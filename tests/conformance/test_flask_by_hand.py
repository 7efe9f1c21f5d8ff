"""The walk-through of `examples/flask-by-hand`, command by command, on a real engine."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from argosy.cli.main import EXIT_EXAMINED_FAILED

EXAMPLE = Path(__file__).parents[2] / "examples" / "flask-by-hand"
IMAGE = "my-inference-image"
CONTAINER = "my-inference-container"
HELLO = '{"prediction": "a", "text": "hello world"}'

pytestmark = [pytest.mark.engine, pytest.mark.slow]


def run(*command: str, folder: Path = EXAMPLE, timeout_s: float = 240) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=timeout_s)


def readme_commands() -> list[str]:
    return re.findall(r"^\$ (.+)$", (EXAMPLE / "README.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def image() -> str:
    built = run("docker", "build", "--tag", IMAGE, "./")
    assert built.returncode == 0, built.stderr + built.stdout
    return IMAGE


@pytest.fixture(scope="module", autouse=True)
def checked(image: str) -> Iterator["Future[subprocess.CompletedProcess[str]]"]:
    """`argosy check`, begun before the first test and judged by the last: it has to wait longest."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(run, sys.executable, "-m", "argosy", "check", f"docker-daemon:{image}", "--json")


@pytest.fixture
def port_is_free() -> None:
    """The walk-through's fixed port may be taken for a moment by whatever else is tested on this machine."""
    deadline = time.monotonic() + 120
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", 8080))
            except OSError as error:
                if time.monotonic() > deadline:
                    pytest.fail(f"port 8080 is taken: {error}")
            else:
                return
        time.sleep(0.2)


def curl(*arguments: str, timeout_s: float = 30) -> str:
    """What curl prints, as soon as the server answers."""
    deadline = time.monotonic() + timeout_s
    while True:
        done = run("curl", "--silent", *arguments)
        if done.returncode == 0:
            return done.stdout
        assert time.monotonic() < deadline, f"no answer: curl exit code {done.returncode}"
        time.sleep(0.1)


def test_the_readme_names_the_commands_that_are_tested_here() -> None:
    assert readme_commands() == [
        f"docker build --tag {IMAGE} ./",
        f"docker run --rm --publish 8080:8080/tcp --detach --name {CONTAINER} {IMAGE} serve",
        "curl --include http://127.0.0.1:8080/ping",
        'curl --request POST --data "hello world" http://127.0.0.1:8080/invocations',
        f"docker container stop {CONTAINER}",
        f"argosy simulate endpoint docker-daemon:{IMAGE} --endpoint-name by-hand",
        f"argosy check docker-daemon:{IMAGE}",
    ]


@pytest.mark.usefixtures("port_is_free")
def test_it_is_built_run_tried_and_stopped_by_hand(image: str) -> None:
    started = run(
        "docker", "run", "--rm", "--publish", "8080:8080/tcp", "--detach", "--name", CONTAINER, image, "serve"
    )  # fmt: skip
    assert started.returncode == 0, started.stderr
    try:
        assert curl("--include", "http://127.0.0.1:8080/ping").startswith("HTTP/1.1 200 OK")
        address = "http://127.0.0.1:8080/invocations"
        assert curl("--request", "POST", "--data", "hello world", address) == HELLO
    finally:
        assert run("docker", "container", "stop", CONTAINER).returncode == 0
    # `--rm` removes it once it has stopped.
    deadline = time.monotonic() + 20
    while run("docker", "container", "inspect", CONTAINER).returncode == 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="module")
def endings() -> Iterator[ExitStack]:
    """What is waited for after the last test: the example does not heed SIGTERM, so an end takes 30 s."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def endpoint_url(image: str, endings: ExitStack) -> Iterator[str]:
    command: Sequence[str] = (
        sys.executable, "-m", "argosy", "simulate", "endpoint", f"docker-daemon:{image}", "--endpoint-name", "by-hand",
    )  # fmt: skip
    lines: list[str] = []
    found = threading.Event()
    simulator = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    endings.enter_context(simulator)

    def read() -> None:
        assert simulator.stdout is not None
        for line in simulator.stdout:
            lines.append(line)
            if re.search(r"http://127\.0\.0\.1:\d+", line):
                found.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    endings.callback(reader.join, 10)
    endings.callback(simulator.wait, 60)
    try:
        assert found.wait(60), "".join(lines)
        address = re.search(r"http://127\.0\.0\.1:\d+", "".join(lines))
        assert address is not None
        yield address.group()
    finally:
        simulator.terminate()


def test_boto3_invokes_it_as_an_endpoint(endpoint_url: str) -> None:
    client = boto3.client(
        "sagemaker-runtime", endpoint_url=endpoint_url, region_name="us-east-1",
        aws_access_key_id="any", aws_secret_access_key="any",
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = client.invoke_endpoint(EndpointName="by-hand", ContentType="text/plain", Body=b"hello world")
            break
        except ClientError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    assert answer["Body"].read() == HELLO.encode()
    with pytest.raises(ClientError) as refused:
        client.invoke_endpoint(EndpointName="by-hand", ContentType="text/plain", Body=b"\xff\xfe")
    assert refused.value.response["Error"]["Code"] == "ModelError"
    assert refused.value.response["OriginalStatusCode"] == 500
    client.close()


def test_the_report_names_its_real_faults(checked: "Future[subprocess.CompletedProcess[str]]") -> None:
    done = checked.result()
    assert done.returncode == EXIT_EXAMINED_FAILED, done.stderr
    findings: dict[str, dict[str, Any]] = {
        finding["clause"]: finding for finding in json.loads(done.stdout)["reports"][0]["findings"]
    }
    failed = {clause for clause, finding in findings.items() if finding["status"] == "fail"}
    at_rest = {"image-hidden-files", "image-dev-server"}
    assert failed == {"stop-grace", "ping-honest", "error-client"} | at_rest
    assert "/opt/ml/model/label.txt" in findings["image-hidden-files"]["reason"]
    assert "/opt/program/serve:4: flask run" in findings["image-dev-server"]["reason"]
    assert "had to be killed" in findings["stop-grace"]["reason"]
    assert "static" in findings["ping-honest"]["reason"]
    assert "500" in findings["ping-honest"]["evidence"][1]["received"]
    assert "label.txt" in " ".join(findings["ping-honest"]["evidence"][1]["log"])
    assert "malformed JSON 200" in findings["error-client"]["reason"]
    assert "bytes that are no UTF-8 500" in findings["error-client"]["reason"]
    assert "<title>500 Internal Server Error</title>" in json.dumps(findings["error-client"]["evidence"])
    for clause in failed:
        assert findings[clause]["source"].startswith("https://")
        assert findings[clause]["remedy"]
