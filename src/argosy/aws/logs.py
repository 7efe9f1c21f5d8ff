"""What containers wrote: the last lines of a log group in CloudWatch.

Source: Amazon CloudWatch Logs API reference, FilterLogEvents; SageMaker developer guide, "Log groups and streams" (read
2026-11-23).
"""

from collections import deque
from typing import Any, Final

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.errors import AwsError

ENDPOINTS: Final = "/aws/sagemaker/Endpoints/{name}"
TRANSFORM_JOBS: Final = "/aws/sagemaker/TransformJobs"

_NO_GROUP: Final = "ResourceNotFoundException"
_SHOWN: Final = 20
_MOST_PAGES: Final = 100
"""A log is read from its beginning, so that a moment to begin at is worth having."""


def log_call(region: str, group: str, prefix: str = "", since_ms: int = 0) -> Call:
    """The call that reads a group's events.

    Args:
        region: Where.
        group: Its name.
        prefix: What the names of the streams begin with; empty: all streams.
        since_ms: Milliseconds since 1970 from which on.
    """
    wanted: dict[str, Any] = {"logGroupName": group}  # Any: JSON
    wanted |= {"logStreamNamePrefix": prefix} if prefix else {}
    wanted |= {"startTime": since_ms} if since_ms else {}
    return Call("logs", "FilterLogEvents", region, wanted)


def last_lines(reader: Reader, call: Call) -> tuple[str, ...]:
    """The last lines; none where there is no log, and why where it cannot be read.

    Args:
        reader: AWS.
        call: As `log_call` makes it.
    """
    lines: deque[str] = deque(maxlen=_SHOWN)
    try:
        for number, page in enumerate(reader.pages(call)):
            lines += [str(event.get("message", "")).rstrip() for event in page.get("events", ())]
            if number == _MOST_PAGES:
                return (*lines, "(the log goes on)")
    except AwsError as error:
        if error.refusal != _NO_GROUP:
            return (*lines, f"(the log cannot be read: {error.message})")
    return tuple(lines)
