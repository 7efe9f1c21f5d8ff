import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.simulator.transform.execution_parameters import ExecutionParameters, resolve
from argosy.simulator.transform.split import BatchStrategy
from tests.simulator.transform.conftest import definition

SINGLE, MULTI = BatchStrategy.SINGLE_RECORD, BatchStrategy.MULTI_RECORD


def test_without_an_answer_the_defaults_count() -> None:
    assert resolve(definition(), None) == (ExecutionParameters(1, 6, MULTI), [])


def test_fault_14_the_container_s_values_count_in_their_documented_spelling() -> None:
    body = b'{"MaxConcurrentTransforms": 8, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 5}'
    parameters, faults = resolve(definition(), body)
    assert parameters == ExecutionParameters(8, 5, SINGLE)
    assert faults == []
    assert str(parameters) == "MaxConcurrentTransforms=8, MaxPayloadInMB=5, BatchStrategy=SINGLE_RECORD"


def test_the_job_s_values_win() -> None:
    body = b'{"MaxConcurrentTransforms": 8, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 5}'
    options = definition(MaxConcurrentTransforms=2, MaxPayloadInMB=7, BatchStrategy="MultiRecord")
    assert resolve(options, body)[0] == ExecutionParameters(2, 7, MULTI)


def test_zero_concurrent_transforms_ask_the_container() -> None:
    options = definition(MaxConcurrentTransforms=0)
    assert resolve(options, b'{"MaxConcurrentTransforms": 3}')[0].max_concurrent_transforms == 3


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"\xff", b"null"])
def test_garbage_leaves_the_defaults_and_is_told(body: bytes) -> None:
    parameters, faults = resolve(definition(), body)
    assert parameters == ExecutionParameters()
    assert len(faults) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"BatchStrategy": "MultiRecord"},
        {"MaxPayloadInMB": "6"},
        {"MaxPayloadInMB": 101},
        {"MaxConcurrentTransforms": 0},
        {"MaxConcurrentTransforms": True},
    ],
)
def test_a_wrong_value_is_not_used_and_told(answer: dict[str, object]) -> None:
    parameters, faults = resolve(definition(), json.dumps(answer).encode())
    assert parameters == ExecutionParameters()
    assert next(iter(answer)) in faults[0]


def test_the_product_of_payload_and_concurrency_is_at_most_100() -> None:
    parameters, faults = resolve(definition(MaxPayloadInMB=30), b'{"MaxConcurrentTransforms": 8}')
    assert parameters.max_concurrent_transforms == 3
    assert "30" in faults[0]


def test_no_payload_limit_has_no_product() -> None:
    assert ExecutionParameters(50, 0).limit_bytes is None
    assert resolve(definition(MaxPayloadInMB=0, MaxConcurrentTransforms=100), None)[1] == []


@pytest.mark.parametrize("body", [None, b'{"MaxConcurrentTransforms": 100000, "MaxPayloadInMB": 0}'])
def test_no_more_requests_are_under_way_than_this_machine_has_connections_for(body: bytes | None) -> None:
    asked = 100_000 if body is None else None
    parameters, faults = resolve(definition(MaxPayloadInMB=0, MaxConcurrentTransforms=asked), body)
    assert parameters.max_concurrent_transforms == 100
    assert faults == ["MaxConcurrentTransforms is 100000: here at most 100 at a time"]


@settings(max_examples=40)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.integers(), st.lists), st.text())
def test_no_answer_of_a_container_breaks_the_job(value: object, key: str) -> None:
    for name in (key, "MaxPayloadInMB", "BatchStrategy", "MaxConcurrentTransforms"):
        parameters, _ = resolve(definition(), json.dumps({name: value}).encode())
        assert parameters.max_concurrent_transforms >= 1
        assert 0 <= parameters.max_payload_mb <= 100
