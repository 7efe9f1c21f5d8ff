"""Credential scopes of requests as clients really sign them."""

from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSRequest
from hypothesis import given
from hypothesis import strategies as st

from argosy.local_aws.signature import CredentialScope, scope_of


@pytest.mark.parametrize(
    ("client", "region", "signing"),
    [
        ("s3", "eu-west-1", "s3"),
        ("sagemaker-runtime", "us-east-2", "sagemaker"),
        ("marketplace-catalog", "us-east-1", "aws-marketplace"),
    ],
)
def test_the_scope_of_a_signed_request_is_read(client: str, region: str, signing: str) -> None:
    made: Any = boto3.client(client, region_name=region, aws_access_key_id="AKIA", aws_secret_access_key="secret")
    request = AWSRequest("GET", "http://127.0.0.1/", headers={})
    made._request_signer.sign("Any", request, region_name=region)
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert scope_of(headers, b"") == CredentialScope("AKIA", region, signing)


def test_a_presigned_url_has_its_scope_in_the_query() -> None:
    made: Any = boto3.client("s3", region_name="us-east-1", aws_access_key_id="AKIA", aws_secret_access_key="secret")
    url = made.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "key"})
    found = scope_of({}, url.partition("?")[2].encode())
    assert found == CredentialScope("AKIA", "us-east-1", "s3")
    v4 = "X-Amz-Credential=AKIA%2F20260101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=0"
    assert scope_of({}, v4.encode()) == CredentialScope("AKIA", "eu-west-1", "s3")


@given(header=st.text(), query=st.binary())
def test_what_is_not_signed_has_none(header: str, query: bytes) -> None:
    found = scope_of({"authorization": header}, query)
    assert found is None or (found.access_key and b"AWSAccessKeyId=" in query)
