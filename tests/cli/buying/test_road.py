"""The buyer's whole road as a user types it, with a package that was really published; its calls are its plans'."""

import json
from pathlib import Path
from typing import Any

import pytest

from argosy.aws.call import SCOPES, Call
from argosy.aws.permissions import actions
from argosy.errors import ModelError, PlanError, UsageError
from argosy.testing.local_aws import SELLER
from tests.cli.buying.conftest import Desk
from tests.deployment.account import BUCKET, REGION, ROLE, Account
from tests.local_aws.requests import ended, package_request, published, repository
from tests.local_aws.stand_in import small_image
from tests.local_aws.test_cloud import bucket_of, copy_of

UNSENT = {
    "iam:PassRole",
    "sagemaker:AddTags",
    "s3:AbortMultipartUpload",
    "servicequotas:ListServiceQuotas",
    "aws-marketplace:GetAgreementRequest",
    "aws-marketplace:DescribeAgreement",
}
"""What IAM looks at beside an operation of its own, and what only refusals, kills and other options lead to."""


@pytest.fixture(scope="module")
def sold(buyer: Account) -> tuple[str, str]:
    """A product, and the ARN of its package for buyers."""
    aws = buyer.aws
    bucket = bucket_of(aws, "sellers-bucket")
    repository(aws, "sold")
    image = buyer.push(small_image(), "sold:1", SELLER)
    arn = aws.client("sagemaker").create_model_package(**package_request("sold-1", image, bucket))["ModelPackageArn"]
    assert ended(aws, arn)["ModelPackageStatus"] == "Completed"
    return published(aws, arn), copy_of(aws, arn)


def test_from_the_quote_to_the_last_model(
    desk: Desk, sold: tuple[str, str], sent: list[tuple[str, str]], tmp_path: Path
) -> None:
    product, arn = sold
    deploy = ("deploy", arn, "--name", "road", "--role", ROLE, "--product", product)
    (tmp_path / "rows.csv").write_text("1,2\n3,4\n")
    staging = ("--staging", f"s3://{BUCKET}/staged")
    transform = ("transform", "road", tmp_path / "rows.csv", tmp_path / "out", *staging, "--split-type", "Line")
    verbs: list[tuple[object, ...]] = [
        ("subscribe", product),
        deploy,
        (*deploy, "--instance-type", "ml.c5.xlarge"),
        ("invoke", "road", "--body", tmp_path / "rows.csv"),
        ("invoke", "road", "--text", "STREAM a b", "--stream", "--content-type", "text/plain"),
        transform,
        ("destroy", "road"),
    ]
    allowed = {action for verb in verbs for action in _actions(desk.policy(*verb))}
    assert sent == [], "a policy asks AWS for nothing"

    with pytest.raises(PlanError, match="has no subscription to"):
        desk.run(*deploy, "--yes")
    for verb in verbs[:3]:
        done = desk.run(*verb, "--yes")
        assert done.exit_code == 0, done.stderr
    assert "1 x ml.c5.xlarge: the seller's 0.80 USD an hour each" in " ".join(done.stderr.split())
    answered = desk.run(*verbs[3])
    assert answered.stdout_bytes == b"1,2\n3,4\n"
    assert "200 text/csv, 8 bytes" in answered.stderr
    assert desk.run(*verbs[4]).stdout == "ab"
    with pytest.raises(ModelError):
        desk.run("invoke", "road", "--text", "STATUS-400", "--content-type", "text/plain")
    assert desk.run(*transform, "--yes").exit_code == 0
    assert (tmp_path / "out/rows.csv.out").read_text() == "1,2\n3,4\n"
    ended_with = desk.run("destroy", "road", "--yes")
    assert f"kept: the subscription to {product}" in ended_with.stderr
    assert "costs by the month: 1 objects" in ended_with.stderr
    for verb in (verbs[0], verbs[-1]):
        assert "nothing to do" in desk.run(*verb, "--yes").stderr

    done_actions = {action for service, operation in sent for action in actions(Call(service, operation, REGION, {}))}
    assert done_actions - allowed == set()
    assert allowed - done_actions - UNSENT == set()
    assert {service for service, _ in sent} <= {"sts", "s3", "logs", "sagemaker", "sagemaker-runtime", *SCOPES}


def test_a_plan_names_every_call_and_makes_none_of_them(desk: Desk, sold: tuple[str, str]) -> None:
    package = desk.buyer.package("planned-1")
    shown = desk.run("deploy", package.text, "--role", ROLE, "--plan").stdout
    assert "sagemaker:CreateEndpoint (us-east-1)" in shown
    assert "plan: 3 to create" in shown
    document = json.loads(desk.run("deploy", package.text, "--role", ROLE, "--plan", "--json").stdout)
    calls = [call["operation"] for step in document["steps"] for call in step["calls"]]
    assert calls == ["CreateModel", "CreateEndpointConfig", "CreateEndpoint"]
    assert desk.buyer.owned("planned-1") == {"endpoint": [], "config": [], "model": []}


def test_nothing_is_bought_without_a_yes(desk: Desk) -> None:
    package = desk.buyer.package("unasked-1")
    with pytest.raises(UsageError, match="somebody has to agree") as error:
        desk.run("deploy", package.text, "--role", ROLE)
    assert "--yes" in str(error.value.hint)
    assert desk.buyer.owned("unasked-1") == {"endpoint": [], "config": [], "model": []}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("deploy", "sold-1", "--role", ROLE), "no ARN of a model package"),
        (("deploy", "ARN", "--role", "service-role"), "named by its ARN"),
        (("deploy", "ARN"), "needs a role"),
        (("deploy", "ARN", "--role", ROLE, "--region", "eu-west-1"), "in its own region"),
        (("deploy", "ARN", "--role", ROLE, "--name", "-x-"), "cannot have this name"),
        (("subscribe", "https://aws.amazon.com/marketplace/pp/prodview-x"), "no id of a product"),
        (("transform", "road", "missing", "out"), "the input is not there"),
        (("transform", "road", ".", "./out", "--staging", "s3://data/x"), "would become input"),
        (
            ("transform", "road", "s3://data/in/", "out", "--content-type", "text/csv"),
            "go to a transform job through S3",
        ),
    ],
)
def test_what_cannot_be_is_said_before_aws_is_asked(
    desk: Desk, sent: list[tuple[str, str]], tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    (tmp_path / "rows.csv").write_text("1,2")
    arn = f"arn:aws:sagemaker:{REGION}:865070037744:model-package/sold-1"
    with pytest.raises(UsageError, match=words):
        desk.run(*(arn if argument == "ARN" else argument for argument in arguments))
    assert sent == []


def _actions(policy: Any) -> set[str]:
    return {action for statement in policy["Statement"] for action in statement["Action"]}
