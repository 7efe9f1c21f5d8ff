"""Model packages and roles as AWS Marketplace judges them, read from what SageMaker and IAM say of them."""

import json
from dataclasses import dataclass
from typing import Any

from argosy.local_aws.service import PackageView


@dataclass(frozen=True, slots=True)
class ModelPackage:
    """What AWS Marketplace wants to know of a model package.

    Attributes:
        status: Pending, InProgress, Completed, Failed or Deleting.
        is_certified: CertifyForMarketplace.
        is_versioned: Whether it is a version of a model package group.
        realtime_types: SupportedRealtimeInferenceInstanceTypes.
        batch_types: SupportedTransformInstanceTypes.
        content_types: SupportedContentTypes.
        response_types: SupportedResponseMIMETypes.
    """

    status: str
    is_certified: bool
    is_versioned: bool
    realtime_types: tuple[str, ...]
    batch_types: tuple[str, ...]
    content_types: tuple[str, ...] = ()
    response_types: tuple[str, ...] = ()


def package_of(view: PackageView) -> ModelPackage:
    """A package, from the members of DescribeModelPackage."""
    described = view.description
    inference = described.get("InferenceSpecification", {})
    return ModelPackage(
        status=described.get("ModelPackageStatus", ""),
        is_certified=bool(described.get("CertifyForMarketplace", False)),
        is_versioned=described.get("ModelPackageGroupName") is not None,
        realtime_types=tuple(inference.get("SupportedRealtimeInferenceInstanceTypes", ())),
        batch_types=tuple(inference.get("SupportedTransformInstanceTypes", ())),
        content_types=tuple(inference.get("SupportedContentTypes", ())),
        response_types=tuple(inference.get("SupportedResponseMIMETypes", ())),
    )


def trusted_services(policy: str) -> frozenset[str]:
    """The services that may take a role, from its trust policy.

    >>> statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "a.b"}}
    >>> trusted_services(json.dumps({"Statement": statement}))
    frozenset({'a.b'})
    """
    statements: Any = json.loads(policy).get("Statement", [])
    found: set[str] = set()
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        allows = statement.get("Effect") == "Allow" and "sts:AssumeRole" in _listed(statement.get("Action", []))
        if allows and isinstance(principal, dict):
            found |= {*_listed(principal.get("Service", []))}
    return frozenset(found)


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
