"""Users who interrupt, run twice at once, delete what they should not, and have no network or credentials."""

import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from argosy.local_aws.accounts import EXECUTION_ROLE
from argosy.testing.local_aws import BUYER, SELLER, Account
from tests.scenarios.drills.account import world
from tests.scenarios.drills.forking import forking
from tests.scenarios.drills.stand import REGION, Stand, deploying, deployments

ARN = f"arn:aws:sagemaker:{REGION}:865070037744:model-package/words"


def test_ctrl_c_leaves_any_verb_with_130_and_the_next_run_finishes_it(stand: Stand, bought: tuple[str, str]) -> None:
    name, deployed = stand.project(), deployments(stand)()
    (stand.folder / "texts").mkdir()
    (stand.folder / "texts/a.txt").write_text("a b")
    stand.aws.client("s3", BUYER).create_bucket(Bucket=f"staging-{deployed}")
    verbs: list[tuple[Account, Sequence[object]]] = [
        (SELLER, ("push", name)),
        (SELLER, ("register", name, "--yes")),
        (SELLER, ("publish", name, "--yes")),
        (SELLER, ("release", "--project", name, "eu-west-1", "eu-west-2", "--yes")),
        (BUYER, deploying(deployed, bought)),
        (BUYER, ("transform", deployed, "texts", "out", "--staging", f"s3://staging-{deployed}/x", "--yes")),
        (BUYER, ("destroy", deployed, "--yes")),
    ]
    for account, verb in verbs:
        ended = stand.struck(1, lambda: os.kill(stand.client.pid, signal.SIGINT), *verb, account=account)
        assert ended.code == 130, f"{verb}: {ended.said}"
        assert "run it again, and it goes on where it was" in ended.said
        assert "Traceback" not in ended.said
        stand.run(*verb, account=account)


def test_two_machines_at_once_make_one_product(stand: Stand, tmp_path: Path) -> None:
    name = stand.project()
    other = stand.folder / "elsewhere"
    shutil.copytree(stand.folder / name, other)
    with forking(tmp_path) as client:
        environment = stand.aws.environment(SELLER)
        for verb in ("register", "publish"):
            stand.client.begin((verb, name, "--yes"), environment, stand.folder)
            client.begin((verb, other, "--yes"), environment, stand.folder)
            here, there = stand.client.end(), client.end()
            assert (here.code, there.code) == (0, 0), f"{here.said}\n{there.said}"
    alone = stand.project("published")
    assert world(stand.aws, name, (REGION,)) == world(stand.aws, alone, (REGION,))


def test_a_second_run_in_the_same_project_is_refused(stand: Stand, tmp_path: Path) -> None:
    name, environment = stand.project("pushed"), stand.aws.environment(SELLER)
    with forking(tmp_path) as client:

        def second() -> None:
            client.begin(("publish", name, "--yes"), environment, stand.folder)
            ended.append(client.end())

        ended: list[object] = []
        assert stand.struck(1, second, "register", name, "--yes").code == 0
    (refused,) = ended
    assert "another run is under way" in str(refused)
    assert "code=1" in str(refused)


def test_the_state_may_be_deleted_while_a_verb_runs(stand: Stand) -> None:
    name = stand.project("pushed")
    ended = stand.struck(2, lambda: shutil.rmtree(stand.folder / name / ".argosy"), "register", name, "--yes")
    assert ended.code == 0, ended.said
    assert stand.writes("register", name, "--yes") == []


def test_a_state_that_cannot_be_read_is_told_and_not_needed(stand: Stand) -> None:
    name = stand.project("registered")
    (state,) = (stand.folder / name / ".argosy").glob("seller.json")
    state.write_text('{"version": 1, "st')
    stand.client.begin(("publish", name, "--yes"), stand.aws.environment(SELLER), stand.folder)
    ended = stand.client.end()
    assert ended.code == 1
    assert f"hint: rm {state}" in ended.said
    state.unlink()
    stand.run("publish", name, "--yes")


def test_a_deployment_of_another_region_is_not_taken_for_gone(stand: Stand, bought: tuple[str, str]) -> None:
    name = deployments(stand, bought)()
    elsewhere = stand.run("destroy", name, "--yes", "--region", "eu-west-1", account=BUYER)
    assert f"argosy destroy {name} --region {REGION}" in elsewhere.said
    stand.run("destroy", name, "--yes", "--region", REGION, account=BUYER)
    again = stand.run("destroy", name, "--yes", "--region", "eu-west-1", account=BUYER)
    assert f"--region {REGION}" not in again.said


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"AWS_ACCESS_KEY_ID": ""}, "boto3 finds no credentials"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "AWS is not reached"),
        ({"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}, "AWS does not take the credentials"),
    ],
)
def test_who_cannot_ask_aws_is_told_why(stand: Stand, variables: dict[str, str], said: str) -> None:
    name = stand.project("pushed")
    verbs: list[Sequence[object]] = [
        ("push", name),
        ("register", name, "--yes"),
        ("publish", name, "--yes"),
        ("subscribe", "prod-0123456789abc", "--yes"),
        ("deploy", ARN, "--role", EXECUTION_ROLE.arn, "--yes"),
        ("invoke", "loud", "--text", "x", "--content-type", "text/plain"),
        ("destroy", "loud", "--yes"),
    ]
    environment = {**stand.aws.environment(SELLER), "AWS_EC2_METADATA_DISABLED": "true", **variables}
    if not environment["AWS_ACCESS_KEY_ID"]:
        environment = {name: value for name, value in environment.items() if "KEY" not in name}
    for verb in verbs:
        stand.client.begin(verb, environment, stand.folder)
        ended = stand.client.end()
        assert ended.code == 3, f"{verb}: {ended.said}"
        assert said in ended.said
        assert "hint: " in ended.said
        assert "it was sent" not in ended.said
        assert "AKIA" not in ended.said
        assert "Traceback" not in ended.said
    stand.keep("pushed", name)
