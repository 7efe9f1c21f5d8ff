"""The policy of each verb, against what boto3 sends while the verb runs from nothing to its end."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from argosy.aws.call import Call
from argosy.aws.permissions import permissions
from argosy.cli import main
from argosy.errors import UsageError
from argosy.local_aws.accounts import BUYER, SELLER
from argosy.testing.local_aws import LocalAwsServer
from argosy.testing.local_aws import local_aws as serving
from tests.local_aws.stand_in import open_stand_in
from tests.publishing.projects import write_project

PUSH = Call("ecr", "PutImage", "us-east-1", {"repositoryName": "vehicle-detector"})
"""A push speaks the registry's protocol and not boto3's; its permissions are those of PutImage."""
FAILED_VALIDATION = {"logs:FilterLogEvents", "sagemaker:ListTransformJobs", "sagemaker:DescribeTransformJob"}
UNSCANNED = {"ecr:StartImageScan"}
NOT_NEEDED_HERE: Mapping[str, set[str]] = {
    "push": UNSCANNED,
    "register": UNSCANNED | FAILED_VALIDATION,
    "release": UNSCANNED | FAILED_VALIDATION,
    "publish": set(),
    "offer": set(),
}
"""What is asked only when a validation has failed, or when ECR has not scanned what was pushed by itself."""

Policy = Mapping[str, Any]


@pytest.fixture(scope="module")
def local_aws() -> Iterator[LocalAwsServer]:
    with serving(open_image=open_stand_in) as aws:
        yield aws


@pytest.fixture
def sent(local_aws: LocalAwsServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Call]]:
    """The calls that leave this process, as botocore makes them, and the registry's writes."""
    for name, value in local_aws.environment().items():
        monkeypatch.setenv(name, value)
    calls: list[Call] = []

    def note(params: Mapping[str, Any], model: Any, context: Mapping[str, Any], **_: Any) -> None:
        service = model.service_model.service_name
        asked = context.get("asked", {})
        calls.append(Call(service, model.name, context["client_region"], asked))

    def keep(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["asked"] = dict(params)

    open_session: Any = boto3.Session  # Any: boto3 has no types

    def listening(**named: Any) -> Any:
        session = open_session(**named)
        session.events.register_first("provide-client-params.*.*", keep)
        session.events.register("before-call.*.*", note)
        return session

    monkeypatch.setattr(boto3, "Session", listening)
    with local_aws.after_write(lambda service, _: calls.append(PUSH) if service == "registry" else None):
        yield calls


def run(*arguments: str) -> int:
    code = main.command.main(list(arguments), prog_name="argosy", standalone_mode=False)
    return code if isinstance(code, int) else 0


def policy_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> Policy:
    capsys.readouterr()
    assert run("iam", *arguments) == 0
    found: Policy = json.loads(capsys.readouterr().out)
    return found


def actions_of(policy: Policy) -> set[str]:
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def made(folder: Path, name: str) -> str:
    """A project with names that no other has."""
    (folder / name).mkdir()
    return str(write_project(folder / name, name))


def test_each_verb_sends_what_its_policy_allows_and_no_policy_allows_more(
    tmp_path: Path, sent: list[Call], capsys: pytest.CaptureFixture[str]
) -> None:
    released = made(tmp_path, "released")
    buyers = ("--buyer", BUYER.number, "--price", "0.10", "--until", "2099-01-31")
    spare = {}
    for verb, arguments in {
        "push": (made(tmp_path, "pushed"),),
        "register": (made(tmp_path, "registered"),),
        "release": ("--project", released, "us-east-1", "eu-west-1"),
        "publish": (released, "--public"),
        "offer": (released, *buyers),
    }.items():
        allowed = actions_of(policy_of(capsys, verb, *arguments))
        assert sent == [], "a policy is made without asking AWS"
        needed = set()
        for _ in range(2):
            assert run(verb, *arguments, "--yes") == 0
            needed |= {one.action for call in sent for one in permissions(call, SELLER.number)}
            sent.clear()
        assert needed <= allowed, f"{verb}: {needed - allowed} is sent and not allowed"
        spare[verb] = allowed - needed
    assert spare == NOT_NEEDED_HERE


def test_the_policy_of_what_is_there_is_that_of_what_is_left_to_do(
    tmp_path: Path, sent: list[Call], capsys: pytest.CaptureFixture[str]
) -> None:
    project = made(tmp_path, "asis")
    assert run("register", project, "--yes") == 0
    assert run("publish", project, "--yes") == 0
    written = {action for action in actions_of(policy_of(capsys, "--as-is", "publish", project)) if "Start" in action}
    assert written == set()
    policy = policy_of(capsys, "--as-is", "publish", project, "--public")
    conditions = [one["Condition"]["StringEquals"] for one in policy["Statement"] if "Condition" in one]
    assert conditions == [{"catalog:ChangeType": "UpdateVisibility"}]


def test_the_account_is_the_projects_or_the_one_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = made(tmp_path, "accounts")
    resources = [f"arn:aws:ecr:us-east-1:{account}:repository/accounts" for account in (SELLER.number, BUYER.number)]
    assert resources[0] in json.dumps(policy_of(capsys, "push", project))
    assert resources[1] in json.dumps(policy_of(capsys, "--account", BUYER.number, "push", project))


@pytest.mark.parametrize("verb", ["nothing", "iam", "check", "bill"])
def test_a_verb_without_a_plan_has_no_policy(verb: str) -> None:
    with pytest.raises(UsageError, match="there is no such verb, or it has no plan") as refused:
        run("iam", verb)
    assert "push" in str(refused.value.want)
    assert "iam" not in str(refused.value.want)
