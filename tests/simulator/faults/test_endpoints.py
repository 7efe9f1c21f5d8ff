"""Faults 1 and 2 of the SageMaker SDK's local mode: what a client gets, and which calls there are."""

import json
from contextlib import closing

import pytest
from botocore.exceptions import ClientError

from tests.simulator.conftest import MakeContainer
from tests.simulator.control.conftest import ROLE, until
from tests.simulator.faults.conftest import VARIANT, Local, text
from tests.simulator.runtime.test_service import runtime_client
from tests.simulator.serving_thread import demo, serving

MIB = 2**20


@pytest.mark.parametrize(("status", "side"), [(400, "client"), (500, "server")])
def test_fault_1_the_containers_status_is_checked(local: Local, status: int, side: str) -> None:
    """Local mode: "never checks the status: container 4xx/5xx come back as a normal result"."""
    name = f"status-{status}"
    local.model(name)
    local.deploy(name)
    with pytest.raises(local.runtime.exceptions.ModelError) as caught:
        local.invoke(name, f"STATUS-{status} bad row".encode())
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert (answer["OriginalStatusCode"], answer["OriginalMessage"]) == (status, f"STATUS-{status} bad row")
    assert answer["LogStreamArn"].endswith(f"log-group:/aws/sagemaker/Endpoints/{name}")
    assert answer["Error"]["Message"].startswith(
        f'Received {side} error ({status}) from primary with message "STATUS-{status} bad row". See https://eu-west-1.'
    )


def test_fault_1_an_invocation_has_a_time_limit(stand_in: MakeContainer) -> None:
    """Local mode: "no 60 s timeout"; here the limit is shortened, and the container lives on."""
    assert demo().limits.invocation_s == 60
    with serving(stand_in(slow_s="2"), demo(invocation_s=0.2)) as served:
        client = runtime_client(served)
        with pytest.raises(client.exceptions.ModelError) as caught:
            client.invoke_endpoint(EndpointName="demo", Body=b"SLOW")
        assert caught.value.response["OriginalStatusCode"] == 0
        assert "Your invocation timed out while waiting for a response from container primary" in str(caught.value)
        assert text(client.invoke_endpoint(EndpointName="demo", Body=b"1")) == b"1"


def test_fault_1_a_payload_has_a_limit(local: Local) -> None:
    """Local mode: "no payload limit"; a body of exactly 25 MB still arrives."""
    local.model("payload")
    local.deploy("payload")
    assert len(text(local.invoke("payload", bytes(25 * MIB)))) == 25 * MIB
    with pytest.raises(ClientError, match=rf"\(413\).*HTTP content length exceeded {25 * MIB} bytes\."):
        local.invoke("payload", bytes(25 * MIB + 1))
    assert len(local.invocations("payload")) == 1


def test_fault_1_the_answer_is_the_containers_with_all_that_the_service_says(local: Local) -> None:
    """Local mode: "ContentType in the result is the requested Accept, not the container's; no CustomAttributes /
    InvokedProductionVariant / ResponseMetadata".
    """
    attributes = json.dumps({"X-Amzn-SageMaker-Custom-Attributes": "of the container"})
    local.model("whole", PrimaryContainer=local.container("whole", headers=attributes))
    local.deploy("whole")
    answer = local.invoke("whole", ContentType="text/csv; charset=utf-8", Accept="application/json")
    assert answer["ContentType"] == "text/csv; charset=utf-8"
    assert answer["CustomAttributes"] == "of the container"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answer["ResponseMetadata"]["RequestId"]


def test_fault_2_answers_are_streamed(local: Local) -> None:
    """Local mode: "No invoke_endpoint_with_response_stream"."""
    local.model("stream")
    local.deploy("stream")
    streamed = local.runtime.invoke_endpoint_with_response_stream(EndpointName="stream", Body=b"STREAM one two three")
    with closing(streamed["Body"]) as events:
        assert b"".join(event["PayloadPart"]["Bytes"] for event in events) == b"onetwothree"
    broken = local.runtime.invoke_endpoint_with_response_stream(EndpointName="stream", Body=b"STREAM one BREAK")
    with closing(broken["Body"]) as events, pytest.raises(ClientError, match="ModelStreamError"):
        list(events)


