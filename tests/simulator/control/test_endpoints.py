"""Endpoints as unmodified boto3 sees them, waiters included."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from tests.simulator.control.conftest import QUICK, Simulated, until
from tests.simulator.runtime.http2_client import PATH, Http2Client

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/iris"


def test_an_endpoint_is_created_invoked_and_deleted(simulated: Simulated) -> None:
    simulated.model()
    simulated.config()
    simulated.endpoint()
    described = simulated.in_service()
    assert described["EndpointArn"] == ARN
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == "iris"
    variant = described["ProductionVariants"][0]
    assert (variant["VariantName"], variant["CurrentInstanceCount"], variant["CurrentWeight"]) == ("AllTraffic", 1, 1.0)
    assert variant["DeployedImages"][0]["SpecifiedImage"] == "stand-in"
    answer = simulated.runtime.invoke_endpoint(EndpointName="iris", Body=b"1,2", ContentType="text/csv")
    assert answer["Body"].read() == b"1,2"
    simulated.sagemaker.delete_endpoint(EndpointName="iris")
    simulated.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="iris", WaiterConfig=QUICK)
    with pytest.raises(ClientError, match=f'Could not find endpoint "{ARN}"') as caught:
        simulated.sagemaker.describe_endpoint(EndpointName="iris")
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_a_container_that_does_not_start_fails_the_endpoint_in_the_services_words(simulated: Simulated) -> None:
    simulated.model(mode="crash")
    simulated.config()
    simulated.endpoint()
    with pytest.raises(WaiterError, match="terminal failure state"):
        simulated.in_service()
    described = simulated.sagemaker.describe_endpoint(EndpointName="iris")
    assert described["EndpointStatus"] == "Failed"
    assert described["FailureReason"] == (
        "The primary container for production variant AllTraffic did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )
    simulated.sagemaker.delete_endpoint(EndpointName="iris")
    simulated.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="iris", WaiterConfig=QUICK)


def test_an_update_brings_the_new_fleet_and_a_failed_one_leaves_the_old(simulated: Simulated) -> None:
    simulated.model()
    simulated.config()
    simulated.endpoint()
    simulated.in_service()
    simulated.model("next", headers='{"X-Amzn-SageMaker-Custom-Attributes": "next"}')
    simulated.config("next", "next")
    simulated.sagemaker.update_endpoint(EndpointName="iris", EndpointConfigName="next")
    assert simulated.in_service()["EndpointConfigName"] == "next"
    assert simulated.runtime.invoke_endpoint(EndpointName="iris", Body=b"1")["CustomAttributes"] == "next"
    simulated.model("broken", mode="crash")
    simulated.config("broken", "broken")
    simulated.sagemaker.update_endpoint(EndpointName="iris", EndpointConfigName="broken")
    described = simulated.in_service()
    assert described["EndpointConfigName"] == "next"
    assert "did not pass the ping health check" in described["FailureReason"]
    assert simulated.runtime.invoke_endpoint(EndpointName="iris", Body=b"1")["CustomAttributes"] == "next"


def test_a_deployment_is_described_while_it_is_pending_and_after(simulated: Simulated) -> None:
    def deployment(seconds: int) -> Any:
        routing = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": seconds}
        return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}

    simulated.model()
    simulated.model("never", mode="never-ready")
    simulated.config()
    simulated.config("never", "never")
    client = simulated.sagemaker
    client.create_endpoint(EndpointName="iris", EndpointConfigName="iris", DeploymentConfig=deployment(1))
    described = simulated.in_service()
    assert described["LastDeploymentConfig"] == deployment(1)
    assert "PendingDeploymentSummary" not in described
    update = {"EndpointName": "iris", "EndpointConfigName": "iris"}
    client.update_endpoint(**update, DeploymentConfig=deployment(2))
    assert simulated.in_service()["LastDeploymentConfig"] == deployment(2)
    client.update_endpoint(**update, RetainDeploymentConfig=True)
    assert simulated.in_service()["LastDeploymentConfig"] == deployment(2)
    client.update_endpoint(**update)
    assert "LastDeploymentConfig" not in simulated.in_service()
    client.update_endpoint(EndpointName="iris", EndpointConfigName="never")
    described = client.describe_endpoint(EndpointName="iris")
    assert described["EndpointConfigName"] == "iris"
    summary = described["PendingDeploymentSummary"]
    variant = summary["ProductionVariants"][0]
    assert (summary["EndpointConfigName"], variant["VariantName"]) == ("never", "AllTraffic")
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (0, 1)


def test_the_case_of_a_name_counts_for_invocations_alone(simulated: Simulated) -> None:
    """As CreateEndpoint's reference has it."""
    simulated.model()
    simulated.config()
    simulated.endpoint("Iris")
    assert simulated.in_service("iris")["EndpointName"] == "Iris"
    simulated.sagemaker.update_endpoint(EndpointName="IRIS", EndpointConfigName="IRIS")
    simulated.in_service("iris")
    assert simulated.runtime.invoke_endpoint(EndpointName="Iris", Body=b"1")["Body"].read() == b"1"
    with pytest.raises(ClientError, match="Endpoint iris of account 123456789012 not found"):
        simulated.runtime.invoke_endpoint(EndpointName="iris", Body=b"1")


