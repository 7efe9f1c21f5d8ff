"""What a request asks for: the operation's name in its API, and whether it changes anything.

Source: each service's API reference: X-Amz-Target of AWS JSON, Action of AWS Query, methods and paths of REST (read
2026-11-23).
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, unquote

_READS: Final = re.compile(
    r"(Get|List|Describe|Head|BatchGet|BatchCheck|BatchDescribe|Search|Filter|Simulate|Test|Query|AssumeRole|Decode"
    r"|InvokeEndpoint)",
    re.IGNORECASE,  # paths of REST APIs have them in small letters: `listPurchaseOptions`
)
_OF_OBJECTS: Final[Mapping[tuple[str, str], str]] = {
    ("POST", "uploads"): "CreateMultipartUpload",
    ("PUT", "partNumber"): "UploadPart",
    ("POST", "uploadId"): "CompleteMultipartUpload",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
    ("PUT", "tagging"): "PutObjectTagging",
    ("POST", "delete"): "DeleteObjects",
    ("PUT", ""): "PutObject",
    ("POST", ""): "PutObject",
    ("DELETE", ""): "DeleteObject",
    ("GET", ""): "GetObject",
    ("HEAD", ""): "HeadObject",
}
_OF_BUCKETS: Final[Mapping[str, str]] = {"PUT": "CreateBucket", "DELETE": "DeleteBucket", "HEAD": "HeadBucket"}
_RUNTIME: Final = re.compile(r"/endpoints/[^/]+/")


def is_runtime(path: str) -> bool:
    """Whether a request that is signed for `sagemaker` is one of its runtime."""
    return _RUNTIME.match(path) is not None


def changes(operation: str) -> bool:
    """Whether an operation may leave something behind.

    >>> changes("CreateBucket"), changes("DescribeImages")
    (True, False)
    """
    return _READS.match(operation) is None


def operation_of(service: str, scope: Mapping[str, object], headers: Mapping[str, str], form: bytes) -> str:
    """The operation that a request is for.

    Args:
        service: The signing name.
        scope: ASGI's.
        headers: By their names in small letters.
        form: The body of a form; empty for any other request.

    >>> operation_of("s3", {"method": "PUT", "path": "/bucket", "query_string": b""}, {}, b"")
    'CreateBucket'
    """
    method, path = str(scope["method"]), str(scope["path"])
    raw = scope["query_string"]
    assert isinstance(raw, bytes), "ASGI says so"
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    query = parse_qs(raw.decode("latin-1"), keep_blank_values=True)
    if service == "s3":
        return _of_s3(method, path, query)
    if is_runtime(path):
        return "InvokeEndpoint"
    action = parse_qs(form.decode("latin-1")).get("Action") or query.get("Action")
    if action:
        return action[0]
    name = unquote(path).rstrip("/").rpartition("/")[2]
    return name or f"{method} {path}"


def _of_s3(method: str, path: str, query: Mapping[str, object]) -> str:
    bucket, _, key = path.lstrip("/").partition("/")
    if key or "delete" in query:
        marks = [mark for _, mark in _OF_OBJECTS if mark and mark in query]
        found = _OF_OBJECTS.get((method, marks[0] if marks else ""))
        return found or f"{'Get' if method in ('GET', 'HEAD') else 'Put'}Object{(marks or [''])[0].title()}"
    if not bucket or method == "GET":
        return "ListBuckets" if not bucket else "ListObjects"
    marks = sorted(query)
    return (
        f"{method.title()}Bucket{marks[0].title()}"
        if marks and method != "HEAD"
        else _OF_BUCKETS.get(method, f"{method.title()}Bucket")
    )
