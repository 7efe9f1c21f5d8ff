"""S3 of the local AWS: bodies are what their digests say, and buckets their account's."""

import base64
import hashlib
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from argosy.testing.local_aws import BUYER, SELLER, LocalAwsServer

BODY = b"1,2,3\n"


def encoded(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


RIGHT = {
    "ContentMD5": encoded(hashlib.md5(BODY).digest()),
    "ChecksumSHA256": encoded(hashlib.sha256(BODY).digest()),
    "ChecksumSHA1": encoded(hashlib.sha1(BODY).digest()),
    "ChecksumCRC32": encoded(zlib.crc32(BODY).to_bytes(4, "big")),
}


@pytest.fixture(scope="module")
def s3(local_aws: LocalAwsServer) -> Any:
    client = local_aws.client("s3")
    client.create_bucket(Bucket="sellers-own")
    return client


@pytest.mark.parametrize("member", RIGHT)
def test_a_body_is_what_its_digest_says_or_is_not_stored(s3: Any, member: str) -> None:
    right = RIGHT[member]
    s3.put_object(Bucket="sellers-own", Key=member, Body=BODY, **{member: right})
    with pytest.raises(ClientError, match="BadDigest"):
        s3.put_object(Bucket="sellers-own", Key=f"{member}-wrong", Body=b"other", **{member: right})
    with pytest.raises(ClientError, match="Invalid"):
        s3.put_object(Bucket="sellers-own", Key=f"{member}-wrong", Body=BODY, **{member: "AAAAAAA="})
    stored = {each["Key"] for each in s3.list_objects_v2(Bucket="sellers-own").get("Contents", ())}
    assert member in stored
    assert f"{member}-wrong" not in stored


def test_a_part_is_what_its_digest_says(s3: Any) -> None:
    place = {"Bucket": "sellers-own", "Key": "in-parts"}
    upload = s3.create_multipart_upload(**place, ChecksumAlgorithm="SHA256")["UploadId"]
    part = {**place, "UploadId": upload, "PartNumber": 1}
    with pytest.raises(ClientError, match="BadDigest"):
        s3.upload_part(**part, Body=b"other", ChecksumSHA256=RIGHT["ChecksumSHA256"])
    done = s3.upload_part(**part, Body=BODY, ChecksumSHA256=RIGHT["ChecksumSHA256"])
    parts = [{"PartNumber": 1, "ETag": done["ETag"], "ChecksumSHA256": RIGHT["ChecksumSHA256"]}]
    s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})
    assert s3.get_object(**place)["Body"].read() == BODY


def test_a_bucket_is_its_accounts_unless_it_has_a_policy(local_aws: LocalAwsServer, s3: Any) -> None:
    buyer = local_aws.client("s3", BUYER)
    place = {"Bucket": "sellers-own", "Key": "secret"}
    s3.put_object(**place, Body=BODY)
    buyer.create_bucket(Bucket="buyers-own")
    asked: tuple[Callable[[], Any], ...] = (
        lambda: buyer.get_object(**place),
        lambda: buyer.list_objects_v2(Bucket="sellers-own"),
        lambda: buyer.put_object(**place, Body=b""),
        lambda: buyer.copy_object(Bucket="buyers-own", Key="mine", CopySource=place),
    )
    for ask in asked:
        with pytest.raises(ClientError, match="AccessDenied"):
            ask()
    with pytest.raises(ClientError, match="BucketAlreadyExists"):
        buyer.create_bucket(Bucket="sellers-own")
    allowed = {"Effect": "Allow", "Principal": {"AWS": BUYER.number}, "Action": "s3:GetObject"}
    policy = {"Version": "2012-10-17", "Statement": [{**allowed, "Resource": "arn:aws:s3:::sellers-own/*"}]}
    s3.put_bucket_policy(Bucket="sellers-own", Policy=str(policy).replace("'", '"'))
    assert buyer.get_object(**place)["Body"].read() == BODY
    s3.delete_bucket_policy(Bucket="sellers-own")
    assert local_aws.client("s3", SELLER).get_object(**place)["Body"].read() == BODY
