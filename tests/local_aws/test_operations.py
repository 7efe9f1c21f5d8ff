"""Requests by the operations that they are for, as clients send them."""

import pytest

from argosy.local_aws import operations

S3 = [
    ("PUT", "/bucket", "", "CreateBucket", True),
    ("DELETE", "/bucket", "", "DeleteBucket", True),
    ("GET", "/bucket", "list-type=2", "ListObjects", False),
    ("GET", "/", "", "ListBuckets", False),
    ("HEAD", "/bucket", "", "HeadBucket", False),
    ("PUT", "/bucket", "versioning", "PutBucketVersioning", True),
    ("PUT", "/bucket/a/key", "", "PutObject", True),
    ("GET", "/bucket/key", "", "GetObject", False),
    ("HEAD", "/bucket/key", "", "HeadObject", False),
    ("DELETE", "/bucket/key", "", "DeleteObject", True),
    ("POST", "/bucket", "delete", "DeleteObjects", True),
    ("POST", "/bucket/key", "uploads", "CreateMultipartUpload", True),
    ("PUT", "/bucket/key", "partNumber=1&uploadId=x", "UploadPart", True),
    ("POST", "/bucket/key", "uploadId=x", "CompleteMultipartUpload", True),
    ("GET", "/bucket/key", "tagging", "GetObjectTagging", False),
    ("OPTIONS", "/bucket", "", "OptionsBucket", True),
]


@pytest.mark.parametrize(("method", "path", "query", "operation", "changes"), S3)
def test_s3_by_method_and_path(method: str, path: str, query: str, operation: str, changes: bool) -> None:
    scope = {"method": method, "path": path, "query_string": query.encode()}
    found = operations.operation_of("s3", scope, {}, b"")
    assert (found, operations.changes(found)) == (operation, changes)


@pytest.mark.parametrize(
    ("headers", "path", "form", "operation"),
    [
        ({"x-amz-target": "SageMaker.CreateModel"}, "/", b"", "CreateModel"),
        ({}, "/", b"Action=CreateRole&Version=2010-05-08", "CreateRole"),
        ({}, "/StartChangeSet", b"", "StartChangeSet"),
        ({}, "/endpoints/e/invocations", b"", "InvokeEndpoint"),
    ],
)
def test_other_services_by_target_action_or_path(
    headers: dict[str, str], path: str, form: bytes, operation: str
) -> None:
    scope = {"method": "POST", "path": path, "query_string": b""}
    assert operations.operation_of("any", scope, headers, form) == operation


@pytest.mark.parametrize("operation", ["GetCallerIdentity", "BatchGetImage", "InvokeEndpoint", "FilterLogEvents"])
def test_reading_changes_nothing(operation: str) -> None:
    assert not operations.changes(operation)


@pytest.mark.parametrize("operation", ["BatchDeleteImage", "PutImage", "CreateModelPackage", "StartImageScan"])
def test_writing_changes_something(operation: str) -> None:
    assert operations.changes(operation)
