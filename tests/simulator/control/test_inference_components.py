"""Inference components as unmodified boto3 sees them, and over the end of the simulator."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulator.control.conftest import ROLE, Simulated, simulation, until
from tests.simulator.control.test_restart import NEVER, doomed, kill, reported, stand_ins, try_to, without_images

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:inference-component/base"
COMPUTE = {"ComputeResourceRequirements": {"MinMemoryRequiredInMb": 128}}
CONTAINER = {"Container": {"Image": "stand-in"}, **COMPUTE}


def endpoint(simulated: Simulated) -> None:
    variant = {"VariantName": "a", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    simulated.sagemaker.create_endpoint_config(
        EndpointConfigName="iris", ProductionVariants=[variant], ExecutionRoleArn=ROLE
    )
    simulated.endpoint()


def create(simulated: Simulated, name: str = "base", **more: Any) -> Any:
    members = {
        "EndpointName": "iris",
        "VariantName": "a",
        "Specification": CONTAINER,
        "RuntimeConfig": {"CopyCount": 1},
        **more,
    }
    return simulated.sagemaker.create_inference_component(InferenceComponentName=name, **members)


def settled(simulated: Simulated, name: str = "base") -> Any:
    def describe() -> Any:
        return simulated.sagemaker.describe_inference_component(InferenceComponentName=name)

    until(lambda: describe()["InferenceComponentStatus"] not in ("Creating", "Updating"))
    return describe()


def invoke(simulated: Simulated, name: str = "base") -> bytes:
    answer = simulated.runtime.invoke_endpoint(EndpointName="iris", InferenceComponentName=name, Body=b"1")
    body: bytes = answer["Body"].read()
    return body


def test_a_component_is_created_invoked_scaled_and_deleted(simulated: Simulated) -> None:
    endpoint(simulated)
    assert create(simulated)["InferenceComponentArn"] == ARN
    described = settled(simulated)
    assert described["InferenceComponentStatus"] == "InService"
    assert described["RuntimeConfig"] == {"DesiredCopyCount": 1, "CurrentCopyCount": 1}
    assert described["Specification"]["Container"]["DeployedImage"]["SpecifiedImage"] == "stand-in"
    assert invoke(simulated) == b"1"
    simulated.sagemaker.update_inference_component_runtime_config(
        InferenceComponentName="base", DesiredRuntimeConfig={"CopyCount": 2}
    )
    assert settled(simulated)["RuntimeConfig"]["CurrentCopyCount"] == 2
    broken = {**CONTAINER, "Container": {"Image": "stand-in", "Environment": {"STAND_IN_MODE": "crash"}}}
    simulated.sagemaker.update_inference_component(InferenceComponentName="base", Specification=broken)
    described = settled(simulated)
    assert described["InferenceComponentStatus"] == "InService"
    assert described["FailureReason"]
    assert "Environment" not in described["Specification"]["Container"]
    assert invoke(simulated) == b"1"
    listed = simulated.sagemaker.list_inference_components(EndpointNameEquals="iris", StatusEquals="InService")
    assert [each["InferenceComponentName"] for each in listed["InferenceComponents"]] == ["base"]
    with pytest.raises(ClientError, match="delete its inference components first"):
        simulated.sagemaker.delete_endpoint(EndpointName="iris")
    simulated.sagemaker.delete_inference_component(InferenceComponentName="base")
    until(lambda: simulated.sagemaker.list_inference_components()["InferenceComponents"] == [])
    with pytest.raises(ClientError, match=f'Could not find inference component "{ARN}"'):
        simulated.sagemaker.describe_inference_component(InferenceComponentName="base")


def test_a_component_that_does_not_start_is_failed(simulated: Simulated) -> None:
    endpoint(simulated)
    environment = {"STAND_IN_MODE": "crash"}
    create(simulated, Specification={"Container": {"Image": "stand-in", "Environment": environment}, **COMPUTE})
    assert settled(simulated)["InferenceComponentStatus"] == "Failed"


def test_a_component_starts_again_with_its_endpoint(tmp_path: Path) -> None:
    with simulation(tmp_path) as first:
        endpoint(first)
        create(first)
        settled(first)
    with simulation(tmp_path) as second:
        assert settled(second)["InferenceComponentStatus"] == "InService"
        assert invoke(second) == b"1"


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"EndpointName": "none"}, 'Could not find endpoint "arn:.*endpoint/none"'),
        ({"VariantName": "b"}, 'The variant name "b" was not found'),
        ({"RuntimeConfig": {"CopyCount": 0}}, "copy count an integer larger than 0"),
        ({"Specification": COMPUTE}, "either ModelName or Container"),
        ({"Specification": {"ModelName": "none", **COMPUTE}}, 'Could not find model "arn:.*model/none"'),
        ({"Specification": {"BaseInferenceComponentName": "none"}}, "Could not find inference component"),
    ],
)
def test_what_aws_refuses_is_refused(refusing: Simulated, members: dict[str, Any], sentence: str) -> None:
    if not refusing.sagemaker.list_endpoints()["Endpoints"]:
        endpoint(refusing)
    with pytest.raises(ClientError, match=sentence) as caught:
        create(refusing, **members)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_an_endpoint_with_models_takes_no_component(simulated: Simulated) -> None:
    simulated.model()
    simulated.config()
    simulated.endpoint()
    with pytest.raises(ClientError, match="Inference Components are not supported in this Endpoint"):
        create(simulated)


# The moments before are those of the endpoint; then the component is created, in service, being deleted, and gone.
@pytest.mark.parametrize("moment", [8, 12, 13])
def test_a_component_survives_its_simulator(tmp_path: Path, moment: int) -> None:
    with doomed(tmp_path, moment) as first:
        endpoint(first)
        first.in_service()
        asked = try_to(lambda: create(first)) and try_to(lambda: settled(first)) and moment > 10
        if asked:
            try_to(lambda: first.sagemaker.delete_inference_component(InferenceComponentName="base"))
    with simulation(tmp_path) as second:

        def statuses() -> list[str]:
            listed = second.sagemaker.list_inference_components()["InferenceComponents"]
            return [each["InferenceComponentStatus"] for each in listed]

        wanted = [] if asked else ["InService"]
        until(lambda: statuses() == wanted)
        if wanted:
            assert invoke(second) == b"1"
        until(lambda: stand_ins(tmp_path) == len(wanted))
    until(lambda: stand_ins(tmp_path) == 0)


def test_a_component_that_cannot_run_again_yet_is_not_lost_and_can_be_deleted(tmp_path: Path) -> None:
    with simulation(tmp_path) as first:
        endpoint(first)
        first.in_service()
        for name in ("base", "other"):
            create(first, name)
            settled(first, name)
    with simulation(tmp_path, without_images) as second:
        for name in ("base", "other"):
            reported(second, f"inference component {name}: it cannot run again, next attempt in")
        second.sagemaker.delete_inference_component(InferenceComponentName="other")
        until(lambda: len(second.sagemaker.list_inference_components()["InferenceComponents"]) == 1)
    with simulation(tmp_path) as third:
        assert settled(third)["InferenceComponentStatus"] == "InService"
        assert invoke(third) == b"1"


def test_an_update_of_a_component_survives_its_simulator(tmp_path: Path) -> None:
    with doomed(tmp_path, NEVER) as first:
        endpoint(first)
        first.in_service()
        create(first)
        settled(first)
        first.sagemaker.update_inference_component_runtime_config(
            InferenceComponentName="base", DesiredRuntimeConfig={"CopyCount": 2}
        )
        kill(tmp_path)
    with simulation(tmp_path) as second:
        assert settled(second)["RuntimeConfig"] == {"DesiredCopyCount": 2, "CurrentCopyCount": 2}
        assert invoke(second) == b"1"
        until(lambda: stand_ins(tmp_path) == 2)
    until(lambda: stand_ins(tmp_path) == 0)
