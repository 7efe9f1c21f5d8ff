"""What containers write, as log events of CloudWatch Logs.

Logs are looked at once a second, and whenever someone asks for log events, so that what was written before a question
is in its answer. An event's time is when it was seen here.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from argosy.simulator.containers.container import Container
from argosy.simulator.log_stream import LogStream

_LOOK_S: Final = 1.0
_MOST_LINES: Final = 20_000
"""That are taken at one look: moto keeps every event in memory."""
_MOST_CHARACTERS: Final = 200_000
"""Of one event; the service takes 256 KB."""

PutEvents = Callable[[str, str, list[dict[str, Any]]], None]
"""Group, stream, and events with `timestamp` and `message`; Any: JSON of the API."""


@dataclass(slots=True)
class _Followed:
    container: Container
    stream: LogStream
    taken: int = 0


@dataclass(slots=True)
class ContainerLogs:
    """The `LogSink` of one account in one region.

    Attributes:
        put: Where events go; safe for several threads.
    """

    put: PutEvents
    _followed: list[_Followed] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def follow(self, container: Container, stream: LogStream) -> Callable[[], None]:
        """Take what a container writes, until the function that is returned is called."""
        followed = _Followed(container, stream)
        with self._lock:
            self._followed.append(followed)

        def end() -> None:
            with self._lock:
                if followed in self._followed:
                    self._followed.remove(followed)
                    self._take(followed)

        return end

    def write(self, stream: LogStream, line: str) -> None:
        """Take one line."""
        self.put(stream.group, stream.name, _events(line))

    def collect(self) -> None:
        """Take what all containers have written since the last time."""
        with self._lock:
            for followed in self._followed:
                self._take(followed)

    async def collect_always(self) -> None:
        """Collect once a second, until this is cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            await asyncio.to_thread(self.collect)

    def _take(self, followed: _Followed) -> None:
        """Whole lines only: the rest comes when it is whole, or at the container's end."""
        written = followed.container.logs()
        if len(written) < followed.taken:  # the oldest part was given up
            followed.taken = 0
        is_ended = followed not in self._followed
        end = len(written) if is_ended else written.rfind("\n") + 1
        new = written[followed.taken : end]
        followed.taken = max(followed.taken, end)
        if events := _events(new):
            self.put(followed.stream.group, followed.stream.name, events)


def _events(text: str) -> list[dict[str, Any]]:
    now = int(time.time() * 1000)
    lines = [line[:_MOST_CHARACTERS] for line in text.splitlines() if line]
    if len(lines) > _MOST_LINES:
        lines[:-_MOST_LINES] = [f"[{len(lines) - _MOST_LINES} lines are left out here]"]
    return [{"timestamp": now, "message": line} for line in lines]
