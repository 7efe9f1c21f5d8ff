"""Serial pipelines with boto3: stand-in processes, and Argosy's own server."""

import contextlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from argosy.errors import ContainerError, UsageError
from argosy.simulator.backends.maker import BackendMaker, BackendOptions
from argosy.simulator.backends.pipeline import HandedOver, PipelineOptions
from argosy.simulator.backends.ports import Ports
from argosy.simulator.containers.process import is_free
from argosy.simulator.health import Report
from argosy.simulator.hosting.definition import (
    ArtifactSource,
    ContainerDefinition,
    EndpointDefinition,
    ExecutionMode,
    Limits,
    Mode,
    Model,
    ProductionVariant,
)
from argosy.simulator.hosting.definition import AsyncInference as AsyncConfig
from argosy.simulator.runtime.async_inference import AsyncInference
from argosy.simulator.runtime.async_spool import Spool
from argosy.simulator.runtime.notification import Notifier
from tests.simulator.backends.conftest import ARGOSY, HOSTED, STAND_IN, House, caught, furnished, runtime_client
from tests.simulator.serving_thread import serving


def echo(**settings: str) -> ContainerDefinition:
    return ContainerDefinition(
        STAND_IN, environment={f"STAND_IN_{key.upper()}": value for key, value in settings.items()}
    )


@contextmanager
def endpoint(
    house: House,
    *containers: ContainerDefinition,
    mode: ExecutionMode = ExecutionMode.SERIAL,
    options: PipelineOptions | None = None,
    limits: Limits | None = None,
    results: AsyncConfig | None = None,
) -> Iterator[Any]:
    limits = limits or Limits()
    maker = BackendMaker(house.surroundings, BackendOptions(pipeline=options or PipelineOptions()), limits)
    variant = ProductionVariant(model=Model("demo", containers, mode), startup_s=20)
    definition = EndpointDefinition("demo", (variant,), limits=limits, async_inference=results)

    def asynchronous(report: Report) -> AsyncInference:
        return AsyncInference(house.surroundings.store, Spool(house.root / "spool"), Notifier({}, report), report)

    with (
        serving(maker, definition, make_async=asynchronous if results else None) as served,
        contextlib.closing(runtime_client(served)) as client,
    ):
        yield client
    assert house.is_clean()


def invoke(client: Any, body: bytes = b"x", **arguments: Any) -> Any:
    answer = client.invoke_endpoint(**{"EndpointName": "demo", "Body": body, **arguments})
    return {**answer, "Body": answer["Body"].read()}


def received(house: House, number: int) -> dict[str, Any]:
    """The last invocation of a container, from 1."""
    found: dict[str, Any] = house.ask("/requests", number - 1)[-1]
    headers = {name.lower(): value for name, value in found["headers"]}
    return {**found, "headers": headers}


def by_number(house: House) -> None:
    """Containers start at the same time: put them into the model's order."""
    house.opened.sort(key=lambda opened: opened[1].port)


GIVEN = {"ContentType": "text/csv", "Accept": "image/png", "CustomAttributes": "of the client", "InferenceId": "7"}


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Any]]:
    with furnished(tmp_path_factory.mktemp("house")) as house:
        second = echo(headers=json.dumps({"X-Amzn-SageMaker-Custom-Attributes": "of the second"}))
        with endpoint(house, echo(), second, replace(echo(), hostname=None)) as client:
            by_number(house)
            yield house, client


def test_each_answer_is_the_next_request(three: tuple[House, Any]) -> None:
    house, client = three
    answer = invoke(client, b"DOUBLE 1,2;", **GIVEN)
    assert answer["Body"] == b"DOUBLE 1,2;" * 8
    assert answer["ContentType"] == "text/csv"
    assert [received(house, number)["size"] for number in (1, 2, 3)] == [11, 22, 44]
    for number in (1, 2, 3):
        headers = received(house, number)["headers"]
        assert headers["content-type"] == "text/csv"
        assert headers["x-amzn-sagemaker-custom-attributes"] == "of the client"
        assert headers["x-amzn-sagemaker-inference-id"] == "7"
        assert headers.get("accept") == (None if number < 3 else "image/png")


