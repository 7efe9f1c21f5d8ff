"""InvokeEndpointWithResponseStream as unmodified boto3 sees it."""

import json
import socket
import time
from contextlib import closing
from typing import Any

import httpx
import pytest
from botocore.eventstream import EventStreamBuffer
from botocore.exceptions import ClientError, EventStreamError

from argosy.errors import EngineError
from argosy.simulator.hosting.backend import Backend, Hop, Request
from argosy.simulator.hosting.definition import Model, ProductionVariant
from argosy.simulator.hosting.endpoint import HostingOptions
from argosy.simulator.hosting.single import SingleContainer
from tests.simulator.conftest import MakeContainer
from tests.simulator.runtime.test_service import received, runtime_client
from tests.simulator.serving_thread import Served, demo, serving

WORDS = b"STREAM one two three"


def stream(served: Served, body: bytes = WORDS, **arguments: Any) -> dict[str, Any]:
    answer: dict[str, Any] = runtime_client(served).invoke_endpoint_with_response_stream(
        EndpointName="demo", Body=body, **arguments
    )
    return answer


def parts(answer: dict[str, Any]) -> list[bytes]:
    with closing(answer["Body"]) as events:
        return [event["PayloadPart"]["Bytes"] for event in events]


def test_boto3_reads_the_parts_as_the_container_sends_them(stand_in: MakeContainer) -> None:
    attributes = json.dumps({"X-Amzn-SageMaker-Custom-Attributes": "mine", "X-Secret": "1"})
    with serving(stand_in(headers=attributes), demo()) as served:
        answer = stream(served)
        assert b"".join(parts(answer)) == b"onetwothree"
    assert answer["ContentType"] == "text/plain"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["CustomAttributes"] == "mine"
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["content-type"] == "application/vnd.amazon.eventstream"
    assert "x-secret" not in headers


def test_the_container_sees_an_ordinary_invocation(stand_in: MakeContainer) -> None:
    container = stand_in()
    with serving(container, demo()) as served:
        parts(stream(served, ContentType="text/plain", Accept="text/event-stream", SessionId="s-1"))
        httpx.post(
            f"{served.url}/endpoints/demo/invocations-response-stream",
            content=WORDS,
            headers={"Accept": "image/png", "X-Amzn-SageMaker-Target-Model": "m"},
        )
        first, second = [request for request in received(container.url) if request["method"] == "POST"]
    assert (first["path"], second["path"]) == ("/invocations", "/invocations")
    assert {name.lower(): value for name, value in first["headers"]} == {
        "host": "model.aws.local:8080",
        "user-agent": "AHC/2.0",
        "content-type": "text/plain",
        "accept": "text/event-stream",
        "x-amzn-sagemaker-session-id": "s-1",
        "content-length": str(len(WORDS)),
    }
    assert {name.lower() for name, _ in second["headers"]} == {"host", "user-agent", "content-length"}


def test_the_first_part_comes_before_the_last_is_made(stand_in: MakeContainer) -> None:
    with serving(stand_in(slow_s="30"), demo()) as served:
        answer = stream(served, b"STREAM first WAIT last")
        assert next(iter(answer["Body"]))["PayloadPart"]["Bytes"] == b"first"
        answer["Body"].close()


def test_a_container_that_does_not_stream_is_read_too(stand_in: MakeContainer) -> None:
    with serving(stand_in(), demo()) as served:
        assert b"".join(parts(stream(served, bytes(300_000)))) == bytes(300_000)
        assert parts(stream(served, b"")) == []


@pytest.mark.parametrize(("body", "status"), [(b"STATUS-404 no", 404), (b"STATUS-503 no", 503)])
def test_an_error_before_the_first_byte_is_a_model_error(stand_in: MakeContainer, body: bytes, status: int) -> None:
    with serving(stand_in(), demo()) as served, pytest.raises(ClientError) as error:
        stream(served, body)
    assert error.value.response["Error"]["Code"] == "ModelError"
    assert error.value.response["OriginalStatusCode"] == status
    assert error.value.response["OriginalMessage"] == body.decode()


