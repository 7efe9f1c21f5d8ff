"""When an invocation is too late: refused in the queue, refused and given up in a model process."""

import math
from collections import deque
from collections.abc import Callable
from typing import Final

from argosy.errors import DeadlineExceededError
from argosy.serving import log
from argosy.serving.pool.invocation import AnsweredInvocation, Invocation
from argosy.serving.pool.model_link import ModelLink
from argosy.serving.settings import Settings

_CANCEL_S: Final = 1.0
"""How long a process that was asked to cancel an answer may take over it before it counts as stuck."""


class Deadlines:
    """Sees that no client waits for longer than it should.

    Args:
        settings: The deadlines.
        refuse: Answers an invocation with an error and counts it.
    """

    def __init__(self, settings: Settings, refuse: Callable[[Invocation, DeadlineExceededError], None]) -> None:
        self._whole = settings.deadline_s
        self._stream = max(settings.streaming.deadline_s, settings.deadline_s)
        self._refuse = refuse
        self._error = DeadlineExceededError("no answer in time", got=f"{settings.deadline_s:g} s passed")

    def take_late(self, queue: deque[Invocation], now: float) -> list[Invocation]:
        """Those at the head of a queue that have waited for too long; they are refused."""
        late: list[Invocation] = []
        while queue and queue[0].arrived < now - self._whole:
            late.append(queue.popleft())
            self._refuse(late[-1], self._error)
        return late

    def watch(self, link: ModelLink, now: float) -> None:
        """Refuse what a model process holds for too long, and kill a process that nobody waits for any more."""
        deadline = now - self._whole
        for number, held in link.held.items():
            if held.arrived < (now - self._stream if held.has_begun else deadline):
                # The client is told in time; that the process got the invocation late is no fault of its own.
                self._refuse(held, self._error)
                link.held[number] = AnsweredInvocation(held)
                link.tell({"event": "cancel", "number": number})
                if held.has_begun or link.is_concurrent:
                    link.since = max(link.since, deadline + _CANCEL_S)
        if link.held and link.since < deadline and all(held.is_answered for held in link.held.values()):
            log.event("stuck", pid=link.pid, deadline_s=self._whole)
            link.since = math.inf  # once is enough
            link.kill()
