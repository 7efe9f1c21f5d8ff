"""Clients that know nothing of the simulator, with only their environment changed: boto3, the AWS CLI, the SDK."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.aws.stand_in import moto_server
from tests.ports import free_port
from tests.scenarios.running import EXAMPLE, ROOT, Running, running

CLIENTS = Path(__file__).with_name("clients")
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/breast-cancer:1"
ROLE = "arn:aws:iam::123456789012:role/service-role/any"
BUCKET = "tour"
ROWS = EXAMPLE / "data/cases-b.csv"
ACCOUNT = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass(frozen=True)
class Local:
    """The simulator and an S3 server, and the variables that lead a client to them."""

    simulator: Running
    variables: dict[str, str]

    def environ(self) -> dict[str, str]:
        """The environment of a client."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**kept, "SAGEMAKER_SUPPRESS_V2_WARNING": "1", **self.variables}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """`argosy simulate up` with S3 elsewhere; its image is the example project, run as a process."""
    folder, port = tmp_path_factory.mktemp("up"), free_port()
    with moto_server() as s3, pytest.MonkeyPatch.context() as patch:
        for name, value in {**ACCOUNT, "AWS_ENDPOINT_URL_S3": s3}.items():
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        flags = ("--port", port, "--state", folder / "state", "--image", f"{IMAGE}={EXAMPLE}", "--json")
        with running(folder / "log", "simulate", "up", *flags) as simulator:
            simulator.await_true(lambda: "\n}" in simulator.log)
            printed, _ = json.JSONDecoder().raw_decode(simulator.log, simulator.log.index("{\n"))
            yield Local(simulator, {**ACCOUNT, "AWS_ENDPOINT_URL_S3": s3, **printed["environment"]})
            assert simulator.stop() == 0, simulator.log


def test_a_boto3_script_written_against_awss_documentation(local: Local) -> None:
    found = result(local, [sys.executable, CLIENTS / "boto3_tour.py"])
    rows = len(ROWS.read_text().splitlines())
    assert found["status_at_first"] == "Creating"
    assert found["status"] == "InService"
    assert found["variants"] == [["blue", 1]]
    assert (found["variant"], found["content_type"].partition(";")[0], found["rows"]) == ("blue", "text/csv", rows)
    assert found["stream_is_the_same"]
    assert found["error"] == ["ModelError", 400]
    assert found["inference_id"] == "tour-1"
    assert found["async_is_the_same"]
    assert found["job_status"] == "Completed"
    assert found["job_keys"] == ["batch/out/a.csv.out", "batch/out/deeper/b.csv.out"]
    assert found["joined_is_right"]
    assert len(found["listed"]) == 2
    assert found["tags"] == [{"Key": "purpose", "Value": "tour"}]
    assert found["after"] == "ValidationException"
    assert found["captured"] == 1, "what failed, and streams, are not captured"


def test_awss_own_sdk(local: Local) -> None:
    uv = ROOT / ".venv/bin/uv"
    sdk = [uv, "run", "--quiet", "--no-project", "--isolated", "--with-requirements", CLIENTS / "sagemaker_sdk.txt"]
    found = result(local, [*sdk, "python", CLIENTS / "sdk_tour.py"])
    rows = len(ROWS.read_text().splitlines())
    assert found == {"rows": rows, "transformed": rows}


def test_the_aws_cli(local: Local, tmp_path: Path) -> None:
    container = json.dumps({"Image": IMAGE})
    variant = json.dumps(
        [{"VariantName": "v", "ModelName": "cli-m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}]
    )
    api = "sagemaker"
    aws(local, api, "create-model", "--model-name", "cli-m", "--primary-container", container,
        "--execution-role-arn", ROLE)  # fmt: skip
    aws(local, api, "create-endpoint-config", "--endpoint-config-name", "cli-c", "--production-variants", variant)
    aws(local, api, "create-endpoint", "--endpoint-name", "cli-e", "--endpoint-config-name", "cli-c")
    local.simulator.await_true(
        lambda: (
            json.loads(aws(local, api, "describe-endpoint", "--endpoint-name", "cli-e"))["EndpointStatus"]
            == "InService"
        )
    )
    output = tmp_path / "answer.csv"
    told = aws(local, "sagemaker-runtime", "invoke-endpoint", "--endpoint-name", "cli-e", "--content-type", "text/csv",
               "--accept", "text/csv", "--body", f"fileb://{ROWS}", output)  # fmt: skip
    assert json.loads(told)["InvokedProductionVariant"] == "v"
    assert len(output.read_text().splitlines()) == len(ROWS.read_text().splitlines())
    aws(local, api, "delete-endpoint", "--endpoint-name", "cli-e")
    aws(local, api, "wait", "endpoint-deleted", "--endpoint-name", "cli-e")


def result(local: Local, command: list[object]) -> Any:
    """What a client printed last, as JSON."""
    done = subprocess.run(
        [*map(str, command), IMAGE, ROLE, BUCKET, str(ROWS)],
        capture_output=True, text=True, timeout=240, env=local.environ(),
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stderr}\n{local.simulator.log}"
    return json.loads(done.stdout.splitlines()[-1].removeprefix("RESULT "))


def aws(local: Local, *arguments: object) -> str:
    """What a command of the AWS CLI prints."""
    done = subprocess.run(
        [sys.executable, "-m", "awscli", *map(str, arguments)],
        capture_output=True, text=True, timeout=120, env=local.environ(),
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stderr}\n{local.simulator.log}"
    return done.stdout
