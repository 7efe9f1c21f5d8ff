"""The protocol: AWS JSON 1.1 as clients of any language speak it, errors included."""

import json
import sqlite3
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from argosy.simulator.control.store import Store
from tests.simulator.control.conftest import Simulated

SCOPE = "AWS4-HMAC-SHA256 Credential=any/20261123/ap-south-1/sagemaker/aws4_request, SignedHeaders=host, Signature=0"


def post(refusing: Simulated, operation: str, body: bytes) -> httpx.Response:
    headers = {"X-Amz-Target": f"SageMaker.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    return httpx.post(refusing.url, headers={**headers, "Authorization": SCOPE}, content=body)


def code(answer: httpx.Response) -> Any:
    assert answer.headers["x-amzn-errortype"] == answer.json()["__type"]
    assert answer.headers["x-amzn-requestid"]
    return answer.json()["__type"]


def test_an_operation_that_aws_does_not_have_is_unknown(refusing: Simulated) -> None:
    answer = post(refusing, "CreateCastle", b"{}")
    assert (answer.status_code, code(answer)) == (400, "UnknownOperationException")


def test_an_operation_that_is_not_simulated_is_refused_with_those_that_are(refusing: Simulated) -> None:
    answer = post(refusing, "CreateTrainingJob", b"{}")
    assert (answer.status_code, code(answer)) == (501, "NotSimulated")
    assert "CreateTrainingJob is not simulated; these are: AddTags, CreateEndpoint," in answer.json()["message"]


def test_a_member_that_the_model_does_not_know_is_not_swallowed(refusing: Simulated) -> None:
    answer = post(refusing, "ListModels", json.dumps({"Newest": True}).encode())
    assert (answer.status_code, code(answer)) == (501, "NotSimulated")
    assert "ListModels: Newest: not known to botocore" in answer.json()["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b'{"ModelName": 1}', b"\xff", b"[" * 200_000])
def test_a_body_that_cannot_be_read_is_a_serialization_exception(refusing: Simulated, body: bytes) -> None:
    answer = post(refusing, "DescribeModel", body)
    assert (answer.status_code, code(answer)) == (400, "SerializationException")


def test_nulls_count_as_absent(refusing: Simulated) -> None:
    assert post(refusing, "ListModels", b'{"NameContains": null}').status_code == 200
    answer = post(refusing, "DescribeModel", b'{"ModelName": null}')
    assert answer.json()["message"] == (
        "1 validation error detected: Value null at 'modelName' failed to satisfy constraint: Member must not be null"
    )


def test_several_faults_are_counted_and_told_together(refusing: Simulated) -> None:
    with pytest.raises(ClientError, match="2 validation errors detected: Value 'a b") as caught:
        refusing.sagemaker.describe_model(ModelName="a b" * 30)
    assert "; Value 'a b" in caught.value.response["Error"]["Message"]


def test_resources_are_of_the_region_of_the_credential_scope(refusing: Simulated) -> None:
    assert post(refusing, "ListModels", b"").json() == {"Models": []}
    answer = post(refusing, "DescribeModel", b'{"ModelName": "iris"}')
    assert '"arn:aws:sagemaker:ap-south-1:123456789012:model/iris"' in answer.json()["message"]


def test_times_are_numbers_of_seconds(refusing: Simulated) -> None:
    scope = SCOPE.replace("ap-south-1", "eu-west-1")
    headers = {"X-Amz-Target": "SageMaker.DescribeModel", "Authorization": scope}
    answer = httpx.post(refusing.url, headers=headers, content=b'{"ModelName": "iris"}')
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert isinstance(answer.json()["CreationTime"], float)


def test_what_is_no_request_of_the_api_is_told(refusing: Simulated) -> None:
    assert httpx.get(refusing.url).status_code == 404
    assert httpx.post(refusing.url, content=b"{}").status_code == 404
    too_long = post(refusing, "ListModels", b" " * (5 * 2**20))
    assert (too_long.status_code, too_long.headers["x-amzn-errortype"]) == (413, "NotSimulated")


def test_a_fault_of_the_simulator_is_answered_as_one_of_the_service(
    refusing: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Store, "add", fail)
    answer = post(refusing, "CreateModelPackageGroup", b'{"ModelPackageGroupName": "any"}')
    assert (answer.status_code, code(answer)) == (500, "InternalFailure")
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert answer.json()["message"] == "CreateModelPackageGroup: OperationalError in the simulator; see its log"
    assert any("Traceback" in line and "database or disk is full" in line for line in refusing.reports)
