"""When what waits is handed over: once for all that a turn of the event loop brings."""

import asyncio
from collections.abc import Callable


class Turn:
    """The next hand-over.

    Args:
        hand_over: What is to be done.
    """

    def __init__(self, hand_over: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._hand_over = hand_over
        self._pending: asyncio.Handle | None = None
        self._is_put_off = False

    def soon(self) -> None:
        """Hand over when this turn of the event loop has read all that it reads."""
        if self._pending is None:
            self._pending = self._loop.call_soon(self._now)

    def after_answers(self) -> None:
        """Hand over one turn later than that: when the answers have left and their clients were listened to.

        Some of them ask again by then, and what they ask shares a call with what waits. One turn, however many answers
        come meanwhile.
        """
        if self._is_put_off:
            return
        if self._pending is not None:
            self._pending.cancel()
        self._is_put_off = True
        self._pending = self._loop.call_soon(self._next)

    def _next(self) -> None:
        self._pending = self._loop.call_soon(self._now)

    def _now(self) -> None:
        self._pending = None
        self._is_put_off = False
        self._hand_over()
