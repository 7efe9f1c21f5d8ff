"""moto in this process: its other users see nothing of the local AWS."""

import boto3
import pytest
from moto import mock_aws

from argosy.testing.local_aws import local_aws as serving


def test_moto_is_as_it_was_when_the_local_aws_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    with serving() as aws:
        aws.client("s3").create_bucket(Bucket="ours")
    with mock_aws():
        token = boto3.client("ecr", "us-east-1").get_authorization_token()["authorizationData"][0]
        assert token["expiresAt"].year == 2015
        assert token["proxyEndpoint"].endswith(".amazonaws.com")
        assert boto3.client("s3", "us-east-1").list_buckets()["Buckets"] == []
        assert boto3.client("sts", "us-east-1").get_caller_identity()["Account"] == "123456789012"
    with serving() as aws:
        assert aws.client("s3").list_buckets()["Buckets"] == []
