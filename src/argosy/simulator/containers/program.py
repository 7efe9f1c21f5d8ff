"""A program of this machine with its output in a file, and how Argosy starts modules of its own as programs.

Source:
    Linux kernel documentation, filesystems/proc ("children", "smaps_rollup", "statm") (read 2026-11-23).
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_GROUP_END_TIMEOUT_S: Final = 5.0
_POLL_S: Final = 0.01
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_KIB: Final = 1024
_ISOLATED: Final = """
import sys
package = sys.modules["argosy"] = type(sys)("argosy")  # its own __init__ imports what a server needs
package.__path__ = [sys.argv.pop(1)]
from argosy.simulator.containers.{module} import main
main()
"""


def isolated(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs `main` of a module of this folder with the standard library alone.

    Neither the environment nor installed packages have a say in it, and it starts in 20 ms.
    """
    package = Path(__file__).parents[2]
    return (sys.executable, "-I", "-S", "-c", _ISOLATED.format(module=module), str(package), *arguments)


@dataclass(frozen=True, slots=True)
class Start:
    """How a program is started.

    Attributes:
        arguments: Program and arguments.
        environment: The whole environment; nothing is inherited.
        folder: Working directory.
        stdin: What it reads from stdin.
        descriptors: File descriptors that it inherits beside stdin, stdout and stderr.
        is_supervisor: Whether its only child is the container's first process, which signals are meant for.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Path = Path("/")
    stdin: bytes = field(default=b"", repr=False)
    descriptors: tuple[int, ...] = ()
    is_supervisor: bool = False


class Program:
    """A running program, in a session of its own.

    Args:
        start: How it is started.
        log: The file that stdout and stderr are appended to.

    Raises:
        OSError: It cannot be run.
    """

    def __init__(self, start: Start, log: Path) -> None:
        self._is_supervisor = start.is_supervisor
        reading, writing = os.pipe()
        try:
            with log.open("ab") as output:
                self._process = subprocess.Popen(
                    start.arguments,
                    env=dict(start.environment),
                    cwd=start.folder,
                    stdin=reading,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=start.descriptors,
                )
        except OSError:
            os.close(writing)
            raise
        finally:
            os.close(reading)
        with contextlib.suppress(BrokenPipeError), os.fdopen(writing, "wb") as stdin:
            stdin.write(start.stdin)

    @property
    def pid(self) -> int:
        """Its process ID."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """None while it runs; 128 + the number of the signal when a signal ended it."""
        return _as_exit_code(self._process.poll())

    def first(self) -> int:
        """The process ID of the container's first process: its own, or its child's once that was forked."""
        return (self._child() if self._is_supervisor else None) or self.pid

    def memory_bytes(self) -> int | None:
        """What the container's first process and all that descend from it take now: see `memory_of`."""
        first = self.first()
        return None if self._is_supervisor and first == self.pid else memory_of(first)

    def terminate(self) -> None:
        """Send SIGTERM to the container's first process alone, as an engine does."""
        if self._process.poll() is None:
            _send(self.first(), signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to the container's first process and to the whole process group."""
        if self._process.poll() is None:
            _send(self.first(), signal.SIGKILL)
        _send(-self.pid, signal.SIGKILL)

    def wait(self, timeout_s: float | None) -> int | None:
        """The exit code, or None when it still runs after `timeout_s`."""
        try:
            return _as_exit_code(self._process.wait(timeout_s))
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """Kill it and wait until its whole process group has ended."""
        self.kill()
        self._process.wait()
        deadline = time.monotonic() + _GROUP_END_TIMEOUT_S
        while _has_living(self.pid) and time.monotonic() < deadline:
            time.sleep(_POLL_S)  # killed children may hold the port until they are dead, reaped or not

    def _child(self) -> int | None:
        try:
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii").split()
        except OSError:
            return None
        return int(children[0]) if children else None


def memory_of(pid: int) -> int | None:
    """The memory of a process and all that descend from it, in bytes; None when it has ended, or cannot be seen.

    A page that several of them share is counted once: each has its share of it. Where the kernel does not show that,
    what each has resident is added up.
    """
    seen = [taken for each in _tree(pid) if (taken := _taken(each)) is not None]
    return sum(seen) if seen else None


def _tree(pid: int) -> list[int]:
    """A process and its descendants; of those that end meanwhile some may be missing."""
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):  # it ends while its threads are listed
            for children in list(Path(f"/proc/{parent}/task").glob("*/children")):
                with contextlib.suppress(OSError):
                    found += map(int, children.read_text(encoding="ascii").split())
    return found


def _taken(pid: int) -> int | None:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * _KIB
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
    return None


def _has_living(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, owner = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[:3]
            if int(owner) == group and state not in "ZX":
                return True
    return False


def _as_exit_code(code: int | None) -> int | None:
    """Python says -15 where engines say 143."""
    return 128 - code if code is not None and code < 0 else code


def _send(target: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(target, number)


def processes_below(pid: int) -> list[tuple[str, int]]:
    """The name and the memory in bytes of a process and of each that descends from it, the largest first.

    A page that several of them share counts for each with its share, as in `memory_of`.
    """
    found = []
    for each in _tree(pid):
        with contextlib.suppress(OSError):
            name = Path(f"/proc/{each}/comm").read_text(encoding="utf-8", errors="replace").strip()
            if (taken := _taken(each)) is not None:
                found.append((name, taken))
    return sorted(found, key=lambda process: -process[1])
