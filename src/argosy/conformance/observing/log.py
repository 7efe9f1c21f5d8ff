"""The log of a running container, read on from where it was read last."""

from typing import Final

from argosy.conformance.probes import printable
from argosy.errors import ContainerError
from argosy.simulator.containers.container import Container

_LINE_LENGTH: Final = 500
_REMEMBERED: Final = 4096
"""Characters by which the place is found again in a log whose beginning was dropped."""


class Unread:
    """What a container logged since it was last asked for.

    A log that grows too long loses its beginning while it is read (`simulator/containers/log.py`), so a count of
    characters does not find the place again: what was read last does.
    """

    def __init__(self, container: Container) -> None:
        self._container = container
        self._position = 0
        self._last = ""

    def read(self) -> tuple[str, ...]:
        """The lines that are new, without blank ones; none where the log cannot be had."""
        try:
            text = self._container.logs()
        except ContainerError:
            return ()
        new = text[self._start(text) :]
        self._position, self._last = len(text), text[-_REMEMBERED:]
        return tuple(_cut(printable(line)) for line in new.splitlines() if line.strip())

    def _start(self, text: str) -> int:
        """Where the new begins; where the old is gone or stands there twice, more is new rather than less."""
        if text.startswith(self._last, self._position - len(self._last)):
            return self._position
        found = text.find(self._last)
        return found + len(self._last) if found >= 0 else 0


def lines_with(container: Container, text: str) -> tuple[str, ...]:
    """The lines of the whole log that hold a text; none where the log cannot be had."""
    try:
        written = container.logs()
    except ContainerError:
        return ()
    return tuple(_cut(printable(line)) for line in written.splitlines() if text in line)


def _cut(line: str) -> str:
    return line if len(line) <= _LINE_LENGTH else f"{line[:_LINE_LENGTH]}…"
