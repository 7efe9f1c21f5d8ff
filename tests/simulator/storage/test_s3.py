import hashlib
import random
import sys
from pathlib import Path

import boto3
import pytest

from argosy.errors import StorageError
from argosy.simulator.storage.objects import ObjectUri
from argosy.simulator.storage.s3 import S3

MIB = 2**20


@pytest.fixture
def s3(s3_environment: str, tmp_path: Path) -> S3:
    boto3.client("s3").create_bucket(Bucket="large")
    return S3(tmp_path)


def test_a_large_object_goes_in_parts_and_comes_back(s3: S3, tmp_path: Path) -> None:
    uri = ObjectUri("large", "a")
    block = random.Random(1).randbytes(MIB)
    upload = s3.create(uri)
    for _ in range(20):
        upload.stream.write(block)
    upload.finish()
    found = s3.find(uri)
    assert found is not None
    assert found.size == 20 * MIB
    assert found.etag.endswith("-2"), "S3 marks an object of two parts so"
    with s3.open(uri) as stream:
        assert hashlib.sha256(stream.read()).digest() == hashlib.sha256(block * 20).digest()
    assert list(tmp_path.iterdir()) == []


def test_an_object_has_the_media_type_that_it_was_given(s3: S3) -> None:
    for key, content_type in (("typed", "text/csv"), ("untyped", None)):
        upload = s3.create(ObjectUri("large", key), content_type)
        upload.stream.write(b"1,2")
        upload.finish()
    client = boto3.client("s3")
    assert client.head_object(Bucket="large", Key="typed")["ContentType"] == "text/csv"
    assert client.head_object(Bucket="large", Key="untyped")["ContentType"] == "binary/octet-stream"


def test_an_upload_that_breaks_leaves_no_parts(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("s3")
    upload = s3.create(ObjectUri("large", "broken"))
    upload.stream.truncate(20 * MIB)
    fail = StorageError("the line broke")

    def send(**_: object) -> None:
        raise fail

    monkeypatch.setattr(s3._client._client, "upload_part", send)
    with pytest.raises(StorageError, match="the line broke"):
        upload.finish()
    assert "Uploads" not in client.list_multipart_uploads(Bucket="large")
    assert s3.find(ObjectUri("large", "broken")) is None


def test_a_missing_bucket_is_told_when_the_object_begins(s3: S3) -> None:
    with pytest.raises(StorageError, match="HeadBucket"):
        s3.create(ObjectUri("missing-bucket", "a"))


def test_a_server_that_does_not_answer_is_told_without_secrets(
    s3_environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    with pytest.raises(StorageError, match="S3 cannot be asked") as raised:
        list(S3().list(ObjectUri("b", "")))
    assert "secret" not in str(raised.value)
    assert "aws s3 ls" in str(raised.value.hint)


def test_without_boto3_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(StorageError, match="not installed") as raised:
        S3()
    assert raised.value.hint == "pip install 'argosy[aws]'"
