"""Waiting for what AWS does on its own: short at first, longer the longer it takes, and told."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from argosy.aws.refusals import PASSING
from argosy.errors import AwsError, PlanError

_FIRST_S: Final = 0.2
_GROWTH: Final = 1.5
_LONGEST_S: Final = 30.0
_TOLD_AGAIN_S: Final = 300.0
_MOST_IN_VAIN: Final = 6
"""Looks in a row: three minutes of a long wait, a few seconds of one that has just begun."""

Seen = TypeVar("Seen")


def poll(look: Callable[[], Seen], is_over: Callable[[Seen], bool], what: str, limit_s: float) -> Seen:
    """Look until it is over; a look that AWS does not answer, or is too busy for, is one look less.

    Args:
        look: Asks AWS.
        is_over: Whether there is nothing more to wait for.
        what: For the error.
        limit_s: Seconds after which nobody waits any longer.

    Raises:
        AwsError: AWS refuses, or does not answer time after time.
        PlanError: It took longer.
    """
    begun, pause, in_vain = time.monotonic(), _FIRST_S, 0
    while True:
        try:
            seen = look()
        except AwsError as error:
            in_vain += 1
            if error.refusal not in PASSING or in_vain > _MOST_IN_VAIN:
                raise
        else:
            if is_over(seen):
                return seen
            in_vain = 0
        if time.monotonic() - begun > limit_s:
            raise PlanError(
                f"{what} is not over after {limit_s / 60:.0f} minutes", hint="run it again: it goes on where it was"
            )
        time.sleep(pause)
        pause = min(_LONGEST_S, pause * _GROWTH)


class Telling:
    """Tells how something stands when that has changed, and that it has not every few minutes.

    Args:
        report: Takes a line.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._begun = self._told = time.monotonic()
        self._line = ""

    def tell(self, line: str) -> None:
        """Tell it, if there is something to tell."""
        now = time.monotonic()
        if line != self._line:
            self._report(line)
        elif now - self._told >= _TOLD_AGAIN_S:
            self._report(f"{line}, after {(now - self._begun) / 60:.0f} minutes")
        else:
            return
        self._line, self._told = line, now
