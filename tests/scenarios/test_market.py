"""From a project to a bill: everything that is sold and bought, on the local AWS, by the command line alone."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import botocore.config
import httpx
import jsonschema
import pytest

from tests.scenarios.market import ANSWERS, NAME, SAMPLES, TITLE, make_project
from tests.scenarios.running import ARGOSY, ROOT, Running, running

GOLDEN = ROOT / "tests/golden"
REGION = "us-east-1"
STAGING = "buyer-staging"
_CHANGING = (
    (r"sha256:[0-9a-f]{64}", "sha256:DIGEST"),
    (r"[0-9a-f]{64}", "DIGEST"),
    (r"[A-Za-z0-9+/]{43}=", "CHECKSUM"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "TOKEN"),
    (r"\d+ layers, [\d.]+ MB", "LAYERS, SIZE MB"),
)
"""What another version of the server, or another base image, makes otherwise in a plan."""


@dataclass(frozen=True)
class Somebody:
    """Who works with the local AWS: nothing but its environment tells a verb where that is."""

    environment: Mapping[str, str]
    home: Path

    @property
    def url(self) -> str:
        return self.environment["AWS_ENDPOINT_URL"]

    def argosy(self, *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        """A verb, carried out to its end in this account."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        done = subprocess.run(
            [*ARGOSY, *map(str, arguments)],
            capture_output=True, text=True, timeout=240, cwd=self.home, env={**others, **self.environment},
        )  # fmt: skip
        assert done.returncode == code, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done

    def client(self, service: str, **settings: Any) -> Any:
        """boto3's own client (Any: it makes their classes at run time)."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            config=botocore.config.Config(retries={"total_max_attempts": 1}, **settings),
        )

    def writes(self) -> list[str]:
        """Every call that has changed something at the local AWS."""
        told: list[str] = httpx.get(f"{self.url}/_argosy/writes").json()["writes"]
        return told


@dataclass(frozen=True)
class Market:
    """The two sides, and what stands between them."""

    seller: Somebody
    buyer: Somebody
    roles: Mapping[str, str]
    aws: Running


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    folder = tmp_path_factory.mktemp("market")
    with running(folder / "log", "simulate", "aws", "--container", "sandbox", "--json") as aws:
        aws.await_true(lambda: "\n}\n" in aws.log)
        told = json.loads(aws.log[aws.log.index("{") : aws.log.index("\n}\n") + 2])
        homes = {name: folder / name for name in told["accounts"]}
        for home in homes.values():
            home.mkdir()
        sides = {name: Somebody(account["environment"], homes[name]) for name, account in told["accounts"].items()}
        yield Market(sides["seller"], sides["buyer"], told["roles"], aws)


def same(text: str, golden: str) -> None:
    """The text is as agreed, but for what changes with the versions of what is in the image."""
    for pattern, word in _CHANGING:
        text = re.sub(pattern, word, text)
    assert text == (GOLDEN / golden).read_text(encoding="utf-8")


def test_the_whole_road(market: Market) -> None:
    project = make_project(market.seller.home / "project")
    arn, product = _sell(market, project)
    _buy(market, arn, product)
    _bill(market.seller, project)


def _sell(market: Market, project: Path) -> tuple[str, str]:
    """What buyers need: the ARN of the package as it was published, and the id of its product."""
    seller = market.seller
    seller.argosy("build", project)
    checked = json.loads(seller.argosy("check", project, "--container", "sandbox", "--json").stdout)
    assert checked["reports"][0]["conforming"] is True
    image = seller.argosy("push", project).stdout.strip()
    assert re.fullmatch(rf"\d{{12}}\.dkr\.ecr\.{REGION}\.amazonaws\.com/{NAME}@sha256:[0-9a-f]{{64}}", image)
    same(seller.argosy("register", project, "--plan").stdout, "market-register-plan.txt")
    assert not [write for write in seller.writes() if write.startswith(("s3:", "sagemaker:"))]
    own = seller.argosy("register", project, "--yes").stdout.strip()
    _validated(seller, own, image)
    seller.argosy("describe", project, "--container", "sandbox", "--seconds", "0.1")
    same(seller.argosy("publish", project, "--plan").stdout, "market-publish-plan.txt")
    given = json.loads(seller.argosy("publish", project, "--yes", "--json").stdout)
    before = seller.writes()
    again = seller.argosy("publish", project, "--yes", "--json")
    assert "nothing to do" in again.stderr
    assert json.loads(again.stdout)["product"].items() <= given["product"].items()
    assert seller.writes() == before
    published: Mapping[str, Mapping[str, str]] = httpx.get(f"{seller.url}/_argosy/published-packages").json()
    return published[own][REGION], given["product"]["product"]


def _validated(seller: Somebody, arn: str, image: str) -> None:
    """SageMaker has really run the image over the samples, and what it answered is in the bucket."""
    package = seller.client("sagemaker").describe_model_package(ModelPackageName=arn)
    assert package["ModelPackageStatus"] == "Completed"
    assert package["InferenceSpecification"]["Containers"][0]["Image"] == image
    s3, bucket = seller.client("s3"), f"{NAME}-releases-{REGION}"
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    results = {
        key.rpartition("/")[2].removesuffix(".out"): s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
        for key in keys
        if key.endswith(".out")
    }
    assert results == ANSWERS


def _buy(market: Market, arn: str, product: str) -> None:
    buyer = market.buyer
    role = ("--role", market.roles["execution"])
    refused = buyer.argosy("deploy", arn, *role, "--name", "loud", "--yes", code=3)
    assert "Caller is not subscribed to the marketplace offering" in refused.stderr
    assert f"argosy subscribe {product}" in refused.stderr or "argosy subscribe" in refused.stderr
    quote = buyer.argosy("subscribe", product, code=2)
    assert "0.001 USD an inference" in quote.stderr
    assert "--yes" in quote.stderr
    buyer.argosy("subscribe", product, "--yes")
    deployed = ("deploy", arn, *role, "--name", "loud", "--product", product, "--yes")
    buyer.argosy(*deployed)
    before = buyer.writes()
    assert "nothing to do" in buyer.argosy(*deployed).stderr
    assert buyer.writes() == before
    _invoke(buyer)
    _transform(buyer)
    _destroy(buyer)


def _invoke(buyer: Somebody) -> None:
    """By boto3 and by the command line; a stream comes in parts."""
    runtime = buyer.client("sagemaker-runtime", read_timeout=70)
    request = {"EndpointName": "loud", "ContentType": "text/plain", "Body": SAMPLES["one.txt"].encode()}
    answer = runtime.invoke_endpoint(**request)
    assert (answer["ContentType"], answer["Body"].read().decode()) == ("text/plain", ANSWERS["one.txt"])
    stream = runtime.invoke_endpoint_with_response_stream(**request)["Body"]
    parts = [event["PayloadPart"]["Bytes"].decode() for event in stream]
    assert "".join(parts) == ANSWERS["one.txt"]
    assert len(parts) > 1
    spoken = ("invoke", "loud", "--text", SAMPLES["two.txt"], "--content-type", "text/plain")
    assert buyer.argosy(*spoken).stdout == ANSWERS["two.txt"]
    assert buyer.argosy(*spoken, "--stream").stdout == ANSWERS["two.txt"]


def _transform(buyer: Somebody) -> None:
    """A folder of this machine through a bucket and a job, and back."""
    (buyer.home / "in").mkdir()
    for name, text in SAMPLES.items():
        (buyer.home / "in" / name).write_text(text)
    buyer.client("s3").create_bucket(Bucket=STAGING)
    job = ("transform", "loud", "in", "out", "--staging", f"s3://{STAGING}/jobs", "--yes")
    buyer.argosy(*job)
    assert {path.name: path.read_text() for path in (buyer.home / "out").iterdir()} == {
        f"{name}.out": text for name, text in ANSWERS.items()
    }
    before = buyer.writes()
    assert "nothing to do" in buyer.argosy(*job).stderr
    assert buyer.writes() == before


def _destroy(buyer: Somebody) -> None:
    told = buyer.argosy("destroy", "loud", "--yes").stderr
    assert f"s3://{STAGING}/jobs/" in told
    sagemaker = buyer.client("sagemaker")
    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    assert sagemaker.list_models()["Models"] == []
    before = buyer.writes()
    buyer.argosy("destroy", "loud", "--yes")
    assert buyer.writes() == before


def _bill(seller: Somebody, project: Path) -> None:
    """Two texts at a tenth of a cent each, and three hours of a transform job."""
    counted = ("--requests", project / "samples", "--batch-hours", 3, "--container", "sandbox", "--json")
    bill = json.loads(seller.argosy("bill", project, *counted).stdout)
    assert bill["total"] == "1.502"


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_release_to_eleven_regions_is_planned_without_credentials_and_network(form: str, tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    regions = [
        *("us-east-1", "us-east-2", "us-west-2", "ca-central-1", "eu-west-1", "eu-central-1", "eu-north-1"),
        *("ap-northeast-1", "ap-south-1", "ap-southeast-2", "sa-east-1"),
    ]
    nobody = Somebody(_without_credentials(tmp_path), tmp_path)
    nobody.argosy("build", project)
    told = nobody.argosy("release", *regions, "--project", project, "--plan", *(["--json"] if form == "json" else []))
    assert "there are no AWS credentials" in told.stderr
    if form == "text":
        assert [f"model package {NAME}-1-0-0 in {region}" in told.stdout for region in regions] == [True] * 11
        assert TITLE not in told.stdout
        return
    plan = json.loads(told.stdout)
    jsonschema.validate(plan, json.loads((ROOT / "docs/reference/plan.schema.json").read_text(encoding="utf-8")))
    calls = [call for step in plan["steps"] for call in step["calls"]]
    assert {call["region"] for call in calls} == set(regions)
    policy = json.loads(nobody.argosy("iam", "release", *regions, "--project", project).stdout)
    allowed = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert {"sagemaker:CreateModelPackage", "ecr:PutImage", "s3:PutObject", "iam:PassRole"} <= allowed


def _without_credentials(folder: Path) -> dict[str, str]:
    """Variables by which boto3 finds nobody, and would reach nobody: no such port is open."""
    return {
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    }
