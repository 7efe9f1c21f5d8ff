"""The streamed answers of one model process that are under way."""

import contextlib
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

from argosy.serving.model.stream import StreamWriter

_REMEMBERED: Final = 1024


class Writers:
    """The streamed answers under way, by the number of their invocation."""

    def __init__(self) -> None:
        self._open: dict[int, StreamWriter] = {}
        self._left_early: deque[int] = deque(maxlen=_REMEMBERED)

    @contextlib.contextmanager
    def opened(self, writer: StreamWriter) -> Iterator[None]:
        """The answer is under way until the block ends."""
        self._open[writer.number] = writer
        if writer.number in self._left_early:
            writer.cancel()
        try:
            yield
        finally:
            del self._open[writer.number]

    def heed(self, message: dict[str, Any]) -> bool:
        """Do what a message of the front asks of a stream; False when it is about something else."""
        event = message["event"]
        writer = self._open.get(message.get("number", -1))
        if event == "cancel" and writer is not None:
            writer.cancel()
        elif event == "cancel":
            self._left_early.append(message["number"])  # its thread has not come to its first part yet
        elif event == "pause" and writer is not None:
            writer.may_go_on.clear()
        elif event == "resume" and writer is not None:
            writer.may_go_on.set()
        return event in ("cancel", "pause", "resume")

    def cancel_all(self) -> None:
        """The front is gone: nobody waits for any of them."""
        for writer in list(self._open.values()):
            writer.cancel()
