"""Waiting for what AWS does on its own: short at first, longer the longer it takes."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from argosy.errors import PlanError

_FIRST_S: Final = 0.2
_GROWTH: Final = 1.5
_LONGEST_S: Final = 30.0

Seen = TypeVar("Seen")


def poll(look: Callable[[], Seen], is_over: Callable[[Seen], bool], what: str, limit_s: float) -> Seen:
    """Look until it is over.

    Args:
        look: Asks AWS.
        is_over: Whether there is nothing more to wait for.
        what: For the error.
        limit_s: Seconds after which nobody waits any longer.

    Raises:
        PlanError: It took longer.
    """
    begun, pause = time.monotonic(), _FIRST_S
    while not is_over(seen := look()):
        if time.monotonic() - begun > limit_s:
            raise PlanError(
                f"{what} is not over after {limit_s / 60:.0f} minutes", hint="run it again: it goes on where it was"
            )
        time.sleep(pause)
        pause = min(_LONGEST_S, pause * _GROWTH)
    return seen
