"""The processes of a container, seen from outside: who they are, how much memory they use.

Source:
    proc_pid_stat(5), proc_pid_smaps(5) of the Linux man-pages (read 2026-11-23).
"""

import os
import re
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argosy.simulator.containers.container import Container

_PROC: Final = Path("/proc")
_SHARE: Final = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
_RESIDENT: Final = re.compile(r"^VmRSS:\s+(\d+) kB", re.MULTILINE)
_GONE_S: Final = 5.0
_POLL_S: Final = 0.01
_SAMPLE_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Process:
    """One process.

    Attributes:
        number: On this machine.
        parent: Its parent's number.
        name: Its program's.
        memory_bytes: What it uses, pages that it shares counted in part; the whole of them where only that is told.
    """

    number: int
    parent: int
    name: str
    memory_bytes: int


def of(container: Container) -> tuple[Process, ...]:
    """All processes of a container, its first one first; none where they cannot be seen."""
    return _tree(container.first_process)


def worker_of(processes: tuple[Process, ...]) -> Process | None:
    """The process that most likely has the model: of those without children, and not the first, the largest."""
    parents = {process.parent for process in processes}
    leaves = [process for process in processes[1:] if process.number not in parents]
    return max(leaves, key=lambda process: process.memory_bytes, default=None)


def is_line(processes: tuple[Process, ...]) -> bool:
    """Whether none of them has two children: a shell or an init, and below it one server."""
    parents = [process.parent for process in processes[1:]]
    return len(set(parents)) == len(parents)


def kill(process: Process) -> bool:
    """Send SIGKILL and wait until the process is gone; False where we may not, or it is not."""
    try:
        os.kill(process.number, signal.SIGKILL)
    except OSError:
        return False
    deadline = time.monotonic() + _GONE_S
    while _is_alive(process) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return not _is_alive(process)


class MemoryWatch:
    """Looks at a container's memory for as long as a `with` block.

    Args:
        container: Runs, or has ended.

    Attributes:
        peak_bytes: The most that was seen; 0 where it cannot be seen.
    """

    def __init__(self, container: Container) -> None:
        self.peak_bytes = 0
        self._container = container
        self._first = 0  # an engine is asked for it once, not ten times a second
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="argosy-memory", daemon=True)

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self._first = self._first or self._container.first_process
            self.peak_bytes = max(self.peak_bytes, sum(process.memory_bytes for process in _tree(self._first)))
            if self._is_over.wait(_SAMPLE_S):
                return


def memory(container: Container) -> int:
    """What all its processes use, in bytes; 0 where that cannot be seen."""
    return sum(process.memory_bytes for process in of(container))


def _tree(first: int) -> tuple[Process, ...]:
    """A process and all that descend from it; none where it is 0 or has ended."""
    table = _table()
    found = [first] if first in table else []
    for number in found:  # grows while it is read: children after their parents
        found += [child for child, (parent, _) in table.items() if parent == number]
    return tuple(Process(number, *table[number], _memory(number)) for number in found)


def _table() -> dict[int, tuple[int, str]]:
    """Number -> parent and name of every living process of this machine."""
    found: dict[int, tuple[int, str]] = {}
    for path in _PROC.glob("[0-9]*/stat"):
        with suppress(OSError):
            head, _, rest = path.read_text(encoding="utf-8", errors="replace").rpartition(")")
            state, parent, *_ = rest.split()
            if state not in "ZX":
                found[int(path.parent.name)] = (int(parent), head.partition("(")[2])
    return found


def _memory(number: int) -> int:
    for file, pattern in (("smaps_rollup", _SHARE), ("status", _RESIDENT)):
        with suppress(OSError):
            if seen := pattern.search((_PROC / str(number) / file).read_text(encoding="utf-8", errors="replace")):
                return int(seen.group(1)) * 1024
    return 0


def _is_alive(process: Process) -> bool:
    return process.number in _table()