@pytest.mark.parametrize("body", [b"DROP", b"STREAM BREAK", b"STREAM WAIT late"])
def test_no_first_byte_is_a_model_error_with_status_0(stand_in: MakeContainer, body: bytes) -> None:
    with serving(stand_in(), demo(invocation_s=0.3)) as served, pytest.raises(ClientError) as error:
        stream(served, body)
    assert error.value.response["Error"]["Code"] == "ModelError"
    assert error.value.response["OriginalStatusCode"] == 0
    timed_out = body == b"STREAM WAIT late"
    words = "Your invocation timed out" if timed_out else "could not get a response from the demo endpoint"
    assert words in error.value.response["OriginalMessage"]


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b"STREAM one BREAK", "StreamBroken", "was reset or closed"),
        (b"STREAM one WAIT two", "ModelInvocationTimeExceeded", "failed to finish sending the response"),
    ],
)
def test_a_failure_in_the_middle_is_a_model_stream_error(
    stand_in: MakeContainer, body: bytes, code: str, words: str
) -> None:
    with serving(stand_in(), demo(stream_s=0.5)) as served:
        answer = stream(served, body)
        with pytest.raises(EventStreamError) as error:
            parts(answer)
        raw = httpx.post(f"{served.url}/endpoints/demo/invocations-response-stream", content=body)
    assert error.value.response["Error"]["Code"] == "ModelStreamError"
    assert words in error.value.response["Error"]["Message"]
    buffer = EventStreamBuffer()
    buffer.add_data(raw.content)
    first, last = list(buffer)
    assert (first.headers[":event-type"], first.payload) == ("PayloadPart", b"one")
    assert last.headers[":message-type"] == "exception"
    assert json.loads(last.payload)["ErrorCode"] == code


def test_a_client_that_leaves_ends_the_container_s_connection(stand_in: MakeContainer) -> None:
    container = stand_in(slow_s="30")
    with serving(container, demo()) as served:
        with socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2]))) as client:
            body = b"STREAM one WAIT two"
            head = "POST /endpoints/demo/invocations-response-stream HTTP/1.1\r\nHost: x\r\nContent-Length: "
            client.sendall(f"{head}{len(body)}\r\n\r\n".encode() + body)
            assert client.recv(100)
        deadline = time.monotonic() + 20
        while not any(request["method"] == "CLOSED" for request in received(container.url)):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_recut_parts_hold_the_same_bytes(stand_in: MakeContainer) -> None:
    words = [b"word%03d" % number for number in range(40)]
    with serving(stand_in(), demo(), HostingOptions(seed=2, is_recut=True)) as served:
        seen = parts(stream(served, b"STREAM " + b" ".join(words)))
    assert b"".join(seen) == b"".join(words)
    assert set(seen) - set(words)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"Accept": "a" * 1025}, "at 'accept' failed to satisfy constraint: Member must have length less than"),
        ({"TargetVariant": "Blue"}, "Variant Blue not found"),
        ({"EndpointName": "other"}, "Endpoint other of account 123456789012 not found."),
    ],
)
def test_wrong_parameters_are_validation_errors(
    stand_in: MakeContainer, arguments: dict[str, str], sentence: str
) -> None:
    with serving(stand_in(), demo()) as served, pytest.raises(ClientError) as error:
        runtime_client(served).invoke_endpoint_with_response_stream(
            **{"EndpointName": "demo", "Body": b"x"} | arguments
        )
    assert error.value.response["Error"]["Code"] == "ValidationError"
    assert sentence in error.value.response["Error"]["Message"]


def test_a_stream_cannot_begin_a_session_and_its_body_has_a_limit(stand_in: MakeContainer) -> None:
    with serving(stand_in(), demo(body_bytes=1000)) as served:
        url = f"{served.url}/endpoints/demo/invocations-response-stream"
        refused = httpx.post(url, content=b"x", headers={"X-Amzn-SageMaker-Session-Id": "NEW_SESSION"})
        assert (refused.status_code, refused.json()["Message"].partition(";")[0]) == (
            400,
            "1 validation error detected: Value 'NEW_SESSION' at 'sessionId' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9])*$",
        )
        assert httpx.post(url, content=bytes(1001)).status_code == 413


class Faulty(SingleContainer):
    """Of an engine that fails when it is asked."""

    async def route(self, request: Request) -> Hop:
        raise EngineError("`docker network inspect` did not end")


def test_what_the_simulator_cannot_do_is_an_internal_failure(stand_in: MakeContainer) -> None:
    def make(model: Model, variant: ProductionVariant) -> Backend:
        return Faulty(stand_in, variant)

    with serving(make, demo()) as served:
        client = runtime_client(served)
        for operation in (client.invoke_endpoint, client.invoke_endpoint_with_response_stream):
            with pytest.raises(client.exceptions.InternalFailure, match="An internal failure occurred"):
                operation(EndpointName="demo", Body=b"x")
        assert all("`docker network inspect` did not end" in line for line in served.reports)
