"""Models as unmodified boto3 sees them, and the checks that AWS makes on them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulator.control.conftest import ROLE, Simulated
from tests.simulator.control.world import LABELLED

STAND_IN = {"Image": "stand-in"}
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model/iris"


def create(simulated: Simulated, **request: Any) -> Any:
    return simulated.sagemaker.create_model(**{"ModelName": "Iris", "ExecutionRoleArn": ROLE, **request})


def test_a_model_is_created_described_and_deleted(simulated: Simulated) -> None:
    simulated.bucket("models", {"iris/model.tar.gz": b"x"})
    container = {**STAND_IN, "ModelDataUrl": "s3://models/iris/model.tar.gz", "Environment": {"A": "1"}}
    assert create(simulated, PrimaryContainer=container, EnableNetworkIsolation=True)["ModelArn"] == ARN
    described = simulated.sagemaker.describe_model(ModelName="iris")
    assert described["ModelName"] == "Iris"
    assert described["PrimaryContainer"] == {"Mode": "SingleModel", **container}
    assert described["EnableNetworkIsolation"] is True
    assert described["CreationTime"].tzinfo is not None
    with pytest.raises(ClientError, match=f'Cannot create already existing model "{ARN}"'):
        create(simulated, PrimaryContainer=STAND_IN)
    simulated.sagemaker.delete_model(ModelName="Iris")
    with pytest.raises(ClientError, match=f'Could not find model "{ARN}"'):
        simulated.sagemaker.describe_model(ModelName="Iris")


@pytest.mark.parametrize(
    ("request_members", "sentence"),
    [
        ({}, "Specify either PrimaryContainer or Containers"),
        ({"PrimaryContainer": STAND_IN, "Containers": [STAND_IN]}, "Specify either PrimaryContainer or Containers"),
        ({"PrimaryContainer": {"Environment": {}}}, "either Image or ModelPackageName"),
        ({"PrimaryContainer": {**STAND_IN, "ModelDataUrl": "s3://none/m.tar.gz"}}, "Could not find model data at s3:"),
        ({"PrimaryContainer": {**STAND_IN, "Mode": "MultiModel"}}, "ModelDataUrl is required"),
        (
            {"Containers": [STAND_IN, STAND_IN]},
            "Ecr Image stand-in does not contain required .*accept-bind-to-port",
        ),
        (
            {"Containers": [STAND_IN, STAND_IN], "InferenceExecutionConfig": {"Mode": "Direct"}},
            "ContainerHostname is required",
        ),
        (
            {"Containers": [{**STAND_IN, "ContainerHostname": "a"}, {**STAND_IN, "ContainerHostname": "a"}]},
            "must be unique",
        ),
        ({"PrimaryContainer": {"ModelPackageName": "none"}}, "ModelPackage arn.*model-package/none does not exist"),
        (
            {"PrimaryContainer": {**STAND_IN, "Environment": {f"K{number}": "x" * 1024 for number in range(40)}}},
            "combined size of Environment",
        ),
    ],
)
def test_what_aws_refuses_is_refused(refusing: Simulated, request_members: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ClientError, match=sentence) as caught:
        create(refusing, ModelName="refused", **request_members)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert refusing.sagemaker.list_models(NameContains="refused")["Models"] == []


def test_a_model_needs_a_role(refusing: Simulated) -> None:
    with pytest.raises(ClientError, match="ExecutionRoleArn is required"):
        refusing.sagemaker.create_model(ModelName="refused", PrimaryContainer=STAND_IN)


def test_a_model_of_many_needs_a_label(simulated: Simulated) -> None:
    simulated.bucket("models", {"many/a.tar.gz": b"x"})
    many = {"Mode": "MultiModel", "ModelDataUrl": "s3://models/many/"}
    with pytest.raises(ClientError, match=r"com\.amazonaws\.sagemaker\.capabilities\.multi-models=true Docker label"):
        create(simulated, PrimaryContainer={**STAND_IN, **many})
    create(simulated, PrimaryContainer={"Image": LABELLED, **many})


def test_what_has_no_effect_is_told_and_what_is_not_simulated_is_refused(simulated: Simulated) -> None:
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    create(simulated, PrimaryContainer=STAND_IN, VpcConfig=vpc)
    assert "CreateModel: VpcConfig is recorded and has no effect here" in simulated.reports
    assert simulated.sagemaker.describe_model(ModelName="iris")["VpcConfig"] == vpc
    hub = {
        "S3Uri": "s3://models/a/",
        "S3DataType": "S3Prefix",
        "CompressionType": "None",
        "HubAccessConfig": {"HubContentArn": "arn"},
    }
    with pytest.raises(ClientError, match="HubAccessConfig is not simulated") as caught:
        create(simulated, ModelName="hub", PrimaryContainer={**STAND_IN, "ModelDataSource": {"S3DataSource": hub}})
    assert caught.value.response["Error"]["Code"] == "NotSimulated"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