@pytest.mark.parametrize("given", [b"", b"DOUBLE;"], ids=["empty", "some"])
def test_an_asynchronous_input_goes_through_all_containers(house: House, given: bytes) -> None:
    source = house.root / "s3/in/input"
    source.parent.mkdir(parents=True)
    source.write_bytes(given)
    with endpoint(house, echo(empty="DOUBLE!"), echo(), results=AsyncConfig("s3://out")) as client:
        answer = client.invoke_endpoint_async(EndpointName="demo", InputLocation="s3://in/input")
        result = house.root / "s3" / answer["OutputLocation"].removeprefix("s3://")
        deadline = time.monotonic() + 20
        while not result.exists():
            assert time.monotonic() < deadline, "no result"
            time.sleep(0.01)
        assert result.read_bytes() == (given * 4 or b"DOUBLE!" * 2)


def test_each_container_has_a_port_and_a_range_of_its_own(three: tuple[House, Any]) -> None:
    house, _client = three
    ports: list[int] = []
    for container, launch in house.opened:
        assert container.url.endswith(launch.environment["SAGEMAKER_BIND_TO_PORT"])
        first, last = map(int, launch.environment["SAGEMAKER_SAFE_PORT_RANGE"].split("-"))
        ports += [launch.port, *range(first, last + 1)]
    assert len(set(ports)) == len(ports)


def test_an_error_ends_the_chain_and_names_the_container(three: tuple[House, Any]) -> None:
    house, client = three
    before = len(house.ask("/requests", 1))
    error = caught(client, Body=b"STATUS-404")
    assert error["Error"]["Code"] == "ModelError"
    assert error["OriginalStatusCode"] == 404
    assert error["Error"]["Message"].startswith(
        'Received client error (404) from container-1 with message "STATUS-404"'
    )
    invoked = [request for request in house.ask("/requests", 1)[before:] if request["path"] == "/invocations"]
    assert invoked == []


def test_a_container_that_does_not_answer_is_named(three: tuple[House, Any]) -> None:
    _house, client = three
    error = caught(client, Body=b"DROP")
    assert error["OriginalStatusCode"] == 0
    assert error["Error"]["Message"].startswith("Received server error (0) from container-1 with message")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"TargetModel": "a"}, "Endpoint demo is not a multi-model endpoint and does not support target model header."),
        ({"TargetContainerHostname": "a"}, "does not support the header X-Amzn-SageMaker-Target-Container-Hostname."),
    ],
)
def test_a_pipeline_has_neither_models_nor_containers_to_choose_from(
    three: tuple[House, Any], header: dict[str, str], message: str
) -> None:
    assert message in caught(three[1], **header)["Error"]["Message"]


@pytest.mark.parametrize(
    ("accept", "attributes", "accepts", "given"),
    [
        (HandedOver.CLIENTS, HandedOver.ANSWERS, ["image/png", "image/png"], ["of the client", "of the first"]),
        (HandedOver.LAST, HandedOver.LAST, [None, "image/png"], [None, "of the client"]),
    ],
)
def test_what_nobody_knows_of_header_fields_is_an_option(
    house: House, accept: HandedOver, attributes: HandedOver, accepts: list[str | None], given: list[str | None]
) -> None:
    first = echo(headers=json.dumps({"X-Amzn-SageMaker-Custom-Attributes": "of the first"}))
    options = PipelineOptions(accept, attributes)
    with endpoint(house, replace(first, hostname="first"), replace(echo(), hostname="last"), options=options) as client:
        by_number(house)
        invoke(client, b"x", **GIVEN)
        seen = [received(house, number)["headers"] for number in (1, 2)]
        assert [headers.get("accept") for headers in seen] == accepts
        assert [headers.get("x-amzn-sagemaker-custom-attributes") for headers in seen] == given
        message = caught(client, Body=b"STATUS-500")["Error"]["Message"]
        assert message.startswith("Received server error (500) from first with")


def test_an_answer_that_is_too_long_goes_no_further(house: House) -> None:
    with endpoint(house, echo(), echo(), limits=Limits(body_bytes=100)) as client:
        message = caught(client, Body=b"DOUBLE" + b"x" * 60)["Error"]["Message"]
    assert message.startswith("Received server error (500) from container-1 and could not load the entire response")


