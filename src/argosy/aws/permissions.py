"""What IAM has to allow for a call: its actions, on which resources, under which conditions.

Source: Service Authorization Reference of SageMaker, ECR, S3, IAM and AWS Marketplace (read 2026-11-23). What nobody
knows is wide rather than wrong: the resource is `*` where no narrower one is documented.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from argosy.aws.call import SCOPES, Call

_PUSH: Final = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)

_ACTIONS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("s3", "HeadBucket"): ("s3:ListBucket",),
    ("s3", "ListObjectsV2"): ("s3:ListBucket",),
    ("s3", "HeadObject"): ("s3:GetObject",),
    ("s3", "PutObject"): ("s3:PutObject", "s3:AbortMultipartUpload"),
    ("s3", "CreateMultipartUpload"): ("s3:PutObject", "s3:AbortMultipartUpload"),
    ("s3", "UploadPart"): ("s3:PutObject",),
    ("s3", "CompleteMultipartUpload"): ("s3:PutObject",),
    ("s3", "ListMultipartUploads"): ("s3:ListBucketMultipartUploads",),
    ("s3", "ListParts"): ("s3:ListMultipartUploadParts",),
    ("s3", "PutPublicAccessBlock"): ("s3:PutBucketPublicAccessBlock",),
    ("s3", "PutBucketEncryption"): ("s3:PutEncryptionConfiguration",),
    ("ecr", "PutImage"): _PUSH,
    ("marketplace-agreement", "AcceptAgreementRequest"): (
        "aws-marketplace:AcceptAgreementRequest",
        "aws-marketplace:Subscribe",  # which the acceptance looks at, too
    ),
}
"""Operations whose permissions have other names, or more than one."""

_BUCKET: Final = "arn:aws:s3:::{Bucket}"
_OBJECT: Final = "arn:aws:s3:::{Bucket}/{Key}"
_REPOSITORY: Final = "arn:aws:ecr:{region}:{account}:repository/{repositoryName}"
_CONFIG: Final = "arn:aws:sagemaker:{region}:{account}:endpoint-config/{EndpointConfigName}"
_ROLE: Final = "arn:aws:iam::{account}:role/{RoleName}"

_RESOURCES: Final[Mapping[str, str]] = {
    "s3:ListBucket": _BUCKET,
    "s3:CreateBucket": _BUCKET,
    "s3:PutBucketPublicAccessBlock": _BUCKET,
    "s3:PutEncryptionConfiguration": _BUCKET,
    "s3:ListBucketMultipartUploads": _BUCKET,
    "s3:GetObject": _OBJECT,
    "s3:PutObject": _OBJECT,
    "s3:DeleteObject": _OBJECT,
    "s3:AbortMultipartUpload": _OBJECT,
    "s3:ListMultipartUploadParts": _OBJECT,
    "ecr:CreateRepository": _REPOSITORY,
    "ecr:DescribeRepositories": _REPOSITORY,
    "ecr:DescribeImages": _REPOSITORY,
    "ecr:DescribeImageScanFindings": _REPOSITORY,
    "ecr:StartImageScan": _REPOSITORY,
    **dict.fromkeys(_PUSH, _REPOSITORY),
    "iam:GetRole": _ROLE,
    "iam:ListRolePolicies": _ROLE,
    "iam:GetRolePolicy": _ROLE,
    "iam:ListAttachedRolePolicies": _ROLE,
    "sagemaker:CreateModelPackage": "arn:aws:sagemaker:{region}:{account}:model-package/{ModelPackageName}",
    "sagemaker:DescribeModelPackage": "arn:aws:sagemaker:{region}:{account}:model-package/{ModelPackageName}",
    "sagemaker:DeleteModelPackage": "arn:aws:sagemaker:{region}:{account}:model-package/{ModelPackageName}",
    "sagemaker:CreateModel": "arn:aws:sagemaker:{region}:{account}:model/{ModelName}",
    "sagemaker:DescribeModel": "arn:aws:sagemaker:{region}:{account}:model/{ModelName}",
    "sagemaker:DeleteModel": "arn:aws:sagemaker:{region}:{account}:model/{ModelName}",
    "sagemaker:CreateEndpointConfig": _CONFIG,
    "sagemaker:DescribeEndpointConfig": _CONFIG,
    "sagemaker:DeleteEndpointConfig": _CONFIG,
    "sagemaker:CreateEndpoint": "arn:aws:sagemaker:{region}:{account}:endpoint/{EndpointName}",
    "sagemaker:UpdateEndpoint": "arn:aws:sagemaker:{region}:{account}:endpoint/{EndpointName}",
    "sagemaker:DescribeEndpoint": "arn:aws:sagemaker:{region}:{account}:endpoint/{EndpointName}",
    "sagemaker:DeleteEndpoint": "arn:aws:sagemaker:{region}:{account}:endpoint/{EndpointName}",
    "sagemaker:InvokeEndpoint": "arn:aws:sagemaker:{region}:{account}:endpoint/{EndpointName}",
    "sagemaker:InvokeEndpointWithResponseStream": "arn:aws:sagemaker:{region}:{account}:endpoint/{EndpointName}",
    "sagemaker:CreateTransformJob": "arn:aws:sagemaker:{region}:{account}:transform-job/{TransformJobName}",
    "sagemaker:DescribeTransformJob": "arn:aws:sagemaker:{region}:{account}:transform-job/{TransformJobName}",
    "sagemaker:StopTransformJob": "arn:aws:sagemaker:{region}:{account}:transform-job/{TransformJobName}",
    "sagemaker:AddTags": "{ResourceArn}",
    "sagemaker:ListTags": "{ResourceArn}",
    "logs:FilterLogEvents": "arn:aws:logs:{region}:{account}:log-group:{logGroupName}:*",
}
"""Action -> its resource, with members of the request in braces; all others are allowed on `*`."""

_ALSO_RESOURCES: Final[Mapping[str, str]] = {
    "sagemaker:CreateEndpoint": _CONFIG,
    "sagemaker:UpdateEndpoint": _CONFIG,
}
"""Actions that are looked at on a second resource: an endpoint's on the config that it is to have.

