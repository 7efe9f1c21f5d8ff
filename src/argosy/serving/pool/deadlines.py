"""When an invocation is too late: refused in the queue, refused and given up in a model process.

A process that answers one frame after the other is stuck when nobody waits any more for what it holds. One that answers
invocations beside each other, or holds conversations, has an event loop that must not be held up, and while others come
the age of what it holds says little: it is asked for an echo now and then, and is stuck when that does not come. What
it goes on holding for as long again as somebody waited for it counts as lost: while that is more than half of what it
can hold, it is handed nothing more, and is stuck when all else is answered.
"""

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
_ECHO_S: Final = 1.0
"""How often a process with something to do is asked for an echo."""


class Deadlines:
    """Sees that no client waits for longer than it should.

    Args:
        settings: The deadlines.
        refuse: Answers an invocation with an error and counts it.
    """

    def __init__(self, settings: Settings, refuse: Callable[[Invocation, DeadlineExceededError], None]) -> None:
        self._whole = settings.deadline_s
        self._stream = max(settings.streaming.deadline_s, settings.deadline_s)
        self._echo = max(self._whole, _CANCEL_S)
        self._pause = min(_ECHO_S, self._echo / 2)
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
        """Refuse what a model process holds for too long, and kill a process that is stuck."""
        deadline = now - self._whole
        for number, held in link.held.items():
            if held.arrived < (now - self._stream if held.has_begun else deadline):
                # The client is told in time; that the process got the invocation late is no fault of its own.
                self._refuse(held, self._error)
                link.held[number] = AnsweredInvocation(held, now)
                link.tell({"event": "cancel", "number": number})
                if held.has_begun or link.is_concurrent:
                    link.since = max(link.since, deadline + _CANCEL_S)
        link.is_worn = link.is_concurrent and self._is_worn(link, now)
        is_given_up = (link.is_worn or link.since < deadline) and all(held.is_answered for held in link.held.values())
        if (link.held and is_given_up) or self._is_silent(link, now):
            log.event("stuck", pid=link.pid, deadline_s=self._whole)
            link.since = math.inf  # once is enough
            link.kill()

    def _is_worn(self, link: ModelLink, now: float) -> bool:
        """Whether more than half of what a process can hold is held for nobody, and for long."""
        given_up = [held.given_up for held in link.held.values() if isinstance(held, AnsweredInvocation)]
        return sum(when < now - self._whole for when in given_up) * 2 > link.capacity

    def _is_silent(self, link: ModelLink, now: float) -> bool:
        """Whether a process with an event loop owes an echo for too long; it is asked for one when it is time."""
        if link.is_echo_due:
            return link.asked < now - self._echo and link.since != math.inf
        has_to_do = (link.is_concurrent and link.held) or link.conversations
        if has_to_do and link.asked < now - self._pause:
            link.ask_for_echo(now)
        return False
