"""The API as unmodified AWS clients see it: boto3 and the AWS CLI."""

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given, settings

from argosy.simulator.runtime import service
from tests.declined_upgrades import UPGRADES, Talk, answers, request, talks
from tests.simulator.conftest import MakeContainer
from tests.simulator.serving_thread import Served, demo, serving

MIB = 2**20
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
ServeEndpoint = Callable[..., Served]
INVOKE = "/endpoints/demo/invocations"


@pytest.fixture
def serve(stand_in: MakeContainer) -> Iterator[ServeEndpoint]:
    """Serves the endpoint `demo` around a stand-in container; limits as keywords, its settings as a mapping."""
    with ExitStack() as stack:

        def start(settings: dict[str, str] | None = None, **limits: Any) -> Served:
            return stack.enter_context(serving(stand_in(**(settings or {})), demo(**limits)))

        yield start


def runtime_client(served: Served, region: str = "us-east-1") -> Any:
    config = Config(retries={"max_attempts": 0}, read_timeout=70)
    return boto3.client("sagemaker-runtime", endpoint_url=served.url, region_name=region, config=config, **CREDENTIALS)


def received(served_container_url: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = httpx.get(f"{served_container_url}/requests").json()
    return listed


def caught(client: Any, **arguments: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as error:
        client.invoke_endpoint(**{"EndpointName": "demo", "Body": b"x"} | arguments)
    response: dict[str, Any] = error.value.response
    return response


def test_boto3_gets_the_container_s_body_unchanged(serve: ServeEndpoint) -> None:
    served = serve({"headers": json.dumps({"X-Amzn-SageMaker-Custom-Attributes": "from the container"})})
    body = bytes(range(256)) * 100
    answer = runtime_client(served).invoke_endpoint(
        EndpointName="demo", Body=body, ContentType="text/csv; charset=utf-8"
    )
    assert answer["Body"].read() == body
    assert answer["ContentType"] == "text/csv; charset=utf-8"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["CustomAttributes"] == "from the container"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_the_container_sees_the_allowed_headers_and_no_other(stand_in: MakeContainer) -> None:
    container = stand_in()
    with serving(container, demo()) as served:
        runtime_client(served).invoke_endpoint(
            EndpointName="demo",
            Body=b"1,2",
            ContentType="text/csv",
            Accept="application/json",
            CustomAttributes="trace=1; a b",
            InferenceId="call-7",
            SessionId="session-1",
            TargetVariant="AllTraffic",
        )
        request = received(container.url)[-1]
    assert {name.lower(): value for name, value in request["headers"]} == {
        "host": "model.aws.local:8080",
        "user-agent": "AHC/2.0",
        "content-type": "text/csv",
        "accept": "application/json",
        "x-amzn-sagemaker-custom-attributes": "trace=1; a b",
        "x-amzn-sagemaker-inference-id": "call-7",
        "x-amzn-sagemaker-session-id": "session-1",
        "content-length": "3",
    }


def test_a_missing_content_type_stays_missing(stand_in: MakeContainer) -> None:
    container = stand_in()
    with serving(container, demo()) as served:
        answer = runtime_client(served).invoke_endpoint(EndpointName="demo", Body=b"1,2")
        names = {name.lower() for name, _ in received(container.url)[-1]["headers"]}
    assert "content-type" not in names
    assert "accept" not in names
    assert answer["Body"].read() == b"1,2"


def test_custom_attributes_are_not_echoed_by_the_service(serve: ServeEndpoint) -> None:
    answer = runtime_client(serve()).invoke_endpoint(EndpointName="demo", Body=b"x", CustomAttributes="mine")
    assert "CustomAttributes" not in answer


def test_other_headers_of_the_container_are_dropped_and_sessions_renamed(serve: ServeEndpoint) -> None:
    session = "session-1; Expires=2030-01-01T00:00:00Z"
    served = serve({"headers": json.dumps({"X-Secret": "1", "X-Amzn-SageMaker-Session-Id": session})})
    answer = runtime_client(served).invoke_endpoint(EndpointName="demo", Body=b"x", SessionId="NEW_SESSION")
    assert answer["NewSessionId"] == session
    assert "x-secret" not in answer["ResponseMetadata"]["HTTPHeaders"]


def test_header_bytes_of_the_container_pass_as_they_came(serve: ServeEndpoint) -> None:
    served = serve({"headers": json.dumps({"X-Amzn-SageMaker-Custom-Attributes": "日本".encode().decode("latin-1")})})
    answer = httpx.post(f"{served.url}/endpoints/demo/invocations", content=b"x")
    assert answer.status_code == 200
    assert dict(answer.headers.raw)[b"x-amzn-sagemaker-custom-attributes"] == "日本".encode()


def test_a_control_character_in_a_header_of_the_container_is_a_model_error(serve: ServeEndpoint) -> None:
    served = serve({"headers": json.dumps({"X-Amzn-SageMaker-Custom-Attributes": "a\x01b"})})
    assert caught(runtime_client(served))["Error"]["Code"] == "ModelError"
    assert "what is no HTTP: got Invalid header value char" in served.reports[-1]


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [(400, "client", "CLIENT_ERROR_FROM_MODEL"), (503, "server", "INTERNAL_FAILURE_FROM_MODEL")],
)
def test_fault_1_an_error_of_the_container_is_a_model_error(
    serve: ServeEndpoint, status: int, kind: str, code: str
) -> None:
    served = serve()
    error = caught(runtime_client(served, "eu-west-2"), Body=f"STATUS-{status} bad".encode())
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert error["Error"]["Code"] == "ModelError"
    assert error["Error"]["Message"] == (
        f'Received {kind} error ({status}) from primary with message "STATUS-{status} bad". '
        "See https://eu-west-2.console.aws.amazon.com/cloudwatch/home?region=eu-west-2"
        "#logEventViewer:group=/aws/sagemaker/Endpoints/demo in account 123456789012 for more information."
    )
    assert error["OriginalStatusCode"] == status
    assert error["OriginalMessage"] == f"STATUS-{status} bad"
    assert error["LogStreamArn"] == "arn:aws:logs:eu-west-2:123456789012:log-group:/aws/sagemaker/Endpoints/demo"
    raw = httpx.post(f"{served.url}/endpoints/demo/invocations", content=f"STATUS-{status}".encode())
    assert raw.headers["x-amzn-errortype"] == "ModelError"
    assert raw.json()["ErrorCode"] == code


def test_boto3_raises_its_own_model_error_class(serve: ServeEndpoint) -> None:
    client = runtime_client(serve())
    with pytest.raises(client.exceptions.ModelError):
        client.invoke_endpoint(EndpointName="demo", Body=b"STATUS-500")
    with pytest.raises(client.exceptions.ValidationError):
        client.invoke_endpoint(EndpointName="other", Body=b"x")


def test_fault_1_a_container_that_takes_too_long_is_a_model_error_with_status_0(serve: ServeEndpoint) -> None:
    client = runtime_client(serve({"slow_s": "3"}, invocation_s=0.3))
    error = caught(client, Body=b"SLOW")
    assert error["OriginalStatusCode"] == 0
    assert error["Error"]["Message"].startswith(
        'Received server error (0) from primary with message "Your invocation timed out while waiting for a response '
        "from container primary. Review the latency metrics for each container in Amazon CloudWatch, resolve the "
        'issue, and try again." See https://'
    )
    assert client.invoke_endpoint(EndpointName="demo", Body=b"next")["Body"].read() == b"next"


def test_a_dropped_connection_is_a_model_error_with_status_0(serve: ServeEndpoint) -> None:
    served = serve()
    error = caught(runtime_client(served), Body=b"DROP")
    assert error["OriginalStatusCode"] == 0
    assert error["OriginalMessage"] == (
        "Amazon SageMaker could not get a response from the demo endpoint. This can occur when CPU or memory "
        "utilization is high. To check your utilization, see Amazon CloudWatch. To fix this problem, use an instance "
        "type with more CPU capacity or memory."
    )
    assert "broke" in served.reports[-1]


def test_fault_1_bodies_over_the_limit_are_refused_with_413(serve: ServeEndpoint) -> None:
    served = serve()
    client = runtime_client(served)
    assert len(client.invoke_endpoint(EndpointName="demo", Body=bytes(25 * MIB))["Body"].read()) == 25 * MIB
    error = caught(client, Body=bytes(25 * MIB + 1))
    assert error["Error"] == {"Code": "413", "Message": "HTTP content length exceeded 26214400 bytes."}
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_a_chunked_body_over_the_limit_is_refused_too(serve: ServeEndpoint) -> None:
    served = serve(body_bytes=1000)
    answer = httpx.post(f"{served.url}/endpoints/demo/invocations", content=(bytes(600) for _ in range(2)))
    assert answer.status_code == 413
    assert httpx.post(f"{served.url}/endpoints/demo/invocations", content=iter([b"1", b"2"])).content == b"12"


def test_a_body_over_6_mb_is_reported(serve: ServeEndpoint) -> None:
    served = serve()
    client = runtime_client(served)
    client.invoke_endpoint(EndpointName="demo", Body=bytes(6 * MIB))
    assert served.reports == []
    client.invoke_endpoint(EndpointName="demo", Body=bytes(6 * MIB + 1))
    assert [report.partition(":")[0] for report in served.reports] == [
        "request body of 6291457 bytes",
        "response body of 6291457 bytes",
    ]


def test_an_answer_that_is_too_long_is_a_model_error(serve: ServeEndpoint) -> None:
    error = caught(runtime_client(serve(body_bytes=100)), Body=b"DOUBLE" + bytes(90))
    assert error["OriginalStatusCode"] == 500
    assert (
        "Received server error (500) from primary and could not load the entire response body."
        in (error["Error"]["Message"])
    )


def test_long_messages_are_cut_at_2048_characters(serve: ServeEndpoint) -> None:
    error = caught(runtime_client(serve()), Body=b"STATUS-500" + b"a" * 5000)
    assert len(error["Error"]["Message"]) == len(error["OriginalMessage"]) == 2048


def test_an_unknown_endpoint_is_a_validation_error(serve: ServeEndpoint) -> None:
    error = caught(runtime_client(serve()), EndpointName="nobody")
    assert error["Error"]["Code"] == "ValidationError"
    assert error["Error"]["Message"] == "Endpoint nobody of account 123456789012 not found."
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    ("member", "value", "sentence"),
    [
        ("ContentType", "a" * 1025, "Member must have length less than or equal to 1024"),
        ("CustomAttributes", "b" * 1025, "Member must have length less than or equal to 1024"),
        ("InferenceId", "c" * 65, "Member must have length less than or equal to 64"),
        ("SessionId", "-d", "Member must satisfy regular expression pattern: ^(NEW_SESSION)$|"),
        ("TargetVariant", "e_f", "Member must satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9])*"),
        ("TargetModel", "m.tar.gz", "is not a multi-model endpoint and does not support target model header."),
        ("TargetVariant", "Blue", "Variant Blue not found"),
        ("InferenceComponentName", "part", "Inference Component Name header is not allowed for endpoints"),
    ],
)
def test_wrong_parameters_are_validation_errors(serve: ServeEndpoint, member: str, value: str, sentence: str) -> None:
    error = caught(runtime_client(serve()), **{member: value})
    assert error["Error"]["Code"] == "ValidationError"
    assert sentence in error["Error"]["Message"]


