"""Invocations that a lost process held, and that are asked again in ever smaller groups: only the one that kills fails.

Which of them killed the process nobody knows. One by one they would take the sum of their times; halves would cost a
process, and the loading of its model, for each halving. Groups of as many as there are groups need few of both: of 64
first 8 groups of 8, of the one that kills again 2 at a time, of those each alone. Where a process answers one frame
after the other nothing is won by groups, and each is alone at once.

A group has a process for itself. Where none is ever without anything to do, one is reserved: it is handed nothing else
until it has nothing left and takes a group.
"""

import math
from collections import deque
from collections.abc import Callable, Sequence

from argosy.serving.pool.invocation import Invocation
from argosy.serving.pool.model_link import ModelLink


class Suspects:
    """Those that wait to be asked again, in the groups in which they are handed over."""

    def __init__(self) -> None:
        self._groups: deque[deque[Invocation]] = deque()

    def __len__(self) -> int:
        return sum(map(len, self._groups))

    def __bool__(self) -> bool:
        return bool(self._groups)

    def add(self, lost: Sequence[Invocation], *, is_concurrent: bool) -> None:
        """One process held all these when it was lost; they wait behind those that wait already.

        Args:
            lost: The invocations.
            is_concurrent: Whether it answered them beside each other.
        """
        size = math.isqrt(len(lost)) if is_concurrent else 1
        for start in range(0, len(lost), size or 1):
            group = deque(lost[start : start + size])
            for invocation in group:
                invocation.is_suspect = True
                invocation.is_alone = len(group) == 1
                invocation.handed = 0.0
            self._groups.append(group)

    def hand_out(self, loaded: Sequence[ModelLink], hand_over: Callable[[ModelLink, list[Invocation]], None]) -> None:
        """Hand groups to those that have nothing to do, and see that there will be such a one for the next.

        Args:
            loaded: The processes that have loaded the model; those that hold conversations are spared if possible.
            hand_over: Sends a group to a process.
        """
        trusted = [link for link in loaded if not link.conversations] or loaded
        for link in trusted:
            if self._groups and not link.held:
                link.is_reserved = False
                if link.room(1):
                    hand_over(link, list(self._groups.popleft()))
        if self._groups and trusted and not any(link.is_reserved or link.answers_suspects for link in trusted):
            min(trusted, key=lambda link: len(link.held) + len(link.waiting)).is_reserved = True

    def remove(self, invocation: Invocation) -> None:
        """Nobody waits for this one any more.

        Raises:
            ValueError: It is not here.
        """
        group = next((group for group in self._groups if invocation in group), None)
        if group is None:
            raise ValueError("not here")
        group.remove(invocation)
        self._drop_empty()

    def drain(self, take: Callable[[deque[Invocation]], list[Invocation]]) -> list[Invocation]:
        """What `take` takes off the groups."""
        taken = [invocation for group in self._groups for invocation in take(group)]
        self._drop_empty()
        return taken

    def take_all(self) -> list[Invocation]:
        """All that wait."""
        waiting = [invocation for group in self._groups for invocation in group]
        self._groups.clear()
        return waiting

    def _drop_empty(self) -> None:
        self._groups = deque(group for group in self._groups if group)
