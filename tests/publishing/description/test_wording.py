"""The code for buyers is run against a recorder, and every request judged by botocore's model."""

import contextlib
import io
import json
import re
import subprocess
import sys
import types
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from argosy.aws import service_model
from argosy.conformance.project_checks.usage import CHECKS
from argosy.marketplace.table import Marketplace
from argosy.publishing.description import wording
from argosy.publishing.description.text import WIDTH
from tests.conformance.sellers import facts_of, judge_project
from tests.marketplace.offers import CLEAN
from tests.publishing.description.described import LIMITS, MEASURED

TABLE = msgspec.convert(CLEAN, Marketplace)
EXCHANGE = wording.Exchange("application/json", "text/csv", "sample.json")


def code_of(text: str) -> list[str]:
    """The indented blocks of instructions that are Python."""
    blocks = re.findall(r"(?:^(?: {4}.*)?\n?)+", text, re.MULTILINE)
    found = ["\n".join(line[4:] for line in block.splitlines()) for block in blocks if block.strip()]
    return [block for block in found if "(" in block and "aws " not in block]


class Recorder:
    """A boto3 that remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.configs: list[Any] = []

    def client(self, service: str, config: Any = None) -> Any:
        self.configs.append(config)
        return types.SimpleNamespace(
            get_waiter=lambda name: types.SimpleNamespace(wait=lambda **said: None),
            **{
                name: self.asking(service, name)
                for name in (
                    *("create_model", "create_endpoint_config", "create_endpoint", "create_transform_job"),
                    "invoke_endpoint",
                )
            },
        )

    def asking(self, service: str, name: str) -> Any:
        def ask(**said: Any) -> Any:
            operation = "".join(word.capitalize() for word in name.split("_"))
            self.asked.append((f"{service}:{operation}", said))
            return {"Body": io.BytesIO(b"0.5")}

        return ask


def test_the_code_runs_and_asks_what_the_apis_model_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("buyer")
    (folder / "sample.json").write_text("[1]")
    monkeypatch.chdir(folder)
    recorder = Recorder()
    monkeypatch.setitem(sys.modules, "boto3", recorder)
    table = msgspec.structs.replace(TABLE, inference_ami_version="al2-ami-sagemaker-inference-gpu-3-1")
    names: dict[str, Any] = {
        "role_arn": "arn:aws:iam::123456789012:role/x",
        "model_package_arn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/vehicles",
    }
    blocks = code_of(wording.instructions(table, EXCHANGE))
    assert len(blocks) == 3
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        for block in blocks:
            exec(compile(block, "instructions", "exec"), names)
    assert printed.getvalue() == "b'0.5'\n"
    assert [action for action, _ in recorder.asked] == [
        "sagemaker:CreateModel",
        "sagemaker:CreateEndpointConfig",
        "sagemaker:CreateEndpoint",
        "sagemaker-runtime:InvokeEndpoint",
        "sagemaker:CreateTransformJob",
    ]
    for action, request in recorder.asked:
        service, _, name = action.partition(":")
        operation = service_model.load(service).operation(name)
        assert operation is not None
        assert operation.unknown_members(request) == []
        assert operation.violations(request) == []
    assert recorder.configs[-1].read_timeout == 70


def test_what_is_generated_keeps_the_clauses_on_it() -> None:
    usage = msgspec.structs.replace(TABLE.usage, instructions=wording.instructions(TABLE, EXCHANGE))
    facts = facts_of()
    found = judge_project(replace(facts, table=msgspec.structs.replace(TABLE, usage=usage)))
    assert {id_ for id_, finding in found.items() if finding.status == "fail"} == set()
    assert {check.clause.id for check in CHECKS} <= found.keys()


def test_the_code_is_readable_in_a_terminal() -> None:
    lines = wording.instructions(TABLE, EXCHANGE).splitlines()
    assert [line for line in lines if line.startswith("    ") and len(line) > WIDTH - 2] == []


def test_without_instance_types_only_the_invocation_is_told() -> None:
    text = wording.instructions(Marketplace(), EXCHANGE)
    assert "create_model" not in text
    assert "transform" not in text
    assert 'EndpointName="model"' in text


def test_the_latency_says_where_and_on_what_it_was_measured() -> None:
    assert wording.latency(MEASURED, LIMITS) == (
        "Measured on the seller's machine, not on AWS, in a container with the 2 vCPUs and the 8 GiB of memory of"
        " ml.m5.large: half of 1,200 invocations took at most 1.2 ms (p50), 99 in 100 at most 12 ms (p99); 812"
        " invocations per second with one client, 1,504 with 4. Each had a body of 31 bytes and an answer of 49 bytes."
    )


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"cpus": 8}, "with 4 of the 8 vCPUs and the 8 GiB of memory of ml.m5.large:"),
        ({"memory_bytes": 64 * 2**30}, "with the 2 vCPUs and 16 of the 64 GiB of memory of ml.m5.large:"),
        (
            {"instance_type": "ml.g5.xlarge"},
            "with the 2 vCPUs and the 8 GiB of memory of ml.g5.xlarge, without its accelerator:",
        ),
        (
            {"instance_type": None, "memory_bytes": None, "cpus": 4},
            "with the 4 processors, its memory not limited:",
        ),
    ],
)
def test_a_machine_that_has_less_than_the_instance_type_says_so(limits: dict[str, Any], told: str) -> None:
    assert told in wording.latency(MEASURED, msgspec.structs.replace(LIMITS, **limits))


def test_one_client_that_was_best_is_told_once_and_slow_models_with_a_fraction() -> None:
    measured = msgspec.structs.replace(
        MEASURED, best_clients=1, rate=0.4321, p50_ms=2300.0, request_bytes=3 * 2**20, response_bytes=7
    )
    text = wording.latency(measured, LIMITS)
    assert "0.43 invocations per second with one client. Each" in text
    assert "2,300 ms (p50)" in text
    assert "a body of 3.0 MB and an answer of 7 bytes" in text


def test_the_formats_are_told_for_endpoints_and_transform_jobs() -> None:
    forms = {"text/csv": "rows", "audio/wav": ""}
    table = msgspec.convert({"validation": {"split_type": "Line", "assemble_with": "Line"}}, Marketplace)
    assert wording.input_text(table, forms).splitlines() == [
        "An endpoint takes one body of at most 25 MB in each invocation, by its Content-Type:",
        "- text/csv: rows",
        "- audio/wav",
        "A transform job takes objects in S3 of the same types, divided by SplitType Line, with BatchStrategy"
        " SingleRecord: a body of at most 6 MB in each request.",
    ]
    assert "with the same content, the results one a line." in wording.output_text(table, forms)
    assert "each one whole body" in wording.input_text(Marketplace(), forms)


def test_media_types_with_quotes_are_one_value_in_python_and_in_a_shell() -> None:
    odd = 'text/csv; header="$(touch run) `touch run` \\"'
    text = wording.instructions(TABLE, wording.Exchange(odd, odd, "sample.csv"))
    for block in code_of(text):
        compile(block, "instructions", "exec")
        assert "ContentType" not in block or json.dumps(odd) in block
    command = text[text.index("aws sagemaker-runtime") :].split("\n\n")[0]
    told = subprocess.run(["sh", "-c", command.replace("aws ", "printf '%s\\n' ", 1)], capture_output=True, text=True)
    assert told.stdout.count(odd) == 2
