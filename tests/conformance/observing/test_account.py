"""An account of moto's is asked and judged; nothing of it is changed, and no credential is kept."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest

from argosy.conformance.check import Status
from argosy.conformance.observing.account import NO_CREDENTIALS, NOT_ASKED, observe_account
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.project import NO_PROJECT, NO_TABLE
from argosy.conformance.profile import Profile
from argosy.conformance.run import Subject, examine
from argosy.conformance.scenes.account import AccountFacts
from argosy.conformance.terms import Terms
from argosy.contract import Level
from argosy.errors import ContainerError
from argosy.marketplace.table import Marketplace
from argosy.project import Project
from argosy.project_file import ImageTable, Model, Serving
from argosy.simulator.containers.container import Container, Launch
from tests.aws import seller
from tests.aws.stand_in import moto_server
from tests.conformance.servers import failed_clauses
from tests.conformance.test_account_mutations import DIGEST, QUOTAS, judge_case
from tests.marketplace.offers import CLEAN


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with moto_server() as found:
        yield found


@pytest.fixture
def aws(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    seller.reset(url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "it-is-secret")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return url


def project_of(table: Mapping[str, Any] | None = CLEAN) -> Project:
    sold = None if table is None else msgspec.convert(table, Marketplace)
    return Project(Path("/nowhere"), Model("predictor:Model"), Serving(), ImageTable(), marketplace=sold)


def test_an_account_is_asked_and_judged(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = seller.make_account()
    seller.set_findings(aws, digest, {"imageScanStatus": {"status": "COMPLETE"}, "imageScanFindings": {}})
    with seller.quotas_server(QUOTAS) as quotas:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SERVICE_QUOTAS", quotas)
        case = observe_account(project_of(), digest)
    findings = judge_case(case)
    assert {id_: f.verdict.reason for id_, f in findings.items() if f.status is not Status.PASS} == {}
    assert "it-is-secret" not in repr((case, findings))


def test_each_thing_that_is_not_there_is_its_own_finding(aws: str) -> None:
    found = failed_clauses(judge_case(observe_account(project_of(), DIGEST)))
    assert found == {"aws-repository", "aws-bucket", "aws-validation-role", "aws-access-role"}


def test_an_oci_manifest_that_was_not_scanned(aws: str) -> None:
    seller.make_account()
    boto3.client("ecr", region_name=seller.REGION).delete_repository(repositoryName=seller.REPOSITORY, force=True)
    digest = seller.make_repository(seller.OCI_MANIFEST, is_scanned=False)
    assert failed_clauses(judge_case(observe_account(project_of(), digest))) == {"aws-manifest", "aws-scan"}


def test_whoever_may_do_nothing_learns_which_permissions_lack(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = seller.make_account()
    iam = boto3.client("iam", region_name=seller.REGION)
    iam.create_user(UserName="someone")
    key = iam.create_access_key(UserName="someone")["AccessKey"]
    seller.require_permissions(aws)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    case = observe_account(project_of(), digest)
    findings = judge_case(case)
    assert failed_clauses(findings, Level.MUST) == set()
    reasons = " ".join(finding.verdict.reason for finding in findings.values())
    for action in ("ec2:DescribeRegions", "ecr:DescribeRepositories", "ecr:DescribeImages", "iam:GetRole"):
        assert f"`{action}` was not done" in reasons
    assert key["SecretAccessKey"] not in repr((case, findings))


def without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_without_credentials_each_clause_is_unknown_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    without_credentials(monkeypatch)
    findings = judge_case(observe_account(project_of(), DIGEST))
    assert {finding.status for finding in findings.values()} == {Status.UNKNOWN}
    assert all(finding.verdict.reason.endswith(NO_CREDENTIALS) for finding in findings.values())


def test_credentials_that_cannot_be_had_leave_each_clause_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_credentials(monkeypatch)
    (tmp_path / "config").write_text("[default]\ncredential_process = /bin/echo hunter2\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    findings = judge_case(observe_account(project_of(), DIGEST))
    assert {finding.status for finding in findings.values()} == {Status.UNKNOWN}
    assert all(finding.verdict.reason.endswith("(JSONDecodeError)") for finding in findings.values())
    assert "hunter2" not in repr(findings)


def test_without_boto3_each_clause_is_unknown_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    findings = judge_case(observe_account(project_of(), DIGEST))
    assert {finding.status for finding in findings.values()} == {Status.UNKNOWN}
    assert all("boto3 is not installed: pip install" in finding.verdict.reason for finding in findings.values())


@pytest.mark.parametrize(("project", "reason"), [(None, NO_PROJECT), (project_of(None), NO_TABLE)])
def test_what_is_not_sold_is_not_asked_about(project: Project | None, reason: str) -> None:
    assert observe_account(project).absent == {AccountFacts: reason}


def refuse(_: Launch) -> Container:
    raise ContainerError("there is nothing to start here")


@pytest.mark.parametrize(
    ("is_online", "profile", "status", "reason"),
    [
        (True, Profile.MARKETPLACE, Status.UNKNOWN, NO_CREDENTIALS),
        (False, Profile.MARKETPLACE, Status.SKIP, NOT_ASKED),
        (True, Profile.SAGEMAKER, None, ""),
    ],
)
def test_aws_is_asked_only_where_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, is_online: bool, profile: Profile, status: Status | None, reason: str
) -> None:
    without_credentials(monkeypatch)
    project = project_of({**CLEAN, "regions": ["ap-northeast-3"]})
    subject = Subject("vehicles", project=project, is_online=is_online)
    report = examine(subject, Bench(refuse, is_read_only=True), Terms(profile))
    findings = {f.clause.id: f for f in report.findings}
    asked = [findings[name] for name in ("aws-account", "aws-region") if name in findings]
    assert {f.status for f in asked} == ({status} if status else set())
    assert all(f.verdict.reason.endswith(reason) for f in asked)
    if profile is Profile.MARKETPLACE:
        region = findings["region-default"].verdict
        assert (region.status, region.decide) == (Status.UNKNOWN, "" if is_online else "--online")
    sold = [f for f in report.findings if f.clause.id == "package-name"]
    assert [f.status for f in sold] == ([Status.PASS] if profile is Profile.MARKETPLACE else [])