def test_header_bytes_that_are_not_ascii_are_a_validation_error(serve: ServeEndpoint) -> None:
    headers = {b"X-Amzn-SageMaker-Custom-Attributes": "é".encode()}
    answer = httpx.post(f"{serve().url}/endpoints/demo/invocations", headers=headers, content=b"x")
    assert answer.status_code == 400
    assert r"1 validation error detected: Value 'Ã©' at 'customAttributes'" in answer.json()["Message"]


def test_operations_that_are_not_there_say_so(serve: ServeEndpoint) -> None:
    served = serve()
    later = httpx.post(f"{served.url}/endpoints/demo/invocations-bidirectional-stream")
    assert (later.status_code, later.headers["x-amzn-errortype"]) == (501, "NotSimulated")
    assert httpx.get(f"{served.url}/endpoints/demo/invocations").status_code == 405
    assert httpx.get(f"{served.url}/").status_code == 404
    assert "no operation of SageMaker Runtime" in httpx.get(f"{served.url}/").json()["Message"]


def test_a_client_that_leaves_in_the_middle_of_its_body_invokes_nothing(stand_in: MakeContainer) -> None:
    container = stand_in()
    with serving(container, demo()) as served:
        with socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2]))) as client:
            client.sendall(b"POST /endpoints/demo/invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        runtime_client(served).invoke_endpoint(EndpointName="demo", Body=b"whole")
        assert [request["size"] for request in received(container.url) if request["method"] == "POST"] == [5]


def test_the_aws_cli_invokes_the_endpoint(serve: ServeEndpoint, tmp_path: Path) -> None:
    served = serve()
    (tmp_path / "in").write_bytes(b"\x00\xff1,2,3\n")
    ended = aws(
        served, tmp_path, "--content-type", "text/csv", "--custom-attributes", "a=b", "--body", "fileb://in", "out"
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout) == {"ContentType": "text/csv", "InvokedProductionVariant": "AllTraffic"}
    assert (tmp_path / "out").read_bytes() == b"\x00\xff1,2,3\n"


def test_the_aws_cli_shows_a_model_error(serve: ServeEndpoint, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"STATUS-418")
    ended = aws(serve(), tmp_path, "--body", "fileb://in", "out")
    assert ended.returncode != 0
    assert "An error occurred (ModelError) when calling the InvokeEndpoint operation: Received client error (418)" in (
        ended.stderr
    )


def aws(served: Served, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [str(Path(sys.executable).with_name("aws")), "sagemaker-runtime", "invoke-endpoint"]
    command += ["--endpoint-name", "demo", "--endpoint-url", served.url, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("operation", ["invocations", "invocations-response-stream"])
def test_what_is_under_way_when_the_server_ends_is_told_so(
    stand_in: MakeContainer, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    monkeypatch.setattr(service, "_DRAIN_S", 0.1)
    container, has_begun, is_streamed = stand_in(), threading.Event(), "stream" in operation

    def ask(url: str) -> tuple[int, str | None, bytes]:
        body = b"STREAM first WAIT second" if is_streamed else b"SLOW"
        with httpx.stream("POST", f"{url}/endpoints/demo/{operation}", content=body, timeout=20) as answer:
            content = b""
            for part in answer.iter_raw():
                content += part
                has_begun.set()
            return answer.status_code, answer.headers.get("x-amzn-ErrorType"), content

    with ThreadPoolExecutor(1) as pool:
        with serving(container, demo()) as served:
            asking = pool.submit(ask, served.url)
            if is_streamed:
                assert has_begun.wait(20)
            deadline = time.monotonic() + 20
            while all(one["path"] != "/invocations" for one in received(container.url)):
                assert time.monotonic() < deadline
        status, kind, content = asking.result(20)
    assert (status, kind) == ((200, None) if is_streamed else (503, "ServiceUnavailable"))
    if is_streamed:
        assert b"first" in content
        assert b"InternalStreamFailure" in content


@pytest.mark.parametrize("upgrade", UPGRADES.values(), ids=UPGRADES)
@pytest.mark.parametrize("is_cut", [False, True], ids=["at once", "head and body"])
def test_a_client_that_asks_for_an_upgrade_is_answered_without_advice(
    stand_in: MakeContainer, caplog: pytest.LogCaptureFixture, upgrade: bytes, is_cut: bool
) -> None:
    container = stand_in()
    sent = request(INVOKE, b"body", upgrade)
    segments = (sent.removesuffix(b"body"), b"body") if is_cut else (sent,)
    with serving(container, demo()) as served, httpx.Client() as other:
        said = answers(port_of(served), Talk(segments, (b"body",)), lambda: other.get(served.url))
        (invoked,) = (one for one in received(container.url) if one["method"] == "POST")
    assert said == [(200, b"body")]
    assert (invoked["size"], invoked["digest"]) == (4, hashlib.sha256(b"body").hexdigest())
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


def test_bodies_behind_upgrades_arrive_whole_wherever_the_bytes_are_cut(serve: ServeEndpoint) -> None:
    served = serve()
    with httpx.Client() as other:

        @settings(max_examples=30, deadline=None)
        @given(talks(INVOKE))
        def arrive(talk: Talk) -> None:
            said = answers(port_of(served), talk, lambda: other.get(served.url))
            assert said == [(200, body) for body in talk.bodies]

        arrive()


def test_a_body_of_25_mb_behind_an_upgrade_arrives_whole(serve: ServeEndpoint) -> None:
    served, body = serve(), bytes(range(256)) * (25 * MIB // 256)
    sent = request(INVOKE, body, UPGRADES["h2c"], chunk=MIB) + request(INVOKE, b"next")
    talk = Talk((sent,), (body, b"next"))
    assert answers(port_of(served), talk, lambda: None) == [(200, body), (200, b"next")]


def port_of(served: Served) -> int:
    return int(served.url.rpartition(":")[2])
