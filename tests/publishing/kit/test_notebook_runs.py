"""The notebook of a kit, run top to bottom by a buyer: boto3 as it is, our simulator, moto for the rest of AWS."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.aws.stand_in import moto_server
from tests.publishing.kit.policy_actions import allows

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/words:1"
PREDICTOR = """
from collections.abc import Iterator
from argosy import DecodeError, Predictor

class Words(Predictor):
    def predict(self, text: str) -> Iterator[str]:
        if "BAD" in text:
            raise DecodeError("a bad word")
        for word in text.split():
            yield word.upper() + " "
"""
TABLE = """
[model]
predictor = "predictor:Words"
[serving]
workers = 1
content_types = ["text/plain"]
[marketplace]
name = "words"
content_types = ["text/plain"]
response_types = ["text/plain"]
[marketplace.instances]
realtime = ["ml.m5.large"]
batch = ["ml.m5.large"]
[marketplace.validation]
samples = "samples"
[marketplace.account]
bucket = "words-releases"
repository = "words"
[marketplace.pricing]
model = "per-inference"
per_inference = "0.001"
batch = { "ml.m5.large" = "0.50" }
"""


@dataclass(frozen=True)
class Aws:
    """AWS as the buyer sees it.

    Attributes:
        environment: Of the buyer's processes.
        arn: The model package.
        folder: The seller's project.
    """

    environment: dict[str, str]
    arn: str
    folder: Path

    def client(self, service: str) -> Any:
        url = self.environment.get(f"AWS_ENDPOINT_URL_{service.upper()}", self.environment["AWS_ENDPOINT_URL"])
        keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
        return boto3.Session(region_name="eu-west-1", **keys).client(service, endpoint_url=url)

    def run(self, notebook: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run the notebook of a kit in its folder."""
        command = [sys.executable, str(Path(__file__).with_name("run_notebook.py")), notebook.name, "calls.jsonl"]
        environment = {**self.environment, **variables}
        return subprocess.run(
            command, cwd=notebook.parent, env=environment, capture_output=True, text=True, timeout=120
        )

    def left(self) -> list[str]:
        """What costs money, or would be in the way."""
        sagemaker = self.client("sagemaker")
        names = [
            *(one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]),
            *(one["EndpointConfigName"] for one in sagemaker.list_endpoint_configs()["EndpointConfigs"]),
            *(one["ModelName"] for one in sagemaker.list_models()["Models"]),
            *(one["Name"] for one in self.client("s3").list_buckets()["Buckets"]),
            *(one["RoleName"] for one in self.client("iam").list_roles()["Roles"]),
        ]
        return [str(name) for name in names]


@contextmanager
def simulator(folder: Path, s3_url: str, project: Path) -> Iterator[dict[str, str]]:
    """`argosy simulate up` until the block ends; the environment that it prints."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "eu-west-1"}
    environment = {**clean, **keys, "AWS_ENDPOINT_URL_S3": s3_url, "HOME": str(folder), "TMPDIR": str(folder)}
    options = ["--json", "--container", "process", "--state", str(folder / "state"), "--image", f"{IMAGE}={project}"]
    command = [sys.executable, "-m", "argosy", "simulate", "up", *options]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        printed = ""
        for line in process.stdout:
            printed += line
            if line.startswith("}"):
                break
        yield {**environment, "AWS_ENDPOINT_URL": s3_url, **json.loads(printed)["environment"]}
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """AWS with a model package that was made of the seller's project."""
    folder = tmp_path_factory.mktemp("aws")
    project = folder / "words"
    (project / "samples").mkdir(parents=True)
    (project / "samples/one.txt").write_text("three small words")
    (project / "samples/two.txt").write_text("two words")
    (project / "predictor.py").write_text(PREDICTOR)
    (project / "argosy.toml").write_text(TABLE)
    with moto_server() as s3_url, simulator(folder, s3_url, project) as environment:
        found = Aws(environment, "", project)
        types = {"SupportedContentTypes": ["text/plain"], "SupportedResponseMIMETypes": ["text/plain"]}
        instances = ["ml.m5.large"]
        arn = found.client("sagemaker").create_model_package(
            ModelPackageName="words-1-0-0",
            InferenceSpecification={
                "Containers": [{"Image": IMAGE}],
                "SupportedTransformInstanceTypes": instances,
                "SupportedRealtimeInferenceInstanceTypes": instances,
                **types,
            },
        )["ModelPackageArn"]
        yield Aws(environment, arn, project)


@pytest.fixture(scope="module")
def kit(aws: Aws, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The notebook of the kit that the seller writes."""
    folder = tmp_path_factory.mktemp("kit") / "kit"
    options = ["-o", str(folder), "--arn", f"eu-west-1={aws.arn}"]
    command = [sys.executable, "-m", "argosy", "kit", str(aws.folder), *options]
    done = subprocess.run(command, env=aws.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return folder / "words.ipynb"


def copied(kit: Path, folder: Path) -> Path:
    """The notebook in a copy of its kit."""
    shutil.copytree(kit.parent, folder / "kit")
    return folder / "kit" / kit.name


@pytest.mark.slow
def test_the_notebook_runs_top_to_bottom_leaves_nothing_and_needs_no_more_than_its_policy(aws: Aws, kit: Path) -> None:
    done = aws.run(kit)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^two.txt -> text/plain.*\nTWO WORDS", done.stdout, re.MULTILINE), done.stdout
    assert "stream an answer ...\nTWO WORDS" in done.stdout
    assert "one.txt -> one.txt.out\nTHREE SMALL WORDS" in done.stdout
    assert "nothing is left that costs money" in done.stdout
    assert "Manage subscriptions" in done.stdout
    deleted = re.findall(r"^deleted (.*) \S+$", done.stdout, re.MULTILINE)
    assert deleted == ["transform job", "bucket", "endpoint", "endpoint configuration", "model", "role"]
    assert aws.left() == []
    policy = json.loads((kit.parent / "policies/buyer/notebook.json").read_text())
    calls = {json.loads(line)[0] for line in (kit.parent / "calls.jsonl").read_text().splitlines()}
    assert len(calls) > 15
    assert sorted(operation for operation in calls if not allows(policy, operation)) == []


@pytest.mark.slow
def test_a_notebook_whose_cell_fails_leaves_nothing_either(aws: Aws, kit: Path, tmp_path: Path) -> None:
    broken = copied(kit, tmp_path)
    (broken.parent / "samples/realtime/two.txt").write_text("BAD")
    done = aws.run(broken)
    assert done.returncode == 1
    assert "two.txt: the model answered 400" in done.stderr
    assert "invoke the endpoint: failed, so that all that was made is deleted now" in done.stdout
    assert aws.left() == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"AWS_DEFAULT_REGION": "ap-south-1"}, "words has no model package in ap-south-1; its regions: eu-west-1"),
        ({"AWS_DEFAULT_REGION": ""}, "set the variable AWS_DEFAULT_REGION"),
    ],
)
def test_a_region_without_a_package_is_told_before_anything_is_made(
    variables: dict[str, str], sentence: str, aws: Aws, kit: Path
) -> None:
    done = aws.run(kit, **variables)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "create" not in done.stdout


@pytest.mark.slow
def test_who_is_not_subscribed_is_told_how_to(aws: Aws, kit: Path, tmp_path: Path) -> None:
    strange = copied(kit, tmp_path)
    strange.write_text(strange.read_text().replace(aws.arn, f"{aws.arn}-of-somebody-else"))
    done = aws.run(strange)
    assert done.returncode == 1
    assert "this account is not subscribed to words" in done.stderr
    assert aws.left() == []
