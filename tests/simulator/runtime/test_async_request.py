"""The request of InvokeEndpointAsync: its limits, and where results go."""

import json
from typing import Any

import pytest
from botocore.loaders import Loader
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import UsageError
from argosy.simulator.hosting.definition import AsyncInference
from argosy.simulator.runtime import async_request
from argosy.simulator.runtime.async_request import AsyncInvocation, faults, object_uri

CONFIG = AsyncInference("s3://bucket/out/", "s3://bucket/failed")
INPUT = {"x-amzn-sagemaker-inputlocation": "s3://bucket/in"}


def made(**headers: str) -> AsyncInvocation:
    named = {f"x-amzn-sagemaker-{name.lower()}": value for name, value in headers.items()}
    return async_request.invocation("demo", CONFIG, INPUT | named, "eu-west-1", "-error.out")


def test_the_fields_and_limits_are_those_of_botocore_s_model() -> None:
    model: dict[str, Any] = Loader().load_service_model("sagemaker-runtime", "service-2")
    members = model["shapes"]["InvokeEndpointAsyncInput"]["members"]
    expected = {}
    for member in members.values():
        shape = model["shapes"][member["shape"]]
        if member.get("location") == "header":
            expected[member["locationName"]] = (shape.get("min", 0), shape["max"], shape.get("pattern"))
    ours: dict[str, tuple[int, int, str | None]] = {
        field.header: (field.shortest, field.longest, field.pattern) for field in async_request.FIELDS
    }
    ours |= {number.header: (number.smallest, number.largest, None) for number in async_request.NUMBERS}
    assert ours == expected
    assert model["shapes"][members["Body"]["shape"]]["max"] == async_request.LONGEST_BODY


@pytest.mark.parametrize(
    ("header", "value", "sentence"),
    [
        ("requestttlseconds", "59", "'requestTTLSeconds' failed to satisfy constraint: Member must have value greater"),
        ("requestttlseconds", "21601", "Member must have value less than or equal to 21600"),
        ("requestttlseconds", "soon", "Member must be an integer"),
        ("invocationtimeoutseconds", "0", "Member must have value greater than or equal to 1"),
        ("invocationtimeoutseconds", "3601", "Member must have value less than or equal to 3600"),
        ("filename", "a.b.c", "'filename' failed to satisfy constraint: Member must satisfy regular expression"),
        ("filename", "f" * 33, "Member must have length less than or equal to 32"),
        ("s3outputpathextension", "s3://other", "'s3OutputPathExtension' failed"),
        ("s3outputpathextension", "e" * 513, "Member must have length less than or equal to 512"),
        ("content-type", "c" * 1025, "'contentType' failed"),
    ],
)
def test_a_value_that_is_not_right_is_named(header: str, value: str, sentence: str) -> None:
    message = faults(INPUT | {f"x-amzn-sagemaker-{header}": value}, 0)
    assert message is not None
    assert message.startswith("1 validation error detected: Value '")
    assert sentence in message


def test_several_faults_are_counted() -> None:
    message = faults({"x-amzn-sagemaker-requestttlseconds": "1", "x-amzn-sagemaker-filename": "."}, 128_001)
    assert message is not None
    assert message.startswith("3 validation errors detected: ")
    assert "'body' failed to satisfy constraint: Member must have length less than or equal to 128000" in message


def test_the_input_comes_one_way_exactly() -> None:
    assert faults(INPUT, 0) is None
    assert faults({}, 128_000) is None
    for headers, size in ((INPUT, 1), ({}, 0)):
        assert faults(headers, size) == "Body and InputLocation are mutually exclusive. Provide exactly one of them."


def test_results_go_below_the_endpoint_s_places_under_a_name_of_their_own() -> None:
    invocation = made()
    unique = invocation.output.removeprefix("s3://bucket/out/").removesuffix(".out")
    assert len(unique) == 36
    assert unique != invocation.inference_id
    assert invocation.failure == f"s3://bucket/failed/{unique}-error.out"
    assert (invocation.ttl_s, invocation.timeout_s) == (21_600, 900)


def test_the_request_names_the_result() -> None:
    invocation = made(S3OutputPathExtension="/day/1/", Filename="result.json", RequestTTLSeconds="60")
    assert invocation.output == "s3://bucket/out/day/1/result.json"
    assert invocation.ttl_s == 60


def test_the_container_s_fields_get_the_names_that_it_knows() -> None:
    headers = {"Content-Type": "text/csv", "Accept": "application/json", "Custom-Attributes": "a", "Inference-Id": "i"}
    assert made(**headers).headers == {
        "content-type": "text/csv",
        "accept": "application/json",
        "x-amzn-sagemaker-custom-attributes": "a",
        "x-amzn-sagemaker-inference-id": "i",
    }


def test_the_202_says_where_to_look() -> None:
    invocation = made()
    answer = invocation.accepted
    assert answer.status == 202
    assert json.loads(answer.body) == {"InferenceId": invocation.inference_id}
    assert dict(answer.headers)["X-Amzn-SageMaker-OutputLocation"] == invocation.output
    assert dict(answer.headers)["X-Amzn-SageMaker-FailureLocation"] == invocation.failure


@given(st.from_regex(r"[a-z0-9]{3,20}", fullmatch=True), st.from_regex(r"[a-zA-Z0-9/._-]{1,30}", fullmatch=True))
def test_every_way_to_write_a_place_in_s3_is_read(bucket: str, key: str) -> None:
    expected = f"s3://{bucket}/{key}"
    assert str(object_uri(expected)) == expected
    assert str(object_uri(f"https://{bucket}.s3.amazonaws.com/{key}")) == expected
    assert str(object_uri(f"https://{bucket}.s3.eu-west-2.amazonaws.com/{key}")) == expected
    assert str(object_uri(f"https://s3.eu-west-2.amazonaws.com/{bucket}/{key}")) == expected


@pytest.mark.parametrize("location", ["https://example.com/x", "https://s3.evil.com/b/k", "http://b/k", "s3:b"])
def test_other_places_are_refused(location: str) -> None:
    with pytest.raises(UsageError):
        object_uri(location)
