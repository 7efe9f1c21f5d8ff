"""The shadow of a production variant: it gets copies of what that gets, and its answers go nowhere."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Final

from argosy.errors import ArgosyError
from argosy.simulator.hosting.backend import Refused
from argosy.simulator.hosting.variant import Variant

_LONGEST_QUEUE: Final = 64


class Shadow:
    """A shadow variant with the copies that are under way to it.

    UNSURE: the share of copies that the service sends; here it is the shadow's weight divided by the production
    variant's, at most all. A shadow that is behind by 64 copies gets no more until it has caught up.

    Args:
        variant: The shadow.
        production_weight: Weight of the variant whose shadow it is.
        chance: Draws which invocations are copied.
    """

    def __init__(self, variant: Variant, production_weight: float, chance: random.Random) -> None:
        self.variant = variant
        self._share = variant.definition.weight / production_weight if production_weight else 0.0
        self._chance = chance
        self._tasks: set[asyncio.Task[None]] = set()

    def mirror(self, send: Callable[[Variant], Coroutine[None, None, None]]) -> None:
        """Send a copy in the background, if this invocation is one that is copied."""
        if self._chance.random() >= self._share or len(self._tasks) >= _LONGEST_QUEUE:
            return
        task = asyncio.create_task(self._ignoring(send))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ignoring(self, send: Callable[[Variant], Coroutine[None, None, None]]) -> None:
        with suppress(Refused, ArgosyError):  # nobody waits for a shadow's answer
            await send(self.variant)

    async def close(self) -> None:
        """Wait for nothing: what is under way is given up."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
