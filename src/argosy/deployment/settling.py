"""An endpoint between two states: it is told how it goes, and waited for."""

from collections.abc import Callable
from typing import Any, Final

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.deployment.ownership import ABSENT
from argosy.planning.polling import poll

MOVING: Final = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})
DELETING: Final = "Deleting"

_LIMIT_S: Final = 5400.0


def describe_call(region: str, name: str) -> Call:
    """The call that says how an endpoint is."""
    return Call("sagemaker", "DescribeEndpoint", region, {"EndpointName": name})


def described(reader: Reader, region: str, name: str) -> Any:
    """An endpoint; None when there is none. Any: JSON of the API.

    Raises:
        AwsError: AWS refuses or does not answer.
    """
    return reader.ask(describe_call(region, name), ABSENT)


def settled(reader: Reader, region: str, name: str, report: Callable[[str], None]) -> Any:
    """The endpoint when nothing moves any more; None when it is gone. Any: JSON of the API.

    Args:
        reader: AWS.
        region: Where.
        name: Of the endpoint.
        report: Takes a line for each status that it comes to.

    Raises:
        AwsError: AWS refuses or does not answer.
        PlanError: It takes too long.
    """
    seen = ""

    def look() -> Any:
        nonlocal seen
        found = described(reader, region, name)
        status = "gone" if not found else str(found["EndpointStatus"])
        if status != seen and (found or seen):  # what was never there is not gone
            report(f"endpoint {name}: {status}")
            seen = status
        return found

    return poll(look, lambda found: not found or not _moves(found), f"endpoint {name}", _LIMIT_S)


def _moves(found: Any) -> bool:
    return found["EndpointStatus"] in MOVING or found["EndpointStatus"] == DELETING