Source: Service Authorization Reference of SageMaker; the refusals that aws/aws-cdk#11594 and
aws-controllers-k8s/community#1889 quote (read 2026-11-23).
"""

_PASSED: Final[Mapping[str, str]] = {
    "ValidationRole": "sagemaker.amazonaws.com",
    "ExecutionRoleArn": "sagemaker.amazonaws.com",
    "AccessRoleArn": "assets.marketplace.amazonaws.com",
}
"""Members that hand a role to a service, and to which one: that takes `iam:PassRole`."""

_TAGGING: Final[Mapping[str, str]] = {"sagemaker": "sagemaker:AddTags"}
"""Services in which giving tags to what is made takes an action of its own, on what is made."""

_ARN: Final = re.compile(r"arn:[a-z-]+:")
_FIELD: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One action on one resource.

    Attributes:
        action: `sagemaker:CreateModelPackage`.
        resource: A pattern of ARNs.
        condition: The key and values of the one condition that narrows it; empty for none.
    """

    action: str
    resource: str
    condition: tuple[str, ...] = ()


def actions(call: Call) -> tuple[str, ...]:
    """What IAM calls a call; the first is the one that a refusal is about."""
    found = _ACTIONS.get((call.service, call.operation))
    return found or (f"{SCOPES.get(call.service, call.service)}:{call.operation}",)


def permissions(call: Call, account: str) -> Iterator[Permission]:
    """What a call needs.

    Args:
        call: The call.
        account: The account that makes it, twelve digits, or `*`.
    """
    for action in actions(call):
        yield Permission(action, _resource(_RESOURCES.get(action, "*"), call, account), _condition(call))
        if also := _ALSO_RESOURCES.get(action):
            yield Permission(action, _resource(also, call, account))
    if "Tags" in call.parameters and call.service in _TAGGING:
        tagged = _RESOURCES.get(actions(call)[0], "*")
        yield Permission(_TAGGING[call.service], _resource(tagged, call, account))
    for member, value in _members(call.parameters):
        if member in _PASSED and value:
            yield Permission("iam:PassRole", _text(value), ("iam:PassedToService", _PASSED[member]))


def policy(calls: Iterable[Call], account: str) -> dict[str, Any]:
    """The policy document that allows these calls and nothing else: one statement for each set of resources.

    Args:
        calls: Reads and writes.
        account: The account that makes them, twelve digits, or `*`.

    Returns:
        The document; its order depends on nothing but what it holds.
    """
    conditions: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for call in calls:
        for needed in permissions(call, account):
            conditions.setdefault((needed.action, needed.resource), set()).add(needed.condition)
    wanted: dict[tuple[str, tuple[str, ...]], set[str]] = {}
    for (action, resource), found in conditions.items():
        wanted.setdefault((action, _merged(found)), set()).add(resource)
    grouped: dict[tuple[tuple[str, ...], tuple[str, ...]], set[str]] = {}
    for (action, condition), resources in wanted.items():
        grouped.setdefault((tuple(sorted(resources)), condition), set()).add(action)
    statements = [
        _statement(sorted(allowed), resources, condition) for (resources, condition), allowed in grouped.items()
    ]
    return {"Version": "2012-10-17", "Statement": sorted(statements, key=json.dumps)}


def _merged(conditions: Collection[tuple[str, ...]]) -> tuple[str, ...]:
    """One condition for all: an action's have the same key; none where one call needs it without any."""
    if () in conditions:
        return ()
    keys = {key for key, *_ in conditions}
    return (*keys, *sorted({value for _, *values in conditions for value in values}))


def _statement(allowed: list[str], resources: Sequence[str], condition: tuple[str, ...]) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": allowed, "Resource": list(resources)}
    if condition:
        key, *values = condition
        statement["Condition"] = {"StringEquals": {key: values[0] if len(values) == 1 else values}}
    return statement


def _resource(pattern: str, call: Call, account: str) -> str:
    """The pattern filled in; `*` for what is not known before other calls were made."""
    known = {"region": call.region, "account": account, **_only_ones(call.parameters), **call.parameters}
    for name in _FIELD.findall(pattern):
        value = known.get(name)
        if isinstance(value, str) and _ARN.match(value):
            return value  # many operations take a name or an ARN
    return _FIELD.sub(lambda found: _text(known.get(found.group(1))), pattern)


def _only_ones(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The one member of a list by the name of a single one: `repositoryNames` names a repository. Any: a request's."""
    listed = {name: value for name, value in parameters.items() if isinstance(value, list | tuple) and len(value) == 1}
    return {name.removesuffix("s"): value[0] for name, value in listed.items() if name.endswith("s")}


def _text(value: object) -> str:
    return value if isinstance(value, str) and value else "*"


def _condition(call: Call) -> tuple[str, ...]:
    """A change set is allowed for its own kinds of changes."""
    if call.operation != "StartChangeSet":
        return ()
    return ("catalog:ChangeType", *sorted({str(change["ChangeType"]) for change in call.parameters["ChangeSet"]}))


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of a request, those of inner structures too."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield name, inner
            yield from _members(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _members(inner)
