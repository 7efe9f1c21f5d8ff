"""Asynchronous invocations as boto3 and the readers of a bucket see them."""

import base64
import hashlib
import http.server
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from argosy.errors import UsageError
from argosy.simulator.hosting.definition import AsyncInference as AsyncConfig
from argosy.simulator.runtime import async_request
from argosy.simulator.runtime.async_inference import AsyncInference
from argosy.simulator.runtime.async_spool import Outcome, Spool
from argosy.simulator.runtime.async_turn import AsyncOptions
from argosy.simulator.runtime.notification import DeliveryPolicy, Notifier, Result, notification
from argosy.simulator.storage.local_folder import LocalFolder
from argosy.simulator.storage.objects import ObjectUri, Upload
from tests.simulator.conftest import MakeContainer
from tests.simulator.serving_thread import Served, demo, serving

SUCCESS = "arn:aws:sns:us-east-1:123456789012:done"
ERROR = "arn:aws:sns:us-east-1:123456789012:broken"
CONFIG = AsyncConfig("s3://results/out", "s3://results/failed", SUCCESS, ERROR)
QUICK = DeliveryPolicy(retries=2, delay_s=0.01)


@dataclass
class Bench:
    """An asynchronous endpoint around a stand-in, with its buckets."""

    served: Served
    store: LocalFolder
    folder: Path
    container_url: str

    @property
    def client(self) -> Any:
        return boto3.client(
            "sagemaker-runtime",
            endpoint_url=self.served.url,
            region_name="us-east-1",
            config=Config(retries={"max_attempts": 0}),
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def invoke(self, **arguments: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.invoke_endpoint_async(EndpointName="demo", **arguments)
        return answer

    def put(self, key: str, body: bytes) -> str:
        upload = self.store.create(ObjectUri("inputs", key))
        upload.stream.write(body)
        upload.finish()
        return f"s3://inputs/{key}"

    def read(self, location: str) -> bytes:
        """An object, as soon as it is there."""
        uri = ObjectUri.parse(location)
        (self.folder / "buckets" / uri.bucket).mkdir(parents=True, exist_ok=True)
        until(lambda: self.store.find(uri) is not None, f"nothing at {location}: {self.served.reports}")
        with self.store.open(uri) as file:
            return file.read()

    def told(self, count: int = 1) -> list[dict[str, Any]]:
        """The messages for topics, as soon as there are as many."""
        path = self.folder / "told"
        until(lambda: path.exists() and len(path.read_text().splitlines()) >= count, f"{self.served.reports}")
        return [json.loads(json.loads(line)["Message"]) for line in path.read_text().splitlines()]

    def requests(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = httpx.get(f"{self.container_url}/requests").json()
        return [request for request in listed if request["method"] == "POST"]

    def is_spool_empty(self) -> bool:
        return not any(path.is_file() for path in (self.folder / "spool").rglob("*"))


def until(condition: Callable[[], bool], otherwise: str, timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.01)


MakeBench = Callable[..., Bench]


@pytest.fixture
def bench(stand_in: MakeContainer, tmp_path: Path) -> Iterator[MakeBench]:
    """Makes the endpoint `demo`; its container's settings, configuration and options as arguments."""
    store = LocalFolder(tmp_path / "buckets")
    with ExitStack() as stack:

        def make(
            settings: dict[str, str] | None = None,
            config: AsyncConfig = CONFIG,
            options: AsyncOptions | None = None,
            subscribers: dict[str, str | Path] | None = None,
        ) -> Bench:
            heard = subscribers or {SUCCESS: tmp_path / "told", ERROR: tmp_path / "told"}

            def make_async(report: Callable[[str], None]) -> AsyncInference:
                return AsyncInference(store, Spool(tmp_path / "spool"), Notifier(heard, report, QUICK), report, options)

            container = stand_in(**(settings or {}))
            definition = replace(demo(), async_inference=config)
            served = stack.enter_context(serving(container, definition, make_async=make_async))
            return Bench(served, store, tmp_path, container.url)

        yield make


def caught(bench: Bench, operation: str, **arguments: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as error:
        getattr(bench.client, operation)(EndpointName="demo", **arguments)
    response: dict[str, Any] = error.value.response
    return response


def test_an_object_goes_in_and_a_result_comes_out(bench: MakeBench) -> None:
    made = bench()
    location = made.put("a.csv", b"1,2,3")
    answer = made.invoke(
        InputLocation=location, ContentType="text/csv", Accept="text/csv", CustomAttributes="c=1", InferenceId="mine"
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert answer["InferenceId"] == "mine"
    assert re.fullmatch(r"s3://results/out/[0-9a-f-]{36}\.out", answer["OutputLocation"])
    assert re.fullmatch(r"s3://results/failed/[0-9a-f-]{36}-error\.out", answer["FailureLocation"])
    assert made.read(answer["OutputLocation"]) == b"1,2,3"
    (request,) = made.requests()
    headers = {name.lower(): value for name, value in request["headers"]}
    assert request["path"] == "/invocations"
    assert {name: headers.get(name) for name in ("content-type", "accept", "content-length")} == {
        "content-type": "text/csv",
        "accept": "text/csv",
        "content-length": "5",
    }
    assert headers["x-amzn-sagemaker-custom-attributes"] == "c=1"
    assert headers["x-amzn-sagemaker-inference-id"] == "mine"
    (message,) = made.told()
    assert {name: message[name] for name in message if not name.endswith("Time")} == {
        "awsRegion": "us-east-1",
        "invocationStatus": "Completed",
        "requestParameters": {
            "accept": "text/csv",
            "contentType": "text/csv",
            "endpointName": "demo",
            "inputLocation": location,
        },
        "responseParameters": {"contentType": "text/csv", "outputLocation": answer["OutputLocation"]},
        "inferenceId": "mine",
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message["receivedTime"])
    until(made.is_spool_empty, "the spool is not empty")


def test_a_body_comes_with_the_request_and_the_result_has_the_name_that_it_asks_for(bench: MakeBench) -> None:
    made = bench(config=replace(CONFIG, failure=None, includes_response=frozenset({"SUCCESS_NOTIFICATION_TOPIC"})))
    answer = made.invoke(Body=b"x\ny", ContentType="text/plain", S3OutputPathExtension="today", Filename="r.txt")
    assert answer["OutputLocation"] == "s3://results/out/today/r.txt"
    assert "FailureLocation" not in answer
    assert made.read(answer["OutputLocation"]) == b"x\ny"
    (message,) = made.told()
    assert "inputLocation" not in message["requestParameters"]
    assert base64.b64decode(message["responseBody"]["content"]) == b"x\ny"
    assert message["responseBody"]["encoding"] == "BASE64"


def test_an_error_of_the_container_is_a_failure_object_and_no_result(bench: MakeBench) -> None:
    made = bench(config=replace(CONFIG, includes_response=frozenset({"ERROR_NOTIFICATION_TOPIC"})))
    answer = made.invoke(Body=b"STATUS-500 no luck")
    assert made.read(answer["FailureLocation"]) == b"STATUS-500 no luck"
    (message,) = made.told()
    assert message["invocationStatus"] == "Failed"
    assert message["failureReason"] == (
        "ClientError: Received server error (500) from model. "
        "See the SageMaker Endpoint logs in your account for more information."
    )
    assert base64.b64decode(message["responseBody"]["content"]) == b"STATUS-500 no luck"
    assert "responseParameters" not in message
    assert made.store.find(ObjectUri.parse(answer["OutputLocation"])) is None


def test_objects_have_the_media_type_of_the_answer(bench: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    made = bench()
    given: list[str | None] = []
    create = made.store.create

    def kept(uri: ObjectUri, content_type: str | None = None) -> Upload:
        given.append(content_type)
        return create(uri, content_type)

    monkeypatch.setattr(made.store, "create", kept)
    made.read(made.invoke(Body=b"1,2", ContentType="text/csv")["OutputLocation"])
    made.read(made.invoke(Body=b"STATUS-500", ContentType="text/x-own")["FailureLocation"])
    assert given == ["text/csv", "text/x-own"]


@pytest.mark.parametrize("is_required", [True, False])
def test_an_answer_without_content_length_is_refused_where_that_is_asked_for(
    bench: MakeBench, is_required: bool
) -> None:
    made = bench(options=AsyncOptions(requires_content_length=is_required))
    answer = made.invoke(Body=b"STREAM in chunks")
    words = "did not specify the required Content-Length header"
    if is_required:
        assert words in made.read(answer["FailureLocation"]).decode()
        assert made.store.find(ObjectUri.parse(answer["OutputLocation"])) is None
    else:
        assert made.read(answer["OutputLocation"]) == b"inchunks"
        assert any(words in line for line in made.served.reports)


def test_without_a_place_for_failures_the_topic_alone_is_told(bench: MakeBench) -> None:
    made = bench(config=replace(CONFIG, failure=None))
    made.invoke(Body=b"STATUS-404")
    (message,) = made.told()
    assert "Received client error (404) from model." in message["failureReason"]
    until(made.is_spool_empty, "the spool is not empty")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"InputLocation": "s3://inputs/nothing"}, "There is no object at s3://inputs/nothing."),
        ({"InputLocation": "s3://no-bucket/x"}, "no such bucket"),
        ({"Body": b"SLOW", "InvocationTimeoutSeconds": 1}, "Received server error (0) from model."),
        ({"Body": b"DROP"}, "Amazon SageMaker could not get a response from the demo endpoint."),
        ({"Body": b"DOUBLE" + bytes(40)}, "The response of the container is larger than 1 GB."),
    ],
    ids=["object", "bucket", "timeout", "drop", "size"],
)
def test_what_cannot_be_done_is_a_failure_with_a_reason(
    bench: MakeBench, arguments: dict[str, Any], reason: str
) -> None:
    made = bench({"slow_s": "3"}, options=AsyncOptions(retry_delay_s=0.01, longest_object=60))
    made.put("something", b"")
    answer = made.invoke(**arguments)
    assert reason in made.read(answer["FailureLocation"]).decode()
    (message,) = made.told()
    assert reason in message["failureReason"]
    assert len(made.requests()) == (3 if arguments.get("Body") == b"DROP" else "Body" in arguments)


def test_an_invocation_that_waits_too_long_expires(bench: MakeBench, tmp_path: Path) -> None:
    # A client can ask for a minute at least, so the spool has what came nearly a minute ago, and an hour ago.
    spool = Spool(tmp_path / "spool")
    headers = {"x-amzn-sagemaker-requestttlseconds": "60"}
    kept = [async_request.invocation("demo", CONFIG, headers, "us-east-1", "-error.out") for _ in range(3)]
    first, second, third = kept
    spool.add(first, b"SLOW")
    spool.add(replace(second, received=time.time() - 59), b"waits")
    spool.add(replace(third, received=time.time() - 3600), b"too late")
    made = bench({"slow_s": "2"}, config=replace(CONFIG, max_concurrent_per_instance=1))
    for invocation in (second, third):
        assert invocation.failure is not None
        text = made.read(invocation.failure)
        assert text == b"ClientError: The request expired after 60 seconds in the queue."
    assert made.store.find(ObjectUri.parse(first.output)) is None, "both were told while the first was at work"
    assert made.read(first.output) == b"SLOW"
    assert len(made.requests()) == 1


def test_what_was_about_to_end_is_told_when_its_result_is_there_and_asked_again_when_not(
    bench: MakeBench, tmp_path: Path
) -> None:
    spool, store = Spool(tmp_path / "spool"), LocalFolder(tmp_path / "buckets")
    headers = {"x-amzn-sagemaker-filename": "same"}
    there, not_there = (async_request.invocation("demo", CONFIG, extra, "us-east-1", "") for extra in (headers, {}))
    for invocation in (there, not_there):
        spool.add(invocation, b"again")
        told = notification(SUCCESS, invocation, Result(None))
        spool.settle(invocation, Outcome(invocation.output, "the one before", told))
    upload = store.create(ObjectUri.parse(there.output))
    upload.stream.write(b"first")
    upload.finish()
    made = bench()
    assert made.read(not_there.output) == b"again"
    told_ids = {message["inferenceId"] for message in made.told(2)}
    assert told_ids == {there.inference_id, not_there.inference_id}
    assert made.read(there.output) == b"first"
    assert len(made.requests()) == 1
    until(made.is_spool_empty, "the spool is not empty")


def test_a_damaged_file_keeps_no_endpoint_from_service(bench: MakeBench, tmp_path: Path) -> None:
    kept = async_request.invocation("demo", CONFIG, {}, "us-east-1", "")
    Spool(tmp_path / "spool").add(kept, b"good")
    (tmp_path / "spool/demo/0.invocation").write_bytes(b"{}")
    made = bench()
    assert made.read(kept.output) == b"good"
    assert made.read(made.invoke(Body=b"new")["OutputLocation"]) == b"new"
    assert any("0.invocation" in report and ".damaged" in report for report in made.served.reports)


def test_no_more_invocations_at_a_time_than_the_endpoint_says(bench: MakeBench) -> None:
    made = bench({"slow_s": "0.1"}, config=replace(CONFIG, max_concurrent_per_instance=2))
    places = [made.invoke(Body=f"SLOW {number}".encode())["OutputLocation"] for number in range(6)]
    assert [made.read(place) for place in places] == [f"SLOW {number}".encode() for number in range(6)]
    requests = made.requests()
    assert max(request["concurrent"] for request in requests) == 2


def test_each_kind_of_endpoint_refuses_the_other_s_invocations(bench: MakeBench, stand_in: MakeContainer) -> None:
    made = bench()
    sentence = "Endpoint demo of account 123456789012 does not support this inference type."
    error = caught(made, "invoke_endpoint", Body=b"x")
    assert (error["Error"]["Code"], error["Error"]["Message"]) == ("ValidationError", sentence)
    with serving(stand_in(), demo()) as served:
        error = caught(replace(made, served=served), "invoke_endpoint_async", Body=b"x")
    assert (error["Error"]["Code"], error["Error"]["Message"]) == ("ValidationError", sentence)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"Body": bytes(128_001)}, "'body' failed to satisfy constraint: Member must have length less than or equal"),
        ({"Body": b"x", "InputLocation": "s3://inputs/x"}, "mutually exclusive"),
        ({"InputLocation": "https://example.com/x"}, "this is no URL of an object in S3"),
        ({"Body": b"x", "Filename": "../x"}, "'filename' failed"),
    ],
)
def test_wrong_requests_are_validation_errors_and_nothing_is_kept(
    bench: MakeBench, arguments: dict[str, Any], sentence: str
) -> None:
    made = bench()
    error = caught(made, "invoke_endpoint_async", **arguments)
    assert error["Error"]["Code"] == "ValidationError"
    assert sentence in error["Error"]["Message"]
    assert made.is_spool_empty()


