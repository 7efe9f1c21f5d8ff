r"""Where the server stands: the table that /ping answers from.

The front moves along the table below and never back::

    starting -> ready -> draining -> stopped
        \----------\---------> failed

starting    the port accepts, nothing is loaded: /ping 503, /invocations 503
ready       a model process has loaded: /ping 200 while one lives, 503 while none does; invocations are queued
draining    SIGTERM came: /ping 503, new invocations 503, those in flight and in the queue are finished
stopped     all is answered: the process ends with 0
failed      the model cannot be loaded, or dies again and again: the process ends with another code
"""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where the server stands."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    STOPPED = "stopped"
    FAILED = "failed"


class Event(StrEnum):
    """What moves the server on."""

    LOADED = "loaded"
    TERMINATED = "terminated"
    DRAINED = "drained"
    GAVE_UP = "gave up"


TRANSITIONS: Final[dict[tuple[State, Event], State]] = {
    (State.STARTING, Event.LOADED): State.READY,
    (State.STARTING, Event.TERMINATED): State.DRAINING,
    (State.STARTING, Event.GAVE_UP): State.FAILED,
    (State.READY, Event.LOADED): State.READY,
    (State.READY, Event.TERMINATED): State.DRAINING,
    (State.READY, Event.GAVE_UP): State.FAILED,
    (State.DRAINING, Event.DRAINED): State.STOPPED,
}


def advance(state: State, event: Event) -> State:
    """The state after an event; an event that the table does not know for a state changes nothing."""
    return TRANSITIONS.get((state, event), state)
