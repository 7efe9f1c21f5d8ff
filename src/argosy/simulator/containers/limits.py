"""What a sandbox may use of this machine: control groups where the kernel lets us make some, else limits of a process.

Both versions of control groups are served. A group is made below one that this process is in, or above it, whichever
can be written to and has the controllers.

Source:
    Linux kernel documentation, admin-guide/cgroup-v2 ("Memory Interface Files", "CPU Interface Files"),
    admin-guide/cgroup-v1/memory; cgroups(7), getrlimit(2) (read 2026-11-23).
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PERIOD_US: Final = 100_000
_END_S: Final = 10.0
_POLL_S: Final = 0.01
_CONTROLLERS: Final = ("memory", "cpu")


@dataclass(frozen=True, slots=True)
class Enforced:
    """How limits are enforced.

    Attributes:
        groups: Folders of control groups that the container's first process goes into.
        data_bytes: Of each process's data alone (`RLIMIT_DATA`), where no group limits the memory.
        processors: Those that it is bound to, where no group limits their time.
        caveat: What is not enforced, as a clause; empty when all is.
    """

    groups: tuple[Path, ...] = ()
    data_bytes: int | None = None
    processors: tuple[int, ...] = ()
    caveat: str = ""

    def memory_kills(self) -> int:
        """How many processes the kernel has killed for want of memory so far."""
        return max((_memory_kills(group) for group in self.groups), default=0)

    def remove(self) -> None:
        """Remove the groups, and end what is left in them."""
        for group in self.groups:
            end(group)


def enforce(cpus: float | None, memory_bytes: int | None, name: str) -> Enforced:
    """Make the groups, or find what else there is.

    Args:
        cpus: Processors, in time; None does not limit them.
        memory_bytes: Memory of all processes together; None does not limit it.
        name: The groups' name.
    """
    groups: dict[str, Path] = {}
    if memory_bytes is not None and (group := _make("memory", name)):
        if _limit_memory(group, memory_bytes):
            groups["memory"] = group
        else:
            end(group)
    if cpus is not None and (group := groups.get("memory") or _make("cpu", name)):
        if not _limit_cpus(group, cpus):
            made = _make("cpu", name) if group == groups.get("memory") else None
            group = made if made and _limit_cpus(made, cpus) else None
        if group is not None:
            groups["cpu"] = group
    data = memory_bytes if "memory" not in groups else None
    count = max(1, round(cpus)) if cpus is not None and "cpu" not in groups else 0
    processors = tuple(sorted(os.sched_getaffinity(0))[:count])
    lacking = ["its memory is limited for each process, not for all together"] if data else []
    lacking += (
        [f"it is bound to {len(processors)} of this machine's processors, shared with others"] if processors else []
    )
    return Enforced(tuple(dict.fromkeys(groups.values())), data, processors, "; ".join(lacking))


def groups() -> Iterator[Path]:
    """The groups that may have been made here, by anyone."""
    for controller in _CONTROLLERS:
        for parent in _parents(controller):
            with suppress(OSError):
                yield from parent.glob("argosy-*-*")


def end(group: Path) -> None:
    """Kill what is in a group, and remove it."""
    deadline = time.monotonic() + _END_S
    while group.exists() and time.monotonic() < deadline:
        with suppress(OSError):
            group.rmdir()
            return
        with suppress(OSError):
            for pid in (group / "cgroup.procs").read_text(encoding="ascii").split():
                os.kill(int(pid), signal.SIGKILL)
        time.sleep(_POLL_S)


def _make(controller: str, name: str) -> Path | None:
    """A new group that has the controller, None where none can be made."""
    control = {"memory": ("memory.max", "memory.limit_in_bytes"), "cpu": ("cpu.max", "cpu.cfs_quota_us")}[controller]
    for parent in _parents(controller):
        group = parent / name
        try:
            group.mkdir(exist_ok=True)
        except OSError:
            continue
        if any((group / file).exists() for file in control) and os.access(group / "cgroup.procs", os.W_OK):
            return group
        with suppress(OSError):
            group.rmdir()
    return None


def _parents(controller: str) -> Iterator[Path]:
    """The groups that this process is in, innermost first, of the hierarchy that has the controller."""
    for root, path in _hierarchies(controller):
        folder = root / path.lstrip("/")
        while True:
            yield folder
            if folder == root or root not in folder.parents:
                break
            folder = folder.parent


def _hierarchies(controller: str) -> Iterator[tuple[Path, str]]:
    """Where hierarchies are mounted that may have the controller, and this process's place in each: version 1 first."""
    try:
        places = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    own = {name: path for line in places for _, names, path in [line.split(":", 2)] for name in names.split(",")}
    for wanted in ("cgroup", "cgroup2"):
        for line in mounts:
            fields, _, rest = line.partition(" - ")
            kind, _, options = rest.split(" ", 2)
            name = controller if kind == "cgroup" else ""
            if kind == wanted and name in own and (not name or name in options.split(",")):
                _, _, _, mounted_root, point, *_ = fields.split(" ")
                yield Path(point), own[name].removeprefix(mounted_root.rstrip("/"))


def _limit_memory(group: Path, limit: int) -> bool:
    """Without swap, as on an instance; what counts swap is not in every kernel."""
    if (group / "memory.max").exists():
        with suppress(OSError):
            (group / "memory.swap.max").write_text("0", encoding="ascii")
        return _write(group / "memory.max", limit)
    is_limited = _write(group / "memory.limit_in_bytes", limit)
    _write(group / "memory.memsw.limit_in_bytes", limit)
    return is_limited


def _limit_cpus(group: Path, cpus: float) -> bool:
    quota = max(1000, int(cpus * _PERIOD_US))
    if (group / "cpu.max").exists():
        return _write(group / "cpu.max", f"{quota} {_PERIOD_US}")
    return _write(group / "cpu.cfs_period_us", _PERIOD_US) and _write(group / "cpu.cfs_quota_us", quota)


def _memory_kills(group: Path) -> int:
    for name in ("memory.events", "memory.oom_control"):
        with suppress(OSError):
            for line in (group / name).read_text(encoding="ascii").splitlines():
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    return 0


def _write(path: Path, value: object) -> bool:
    try:
        path.write_text(f"{value}", encoding="ascii")
    except OSError:
        return False
    return True


def told(kills: int, limit: int) -> str:
    """What a person reads of processes that were killed for want of memory."""
    subject = "one of its processes" if kills == 1 else f"{kills} of its processes"
    return f"out of memory, the kernel killed {subject} at its limit of {limit / 2**30:.3g} GiB"
