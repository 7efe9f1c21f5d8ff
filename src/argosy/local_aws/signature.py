"""Who signed a request, for which service and region: the credential scope of Signature Version 4.

Source:
    AWS General Reference, "Create a signed AWS API request": the Authorization header and the query parameters of a
    presigned URL; S3 User Guide, "Authenticating requests (AWS signature version 2)" (read 2026-11-23). Signatures
    themselves are not verified: the scope is believed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from argosy.local_aws.accounts import DEFAULT_REGION

_CREDENTIAL: Final = re.compile(r"([A-Za-z0-9]{1,128})/\d{8}/([a-z0-9-]{1,30})/([a-z0-9-]{1,40})/aws4_request")
_OLDER_VERSION: Final = re.compile(r"AWS ([A-Za-z0-9]{1,128}):")
_IN_HEADER: Final = re.compile(rf"AWS4-HMAC-SHA256 .*?Credential={_CREDENTIAL.pattern}")


@dataclass(frozen=True, slots=True)
class CredentialScope:
    """What a signature says of its request.

    Attributes:
        access_key: Of who signed.
        region: Where the request is for.
        service: The signing name, which several services may share: `sagemaker` is of the runtime, too.
    """

    access_key: str
    region: str
    service: str


def scope_of(headers: Mapping[str, str], query: bytes) -> CredentialScope | None:
    """The credential scope of a request, None when it is not signed.

    Args:
        headers: By their names in small letters.
        query: The query string as it came; a presigned URL has the scope there.

    >>> scope_of({"authorization": "AWS4-HMAC-SHA256 Credential=K/20260101/eu-west-1/s3/aws4_request, Sig..."}, b"")
    CredentialScope(access_key='K', region='eu-west-1', service='s3')
    """
    found = _IN_HEADER.match(headers.get("authorization", ""))
    if found is None and b"X-Amz-Credential=" in query:
        given = parse_qs(query.decode("latin-1")).get("X-Amz-Credential", [""])[0]
        found = _CREDENTIAL.fullmatch(given)
    return _of_older_version(headers, query) if found is None else CredentialScope(*found.groups())


def _of_older_version(headers: Mapping[str, str], query: bytes) -> CredentialScope | None:
    """What the older signatures say, which only S3 takes: an access key. boto3 presigns URLs with them."""
    found = _OLDER_VERSION.match(headers.get("authorization", ""))
    if found is not None:
        return CredentialScope(found[1], DEFAULT_REGION, "s3")
    if b"AWSAccessKeyId=" not in query:
        return None
    given = parse_qs(query.decode("latin-1")).get("AWSAccessKeyId", [""])[0]
    return CredentialScope(given, DEFAULT_REGION, "s3") if given else None