def test_weights_and_capacities_are_updated_and_retained(simulated: Simulated) -> None:
    simulated.model()
    simulated.config()
    simulated.endpoint()
    simulated.in_service()
    desired = [{"VariantName": "AllTraffic", "DesiredWeight": 3.0, "DesiredInstanceCount": 2}]
    simulated.sagemaker.update_endpoint_weights_and_capacities(EndpointName="iris", DesiredWeightsAndCapacities=desired)
    variant = simulated.in_service()["ProductionVariants"][0]
    assert (variant["CurrentWeight"], variant["CurrentInstanceCount"]) == (3.0, 2)
    simulated.config("next")
    simulated.sagemaker.update_endpoint(
        EndpointName="iris",
        EndpointConfigName="next",
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredInstanceCount"}],
    )
    variant = simulated.in_service()["ProductionVariants"][0]
    assert (variant["CurrentWeight"], variant["CurrentInstanceCount"]) == (3.0, 1)
    unknown = [{"VariantName": "Other", "DesiredWeight": 1.0}]
    with pytest.raises(ClientError, match='"Other" was not found'):
        simulated.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName="iris", DesiredWeightsAndCapacities=unknown
        )


def test_an_endpoint_under_way_takes_no_change(simulated: Simulated) -> None:
    simulated.model(mode="never-ready")
    simulated.config()
    simulated.endpoint()
    assert simulated.sagemaker.describe_endpoint(EndpointName="iris")["EndpointStatus"] == "Creating"
    with pytest.raises(ClientError, match=f'Cannot update in-progress endpoint "{ARN}"'):
        simulated.sagemaker.delete_endpoint(EndpointName="iris")
    with pytest.raises(ClientError, match=f'Cannot update in-progress endpoint "{ARN}"'):
        simulated.sagemaker.update_endpoint(EndpointName="iris", EndpointConfigName="iris")
    with pytest.raises(ClientError, match=f'Cannot create already existing endpoint "{ARN}"'):
        simulated.endpoint("Iris")


def test_an_endpoint_needs_its_configuration_and_models(simulated: Simulated) -> None:
    with pytest.raises(ClientError, match='Could not find endpoint configuration "arn:aws:sagemaker:eu-west-1:'):
        simulated.endpoint()
    simulated.model()
    simulated.config()
    simulated.sagemaker.delete_model(ModelName="iris")
    with pytest.raises(ClientError, match=r'Could not find model "arn:aws:sagemaker:eu-west-1:.*:model/iris"'):
        simulated.endpoint()


def test_an_endpoint_lives_on_without_its_configuration_and_model(simulated: Simulated) -> None:
    simulated.model()
    simulated.config()
    simulated.endpoint()
    simulated.sagemaker.delete_endpoint_config(EndpointConfigName="iris")
    simulated.sagemaker.delete_model(ModelName="iris")
    assert simulated.in_service()["EndpointConfigName"] == "iris"


def test_a_missing_image_fails_the_endpoint(simulated: Simulated) -> None:
    simulated.sagemaker.create_model(
        ModelName="iris",
        PrimaryContainer={"Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/iris:1"},
        ExecutionRoleArn="arn:aws:iam::123456789012:role/SageMaker",
    )
    simulated.config()
    simulated.endpoint()
    with pytest.raises(WaiterError):
        simulated.in_service()
    reason = simulated.sagemaker.describe_endpoint(EndpointName="iris")["FailureReason"]
    assert reason == (
        "Please make sure all images included in the model for the production variant AllTraffic exist, and that the "
        "execution role used to create the model has permissions to access them."
    )


def test_data_is_captured_and_the_shadow_described(simulated: Simulated) -> None:
    simulated.model()
    capacity = {"ModelName": "iris", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://captured/here",
        "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
    }
    simulated.sagemaker.create_endpoint_config(
        EndpointConfigName="iris",
        ProductionVariants=[{"VariantName": "a", **capacity}],
        ShadowProductionVariants=[{"VariantName": "b", **capacity}],
        DataCaptureConfig=capture,
    )
    simulated.endpoint()
    described = simulated.in_service()
    assert described["DataCaptureConfig"]["CaptureStatus"] == "Started"
    assert [variant["VariantName"] for variant in described["ShadowProductionVariants"]] == ["b"]
    simulated.runtime.invoke_endpoint(EndpointName="iris", Body=b"1,2", ContentType="text/csv")
    captured = simulated.folder / "s3/captured/here/iris/a"
    until(lambda: list(captured.rglob("*.jsonl")) != [])


def test_an_asynchronous_endpoint_stores_its_results(simulated: Simulated) -> None:
    simulated.model()
    simulated.bucket("in", {"one.csv": b"1,2"})
    simulated.config(AsyncInferenceConfig={"OutputConfig": {"S3OutputPath": "s3://out/here"}})
    simulated.endpoint()
    assert simulated.in_service()["AsyncInferenceConfig"]["OutputConfig"]["S3OutputPath"] == "s3://out/here"
    answer = simulated.runtime.invoke_endpoint_async(EndpointName="iris", InputLocation="s3://in/one.csv")
    result = simulated.folder / "s3" / answer["OutputLocation"].removeprefix("s3://")
    until(result.is_file)
    assert result.read_bytes() == b"1,2"


def test_bidirectional_streams_find_the_endpoint(simulated: Simulated) -> None:
    simulated.model()
    simulated.config()
    simulated.endpoint()
    simulated.in_service()
    with Http2Client(simulated.streams_port, PATH.replace("demo", "other")) as client:
        assert client.status == 400
    with Http2Client(simulated.streams_port, PATH.replace("demo", "iris")) as client:
        assert client.status == 424, "it reaches the stand-in, which speaks no WebSocket"
