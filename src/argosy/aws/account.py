"""What an AWS account has that a model package needs: read, never written.

Which credentials are used is boto3's to find out: variables, profiles, roles, `AWS_ENDPOINT_URL`. None of them is in a
value or an error of this module; of a refusal only the service's code is kept.

Source: API references of EC2, ECR, S3, IAM and Service Quotas (read 2026-11-23).
"""

import json
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from argosy.aws.api import AwsApi
from argosy.aws.call import Call

_SHOWN_FINDINGS: Final = 10


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image as ECR keeps it: its digest, the media type of its manifest, its size in bytes."""

    digest: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Scan:
    """What came of scanning an image for vulnerabilities.

    Attributes:
        status: ECR's word: `COMPLETE`, `ACTIVE`, `IN_PROGRESS`, `FAILED`, `UNSUPPORTED_IMAGE` …
        description: ECR's sentence about it.
        counts: Severity -> how many.
        findings: The worst of them, `CVE-2026-1 CRITICAL`.
    """

    status: str
    description: str = ""
    counts: Mapping[str, int] | None = None
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy, as far as it can be judged here.

    Attributes:
        is_allow: Whether it allows; else it denies.
        actions: Patterns with `*` and `?`.
        resources: Patterns of ARNs.
        is_plain: Whether it says it all: no condition, no `NotAction`, `NotResource` or `NotPrincipal`.
    """

    is_allow: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)
    is_plain: bool = True


@dataclass(frozen=True, slots=True)
class Trust:
    """One statement of a trust policy: which services may take the role, or may not.

    Attributes:
        is_allow: Whether it allows; else it denies.
        services: Patterns of services, `sagemaker.amazonaws.com`; `*` where it is about everybody, or all but somebody.
        actions: Patterns with `*` and `?`; `*` where it names what is excepted.
        is_plain: Whether it says it all: no condition, nothing excepted, services by their names.
    """

    is_allow: bool
    services: tuple[str, ...]
    actions: tuple[str, ...] = ("sts:AssumeRole",)
    is_plain: bool = True


@dataclass(frozen=True, slots=True)
class Role:
    """A role: the services that may take it, and what it may do.

    Attributes:
        arn: Its ARN.
        trust: The statements of its trust policy.
        statements: Of all its policies.
        has_boundary: Whether a permissions boundary takes some of it away.
    """

    arn: str
    trust: tuple[Trust, ...]
    statements: tuple[Statement, ...]
    has_boundary: bool = False


