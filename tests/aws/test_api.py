"""The door to AWS: what goes through it, and how a refusal comes back."""

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from argosy.aws.api import AwsApi, judge
from argosy.aws.call import Call
from argosy.errors import AwsError, InvalidCallError, UsageError
from argosy.planning.step import Later

REGION = "us-east-1"
SECRET = "it-is-secret-0123456789"


def describe(name: str = "iris") -> Call:
    return Call("sagemaker", "DescribeModel", REGION, {"ModelName": name})


class Service:
    """What AWS would be: it answers what it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.answer: tuple[int, bytes] = (200, b"{}")
        service = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                service.asked.append((self.headers.get("X-Amz-Target", self.path), body))
                status, answer = service.answer
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Service]:
    made = Service()
    threading.Thread(target=made.server.serve_forever, daemon=True).start()
    _settings(monkeypatch, tmp_path, made.url)
    yield made
    made.server.shutdown()
    made.server.server_close()


def _settings(monkeypatch: pytest.MonkeyPatch, home: Path, url: str) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_CONFIG_FILE": str(home / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)


def test_a_call_is_sent_as_it_is_and_its_answer_comes_back(service: Service) -> None:
    service.answer = (200, b'{"ModelName": "iris"}')
    assert AwsApi().ask(describe())["ModelName"] == "iris"
    assert service.asked == [("SageMaker.DescribeModel", b'{"ModelName": "iris"}')]


def test_what_may_be_absent_is_none_and_anything_else_an_error(service: Service) -> None:
    service.answer = (400, b'{"__type": "ValidationException", "message": "Could not find model"}')
    assert AwsApi().ask(describe(), absent=("ValidationException",)) is None
    with pytest.raises(AwsError) as caught:
        AwsApi().ask(describe(), absent=("Other",))
    assert (caught.value.action, caught.value.refusal) == ("sagemaker:DescribeModel", "ValidationException")
    assert caught.value.sentence == "Could not find model"


def test_all_pages_are_read(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = Call("sagemaker", "ListModels", REGION, {})
    service.answer = (200, b'{"Models": [], "NextToken": "more"}')
    found = AwsApi().pages(pages)
    assert next(found)["Models"] == []
    service.answer = (200, b'{"Models": []}')
    assert len(list(found)) == 1
    assert [body for _, body in service.asked] == [b"{}", b'{"NextToken": "more"}']


def test_what_has_no_pages_is_one(service: Service) -> None:
    service.answer = (200, b'{"ModelName": "iris"}')
    assert [page["ModelName"] for page in AwsApi().pages(describe())] == ["iris"]


def test_an_error_of_a_page_is_one_of_ours(service: Service) -> None:
    service.answer = (400, b'{"__type": "AccessDeniedException", "message": "no"}')
    with pytest.raises(AwsError) as caught:
        list(AwsApi().pages(Call("sagemaker", "ListModels", REGION, {})))
    assert caught.value.hint == "allow sagemaker:ListModels to whom the credentials belong to"


def test_a_refusal_is_told_with_its_cause_and_remedy(service: Service) -> None:
    service.answer = (
        400,
        b'{"__type": "ValidationException", "message": "Caller is not subscribed to the marketplace offering."}',
    )
    with pytest.raises(AwsError) as caught:
        AwsApi().ask(describe())
    assert caught.value.hint == "argosy subscribe PRODUCT"
    assert "has no subscription" in str(caught.value)


def test_a_write_that_the_model_does_not_take_is_not_sent(service: Service) -> None:
    with pytest.raises(InvalidCallError, match="sagemaker:CreateModel"):
        AwsApi().write(Call("sagemaker", "CreateModel", REGION, {"ModelName": "no name!"}))
    with pytest.raises(InvalidCallError):
        AwsApi().ask(Call("sagemaker", "DescribeModel", REGION, {"Modelname": "iris"}))
    assert service.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        (400, b'{"__type": "SignatureDoesNotMatch", "message": "it-is-secret-0123456789"}'),
        (400, b'{"__type": "ValidationException", "message": "AKIAIOSFODNN7EXAMPLE may not"}'),
        (500, b"it-is-secret-0123456789"),
    ],
)
def test_no_credential_is_in_an_error(service: Service, answer: tuple[int, bytes]) -> None:
    service.answer = answer
    with pytest.raises(AwsError) as caught:
        AwsApi().ask(describe())
    told = f"{caught.value}{caught.value!r}{caught.value.__cause__}"
    assert SECRET not in told
    assert "AKIAIOSFODNN7EXAMPLE" not in told


def test_nobody_there_is_told_without_the_url_that_may_have_a_login(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    _settings(monkeypatch, tmp_path, f"http://user:{SECRET}@127.0.0.1:{port}")
    with pytest.raises(AwsError, match="not reached") as caught:
        AwsApi().ask(describe())
    assert caught.value.refusal == "EndpointConnectionError"
    assert caught.value.hint == "argosy doctor"
    assert SECRET not in str(caught.value)


def test_no_credentials_are_told(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert AwsApi().credentials_fault() == ""
    with pytest.raises(AwsError, match="no credentials") as caught:
        AwsApi().ask(describe())
    assert (caught.value.refusal, service.asked) == ("NoCredentialsError", [])


def test_a_profile_that_is_not_there_is_wrong_usage(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(UsageError, match="its settings"):
        AwsApi()


def test_lanes_may_ask_at_the_same_time(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3's session breaks when two threads make clients with it: the lock is seen by who is inside."""
    api = AwsApi()
    inside, most, counting = 0, 0, threading.Lock()
    make = api._session.client

    def counted(*arguments: Any, **named: Any) -> Any:
        nonlocal inside, most
        with counting:
            inside += 1
            most = max(most, inside)
        time.sleep(0.01)  # long enough for another to come in, were the door open
        try:
            return make(*arguments, **named)
        finally:
            with counting:
                inside -= 1

    monkeypatch.setattr(api._session, "client", counted)
    regions = [f"eu-west-{number}" for number in (1, 2, 3)] * 2
    calls = [Call("sagemaker", "DescribeModel", region, {"ModelName": "iris"}) for region in regions]
    threads = [threading.Thread(target=api.ask, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert len(service.asked) == len(calls)


@pytest.mark.parametrize(
    ("service_name", "operation", "parameters", "fault"),
    [
        ("sagemaker", "NoSuchOperation", {}, "there is no such operation"),
        ("sagemaker", "CreateModel", {"ModelName": "a", "Modelname": "a"}, "there is no member `Modelname`"),
        ("sagemaker", "CreateModel", {"ModelName": 1}, "Invalid type for parameter ModelName"),
        ("sagemaker", "CreateModel", {"ModelName": Later("s", "x")}, "Invalid type for parameter ModelName"),
        ("sagemaker", "CreateModel", {}, "Missing required parameter"),
        ("sagemaker", "CreateModel", {"ModelName": "no name!"}, "must satisfy regular expression pattern"),
        ("sagemaker", "CreateModel", {"ModelName": "a" * 64}, "'modelName' failed to satisfy"),
        (
            "marketplace-catalog",
            "StartChangeSet",
            {"Catalog": "AWSMarketplace", "ChangeSet": []},
            "valid min length: 1",
        ),
    ],
)
def test_a_request_that_breaks_the_model_is_named(
    service_name: str, operation: str, parameters: dict[str, Any], fault: str
) -> None:
    with pytest.raises(InvalidCallError) as caught:
        judge(Call(service_name, operation, REGION, parameters))
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("service_name", "operation", "parameters"),
    [
        ("sagemaker", "CreateModel", {"ModelName": "iris"}),
        (
            "marketplace-catalog",
            "StartChangeSet",
            {
                "Catalog": "AWSMarketplace",
                "ChangeSet": [
                    {
                        "ChangeType": "CreateProduct",
                        "Entity": {"Type": "MachineLearningProduct@1.0"},
                        "DetailsDocument": {"Anything": [{"at": "all"}]},
                    }
                ],
            },
        ),
        ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "iris", "Body": b"x" * 25_000_000}),
        ("s3", "PutObject", {"Bucket": "iris", "Key": "k", "Body": b"x"}),
    ],
)
def test_what_the_service_takes_is_let_through(service_name: str, operation: str, parameters: dict[str, Any]) -> None:
    judge(Call(service_name, operation, REGION, parameters))
