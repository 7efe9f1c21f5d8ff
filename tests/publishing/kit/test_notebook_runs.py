"""The notebook of a kit, run top to bottom by a buyer with boto3 as it is, on the local AWS."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from argosy.cli import environment
from argosy.cli.containers import open_container
from argosy.image.image import Image
from argosy.local_aws.accounts import EXECUTION_ROLE
from argosy.simulator.containers.container import Container, Launch
from argosy.testing.local_aws import BUYER, LocalAwsServer, local_aws
from tests.local_aws.requests import ended, package_request, published, repository
from tests.local_aws.stand_in import Push, small_image
from tests.local_aws.test_cloud import subscribe
from tests.publishing.kit.policy_actions import allows

REGION = "eu-west-1"
"""Of the buyer: not that of the seller, and one where a bucket has to say where it is."""
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
class Shop:
    """What a seller has published on the local AWS, and a buyer who may run notebooks there.

    Attributes:
        aws: Where.
        product: Its id.
        arn: The model package as buyers see it.
        folder: The seller's project.
    """

    aws: LocalAwsServer
    product: str
    arn: str
    folder: Path

    def run(self, notebook: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run the notebook of a kit in its folder, as the buyer."""
        command = [sys.executable, str(Path(__file__).with_name("run_notebook.py")), notebook.name, "calls.jsonl"]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment = {**clean, **self.aws.environment(BUYER, REGION), **variables}
        return subprocess.run(
            command, cwd=notebook.parent, env=environment, capture_output=True, text=True, timeout=120
        )

    def left(self) -> list[str]:
        """What the buyer has that costs money, or would be in the way."""
        sagemaker, s3, iam = (self.aws.client(service, BUYER, REGION) for service in ("sagemaker", "s3", "iam"))
        names = [
            *(one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]),
            *(one["EndpointConfigName"] for one in sagemaker.list_endpoint_configs()["EndpointConfigs"]),
            *(one["ModelName"] for one in sagemaker.list_models()["Models"]),
            *(one["Name"] for one in s3.list_buckets()["Buckets"]),
            *(one["RoleName"] for one in iam.list_roles()["Roles"] if one["Arn"] != EXECUTION_ROLE.arn),
        ]
        return [str(name) for name in names]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A product that was pushed, validated and published; nobody is subscribed yet."""
    project = tmp_path_factory.mktemp("words")
    (project / "samples").mkdir()
    (project / "samples/one.txt").write_text("three small words")
    (project / "samples/two.txt").write_text("two words")
    (project / "predictor.py").write_text(PREDICTOR)
    (project / "argosy.toml").write_text(TABLE)

    def open_project(_image: Image, _name: str, launch: Launch) -> Container:
        return open_container(str(project), "process", launch, environment.read())

    with local_aws(open_image=open_project) as aws:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="words-releases")
        s3.put_object(Bucket="words-releases", Key="in/one.txt", Body=b"three small words")
        repository(aws, "words")
        image = Push(aws, tmp_path_factory.mktemp("cache"))(small_image(), "words:1")
        request = package_request("words-1-0-0", image, "words-releases")
        said = json.loads(json.dumps(request).replace("text/csv", "text/plain"))
        package = aws.client("sagemaker").create_model_package(**said)["ModelPackageArn"]
        assert ended(aws, package)["ModelPackageStatus"] == "Completed"
        product = published(aws, package)
        with urllib.request.urlopen(f"{aws.url}/_argosy/published-packages") as answer:
            copies = json.load(answer)[package]
        yield Shop(aws, product, copies[REGION], project)


@pytest.fixture(scope="module")
def kit(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The notebook of the kit that the seller writes."""
    folder = tmp_path_factory.mktemp("kit") / "kit"
    options = ["-o", str(folder), "--arn", f"{REGION}={shop.arn}"]
    command = [sys.executable, "-m", "argosy", "kit", str(shop.folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return folder / "words.ipynb"


def copied(kit: Path, folder: Path) -> Path:
    """The notebook in a copy of its kit."""
    shutil.copytree(kit.parent, folder / "kit")
    return folder / "kit" / kit.name


@dataclass(frozen=True)
class Subscribed:
    """A buyer who ran the notebook before subscribing.

    Attributes:
        before: What came of that.
        left_before: What that run has left.
    """

    before: "subprocess.CompletedProcess[str]"
    left_before: list[str]


@pytest.fixture(scope="module")
def subscribed(shop: Shop, kit: Path) -> Subscribed:
    before, left = shop.run(kit), shop.left()
    subscribe(shop.aws, shop.product)
    return Subscribed(before, left)


@pytest.mark.slow
def test_who_is_not_subscribed_is_told_how_to(subscribed: Subscribed) -> None:
    assert subscribed.before.returncode == 1
    assert "this account is not subscribed to words: open https://" in subscribed.before.stderr
    assert "create the endpoint" not in subscribed.before.stdout
    assert subscribed.left_before == []


@pytest.mark.slow
def test_the_notebook_runs_top_to_bottom_leaves_nothing_and_needs_no_more_than_its_policy(
    shop: Shop, kit: Path, subscribed: Subscribed
) -> None:
    (kit.parent / "calls.jsonl").unlink()  # those of whoever was not subscribed
    done = shop.run(kit)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^two.txt -> text/plain.*\nTWO WORDS", done.stdout, re.MULTILINE), done.stdout
    assert "stream an answer ...\nTWO WORDS" in done.stdout
    assert "one.txt -> one.txt.out\nTHREE SMALL WORDS" in done.stdout
    assert "nothing is left that costs money" in done.stdout
    assert "Manage subscriptions" in done.stdout
    deleted = re.findall(r"^deleted (.*) \S+$", done.stdout, re.MULTILINE)
    assert deleted == ["transform job", "bucket", "endpoint", "endpoint configuration", "model", "role"]
    assert shop.left() == []
    policy = json.loads((kit.parent / "policies/buyer/notebook.json").read_text())
    calls = {json.loads(line)[0] for line in (kit.parent / "calls.jsonl").read_text().splitlines()}
    assert len(calls) > 15
    assert sorted(operation for operation in calls if not allows(policy, operation)) == []


@pytest.mark.slow
def test_a_notebook_whose_cell_fails_leaves_nothing_either(
    shop: Shop, kit: Path, subscribed: Subscribed, tmp_path: Path
) -> None:
    broken = copied(kit, tmp_path)
    (broken.parent / "samples/realtime/two.txt").write_text("BAD")
    done = shop.run(broken)
    assert done.returncode == 1
    assert "two.txt: the model answered 400" in done.stderr
    assert "invoke the endpoint: failed, so that all that was made is deleted now" in done.stdout
    assert shop.left() == []


@pytest.mark.slow
def test_a_notebook_without_its_samples_makes_nothing(shop: Shop, kit: Path, tmp_path: Path) -> None:
    alone = tmp_path / kit.name
    shutil.copy(kit, alone)
    done = shop.run(alone)
    assert done.returncode == 1
    assert "there is no folder samples beside this notebook" in done.stderr
    assert not (tmp_path / "calls.jsonl").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"AWS_DEFAULT_REGION": "ap-south-1"}, "words has no model package in ap-south-1; its regions: eu-west-1"),
        ({"AWS_DEFAULT_REGION": ""}, "set the variable AWS_DEFAULT_REGION"),
    ],
)
def test_a_region_without_a_package_is_told_before_anything_is_made(
    variables: dict[str, str], sentence: str, shop: Shop, kit: Path
) -> None:
    done = shop.run(kit, **variables)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "create" not in done.stdout
