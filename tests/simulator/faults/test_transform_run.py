"""Faults 14 to 16 of the SageMaker SDK's local mode: how a transform job asks its container, and what it stores."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.processes import await_end
from tests.simulator.faults.conftest import Local
from tests.simulator.faults.test_transform_input import CSV, LINES, ONE_BY_ONE

PARAMETERS = '{"MaxConcurrentTransforms": 4, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}'
BATCH = "SAGEMAKER_BATCH"
VARIABLES = ("SAGEMAKER_MAX_PAYLOAD_IN_MB", "SAGEMAKER_BATCH_STRATEGY", "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS")


def test_fault_14_the_container_says_how_it_wants_to_be_asked(local: Local) -> None:
    """Local mode: "Concurrency forced to 1, MaxConcurrentTransforms of /execution-parameters ignored; the MULTI_RECORD
    form ⇒ ValueError for every documented-correct container".
    """
    local.model("asked", PrimaryContainer=local.container("asked", parameters=PARAMETERS))
    objects = {f"{number:02}.csv": b"JITTER\n" for number in range(40)}
    assert local.transform("asked", objects)["TransformJobStatus"] == "Completed"
    assert 2 <= max(request["concurrent"] for request in local.invocations("asked")) <= 4
    assert "MaxConcurrentTransforms=4, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD" in local.data_log("asked")
    assert len(local.results("asked")) == 40


@pytest.mark.parametrize(
    ("name", "members", "values"),
    [
        ("unset", {}, (None, None, None)),
        (
            "set",
            {"MaxPayloadInMB": 2, "BatchStrategy": "SingleRecord", "MaxConcurrentTransforms": 3},
            ("2", "SINGLE_RECORD", "3"),
        ),
    ],
)
def test_fault_14_the_environment_says_what_the_caller_set_and_no_more(
    local: Local, name: str, members: dict[str, Any], values: tuple[str | None, ...]
) -> None:
    """Local mode: "always sets SAGEMAKER_MAX_CONCURRENT_TRANSFORMS=1 and SAGEMAKER_BATCH=True (real: true)"."""
    local.transform(name, {"a": b"1"}, **members)
    seen = local.environment(name)
    assert seen[BATCH] == "true"
    assert tuple(seen.get(variable) for variable in VARIABLES) == values


def test_fault_15_failed_invocations_are_repeated(local: Local) -> None:
    """Local mode: "No retries"."""
    local.transform("flaky", {"a": b"FLAKY 1\nFLAKY 2\n3\n"}, **ONE_BY_ONE)
    assert local.results("flaky") == {"a.out": b"FLAKY 1\nFLAKY 2\n3\n"}
    assert len(local.invocations("flaky")) == 5


def test_fault_15_an_error_is_no_result(local: Local) -> None:
    """Local mode: "container error bodies are written into the .out file and the job is Completed"."""
    objects = {"bad.csv": b"1\nSTATUS-400 no number\n", "good.csv": b"1\n", "worse.csv": b"STATUS-500\n"}
    described = local.transform("errors", objects, **ONE_BY_ONE)
    assert described["TransformJobStatus"] == "Failed"
    assert described["FailureReason"].endswith("Error: See job logs for more information")
    assert local.results("errors") == {"good.csv.out": b"1\n"}
    log = local.data_log("errors")
    for line in (
        "errors/bad.csv: ClientError: 400",
        "errors/bad.csv: STATUS-400 no number",
        "errors/worse.csv: Bad HTTP status received from algorithm: 500",
    ):
        assert line in log


def test_fault_15_results_are_assembled_record_by_record(local: Local) -> None:
    """Local mode: "AssembleWith adds \\n per request, not per record, blindly"."""
    output = {"TransformOutput": {"AssembleWith": "Line"}}
    local.transform("assembled", {"a": b"1\n2\n3\n", "b": b"1\n2"}, **ONE_BY_ONE, **output)
    assert local.results("assembled") == {"a.out": b"1\n2\n3\n", "b.out": b"1\n2\n"}
    local.transform("assembled-multi", {"a": b"1\n2\n3\n"}, **LINES, **output)
    assert local.results("assembled-multi") == {"a.out": b"1\n2\n3\n"}


def test_fault_15_a_content_type_need_not_be_given(local: Local) -> None:
    """Local mode: "missing ContentType ⇒ KeyError"."""
    assert local.transform("untyped", {"a": b"1"})["TransformJobStatus"] == "Completed"
    assert local.results("untyped") == {"a.out": b"1"}


def test_fault_15_no_container_stays_when_a_job_fails(local: Local) -> None:
    """Local mode: "on exception the container is left running (no try/finally) and 8080 stays taken"."""
    described = local.transform("dies", {"a": b"EXIT", "b": b"1"})
    assert described["TransformJobStatus"] == "Failed"
    assert described["FailureReason"] == "AlgorithmError: See job logs for more information"
    objects = {"a": b"1,2"}
    members = {
        "TransformInput": {"ContentType": CSV, "SplitType": "Line"},
        "TransformOutput": {"Accept": CSV, "AssembleWith": "Line"},
        "DataProcessing": {"InputFilter": "$[7]"},
    }
    assert local.transform("excepts", objects, **members)["TransformJobStatus"] == "Failed"
    for name in ("dies", "excepts"):
        await_end({request["pid"] for request in local.diary(name) if "pid" in request})


def test_fault_16_results_lie_right_below_the_output_path(local: Local) -> None:
    """Local mode: "Output to S3 goes to S3OutputPath/<job name>/… (real service adds no job name)"."""
    local.transform("placed", {"a.csv": b"1"})
    assert (local.buckets / "placed-out/a.csv.out").read_bytes() == b"1"


def test_fault_16_what_was_transformed_is_captured(local: Local) -> None:
    """Local mode: "BatchDataCapture ignored"."""
    local.transform(
        "captured",
        {"a.csv": b"1\n2\n"},
        TransformInput={"ContentType": CSV, "SplitType": "Line"},
        TransformOutput={"Accept": CSV, "AssembleWith": "Line"},
        DataCaptureConfig={"DestinationS3Uri": "s3://capture/here", "GenerateInferenceId": True},
    )
    manifests = {
        side: json.loads(next((local.buckets / "capture/here" / side).rglob("*.jsonl")).read_text())
        for side in ("input", "output")
    }
    assert manifests["input"] == [{"prefix": "s3://captured/"}, "a.csv"]
    assert manifests["output"] == [{"prefix": "s3://captured-out/"}, "a.csv.out"]
    assert [len(row.split(b",")) for row in local.results("captured")["a.csv.out"].splitlines()] == [3, 3]


def test_fault_16_the_model_clients_settings_count(local: Local) -> None:
    """Local mode: "ModelClientConfig ignored", and (fault 15) "no InvocationsTimeout"."""
    local.model("impatient", PrimaryContainer=local.container("impatient", slow_s="600"))
    config = {"InvocationsTimeoutInSeconds": 1, "InvocationsMaxRetries": 1}
    described = local.transform("impatient", {"a": b"SLOW"}, ModelClientConfig=config)
    assert described["TransformJobStatus"] == "Failed"
    assert len(local.invocations("impatient")) == 2
    assert any("Unable to get response from algorithm" in line for line in local.data_log("impatient"))
    with pytest.raises(ClientError, match="nvocationsMaxRetries"):
        local.transform("eager", {"a": b"1"}, ModelClientConfig={"InvocationsMaxRetries": 4})
