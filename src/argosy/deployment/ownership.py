"""The tag that marks what a deployment made: only that is changed and deleted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.deployment import names
from argosy.errors import PlanError

TAG: Final = "argosy:deployment"
"""The key of the tag; its value is the deployment's name."""

ABSENT: Final = ("ValidationException",)
"""What SageMaker says of a model, config or endpoint that is not there; the names that are asked for are valid."""


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of resource that a deployment has several of over time.

    Attributes:
        noun: What people call it.
        path: How its ARNs call it.
        listing: The operation that lists it.
        members: What the listing has them in.
        name: The member with its name.
        arn: The member with its ARN.
        deletion: The operation that deletes it.
    """

    noun: str
    path: str
    listing: str
    members: str
    name: str
    arn: str
    deletion: str


MODEL: Final = Sort("model", "model", "ListModels", "Models", "ModelName", "ModelArn", "DeleteModel")
ENDPOINT_CONFIG: Final = Sort(
    "endpoint config",
    "endpoint-config",
    "ListEndpointConfigs",
    "EndpointConfigs",
    "EndpointConfigName",
    "EndpointConfigArn",
    "DeleteEndpointConfig",
)


def tags(deployment: str) -> list[dict[str, str]]:
    """The tags of what a deployment makes."""
    return [{"Key": TAG, "Value": deployment}]


def tags_call(region: str, arn: str) -> Call:
    """The call that reads a resource's tags."""
    return Call("sagemaker", "ListTags", region, {"ResourceArn": arn})


def owner(reader: Reader, region: str, arn: str) -> str | None:
    """The deployment that made a resource; None when none did.

    Raises:
        AwsError: AWS refuses or does not answer.
    """
    for page in reader.pages(tags_call(region, arn)):
        for tag in page.get("Tags", ()):
            if tag["Key"] == TAG:
                return str(tag["Value"])
    return None


def insist(reader: Reader, region: str, deployment: str, found: Any, arn: str) -> None:
    """Go on with a resource of this deployment only.

    Args:
        reader: AWS.
        region: Where the resource is.
        deployment: Whose it should be.
        found: Its description. Any: JSON of the API.
        arn: The member that has its ARN.

    Raises:
        PlanError: Somebody else made it.
    """
    made_by = owner(reader, region, str(found[arn]))
    if made_by != deployment:
        raise PlanError(
            "a resource of this name is there that this deployment did not make",
            got=f"the tag {TAG}={made_by}" if made_by else f"no tag {TAG}",
            where=found[arn],
            hint="take another --name, or delete it where it was made",
        )


def owned(reader: Reader, region: str, deployment: str, sort: Sort) -> Iterator[Any]:
    """The summaries of a sort's resources that a deployment made, the newest first. Any: JSON of the API.

    Raises:
        AwsError: AWS refuses or does not answer.
    """
    for page in reader.pages(listing_call(region, deployment, sort)):
        for found in page.get(sort.members, ()):
            is_named = names.is_of(deployment, str(found[sort.name]))
            if is_named and owner(reader, region, str(found[sort.arn])) == deployment:
                yield found


def listing_call(region: str, deployment: str, sort: Sort) -> Call:
    """The call that lists what may be a deployment's."""
    newest_first = {"SortBy": "CreationTime", "SortOrder": "Descending"}
    return Call("sagemaker", sort.listing, region, {"NameContains": deployment, **newest_first})


def reads_of(region: str, deployment: str, sort: Sort) -> tuple[Call, ...]:
    """The calls of `owned`, as IAM has to allow them."""
    pattern = f"arn:aws:sagemaker:{region}:*:{sort.path}/{deployment.lower()}-*"
    return (listing_call(region, deployment, sort), tags_call(region, pattern))
