"""What a transform job reads at /execution-parameters, by what the container was told."""

import itertools
import json
from pathlib import Path

import pytest

from argosy.serving import settings
from argosy.serving.front.execution_parameters import execution_parameters
from tests.serving.server_process import running, wait_until


class NoSite:
    hosted = ()


def answered(**environ: str) -> tuple[int, str, int]:
    told = settings.from_environ({"ARGOSY_WORKERS": "4", **environ})
    found = json.loads(execution_parameters(NoSite(), told))  # type: ignore[arg-type] # all that is asked of it
    assert list(found) == ["MaxConcurrentTransforms", "BatchStrategy", "MaxPayloadInMB"]
    return found["MaxConcurrentTransforms"], found["BatchStrategy"], found["MaxPayloadInMB"]


@pytest.mark.parametrize(
    ("environ", "want"),
    [
        ({}, (4, "MULTI_RECORD", 6)),
        ({"ARGOSY_WORKERS": "20"}, (20, "MULTI_RECORD", 5)),
        ({"ARGOSY_WORKERS": "200"}, (100, "MULTI_RECORD", 1)),
        ({"ARGOSY_MAX_BODY_MB": "2"}, (4, "MULTI_RECORD", 2)),
        ({"SAGEMAKER_BATCH": "true"}, (4, "MULTI_RECORD", 6)),
        ({"SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD"}, (4, "MULTI_RECORD", 6)),
        ({"SAGEMAKER_BATCH": "true", "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD"}, (4, "SINGLE_RECORD", 6)),
        ({"SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "10"}, (4, "MULTI_RECORD", 10)),
        ({"SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "50"}, (2, "MULTI_RECORD", 50)),
        ({"SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "100"}, (1, "MULTI_RECORD", 100)),
        ({"SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "0"}, (4, "MULTI_RECORD", 0)),
        ({"SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "50"}, (50, "MULTI_RECORD", 2)),
        ({"SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "0"}, (4, "MULTI_RECORD", 6)),
        ({"SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "many"}, (4, "MULTI_RECORD", 6)),
    ],
)
def test_the_answer_is_what_was_told_or_what_the_server_can_do(
    environ: dict[str, str], want: tuple[int, str, int]
) -> None:
    assert answered(**environ) == want


def test_the_product_of_what_was_not_told_is_at_most_100() -> None:
    for workers, payload in itertools.product((1, 3, 17, 100, 256), (None, *range(1, 101))):
        told = {} if payload is None else {"SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(payload)}
        at_once, _, megabytes_each = answered(ARGOSY_WORKERS=str(workers), **told)
        assert 1 <= at_once * megabytes_each <= 100


def test_chosen_processes_are_counted(tmp_path: Path) -> None:
    with running("RowSum", tmp_path / "log", ARGOSY_WORKERS="") as server:
        reply = server.request("GET", "/execution-parameters")
        assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
        told = json.loads(reply.body)["MaxConcurrentTransforms"]
        wait_until(lambda: len(server.model_pids()) == told, 10)  # the first is ready before the last is forked
