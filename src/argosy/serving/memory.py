"""How much memory the container has left, what a model process holds for itself, and how many processes that makes.

Both versions of control groups are read: hosts have the one or the other.

Source:
    Linux kernel documentation, admin-guide/cgroup-v2 ("Memory Interface Files"), admin-guide/cgroup-v1/memory,
    filesystems/proc ("meminfo", "smaps_rollup", "statm") (read 2026-11-22).
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/")
_GROUPS: Final = Path("sys/fs/cgroup")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_SPARE: Final = 0.1
"""Share of what is left that stays free: bodies that wait, and what a prediction needs beside the model."""


def workers_by_memory(private_bytes: int, available: int, at_most: int) -> int:
    """How many model processes fit.

    Args:
        private_bytes: What the first of them holds for itself after it has loaded and warmed up (`private_bytes`).
        available: What is left while it runs (`available_bytes`).
        at_most: The number that the processors are good for.

    Returns:
        1 to `at_most`, the first one included: it runs already.
    """
    further = int(available * (1 - _SPARE)) // max(private_bytes, 1)
    return max(1, min(at_most, 1 + further))


def available_bytes(root: Path = _ROOT) -> int | None:
    """What can still be taken before the kernel ends a process: the least of what the machine and each group has left.

    Pages that only cache files count as free: the kernel takes them back first.

    Args:
        root: Where `proc` and `sys` are.

    Returns:
        Bytes, or None where nothing tells.
    """
    left = [_machine_left(_read(root / "proc/meminfo"))]
    for folder in group_folders("memory", root):
        left.append(_group_left(folder, "memory.max", "memory.current", "active_file", "inactive_file"))
        left.append(
            _group_left(
                folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_active_file", "total_inactive_file"
            )
        )
    return min((bytes_left for bytes_left in left if bytes_left is not None), default=None)


def private_bytes(pid: int, root: Path = _ROOT) -> int | None:
    """What one more process like this one would take.

    Written pages that no other process shares. Clean pages of files are left out, because a second process that maps
    the same files shares them.

    Returns:
        Bytes, or None when the process is gone or not ours.
    """
    rollup = _fields(_read(root / f"proc/{pid}/smaps_rollup"))
    if rollup:
        return sum(rollup.get(name, 0) for name in ("Private_Dirty", "Private_Hugetlb", "Swap")) * 1024
    pages = _read(root / f"proc/{pid}/statm").split()  # where the kernel keeps no rollup: resident and not of files
    return (int(pages[1]) - int(pages[2])) * _PAGE if len(pages) > 2 else None


def resident_bytes(pids: Iterable[int], root: Path = _ROOT) -> int:
    """Resident memory of processes together, shared pages counted in each; some 10 us a process, and no disk."""
    fields = (_read(root / f"proc/{pid}/statm").split() for pid in pids)
    return sum(int(pages[1]) * _PAGE for pages in fields if len(pages) > 1)


def killed(root: Path = _ROOT) -> int:
    """How many processes of this control group the kernel has killed because memory ran out; 0 where nobody counts.

    Source:
        https://docs.kernel.org/admin-guide/cgroup-v2.html, memory.events; cgroup-v1/memory.html, memory.oom_control
        (read 2026-11-22): both have a line `oom_kill`.
    """
    for folder in group_folders("memory", root):
        for name in ("memory.events", "memory.oom_control"):
            told = _fields(_read(folder / name))
            if "oom_kill" in told:
                return told["oom_kill"]
    return 0


def group_folders(controller: str, root: Path = _ROOT) -> list[Path]:
    """The folders of this process's control group and of those around it, as far as they can be seen.

    In a container with a namespace of its own the group is the mounted root; without one the path is the host's and
    only the mounted root exists. A limit of any of them binds.

    Args:
        controller: Name of the controller, as version 1 mounts it: `memory`, `cpu`.
        root: Where `proc` and `sys` are.
    """
    folders: list[Path] = []
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        mounts = (controller, controllers) if controllers else ("", "unified")
        for mount in (root / _GROUPS / name for name in dict.fromkeys(mounts)):
            own = mount / path.strip("/")
            inside = (own, *own.parents)
            folders += [folder for folder in inside if folder.is_relative_to(mount) and folder.is_dir()]
    return folders


def read_group(folder: Path, name: str) -> str:
    """The text of one file of a control group; empty when there is none."""
    return _read(folder / name).strip()


def _group_left(folder: Path, limit_name: str, usage_name: str, *cached_names: str) -> int | None:
    limit, usage = (read_group(folder, name) for name in (limit_name, usage_name))
    if not (limit.isdigit() and usage.isdigit()):
        return None  # `max`, or another version's folder
    told = _fields(_read(folder / "memory.stat"))
    cached = sum(told.get(name, 0) for name in cached_names)
    return max(0, int(limit) - max(0, int(usage) - cached))


def _machine_left(meminfo: str) -> int | None:
    available = _fields(meminfo).get("MemAvailable")
    return None if available is None else available * 1024


def _fields(text: str) -> Mapping[str, int]:
    """`name value` and `Name:  value kB`, line by line; other lines are left out."""
    return {name: int(value) for name, value in re.findall(r"^(\w+):?[ \t]+(\d+)(?: kB)?$", text, re.MULTILINE)}


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