def test_a_large_object_passes_in_pieces(bench: MakeBench) -> None:
    made = bench()
    body = bytes(range(256)) * (32 * 4096)  # 32 MiB, more than an endpoint takes
    answer = made.invoke(InputLocation=made.put("large", body))
    assert hashlib.sha256(made.read(answer["OutputLocation"])).digest() == hashlib.sha256(body).digest()
    (request,) = made.requests()
    assert request["size"] == len(body)


@contextmanager
def subscriber(statuses: list[int]) -> Iterator[tuple[str, list[tuple[dict[str, str], dict[str, Any]]]]]:
    """A URL that answers with these statuses in turn, and what it got."""
    got: list[tuple[dict[str, str], dict[str, Any]]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(statuses[min(len(got), len(statuses)) - 1])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/topic?x=1", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_url_is_posted_to_as_sns_does_and_again_until_it_takes_it(bench: MakeBench) -> None:
    with subscriber([500, 503, 200]) as (url, got):
        made = bench(subscribers={SUCCESS: url})
        made.invoke(Body=b"x")
        until(lambda: len(got) == 3, f"{made.served.reports}")
        until(made.is_spool_empty, "it is forgotten once it is delivered")
    headers, envelope = got[0]
    assert headers["x-amz-sns-message-type"] == envelope["Type"] == "Notification"
    assert headers["x-amz-sns-topic-arn"] == envelope["TopicArn"] == SUCCESS
    assert {body["MessageId"] for _, body in got} == {headers["x-amz-sns-message-id"]}
    assert json.loads(envelope["Message"])["invocationStatus"] == "Completed"


def test_a_notification_that_nobody_takes_is_reported_and_lost(bench: MakeBench) -> None:
    with subscriber([500]) as (url, got):
        made = bench(subscribers={SUCCESS: url})
        made.invoke(Body=b"x")
        until(made.is_spool_empty, f"{made.served.reports}")
        assert len(got) == 3
    assert any("is lost after 3 attempts" in report for report in made.served.reports)


@pytest.mark.parametrize("url", ["http://example.com/", "https://10.0.0.1/", "http://127.0.0.1.example.com"])
def test_notifications_stay_on_this_machine(url: str) -> None:
    with pytest.raises(UsageError, match="to this machine only"):
        Notifier({SUCCESS: url}, print)


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http://:80/x",
        "http://localhost:99999/x",
        "http://localhost:http/x",
        "http://localhost:-1/x",
        "http://[::1/x",
        "http://localhost/é",
    ],
)
def test_a_url_that_nothing_can_be_posted_to_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(UsageError, match="cannot go to this URL"):
        Notifier({SUCCESS: url}, print)


def test_remote_subscribers_are_allowed_when_asked_for() -> None:
    Notifier({SUCCESS: "https://example.com/"}, print, is_loopback_only=False)