def test_a_container_of_a_pipeline_can_have_many_models(house: House) -> None:
    house.put("s3://bucket/models/a.tar.gz", "a")
    many = ContainerDefinition(HOSTED, artifacts=ArtifactSource("s3://bucket/models"), mode=Mode.MULTI_MODEL)
    with endpoint(house, echo(), many) as client:
        by_number(house)
        told = json.loads(invoke(client, b"1", TargetModel="a.tar.gz")["Body"])
        assert told["text"] == "a"
        assert "x-amzn-sagemaker-target-model" not in received(house, 1)["headers"]
        message = caught(client, TargetModel="b.tar.gz")["Error"]["Message"]
        assert message.startswith("Failed to download model data (bucket: bucket, key: models/b.tar.gz)")


def test_one_container_that_does_not_start_fails_the_endpoint_and_nothing_is_left(house: House) -> None:
    with pytest.raises(ContainerError) as error, endpoint(house, echo(), echo(mode="crash")):
        pytest.fail("it served")
    assert error.value.what.startswith("The container-2 container for production variant AllTraffic did not pass")
    assert house.is_clean()
    assert all(container.exit_code() is None for container, _launch in house.opened)  # removed


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Any]]:
    with furnished(tmp_path_factory.mktemp("house")) as house:
        containers = [replace(echo(), hostname=name) for name in ("first", "second")]
        with endpoint(house, *containers, mode=ExecutionMode.DIRECT) as client:
            by_number(house)
            yield house, client


def test_a_container_is_invoked_by_its_name(direct: tuple[House, Any]) -> None:
    house, client = direct
    answer = invoke(client, b"2nd", TargetContainerHostname="second")
    assert answer["Body"] == b"2nd"
    assert received(house, 2)["size"] == 3
    assert "x-amzn-sagemaker-target-container-hostname" not in received(house, 2)["headers"]
    assert received(house, 1)["path"] == "/ping"
    message = caught(client, Body=b"STATUS-400", TargetContainerHostname="first")["Error"]["Message"]
    assert message.startswith("Received client error (400) from first with")


@pytest.mark.parametrize("header", [{}, {"TargetContainerHostname": "third"}])
def test_direct_invocation_needs_the_name_of_a_container(direct: tuple[House, Any], header: dict[str, str]) -> None:
    error = caught(direct[1], **header)
    assert error["Error"]["Code"] == "ValidationError"
    assert ("third" in error["Error"]["Message"]) == bool(header)
    assert "demo" in error["Error"]["Message"]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Model("none", ()), "so many containers"),
        (Model("many", (echo(),) * 16), "so many containers"),
        (Model("nameless", (echo(), echo()), ExecutionMode.DIRECT), "no ContainerHostname"),
    ],
)
def test_a_model_that_cannot_be_is_refused(house: House, model: Model, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        BackendMaker(house.surroundings)(model, ProductionVariant(model=model))


def test_ports_are_free_and_stay_the_same() -> None:
    ports = Ports(15)
    assert ports.variables(3) == ports.variables(3)
    assert is_free(int(ports.variables(15)["SAGEMAKER_BIND_TO_PORT"]))


def test_argosy_s_own_servers_in_a_pipeline(house: House) -> None:
    house.put("s3://bucket/add.tar.gz", "a")
    (house.root / "twice.py").write_text(
        "from argosy import Predictor\n\n\n"
        "class Twice(Predictor):\n"
        "    def predict(self, features: dict) -> dict:\n"
        "        return {'value': 2 * features['value']}\n"
    )
    house.serves("twice:Twice")
    one = ContainerDefinition(ARGOSY, artifacts=ArtifactSource("s3://bucket/add.tar.gz"))
    with endpoint(house, one, one, one) as client:
        answer = invoke(client, b'{"value": 1}', ContentType="application/json")
        assert json.loads(answer["Body"]) == {"value": 8}
        message = caught(client, Body=b"{", ContentType="application/json")["Error"]["Message"]
        assert message.startswith("Received client error (400) from container-1 with")
