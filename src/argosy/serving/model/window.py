"""Back-pressure of a conversation: how much may be on its way before the other end has taken some of it."""

import asyncio
from collections import deque
from typing import Final

MESSAGES: Final = 16
"""Messages of one conversation and direction that wait to be taken, at most."""
_BYTES: Final = 1 << 20
"""When more than this waits, no other message is added, however few there are."""


class Window:
    """What one end of a conversation has sent and the other has not taken yet; used on one event loop."""

    def __init__(self) -> None:
        self._sizes: deque[int] = deque()
        self._bytes = 0
        self._is_lifted = False
        self._has_room = asyncio.Event()
        self._has_room.set()

    async def room(self) -> None:
        """Wait until another message may be sent."""
        await self._has_room.wait()

    def sent(self, size: int) -> None:
        """A message of so many bytes is on its way."""
        self._sizes.append(size)
        self._bytes += size
        self._look()

    def taken(self) -> None:
        """The other end has taken the oldest message."""
        self._bytes -= self._sizes.popleft()
        self._look()

    def lift(self) -> None:
        """The other end is gone: nobody is waited for any more."""
        self._is_lifted = True
        self._look()

    def _look(self) -> None:
        if self._is_lifted or (len(self._sizes) < MESSAGES and self._bytes < _BYTES):
            self._has_room.set()
        else:
            self._has_room.clear()