def test_fault_2_invocations_can_be_asynchronous(local: Local) -> None:
    """Local mode: "no async"."""
    local.put("queue", {"in.csv": b"1,2", "bad.csv": b"STATUS-400"})
    local.model("queue")
    output = {"S3OutputPath": "s3://queue/out", "S3FailurePath": "s3://queue/failed"}
    local.deploy("queue", AsyncInferenceConfig={"OutputConfig": output})
    good = local.runtime.invoke_endpoint_async(EndpointName="queue", InputLocation="s3://queue/in.csv")
    bad = local.runtime.invoke_endpoint_async(EndpointName="queue", InputLocation="s3://queue/bad.csv")
    assert good["ResponseMetadata"]["HTTPStatusCode"] == 202
    result = local.buckets / good["OutputLocation"].removeprefix("s3://")
    failure = local.buckets / bad["FailureLocation"].removeprefix("s3://")
    until(lambda: result.exists() and failure.exists())
    assert (result.read_bytes(), failure.read_bytes()) == (b"1,2", b"STATUS-400")


def test_fault_2_a_session_stays_on_its_instance(local: Local) -> None:
    """Local mode: "no sessions"."""
    session = {"X-Amzn-SageMaker-New-Session-Id": "session-1; Expires=2099-01-01T00:00:00Z"}
    local.model("talk", PrimaryContainer=local.container("talk", headers=json.dumps(session)))
    local.deploy("talk", {"InitialInstanceCount": 2})
    opened = local.invoke("talk", SessionId="NEW_SESSION")
    assert opened["NewSessionId"] == session["X-Amzn-SageMaker-New-Session-Id"]
    for _ in range(6):
        local.invoke("talk", SessionId="session-1")
    assert len({request["pid"] for request in local.invocations("talk")}) == 1


def test_fault_2_inference_components_are_created_and_invoked(local: Local) -> None:
    """Local mode: "no inference components"."""
    name = "shared"
    local.deploy(name, ProductionVariants=[VARIANT], ExecutionRoleArn=ROLE)
    specification = {
        "Container": local.container("component"),
        "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 128},
    }
    local.sagemaker.create_inference_component(
        InferenceComponentName="part",
        EndpointName=name,
        VariantName="AllTraffic",
        Specification=specification,
        RuntimeConfig={"CopyCount": 1},
    )
    describe = local.sagemaker.describe_inference_component
    until(lambda: describe(InferenceComponentName="part")["InferenceComponentStatus"] == "InService")
    assert text(local.invoke(name, InferenceComponentName="part")) == b"1,2"
    with pytest.raises(ClientError, match="ValidationError"):
        local.invoke(name, InferenceComponentName="other")
    local.sagemaker.delete_inference_component(InferenceComponentName="part")
    until(lambda: local.sagemaker.list_inference_components()["InferenceComponents"] == [])


def test_fault_2_one_of_several_containers_is_named(local: Local) -> None:
    """Local mode: "no TargetContainerHostname (TypeError)"."""
    containers = [{**local.container(f"direct-{name}"), "ContainerHostname": name} for name in ("a", "b")]
    local.model("direct", Containers=containers, InferenceExecutionConfig={"Mode": "Direct"})
    local.deploy("direct")
    assert text(local.invoke("direct", b"for b", TargetContainerHostname="b")) == b"for b"
    assert len(local.invocations("direct-b")) == 1
    assert local.invocations("direct-a") == []
    with pytest.raises(ClientError, match="ValidationError"):
        local.invoke("direct")


def test_fault_2_explanations_are_refused_in_words(local: Local) -> None:
    """Local mode: "no explanations (TypeError)"; they are not simulated here either, and nobody waits for one."""
    local.model("explained")
    local.deploy("explained")
    with pytest.raises(ClientError, match="does not support the header X-Amzn-SageMaker-Enable-Explanations") as caught:
        local.invoke("explained", EnableExplanations="`true`")
    assert caught.value.response["Error"]["Code"] == "ValidationError"
