"""How far a transform job is, how it ended, and who hears of it."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from argosy.simulator.health import Report
from argosy.simulator.transform.execution_parameters import ExecutionParameters

_TOLD_EVERY_S: Final = 0.05


class Status(StrEnum):
    """`TransformJobStatus`."""

    IN_PROGRESS = "InProgress"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPING = "Stopping"
    STOPPED = "Stopped"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is, or was.

    Attributes:
        objects: Objects done, well or not.
        objects_total: Objects of the input.
        failed: Objects without a result.
        resumed: Objects whose results an earlier run of the job made.
        bytes: Bytes of the input that are done.
        bytes_total: Bytes of the input.
        records: Records whose answers are in results of this run.
        requests: Invocations, retries included.
        retries: Invocations that repeated a failed one.
    """

    objects: int = 0
    objects_total: int = 0
    failed: int = 0
    resumed: int = 0
    bytes: int = 0
    bytes_total: int = 0
    records: int = 0
    requests: int = 0
    retries: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job stands, or ended.

    Attributes:
        status: Failed when one object failed.
        failure_reason: The service's words, None unless it is Failed.
        progress: What was done.
        seconds: From the start of the containers to the last result.
        parameters: What the job works with; None before a container told what it asks for.
    """

    status: Status
    failure_reason: str | None
    progress: Progress
    seconds: float
    parameters: ExecutionParameters | None


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears of a job.

    Attributes:
        log: Takes the lines of the data log, as the service writes them.
        report: Takes sentences for the person at the simulator.
        progress: Called when an object is done, and soon after anything else was, many invocations at a time.
    """

    log: Report
    report: Report
    progress: Callable[[Progress], None]


class Board:
    """Where the instances of a job write down what they did, on the thread of its event loop.

    Args:
        listener: Who hears of it.
    """

    def __init__(self, listener: Listener) -> None:
        self._counts = asdict(Progress())
        self.faults: list[str] = []
        self.report = listener.report
        self._listener = listener
        self._telling: asyncio.TimerHandle | None = None

    def begin(self, objects: int, size: int) -> None:
        """The input is known."""
        self.advance(objects_total=objects, bytes_total=size)

    @property
    def progress(self) -> Progress:
        """How far the job is."""
        return Progress(**self._counts)

    def advance(self, **counts: int) -> None:
        """Count, and tell: of an object at once, of the rest soon, for there may be thousands a second of it."""
        for field, count in counts.items():
            self._counts[field] += count
        if "objects" in counts:
            self.tell()
        elif self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(_TOLD_EVERY_S, self.tell)

    def tell(self) -> None:
        """Tell what was not told yet."""
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        self._listener.progress(self.progress)

    def log(self, line: str) -> None:
        """One line of the data log, stamped as the service does."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        self._listener.log(f"{stamp}:[sagemaker logs]: {line}")
