"""The simulated endpoint, as boto3 and the AWS CLI see it, whatever the container is."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.ports import free_port
from tests.scenarios.conftest import Built, from_csv, to_csv
from tests.scenarios.running import EXAMPLE, running

ACCOUNT = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
KINDS = ["sandbox", pytest.param("docker", marks=pytest.mark.engine), pytest.param("podman", marks=pytest.mark.engine)]


def client_of(port: int) -> Any:  # boto3 makes its clients' classes at run time
    """An unmodified boto3 client."""
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="module", params=KINDS)
def port(request: pytest.FixtureRequest, built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an endpoint named `breast-cancer` that is in service."""
    port, log = free_port(), tmp_path_factory.mktemp("endpoint") / "log"
    flags = ("--endpoint-name", "breast-cancer", "--port", port, "--container", request.param)
    with running(log, "simulate", "endpoint", built.layout, *flags) as endpoint:
        endpoint.await_true(lambda: answers(client_of(port)))
        yield port
        assert endpoint.stop() == 0, endpoint.log


def answers(client: Any) -> bool:
    """Whether the endpoint is in service."""
    try:
        invoke(client, (EXAMPLE / "data/cases-b.csv").read_bytes())
    except (BotoCoreError, ClientError):
        return False
    return True


def invoke(client: Any, body: bytes, accept: str = "text/csv", name: str = "breast-cancer") -> bytes:
    """One invocation."""
    answer = client.invoke_endpoint(EndpointName=name, ContentType="text/csv", Accept=accept, Body=body)
    text: bytes = answer["Body"].read()
    return text


def test_boto3_gets_what_predict_proba_says(port: int, features: np.ndarray, direct: np.ndarray) -> None:
    assert np.array_equal(from_csv(invoke(client_of(port), to_csv(features))), direct)


def test_one_case_at_a_time_is_what_predict_proba_says_of_it(port: int, features: np.ndarray, model: Any) -> None:
    client = client_of(port)
    for row in features[:20]:
        assert np.array_equal(from_csv(invoke(client, to_csv(row[None]))), model.predict_proba(row[None]))


def test_a_body_that_is_no_csv_is_a_model_error(port: int) -> None:
    client = client_of(port)
    with pytest.raises(ClientError) as caught:
        invoke(client, b"not,a,number\n")
    response = caught.value.response
    assert response["Error"]["Code"] == "ModelError"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == 400
    assert "decode" in response["OriginalMessage"]


def test_an_endpoint_that_is_not_there_is_a_validation_error(port: int) -> None:
    with pytest.raises(ClientError) as caught:
        invoke(client_of(port), b"1\n", name="another")
    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_the_aws_cli_gets_what_predict_proba_says(port: int, tmp_path: Path, direct: np.ndarray) -> None:
    out = tmp_path / "out.csv"
    command = [
        sys.executable, "-m", "awscli", "sagemaker-runtime", "invoke-endpoint",
        "--endpoint-url", f"http://127.0.0.1:{port}", "--endpoint-name", "breast-cancer",
        "--content-type", "text/csv", "--accept", "text/csv", "--body", f"fileb://{EXAMPLE}/data/cases-a.csv", str(out),
    ]  # fmt: skip
    done = subprocess.run(command, env={**os.environ, **ACCOUNT}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(from_csv(out.read_text()), direct[:200])
