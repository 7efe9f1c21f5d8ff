"""Data capture and shadow variants, as unmodified boto3 and whoever reads the bucket see them."""

import asyncio
import json
import random
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import UsageError
from argosy.simulator.hosting.backend import Backend, Request
from argosy.simulator.hosting.capture import Observation, Recorder, record
from argosy.simulator.hosting.definition import Capture, EndpointDefinition, Model, ProductionVariant
from argosy.simulator.hosting.endpoint import Endpoint, HostingOptions
from argosy.simulator.hosting.single import SingleContainer
from argosy.simulator.storage.local_folder import LocalFolder
from argosy.simulator.storage.objects import ObjectUri
from tests.simulator.conftest import MakeContainer
from tests.simulator.serving_thread import MODEL, only

TO = "s3://captured/some/prefix"
SIMPLE = Capture(TO, csv_content_types=("text/csv",), json_content_types=("application/json",))


def request(body: bytes = b"1,2", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(named, body, "us-east-1", "demo")


@pytest.fixture
def store(tmp_path: Path) -> LocalFolder:
    (tmp_path / "buckets" / "captured").mkdir(parents=True)
    return LocalFolder(tmp_path / "buckets")


def captured(store: LocalFolder) -> dict[str, list[dict[str, object]]]:
    """The records by the key of their file."""
    records = {}
    for found in store.list(ObjectUri.parse(TO)):
        with store.open(ObjectUri("captured", found.key)) as stream:
            records[found.key] = [json.loads(line) for line in stream]
    return records


def test_a_record_is_the_service_s_to_the_letter() -> None:
    moment = datetime(2022, 2, 14, 17, 25, 6, tzinfo=UTC)
    asked = request(
        b"132,25",
        content_type="text/csv",
        x_amzn_sagemaker_inference_id="call-7",
        x_amzn_sagemaker_custom_attributes="a=b",
    )
    line = record(SIMPLE, Observation("AllTraffic", asked, "text/csv; charset=utf-8", b"0.02", moment))
    event_id = json.loads(line)["eventMetadata"]["eventId"]
    assert line.decode() == (
        '{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data":"132,25",'
        '"encoding":"CSV"},"endpointOutput":{"observedContentType":"text/csv; charset=utf-8","mode":"OUTPUT",'
        f'"data":"0.02","encoding":"CSV"}}}},"eventMetadata":{{"eventId":"{event_id}","inferenceId":"call-7",'
        '"customAttributes":["a=b"],"inferenceTime":"2022-02-14T17:25:06Z"},"eventVersion":"0"}\n'
    )
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", event_id)


@pytest.mark.parametrize(
    ("content_type", "body", "data", "encoding"),
    [
        ("application/json; a=b", b'{"a": 1}', '{"a": 1}', "JSON"),
        ("APPLICATION/JSON", b"1", "1", "JSON"),
        ("image/png", b"\x89PNG", "iVBORw==", "BASE64"),
        ("text/csv", b"\xff", "/w==", "BASE64"),
        (None, b"1,2", "MSwy", "BASE64"),
    ],
)
def test_the_media_type_decides_the_encoding(content_type: str | None, body: bytes, data: str, encoding: str) -> None:
    line = record(SIMPLE, Observation("V", request(), content_type, body, datetime.now(UTC)))
    output = json.loads(line)["captureData"]["endpointOutput"]
    assert output == {"observedContentType": content_type, "mode": "OUTPUT", "data": data, "encoding": encoding}


def test_only_the_sides_that_are_asked_for_are_captured() -> None:
    line = record(Capture(TO, is_output=False), Observation("V", request(), None, b"", datetime.now(UTC)))
    assert json.loads(line)["captureData"].keys() == {"endpointInput"}


def invoke_all(endpoint: Endpoint, requests: list[Request]) -> list[int]:
    async def scenario() -> list[int]:
        try:
            await endpoint.start()
            return [(await endpoint.invoke(one)).status for one in requests]
        finally:
            await endpoint.stop()

    return asyncio.run(scenario())


def test_invocations_are_written_at_the_latest_when_the_endpoint_stops(
    stand_in: MakeContainer, store: LocalFolder
) -> None:
    definition = EndpointDefinition("demo", (ProductionVariant("Blue", MODEL),), capture=SIMPLE)
    slow = HostingOptions(capture_flush_s=1e6)
    endpoint = Endpoint(definition, only(stand_in()), print, slow, store)
    assert invoke_all(endpoint, [request(b"1"), request(b"STATUS-500"), request(b"2")]) == [200, 424, 200]
    [(key, records)] = captured(store).items()
    now = datetime.now(UTC)
    assert re.fullmatch(r"some/prefix/demo/Blue/\d{4}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{3}-[0-9a-f-]{36}\.jsonl", key)
    assert key.split("/")[4:6] == [f"{now:%Y}", f"{now:%m}"]
    assert [one["eventVersion"] for one in records] == ["0", "0"]


def test_invocations_are_written_while_the_endpoint_lives(stand_in: MakeContainer, store: LocalFolder) -> None:
    definition = EndpointDefinition("demo", (ProductionVariant("Blue", MODEL),), capture=SIMPLE)
    endpoint = Endpoint(definition, only(stand_in()), print, HostingOptions(capture_flush_s=0.01), store)

    async def scenario() -> None:
        try:
            await endpoint.start()
            await endpoint.invoke(request())
            async with asyncio.timeout(20):
                while not captured(store):
                    await asyncio.sleep(0.01)
        finally:
            await endpoint.stop()

    asyncio.run(scenario())


@given(st.sampled_from([0, 30, 100]))
def test_the_sample_is_as_large_as_it_should_be(percentage: int) -> None:
    async def scenario() -> int:
        observer = Recorder(
            Capture(TO, sampling_percentage=percentage), LocalFolder(Path("/nonexistent")), ignore, random.Random(3), 60
        )
        for _ in range(500):
            observer.observe("V", request(), None, b"")
        return len(observer._waiting)

    assert abs(asyncio.run(scenario()) - 5 * percentage) <= (50 if percentage == 30 else 0)


def ignore(_line: str) -> None:
    pass


def test_a_bucket_that_is_not_there_is_reported_and_keeps_no_answer(stand_in: MakeContainer) -> None:
    reports: list[str] = []
    definition = EndpointDefinition("demo", (ProductionVariant("Blue", MODEL),), capture=SIMPLE)
    endpoint = Endpoint(definition, only(stand_in()), reports.append, None, LocalFolder(None))
    assert invoke_all(endpoint, [request()]) == [200]
    assert any("data capture: 1 invocations are lost" in line for line in reports)


def test_without_a_store_no_endpoint_with_capture_starts(stand_in: MakeContainer) -> None:
    definition = EndpointDefinition("demo", (ProductionVariant("Blue", MODEL),), capture=SIMPLE)
    with pytest.raises(UsageError, match="no place for captured data"):
        invoke_all(Endpoint(definition, only(stand_in()), print), [])


def test_a_shadow_variant_gets_copies_and_its_answers_go_into_the_capture_alone(
    stand_in: MakeContainer, store: LocalFolder
) -> None:
    containers = {"Production": stand_in(), "Shadow": stand_in(headers='{"Content-Type": "x/shadow"}')}

    def make(model: Model, variant: ProductionVariant) -> Backend:
        return SingleContainer(lambda: containers[variant.name], variant)

    definition = EndpointDefinition(
        "demo", (ProductionVariant("Production", MODEL),), (ProductionVariant("Shadow", MODEL),), SIMPLE
    )
    endpoint = Endpoint(definition, make, print, HostingOptions(capture_flush_s=0.01), store)

    async def scenario() -> list[dict[str, str]]:
        try:
            await endpoint.start()
            answers = [await endpoint.invoke(request(b"%d" % number)) for number in range(3)]
            failing = await endpoint.invoke(request(b"STATUS-500"))
            assert failing.status == 424
            async with asyncio.timeout(20):
                while sum(len(records) for records in captured(store).values()) < 6:
                    await asyncio.sleep(0.01)
            return [dict(answer.headers) for answer in answers]
        finally:
            await endpoint.stop()

    assert all(headers["x-Amzn-Invoked-Production-Variant"] == "Production" for headers in asyncio.run(scenario()))
    folders = {key.split("/")[3] for key in captured(store)}
    assert folders == {"Production", "Shadow"}
