"""The log's line for an invocation, when the project asks for one."""

from argosy.serving import log
from argosy.serving.frames import Timings
from argosy.serving.pool.invocation import Invocation
from argosy.serving.settings import LoggedInvocations


class InvocationLog:
    """Writes the line of an invocation that was answered or refused.

    Args:
        level: Which invocations have a line: `errors`, `all` or `none`.
    """

    def __init__(self, level: LoggedInvocations) -> None:
        self._least = {"errors": 400, "all": 0, "none": 1000}[level]

    def wants(self, status: int) -> bool:
        """Whether an answer with this status has a line."""
        return status >= self._least

    def write(
        self, invocation: Invocation, status: int, now: float, size: int = 0, frame: tuple[int, Timings] | None = None
    ) -> None:
        """Write the line.

        Args:
            invocation: What was answered.
            status: How.
            now: Clock of the event loop.
            size: Length of the answer's body.
            frame: Invocations in the frame and what the model process measured, None when it was never there.
        """
        queued = invocation.handed - invocation.arrived if invocation.handed else None
        total = now - invocation.arrived
        told = log.Invoked(invocation.inference_id, status, invocation.size, size, total, queued)
        if frame is not None:
            count, timings = frame
            told = log.Invoked(
                *(told.inference_id, status, told.bytes_in, size, total, queued),
                *(timings.decode, timings.predict, timings.encode, timings.rows, count),
            )
        log.invocation(told)
