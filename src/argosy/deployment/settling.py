"""An endpoint between two states: it is told how it goes, and waited for."""

from collections.abc import Callable
from typing import Any, Final

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.deployment.ownership import ABSENT
from argosy.planning.polling import Telling, poll

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
        report: Takes a line for each status that it comes to, and every few minutes.

    Raises:
        AwsError: AWS refuses or does not answer.
        PlanError: It takes too long.
    """
    telling, was_there = Telling(report), False

    def look() -> Any:
        nonlocal was_there
        found = described(reader, region, name)
        if found or was_there:  # what was never there is not gone
            telling.tell(f"endpoint {name}: {found['EndpointStatus'] if found else 'gone'}")
        was_there = was_there or bool(found)
        return found

    return poll(look, lambda found: not found or not _moves(found), f"endpoint {name}", _LIMIT_S)


def _moves(found: Any) -> bool:
    return found["EndpointStatus"] in MOVING or found["EndpointStatus"] == DELETING
