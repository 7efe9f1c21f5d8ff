"""How much memory a container's processes take, read from this machine's /proc.

A page that several processes share is counted once: each has its share of it (`Pss`). Where the kernel does not show
that, what each has resident is added up, and shared pages count as often as they are seen.

Source:
    Linux kernel documentation, filesystems/proc ("smaps_rollup", "statm", "children") (read 2026-11-23).
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_KIB: Final = 1024


def memory_of(pid: int) -> int | None:
    """The memory of a process and all that descend from it, in bytes; None when it has ended, or cannot be seen."""
    taken = [_taken(each) for each in _tree(pid)]
    seen = [count for count in taken if count is not None]
    return sum(seen) if seen else None


def _tree(pid: int) -> list[int]:
    """A process and its descendants; those that end meanwhile may be missing, and theirs."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(OSError):
                found += map(int, children.read_text(encoding="ascii").split())
    return found


def _taken(pid: int) -> int | None:
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * _KIB
    with suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
    return None
