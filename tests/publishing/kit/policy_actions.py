"""Which actions of IAM a policy allows."""

from typing import Any

NAMED_OTHERWISE = {
    "GetCallerIdentity": "sts:GetCallerIdentity",
    "ListObjectsV2": "s3:ListBucket",
    "InvokeEndpoint": "sagemaker:InvokeEndpoint",
}
"""Operations whose service is not that of their action's name, or that IAM calls otherwise."""


def actions(policy: dict[str, Any]) -> set[str]:
    """All that it allows."""
    found: set[str] = set()
    for statement in policy["Statement"]:
        named = statement["Action"]
        found |= {named} if isinstance(named, str) else set(named)
    return found


def allows(policy: dict[str, Any], operation: str) -> bool:
    """Whether one of its actions is for an operation of AWS's API."""
    named = NAMED_OTHERWISE.get(operation)
    return any(action == named or action.partition(":")[2] == operation for action in actions(policy))
