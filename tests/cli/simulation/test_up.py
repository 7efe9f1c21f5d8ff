"""`argosy simulate up` as a user types it: an unmodified client works with nothing but the printed environment."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
import trustme

from argosy.cli import environment
from argosy.cli.simulation.up import Images, streams_port
from argosy.errors import MissingImageError, UsageError
from argosy.simulator.containers.process import free_port
from tests.processes import await_end, descendants
from tests.simulator.runtime.http2_client import Http2Client, part

PREDICTOR = """
from argosy import Predictor

class Echo(Predictor):
    def load(self, model_dir):
        self.word = (model_dir / "word").read_text()

    def predict(self, rows: list) -> list:
        return [self.word, *rows]

    async def converse(self, incoming):
        async for message in incoming:
            yield message
"""
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/echo:1"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "echo"
    (folder / "model").mkdir(parents=True)
    (folder / "model/word").write_text("hello")
    text = '[model]\npredictor = "predictor:Echo"\nartifacts = "model"\n[serving]\nworkers = 1\nbidirectional = true\n'
    (folder / "argosy.toml").write_text(text)
    (folder / "predictor.py").write_text(PREDICTOR)
    return folder


@contextmanager
def up(folder: Path, *arguments: str) -> Iterator[dict[str, str]]:
    """The command until Ctrl-C, with the environment that it printed; it ends with 0 and leaves no process."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    variables = {**clean, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"), "TMPDIR": str(folder)}
    command = [sys.executable, "-m", "argosy", "simulate", "up", "--json", "--container", "process", *arguments]
    process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        printed = ""
        for line in process.stdout:  # the object ends with its brace at the beginning of a line
            printed += line
            if line.startswith("}"):
                break
        yield json.loads(printed)["environment"]
        children = descendants(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        await_end(children)
    finally:
        process.kill()
        process.communicate()


def client(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, service: str) -> Any:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return boto3.Session().client(service)


def test_a_client_that_knows_only_sagemaker_works_and_finds_its_endpoint_again(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    with up(tmp_path, "--image", f"{ECR}={project}", "--streams-port", str(port)) as variables:
        assert variables["AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME_HTTP2"] == f"http://127.0.0.1:{port}"
        sagemaker = client(variables, monkeypatch, "sagemaker")
        role = "arn:aws:iam::123456789012:role/r"
        sagemaker.create_model(ModelName="echo", PrimaryContainer={"Image": ECR}, ExecutionRoleArn=role)
        capacity = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        variant = {"VariantName": "a", "ModelName": "echo", **capacity}
        sagemaker.create_endpoint_config(EndpointConfigName="echo", ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName="echo", EndpointConfigName="echo")
        wait = {"Delay": 0.1, "MaxAttempts": 300}
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="echo", WaiterConfig=wait)
        runtime = client(variables, monkeypatch, "sagemaker-runtime")
        answer = runtime.invoke_endpoint(EndpointName="echo", Body=b'["you"]', ContentType="application/json")
        assert json.loads(answer["Body"].read()) == ["hello", "you"]
        with Http2Client(port, "/endpoints/echo/invocations-bidirectional-stream") as stream:
            event = stream.ask(part(b"both ways", "UTF8"))
            assert event is not None
            assert event.part == (b"both ways", "UTF8", "COMPLETE")
    with up(tmp_path, "--image", f"{ECR}={project}") as variables:
        sagemaker = client(variables, monkeypatch, "sagemaker")
        assert sagemaker.describe_endpoint(EndpointName="echo")["EndpointStatus"] in ("SystemUpdating", "InService")
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="echo", WaiterConfig=wait)
        assert sagemaker.describe_endpoint(EndpointName="echo")["EndpointStatus"] == "InService"


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    certificate = tmp_path / "certificate.pem"
    authority = trustme.CA()
    authority.cert_pem.write_to_path(certificate)
    with pytest.raises(UsageError, match="a certificate cannot be used"):
        streams_port(8443, certificate)
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(certificate)
    assert streams_port(8443, certificate).tls is not None


def test_the_environment_has_credentials_and_a_region_only_where_there_are_none(tmp_path: Path) -> None:
    with up(tmp_path) as variables:
        assert set(variables) == {
            "AWS_ENDPOINT_URL_SAGEMAKER",
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME",
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME_HTTP2",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_DEFAULT_REGION",
        }
        url = variables["AWS_ENDPOINT_URL_SAGEMAKER"]
        assert url.startswith("http://127.0.0.1:")
        second = [sys.executable, "-m", "argosy", "simulate", "up"]
        state = {**os.environ, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
        refused = subprocess.run(second, env=state, capture_output=True, text=True, timeout=60, check=False)
        assert refused.returncode == 2
        assert "another simulator uses this state folder" in refused.stderr


def test_a_name_means_what_was_given_then_itself_then_the_engines_image(project: Path, tmp_path: Path) -> None:
    images = Images({ECR: "oci:out"}, "process", environment.read())
    assert images.target(ECR) == "oci:out"
    assert images.target(str(project)) == str(project)
    assert images.target("oci:build/image:latest") == "oci:build/image:latest"
    with pytest.raises(MissingImageError) as caught:
        images.target("other:1")
    assert "argosy simulate up --image other:1=oci:./out" in str(caught.value)
    assert images.labels("other:1") is None
