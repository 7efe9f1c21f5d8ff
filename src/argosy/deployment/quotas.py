"""What to do when AWS has no instance for somebody: the types of the package for which the account has a quota."""

from collections.abc import Sequence
from typing import Final

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.errors import AwsError

ENDPOINT: Final = "endpoint usage"
TRANSFORM_JOB: Final = "transform job usage"

_SIGNS: Final = (
    "ResourceLimitExceeded",
    "service limit",
    "InsufficientInstanceCapacity",
    "Unable to provision requested ML compute capacity",
)


def quotas_call(region: str) -> Call:
    """The call that lists SageMaker's quotas."""
    return Call("service-quotas", "ListServiceQuotas", region, {"ServiceCode": "sagemaker"})


def is_shortage(sentence: str) -> bool:
    """Whether a code or sentence of AWS's says that there is no instance for this account."""
    return any(sign in sentence for sign in _SIGNS)


def advice(reader: Reader, region: str, use: str, types: Sequence[str]) -> str:
    """Which instance types would go, as a hint.

    Args:
        reader: AWS.
        region: Where.
        use: `ENDPOINT` or `TRANSFORM_JOB`.
        types: What the package runs on.
    """
    wanted = {f"{kind} for {use}": kind for kind in types}
    found: dict[str, float] = {}
    try:
        for page in reader.pages(quotas_call(region)):
            for quota in page.get("Quotas", ()):
                if quota.get("QuotaName") in wanted:
                    found[wanted[quota["QuotaName"]]] = float(quota["Value"])
    except AwsError:
        found = {}
    room = [f"{kind} ({found[kind]:g})" for kind in types if found.get(kind, 0) > 0]
    more = f"ask for more at https://console.aws.amazon.com/servicequotas (`TYPE for {use}`)"
    if not room:
        return f"{more}, or take another region" if found else f"{more}, or try another --instance-type"
    return f"--instance-type with one of those that the account has a quota for: {', '.join(room)}; or {more}"
