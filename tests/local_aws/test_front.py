"""The door: accounts by access key, strangers, presigned URLs, large objects, the path for control."""

import os
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError

from argosy.local_aws.accounts import EXECUTION_ROLE, INGESTION_ROLE, VALIDATION_ROLE
from argosy.testing.local_aws import BUYER, SELLER, Account, LocalAwsServer

LARGE_BYTES = 24 * 2**20


@pytest.mark.parametrize("account", [SELLER, BUYER], ids=lambda account: account.name)
def test_each_access_key_is_its_accounts_user(local_aws: LocalAwsServer, account: Account) -> None:
    identity = local_aws.client("sts", account).get_caller_identity()
    assert (identity["Account"], identity["Arn"].rpartition("/")[2]) == (account.number, account.name)


@pytest.mark.parametrize(
    ("service", "ask", "code"),
    [
        ("s3", lambda client: client.create_bucket(Bucket="strange"), "InvalidAccessKeyId"),
        ("sts", lambda client: client.get_caller_identity(), "InvalidClientTokenId"),
        ("ecr", lambda client: client.describe_repositories(), "UnrecognizedClientException"),
        ("sagemaker", lambda client: client.list_models(), "UnrecognizedClientException"),
    ],
)
def test_an_access_key_that_nobody_has_is_refused(local_aws: LocalAwsServer, service: str, ask: Any, code: str) -> None:
    stranger = Account("stranger", "", "AKIANOBODY0000000000", "any")
    with pytest.raises(ClientError, match=code):
        ask(local_aws.client(service, stranger))


def test_a_region_that_is_none_has_nothing(local_aws: LocalAwsServer) -> None:
    with pytest.raises(ClientError, match="There is no region mars-north-1"):
        local_aws.client("sagemaker", region="mars-north-1").list_models()


def test_what_is_not_signed_is_refused(local_aws: LocalAwsServer) -> None:
    target = {"X-Amz-Target": "SageMaker.ListModels"}
    assert httpx.post(f"{local_aws.url}/", headers=target).json()["__type"] == "MissingAuthenticationTokenException"
    assert httpx.post(f"{local_aws.url}/endpoints/e/invocations").status_code == 403
    local_aws.client("s3").create_bucket(Bucket="not-public")
    for path in ("", "/not-public", "/not-public/key"):
        refused = httpx.get(f"{local_aws.url}{path}")
        assert (refused.status_code, "<Code>AccessDenied</Code>" in refused.text) == (403, True)


def test_what_nobody_has_written_is_not_simulated_and_not_asked_again(local_aws: LocalAwsServer) -> None:
    with pytest.raises(ClientError, match="NotSimulated") as refused:
        local_aws.client("ecr").describe_image_replication_status(repositoryName="any", imageId={"imageTag": "1"})
    assert refused.value.response["ResponseMetadata"]["RetryAttempts"] == 0


def test_who_has_assumed_a_role_is_in_its_account(local_aws: LocalAwsServer) -> None:
    sts = local_aws.client("sts")
    taken = sts.assume_role(RoleArn=EXECUTION_ROLE.arn, RoleSessionName="test")["Credentials"]
    other = boto3.client(
        "sts",
        endpoint_url=local_aws.url,
        region_name="us-east-1",
        aws_access_key_id=taken["AccessKeyId"],
        aws_secret_access_key=taken["SecretAccessKey"],
        aws_session_token=taken["SessionToken"],
    )
    assert other.get_caller_identity()["Account"] == BUYER.number


def test_the_roles_of_a_first_try_are_there(local_aws: LocalAwsServer) -> None:
    for role in (VALIDATION_ROLE, INGESTION_ROLE, EXECUTION_ROLE):
        found = local_aws.client("iam", role.account).get_role(RoleName=role.name)["Role"]
        assert found["Arn"] == role.arn
        trusted = found["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
        assert trusted == role.service


@pytest.mark.parametrize("key", ["plain", "in/a folder/ü%2B+.txt"])
def test_an_object_is_stored_and_read_as_it_is(local_aws: LocalAwsServer, key: str) -> None:
    s3 = local_aws.client("s3")
    if "objects" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket="objects")
    s3.put_object(Bucket="objects", Key=key, Body=b"1,2\n", ContentType="text/csv", Metadata={"with_line": "a"})
    found = s3.get_object(Bucket="objects", Key=key, Range="bytes=2-")
    assert (found["Body"].read(), found["ContentType"], found["Metadata"]) == (b"2\n", "text/csv", {"with_line": "a"})
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "objects", "Key": key})
    assert httpx.get(url).content == b"1,2\n"


def test_large_objects_pass_in_one_piece_and_in_parts(local_aws: LocalAwsServer, tmp_path: Path) -> None:
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket="large")
    body = os.urandom(2**20) * (LARGE_BYTES // 2**20)
    s3.put_object(Bucket="large", Key="whole", Body=body)
    (tmp_path / "sent").write_bytes(body)
    s3.upload_file(str(tmp_path / "sent"), "large", "parts")
    s3.download_file("large", "parts", str(tmp_path / "got"))
    assert s3.get_object(Bucket="large", Key="whole")["Body"].read() == body
    assert (tmp_path / "got").read_bytes() == body
    assert "-" in s3.head_object(Bucket="large", Key="parts")["ETag"]


def test_another_process_sets_scan_findings_and_is_told_what_it_may(local_aws: LocalAwsServer) -> None:
    url = f"{local_aws.url}/_argosy/scan-findings"
    assert httpx.put(url, json={"imageDigest": "sha256:none", "findingSeverityCounts": {"LOW": 1}}).status_code == 200
    assert httpx.put(url, json={"imageDigest": "sha256:none", "findingSeverityCounts": "many"}).status_code == 400
    assert httpx.put(url, content=b"no JSON").status_code == 400
    assert httpx.get(f"{local_aws.url}/_argosy/else").status_code == 404


def test_another_process_is_told_what_has_changed_something(local_aws: LocalAwsServer) -> None:
    def writes() -> list[str]:
        told: list[str] = httpx.get(f"{local_aws.url}/_argosy/writes").json()["writes"]
        return told

    before = writes()
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket="told")
    s3.list_buckets()
    s3.put_object(Bucket="told", Key="one", Body=b"1")
    assert writes() == [*before, "s3:CreateBucket", "s3:PutObject"]