class Account:
    """The calls, with errors of our own.

    Args:
        region: Of the services that have regions.

    Raises:
        UsageError: boto3 is not installed, or its settings name what is not there, such as a profile.
    """

    def __init__(self, region: str) -> None:
        self.region = region
        self._api = AwsApi()

    def credentials_fault(self) -> str | None:
        """Why there are no credentials, as a class of error; empty where boto3 finds none, None where it finds some."""
        return self._api.credentials_fault()

    def opt_in_statuses(self) -> dict[str, str]:
        """Every region with `opt-in-not-required`, `opted-in` or `not-opted-in`.

        Raises:
            AwsError: `ec2:DescribeRegions` failed.
        """
        answer = self._ask("ec2", "DescribeRegions", {"AllRegions": True})
        return {str(found["RegionName"]): str(found.get("OptInStatus")) for found in answer["Regions"]}

    def repository_uri(self, name: str) -> str | None:
        """Where a repository is, as `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME`; None when there is none.

        Raises:
            AwsError: `ecr:DescribeRepositories` failed.
        """
        absent = ("RepositoryNotFoundException",)
        answer = self._ask("ecr", "DescribeRepositories", {"repositoryNames": [name]}, absent)
        return None if answer is None else str(answer["repositories"][0]["repositoryUri"])

    def image(self, repository: str, digest: str) -> StoredImage | None:
        """An image of a repository; None when there is none.

        Raises:
            AwsError: `ecr:DescribeImages` failed.
        """
        absent = ("ImageNotFoundException", "RepositoryNotFoundException")
        wanted = {"repositoryName": repository, "imageIds": [{"imageDigest": digest}]}
        answer = self._ask("ecr", "DescribeImages", wanted, absent)
        if answer is None or not answer["imageDetails"]:
            return None
        found = answer["imageDetails"][0]
        media_type = str(found.get("imageManifestMediaType", ""))
        return StoredImage(str(found["imageDigest"]), media_type, int(found.get("imageSizeInBytes", 0)))

    def scan(self, repository: str, digest: str) -> Scan | None:
        """What came of scanning an image; None when it was not scanned.

        Raises:
            AwsError: `ecr:DescribeImageScanFindings` failed.
        """
        absent = ("ScanNotFoundException", "ImageNotFoundException", "RepositoryNotFoundException")
        wanted = {"repositoryName": repository, "imageId": {"imageDigest": digest}, "maxResults": 100}
        answer = self._ask("ecr", "DescribeImageScanFindings", wanted, absent)
        if answer is None:
            return None
        status, found = answer.get("imageScanStatus", {}), answer.get("imageScanFindings", {})
        return Scan(
            str(status.get("status", "")),
            str(status.get("description", "")),
            dict(found.get("findingSeverityCounts", {})),
            tuple(_worst(found)),
        )

    def bucket_region(self, bucket: str) -> str | None:
        """The region of a bucket; None when there is none of that name.

        Raises:
            AwsError: `s3:ListBucket` failed, which is what a head of a bucket needs.
        """
        answer = self._ask("s3", "HeadBucket", {"Bucket": bucket}, ("404", "NoSuchBucket", "NotFound"))
        if answer is None:
            return None
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        return str(answer.get("BucketRegion") or headers.get("x-amz-bucket-region") or "")

    def role(self, arn: str) -> Role | None:
        """A role of the account; None when there is none of that name.

        Raises:
            AwsError: `iam:GetRole`, or a call that reads its policies, failed.
        """
        name = arn.rpartition("/")[2]
        answer = self._ask("iam", "GetRole", {"RoleName": name}, ("NoSuchEntity",))
        if answer is None:
            return None
        found = answer["Role"]
        trust = tuple(_trust(statement) for statement in _documents(found["AssumeRolePolicyDocument"]))
        statements = [_statement(statement) for document in self._policies(name) for statement in _documents(document)]
        return Role(str(found["Arn"]), trust, tuple(statements), has_boundary="PermissionsBoundary" in found)

    def quotas(self) -> Mapping[str, float]:
        """SageMaker's quotas by their names, as `ml.m5.large for endpoint usage`.

        Raises:
            AwsError: `servicequotas:ListServiceQuotas` failed.
        """
        pages = self._api.pages(Call("service-quotas", "ListServiceQuotas", self.region, {"ServiceCode": "sagemaker"}))
        return {str(quota["QuotaName"]): float(quota["Value"]) for page in pages for quota in page["Quotas"]}

    def _policies(self, role: str) -> Iterator[Any]:
        """The documents of all policies of a role, its own and those that are attached."""
        named = {"RoleName": role}
        for name in self._ask("iam", "ListRolePolicies", named)["PolicyNames"]:
            yield self._ask("iam", "GetRolePolicy", named | {"PolicyName": name})["PolicyDocument"]
        for policy in self._ask("iam", "ListAttachedRolePolicies", named)["AttachedPolicies"]:
            attached = {"PolicyArn": policy["PolicyArn"]}
            version = self._ask("iam", "GetPolicy", attached)["Policy"]["DefaultVersionId"]
            found = self._ask("iam", "GetPolicyVersion", attached | {"VersionId": version})
            yield found["PolicyVersion"]["Document"]

    def _ask(self, service: str, operation: str, wanted: Mapping[str, Any], absent: Sequence[str] = ()) -> Any:
        """What an operation answers; None for an error that says that something is not there. Any: boto3's answers."""
        return self._api.ask(Call(service, operation, self.region, wanted), absent)


def _worst(found: Mapping[str, Any]) -> Iterator[str]:
    """The names of the findings that block publishing, of basic and of enhanced scans."""
    named = [
        *((str(one.get("name")), str(one.get("severity"))) for one in found.get("findings", ())),
        *((str(one.get("title")), str(one.get("severity"))) for one in found.get("enhancedFindings", ())),
    ]
    blocking = [f"{name} {severity}" for name, severity in named if severity in ("CRITICAL", "HIGH")]
    yield from sorted(blocking, key=lambda text: not text.endswith("CRITICAL"))[:_SHOWN_FINDINGS]


def _documents(document: Any) -> Sequence[Mapping[str, Any]]:
    """The statements of a policy, which comes as an object or as text with percent signs."""
    if isinstance(document, str):
        document = json.loads(urllib.parse.unquote(document))
    statements = document.get("Statement", [])
    return statements if isinstance(statements, list) else [statements]


def _trust(statement: Mapping[str, Any]) -> Trust:
    principal = statement.get("Principal")
    everybody = ("*",)
    if isinstance(principal, Mapping):
        services = everybody if "*" in _texts(principal.get("AWS")) else _texts(principal.get("Service"))
    else:  # `*`, or `NotPrincipal` instead
        services = everybody
    is_plain = set(statement) <= {"Effect", "Action", "Principal", "Sid"} and services != everybody
    actions = _texts(statement.get("Action")) if "NotAction" not in statement else everybody
    return Trust(statement.get("Effect") == "Allow", services, actions, is_plain)


def _statement(statement: Mapping[str, Any]) -> Statement:
    names = {"Effect", "Action", "Resource", "Sid"}
    return Statement(
        statement.get("Effect") == "Allow",
        _texts(statement.get("Action")),
        _texts(statement.get("Resource")),
        is_plain=set(statement) <= names,
    )


def _texts(value: Any) -> tuple[str, ...]:
    """One text or a list of texts, as policies have them."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(str(one) for one in value)
