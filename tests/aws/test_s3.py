from collections.abc import Iterator

import boto3
import pytest

from argosy.aws.s3 import S3Client, S3Object
from argosy.errors import StorageError, UsageError


@pytest.fixture
def client(aws: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Client]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    boto3.client("s3").create_bucket(Bucket="bucket")
    yield S3Client()


def test_the_list_is_typed_and_in_order(client: S3Client) -> None:
    writer = boto3.client("s3")
    written = [f"many/{number:04} ü" for number in range(3)]
    for key in written:
        writer.put_object(Bucket="bucket", Key=key, Body=b"1")
    found = list(client.list("bucket", "many/"))
    assert [one.key for one in found] == written
    assert found[0] == S3Object(written[0], 1, "c4ca4238a0b923820dcc509a6f75849b")


def test_what_s3_refuses_is_told_in_its_words(client: S3Client) -> None:
    with pytest.raises(StorageError, match="NoSuchBucket") as raised:
        list(client.list("no-such-bucket", ""))
    assert raised.value.where == "s3://no-such-bucket/"
    assert raised.value.hint == "aws s3 mb s3://no-such-bucket"
    assert "it-is-secret" not in str(raised.value)


def test_a_login_in_the_url_is_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://me:it-is-secret@127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "it-is-secret")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(StorageError, match="S3 cannot be asked") as raised:
        list(S3Client().list("bucket", ""))
    assert "it-is-secret" not in str(raised.value)


def test_a_profile_that_is_not_there_is_told_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobodys")
    with pytest.raises(UsageError, match="boto3 cannot read its settings") as raised:
        S3Client()
    assert raised.value.got == "ProfileNotFound"
