"""The account's calls as moto answers them: what is read, what is not there, what is refused."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from argosy.aws.account import Account, Role, Scan, Statement, Trust
from argosy.errors import AwsError, UsageError
from tests.aws import seller
from tests.aws.stand_in import moto_server

SECRET = "it-is-secret"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with moto_server() as found:
        yield found


@pytest.fixture
def account(url: str, monkeypatch: pytest.MonkeyPatch) -> Account:
    seller.reset(url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return Account(seller.REGION)


def test_where(account: Account) -> None:
    assert account.credentials_fault() is None
    assert account.opt_in_statuses()["us-east-1"] == "opt-in-not-required"


def test_the_repository_and_its_image(account: Account) -> None:
    assert account.repository_uri(seller.REPOSITORY) is None
    assert account.image(seller.REPOSITORY, f"sha256:{'0' * 64}") is None
    digest = seller.make_repository(is_scanned=False)
    uri = account.repository_uri(seller.REPOSITORY)
    assert uri == f"{seller.ACCOUNT}.dkr.ecr.{seller.REGION}.amazonaws.com/{seller.REPOSITORY}"
    found = account.image(seller.REPOSITORY, digest)
    assert found is not None
    assert (found.digest, found.media_type) == (digest, seller.DOCKER_MANIFEST)
    assert account.image(seller.REPOSITORY, f"sha256:{'0' * 64}") is None


def test_a_scan_is_none_before_it_was_started(account: Account) -> None:
    digest = seller.make_repository(is_scanned=False)
    assert account.scan(seller.REPOSITORY, digest) is None


def test_a_scans_findings_are_counted_and_the_worst_named(account: Account, url: str) -> None:
    digest = seller.make_repository()
    found = account.scan(seller.REPOSITORY, digest)
    assert found is not None
    assert found.status == "COMPLETE"
    assert found.counts == {"HIGH": 1}
    assert found.findings == ("CVE-9999-9999 HIGH",)
    seller.set_findings(
        url,
        digest,
        {
            "imageScanStatus": {"status": "ACTIVE", "description": "continuous"},
            "imageScanFindings": {
                "findingSeverityCounts": {"CRITICAL": 1, "LOW": 3},
                "enhancedFindings": [
                    {"title": "CVE-1", "severity": "LOW"},
                    {"title": "CVE-2", "severity": "HIGH"},
                    {"title": "CVE-3", "severity": "CRITICAL"},
                ],
            },
        },
    )
    assert account.scan(seller.REPOSITORY, digest) == Scan(
        "ACTIVE", "continuous", {"CRITICAL": 1, "LOW": 3}, ("CVE-3 CRITICAL", "CVE-2 HIGH")
    )


def test_the_region_of_a_bucket(account: Account) -> None:
    s3 = boto3.client("s3", region_name="eu-west-1")
    s3.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert account.bucket_region("far") == "eu-west-1"
    assert account.bucket_region("no-such-bucket") is None


@pytest.mark.parametrize("is_attached", [False, True])
def test_a_role_with_its_policies(account: Account, is_attached: bool) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "a", "Effect": "Allow", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::b/*"]},
            {"Effect": "Deny", "Action": ["s3:*"], "Resource": "*", "Condition": {"Bool": {"x": "true"}}},
            {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
        ],
    }
    seller.make_role(seller.VALIDATION_ROLE, "sagemaker.amazonaws.com", policy, is_attached=is_attached)
    assert account.role(seller.VALIDATION_ROLE) == Role(
        seller.VALIDATION_ROLE,
        (Trust(True, ("sagemaker.amazonaws.com",)),),
        (
            Statement(True, ("s3:GetObject",), ("arn:aws:s3:::b/*",)),
            Statement(False, ("s3:*",), ("*",), is_plain=False),
            Statement(True, (), ("*",), is_plain=False),
        ),
    )
    assert account.role(seller.ACCESS_ROLE) is None


def test_the_statements_of_a_trust_policy(account: Account) -> None:
    service = {"Service": "sagemaker.amazonaws.com"}
    assume = {"Action": "sts:AssumeRole"}
    trust: list[tuple[dict[str, object], Trust]] = [
        ({"Effect": "Deny", "Principal": service, **assume}, Trust(False, ("sagemaker.amazonaws.com",))),
        ({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, **assume}, Trust(True, ())),
        (
            {"Effect": "Allow", "Principal": service, "Action": ["sts:Assume*", "sts:TagSession"]},
            Trust(True, ("sagemaker.amazonaws.com",), ("sts:Assume*", "sts:TagSession")),
        ),
        ({"Effect": "Allow", "Principal": "*", **assume}, Trust(True, ("*",), is_plain=False)),
        ({"Effect": "Allow", "Principal": {"AWS": "*"}, **assume}, Trust(True, ("*",), is_plain=False)),
        (
            {"Effect": "Allow", "Principal": service, **assume, "Condition": {"Bool": {"aws:SecureTransport": "true"}}},
            Trust(True, ("sagemaker.amazonaws.com",), is_plain=False),
        ),
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement for statement, _ in trust]})
    boto3.client("iam", region_name=seller.REGION).create_role(
        RoleName="vehicle-validation", AssumeRolePolicyDocument=document
    )
    found = account.role(seller.VALIDATION_ROLE)
    assert found is not None
    assert found.trust == tuple(expected for _, expected in trust)


def test_quotas_come_from_all_pages(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    quotas = {"ml.m5.large for endpoint usage": 4.0, "ml.m5.large for transform job usage": 0.0}
    with seller.quotas_server(quotas) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SERVICE_QUOTAS", url)
        assert Account(seller.REGION).quotas() == quotas


def test_a_refused_call_names_the_missing_action_and_no_credential(
    account: Account, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    iam = boto3.client("iam", region_name=seller.REGION)
    iam.create_user(UserName="someone")
    key = iam.create_access_key(UserName="someone")["AccessKey"]
    seller.require_permissions(url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    someone = Account(seller.REGION)
    for call, action in (
        (lambda: someone.repository_uri(seller.REPOSITORY), "ecr:DescribeRepositories"),
        (someone.opt_in_statuses, "ec2:DescribeRegions"),
        (lambda: someone.bucket_region("x"), "s3:ListBucket"),
        (lambda: someone.role(seller.ACCESS_ROLE), "iam:GetRole"),
    ):
        with pytest.raises(AwsError) as caught:
            call()
        assert caught.value.action == action
        assert caught.value.hint == f"allow {action} to whom the credentials belong to"
        assert key["AccessKeyId"] not in str(caught.value)
        assert key["SecretAccessKey"] not in str(caught.value)


def test_an_aws_that_does_not_answer_is_an_error(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://me:{SECRET}@127.0.0.1:9")
    with pytest.raises(AwsError, match="EndpointConnectionError") as caught:
        Account(seller.REGION).opt_in_statuses()
    assert caught.value.action == "ec2:DescribeRegions"
    assert SECRET not in str(caught.value)


def test_without_credentials_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert Account(seller.REGION).credentials_fault() == ""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(UsageError, match="boto3 cannot read its settings") as caught:
        Account(seller.REGION)
    assert caught.value.got == "ProfileNotFound"


@pytest.mark.parametrize("program", ["/bin/false", "/bin/echo []", "/bin/echo hunter2", "/nowhere/at/all"])
def test_a_program_that_gives_no_credentials_is_told_by_the_class_of_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "config").write_text(f"[default]\ncredential_process = {program}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    fault = Account(seller.REGION).credentials_fault()
    assert fault
    assert fault.endswith("Error")
    with pytest.raises(AwsError) as caught:
        Account(seller.REGION).opt_in_statuses()
    assert "hunter2" not in str(caught.value)


def test_without_boto3_it_says_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(UsageError, match="boto3 is not installed"):
        Account(seller.REGION)
