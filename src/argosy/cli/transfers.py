"""How far blobs are on their way to and from registries: bars on a terminal, plain lines elsewhere; all on stderr."""

import atexit
import threading
import time
from typing import TYPE_CHECKING

from argosy.cli import output
from argosy.cli.environment import Environment
from argosy.registry.access import Access
from argosy.registry.progress import Transfer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_LARGE = 100 * 10**6
"""Bytes from which on a plain line is written for every quarter, too."""


def open_access(around: Environment) -> Access:
    """What reading and writing images needs, with progress shown to the user."""
    bars = _Bars() if output.is_terminal() else _Lines()
    return Access(around.docker_config, around.variables, around.cache_dir, bars)


class _Lines:
    """A line for each blob that has come over."""

    def begin(self, name: str, size: int) -> Transfer:
        """A blob sets out; large ones are told of from then on."""
        if size >= _LARGE:
            output.say(f"{name}  {size / 1e6:,.1f} MB ...")
        return _Line(name, size)


class _Line:
    """A blob of which plain lines tell."""

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._gone = 0
        self._told = 0
        self._started = time.perf_counter()

    def advance(self, count: int) -> None:
        """Tell of every quarter of a large blob."""
        self.count(count)
        quarters = 4 * self._gone // max(1, self._size)
        if self._size >= _LARGE and self._told < quarters < 4:
            self._told = quarters
            output.say(f"{self._name}  {25 * quarters} % of {self._size / 1e6:,.1f} MB")

    def count(self, count: int) -> None:
        """Note that so many bytes more have gone over, and tell nobody."""
        self._gone += count

    def end(self, outcome: str) -> None:
        """Tell how it ended."""
        seconds = f" in {time.perf_counter() - self._started:.1f} s" if self._gone else ""
        output.say(f"{self._name}  {self._size / 1e6:>9,.1f} MB  {outcome}{seconds}")


class _Bars:
    """A bar for each blob that is on its way; a finished one becomes a line above them."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        self._lock = threading.Lock()
        self._lines = _Lines()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=output.terminal(),
            transient=True,
        )
        self._shown = 0
        atexit.register(self._progress.stop)  # a terminal without its cursor would be left behind

    def begin(self, name: str, size: int) -> Transfer:
        """Show another bar."""
        with self._lock:
            if self._shown == 0:
                self._progress.start()
            self._shown += 1
        return _Bar(self, self._progress, self._progress.add_task(name, total=size), _Line(name, size))

    def close(self, task: "TaskID") -> None:
        """Take a bar away, and the display with the last one."""
        self._progress.remove_task(task)
        with self._lock:
            self._shown -= 1
            if self._shown == 0:
                self._progress.stop()


class _Bar:
    """A blob that a bar shows."""

    def __init__(self, bars: _Bars, progress: "Progress", task: "TaskID", line: _Line) -> None:
        self._bars = bars
        self._progress = progress
        self._task = task
        self._line = line

    def advance(self, count: int) -> None:
        """Move the bar."""
        self._line.count(count)
        self._progress.update(self._task, advance=count)

    def end(self, outcome: str) -> None:
        """Replace the bar by a line."""
        self._bars.close(self._task)
        self._line.end(outcome)
