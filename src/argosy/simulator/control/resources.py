"""What the `sagemaker` API keeps: one frozen value for each model, endpoint, job or package, with its ARN."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from argosy.simulator.answers import ACCOUNT

Json = Mapping[str, Any]
"""A structure of the API as it is in JSON; Any: botocore's model says what each member is."""


class Kind(StrEnum):
    """The kinds of resources; the values are the types in their ARNs."""

    MODEL = "model"
    ENDPOINT_CONFIG = "endpoint-config"
    ENDPOINT = "endpoint"
    TRANSFORM_JOB = "transform-job"
    MODEL_PACKAGE = "model-package"
    MODEL_PACKAGE_GROUP = "model-package-group"
    INFERENCE_COMPONENT = "inference-component"

    @property
    def words(self) -> str:
        """What the service's sentences call it."""
        return "endpoint configuration" if self is Kind.ENDPOINT_CONFIG else self.value.replace("-", " ")


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource.

    Attributes:
        kind: Its kind.
        region: Where it is: the region of the credential scope of who created it.
        name: As it was given; names differ by more than the case of their letters.
        created: Seconds since 1970.
        modified: The same, of the last change.
        request: What was asked for, as it came; for an endpoint the request that made it.
        status: The API's word, or "" for a kind that has none.
        failure: `FailureReason`, "" without one.
        state: What the simulator knows beside that, by kind.
        account: Whose it is.
    """

    kind: Kind
    region: str
    name: str
    created: float
    modified: float
    request: Json
    status: str = ""
    failure: str = ""
    state: Json = field(default_factory=dict)
    account: str = ACCOUNT

    @property
    def arn(self) -> str:
        """Its ARN; the service writes the name in small letters there."""
        return arn(self.kind, self.region, self.name, self.account)


def arn(kind: Kind, region: str, name: str, account: str = ACCOUNT) -> str:
    """The ARN that a resource has, or would have.

    >>> arn(Kind.ENDPOINT, "eu-west-1", "Iris")
    'arn:aws:sagemaker:eu-west-1:123456789012:endpoint/iris'
    """
    return f"arn:{_partition(region)}:sagemaker:{region}:{account}:{kind}/{name.lower()}"


def _partition(region: str) -> str:
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
