"""Every invocation that is answered or refused is counted once, and has its line in the log when the project asks."""

from collections.abc import Sequence

from argosy.serving import log
from argosy.serving.frames import Timings
from argosy.serving.front.metrics import Metrics
from argosy.serving.pool.invocation import Invocation
from argosy.serving.settings import LoggedInvocations


class Ledger:
    """Counts and logs how invocations ended.

    Args:
        metrics: What is counted.
        level: Which invocations have a line: `errors`, `all` or `none`.
    """

    def __init__(self, metrics: Metrics, level: LoggedInvocations) -> None:
        self._metrics = metrics
        self._least = {"errors": 400, "all": 0, "none": 1000}[level]

    def answered(
        self,
        invocations: Sequence[Invocation],
        status: int,
        sizes: Sequence[int],
        frame: tuple[int, Timings] | None,
        now: float,
    ) -> None:
        """Invocations that were handed over together are answered; those that were too late have been counted then.

        Args:
            invocations: What was answered.
            status: How.
            sizes: Lengths of the answers' bodies.
            frame: Invocations in the frame and what the model process measured, None for the end of a stream.
            now: When.
        """
        told = [invocation for invocation in invocations if not invocation.is_answered]
        if told:
            self._metrics.answered(status, [invocation.arrived for invocation in told], told[0].handed, now)
        if status >= self._least:
            for invocation, size in zip(invocations, sizes, strict=True):
                if not invocation.is_answered:
                    self._write(invocation, status, now, size, frame)

    def refused(self, invocation: Invocation, status: int, now: float) -> None:
        """An invocation is refused, in the queue or in a model process."""
        self._metrics.answered(status, [invocation.arrived], invocation.handed or now, now)
        if status >= self._least:
            self._write(invocation, status, now, 0, None)

    def _write(
        self, invocation: Invocation, status: int, now: float, size: int, frame: tuple[int, Timings] | None
    ) -> None:
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
