"""Endpoint configurations as unmodified boto3 sees them, and the checks that AWS makes across resources."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulator.control.conftest import ROLE, Simulated

INSTANCES = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
VARIANT = {"VariantName": "a", "ModelName": "iris", **INSTANCES}
SERVERLESS = {
    "VariantName": "a",
    "ModelName": "iris",
    "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5},
}


def create(simulated: Simulated, **request: Any) -> Any:
    return simulated.sagemaker.create_endpoint_config(EndpointConfigName="Demo", **request)


def test_a_configuration_is_created_described_listed_and_deleted(simulated: Simulated) -> None:
    simulated.model()
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 50,
        "DestinationS3Uri": "s3://captured/here",
        "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
    }
    arn = create(simulated, ProductionVariants=[VARIANT], DataCaptureConfig=capture)["EndpointConfigArn"]
    assert arn == "arn:aws:sagemaker:eu-west-1:123456789012:endpoint-config/demo"
    described = simulated.sagemaker.describe_endpoint_config(EndpointConfigName="demo")
    assert described["ProductionVariants"] == [{**VARIANT, "InitialVariantWeight": 1.0}]
    assert described["DataCaptureConfig"] == capture
    listed = simulated.sagemaker.list_endpoint_configs()["EndpointConfigs"]
    assert [(each["EndpointConfigName"], each["EndpointConfigArn"]) for each in listed] == [("Demo", arn)]
    with pytest.raises(ClientError, match=f'Cannot create already existing endpoint configuration "{arn}"'):
        create(simulated, ProductionVariants=[VARIANT])
    simulated.sagemaker.delete_endpoint_config(EndpointConfigName="Demo")
    with pytest.raises(ClientError, match=f'Could not find endpoint configuration "{arn}"'):
        simulated.sagemaker.delete_endpoint_config(EndpointConfigName="Demo")


@pytest.mark.parametrize(
    ("request_members", "sentence"),
    [
        ({"ProductionVariants": [{**VARIANT, "ModelName": "none"}]}, 'Could not find model "arn:.*:model/none"'),
        ({"ProductionVariants": [VARIANT, VARIANT]}, "VariantName of each production variant must be unique"),
        ({"ProductionVariants": [{"VariantName": "a", "ModelName": "iris"}]}, "InstanceType or ServerlessConfig"),
        (
            {"ProductionVariants": [{"VariantName": "a", "ModelName": "iris", "InstanceType": "ml.m5.large"}]},
            "InitialInstanceCount is required",
        ),
        ({"ProductionVariants": [{**VARIANT, **SERVERLESS}]}, "both InstanceType and ServerlessConfig"),
        ({"ProductionVariants": [{**VARIANT, "InitialVariantWeight": 0.0}]}, "must be greater than 0"),
        ({"ProductionVariants": [{"VariantName": "a", **INSTANCES}]}, "ExecutionRoleArn is required"),
        (
            {"ProductionVariants": [{**VARIANT, "ManagedInstanceScaling": {"Status": "ENABLED"}}]},
            "ManagedInstanceScaling is only supported for inference component endpoints",
        ),
        (
            {"ProductionVariants": [VARIANT, {**VARIANT, "VariantName": "b"}], "ShadowProductionVariants": [
                {**VARIANT, "VariantName": "c"}]},
            "Exactly one production variant and one shadow variant",
        ),
        ({"ProductionVariants": [{**VARIANT, "VariantName": f"v{n}"} for n in range(11)]}, "less than or equal to 10"),
        (
            {"ProductionVariants": [{**SERVERLESS, "ServerlessConfig": {"MemorySizeInMB": 1500, "MaxConcurrency": 1}}]},
            "multiple of 1024",
        ),
        (
            {"ProductionVariants": [SERVERLESS, {**SERVERLESS, "VariantName": "b"}]},
            "Serverless endpoints do not support more than one production variant",
        ),
        (
            {"ProductionVariants": [{**VARIANT, "InstanceType": "local"}]},
            "Value 'local' at 'productionVariants.1.member.instanceType' failed .* enum value set",
        ),
    ],
)  # fmt: skip
def test_what_aws_refuses_is_refused(refusing: Simulated, request_members: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ClientError, match=sentence) as caught:
        create(refusing, **request_members)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_a_configuration_without_models_takes_inference_components(simulated: Simulated) -> None:
    create(simulated, ProductionVariants=[{"VariantName": "a", **INSTANCES}], ExecutionRoleArn=ROLE)


@pytest.mark.parametrize(
    "more",
    [
        {"RoutingConfig": {"RoutingStrategy": "PREFIX_AWARE"}},
        {"CoreDumpConfig": {"DestinationS3Uri": "s3://dumps/here"}},
        {"AcceleratorType": "ml.eia2.medium"},
    ],
)
def test_what_is_not_simulated_is_refused_as_such(refusing: Simulated, more: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="is not simulated") as caught:
        create(refusing, ProductionVariants=[{**VARIANT, **more}])
    assert caught.value.response["Error"]["Code"] == "NotSimulated"
