"""Where the platform would write what containers say: a log stream of CloudWatch Logs for each.

Source: Amazon SageMaker Developer Guide, "Log groups and streams that SageMaker sends to Amazon CloudWatch Logs" (read
2026-11-23).
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from argosy.simulator.containers.container import Container

TRANSFORM_JOBS: Final = "/aws/sagemaker/TransformJobs"
ENDPOINTS: Final = "/aws/sagemaker/Endpoints/"
"""Followed by the endpoint's name."""


@dataclass(frozen=True, slots=True)
class LogStream:
    """A log stream: its group and its name there."""

    group: str
    name: str


NO_STREAM: Final = LogStream("", "")
"""Of what runs for nobody's endpoint or job."""


class LogSink(Protocol):
    """Takes what containers write."""

    def follow(self, container: Container, stream: LogStream) -> Callable[[], None]:
        """Take what a container writes from now on, until the function that is returned is called; that takes the
        rest.
        """

    def write(self, stream: LogStream, line: str) -> None:
        """Take one line of the platform's own."""


class NoLogSink:
    """A `LogSink` that takes nothing: the log of a container goes when the container goes."""

    def follow(self, container: Container, stream: LogStream) -> Callable[[], None]:
        """Do nothing."""
        return lambda: None

    def write(self, stream: LogStream, line: str) -> None:
        """Do nothing."""


def new_instance_id() -> str:
    """What an instance is called in the names of its log streams: like one of EC2's."""
    return f"i-{secrets.token_hex(9)[:17]}"
