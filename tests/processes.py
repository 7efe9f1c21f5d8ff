"""What `/proc` says about processes; one that ends in mid-reading (ENOENT, or ESRCH once it was opened) is gone."""

import time
from collections.abc import Iterable
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether a process runs: not ended, and no zombie."""
    return bool(state := _read(f"/proc/{pid}/stat")) and state.rpartition(")")[2].split()[0] not in "ZX"


def command_line(pid: int) -> str:
    """Its command line, empty when it has ended."""
    return _read(f"/proc/{pid}/cmdline").replace("\0", " ")


def children(pid: int) -> list[int]:
    """The direct children of any of its threads, oldest first within a thread."""
    return [int(word) for path in Path(f"/proc/{pid}/task").glob("*/children") for word in _read(path).split()]


def descendants(pid: int) -> set[int]:
    """The processes below one, at any depth."""
    below = children(pid)
    return set(below).union(*(descendants(child) for child in below))


def await_end(pids: Iterable[int], timeout_s: float = 20.0) -> None:
    """Wait until all of them have ended, reaped or not."""
    deadline = time.monotonic() + timeout_s
    while living := {pid for pid in pids if is_alive(pid)}:
        assert time.monotonic() < deadline, living
        time.sleep(0.02)


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
