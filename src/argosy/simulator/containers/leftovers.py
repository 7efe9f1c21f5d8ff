"""What a simulator that was killed would leave behind: found by its owner's mark, and removed.

Every folder, control group, container and network that is made here carries the mark of the process that made it. A
guard, a process of its own, waits for the end of its owner and removes all that carries its mark: right away, however
the owner ended. Should the guard have been killed too, the next start removes what carries the mark of any process
that is gone.

The mark tells a process from a later one of the same number, and from those of other machines, which an engine may
serve too.
"""

import atexit
import functools
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argosy.engine import Engine
from argosy.errors import EngineError
from argosy.simulator.containers import limits
from argosy.simulator.containers.program import isolated

LABEL: Final = "argosy.simulator"
"""On every container and network of an engine that is made here; the owner's mark is in their names."""

_MARK: Final = r"(\d+)\.(\d+)\.(\d+)\.([0-9a-f]+)\.([0-9a-f]+)"
_SETTLED_ROUNDS: Final = 3
_ROUND_S: Final = 0.05
_ENGINE_ROUND_S: Final = 0.3
_PATIENCE_S: Final = 60.0
_GUARD_END_S: Final = 20.0

_lock: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, told from every other one.

    Attributes:
        pid: Its number.
        started: When it started, in ticks since the machine did; 0 where that cannot be seen.
        namespace: Of process IDs, in which the number holds.
        machine: Which machine.
        boot: Which start of it.
    """

    pid: int
    started: int
    namespace: int
    machine: str
    boot: str

    @property
    def mark(self) -> str:
        """It in names and labels."""
        return f"{self.pid}.{self.started}.{self.namespace}.{self.machine}.{self.boot}"

    def is_gone(self) -> bool:
        """Whether the process has certainly ended; one that cannot be looked up from here has not."""
        if self.machine != _machine():
            return False
        if self.boot != _boot():
            return True
        return self.namespace == _namespace() and _started(self.pid) != self.started


def parse(mark: str) -> Owner | None:
    """The owner of a mark, None for what is none."""
    found = re.fullmatch(_MARK, mark)
    return Owner(int(found[1]), int(found[2]), int(found[3]), found[4], found[5]) if found else None


def this_process() -> Owner:
    """The owner of what is made by this process."""
    return Owner(os.getpid(), _started(os.getpid()), _namespace(), _machine(), _boot())


def make_folder(purpose: str) -> Path:
    """A new folder for temporary files that does not outlive this process, even when it is killed."""
    guard()
    return Path(tempfile.mkdtemp(prefix=f"{marked(purpose)}-"))


def marked(purpose: str) -> str:
    """The beginning of a name that `guard` knows as this process's; a hyphen and something unique follow."""
    return f"argosy-{purpose}-{this_process().mark}"


def guard(engine: Engine | None = None) -> None:
    """See to it that nothing of this process outlives it; with an engine, nothing in that either.

    What processes that are gone have left is removed on the way, in the background.
    """
    program, environ = (engine.program, engine.environ) if engine else ("", {})
    with _lock:
        _guard(os.getpid(), program, tuple(sorted(environ.items())))


@functools.cache
def _guard(_pid: int, program: str, environ: tuple[tuple[str, str], ...]) -> None:
    guarding = subprocess.Popen(
        isolated("leftovers", this_process().mark, tempfile.gettempdir(), program),
        env={},
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert guarding.stdin is not None
    guarding.stdin.write(json.dumps(dict(environ)).encode() + b"\n")
    guarding.stdin.flush()
    pid = os.getpid()

    def end() -> None:
        if os.getpid() == pid:
            with suppress(subprocess.TimeoutExpired):
                guarding.communicate(b".", timeout=_GUARD_END_S)

    atexit.register(end)


def main() -> None:
    """Guard: the owner's mark, its folder for temporary files and an engine's program or nothing are the arguments.

    On stdin comes the environment for the engine's command, then a byte when the owner ends as it should.
    """
    mark, folder, program = sys.argv[1:4]
    environ = json.loads(sys.stdin.buffer.readline())
    engine = Engine(program, environ) if program else None

    def remove(is_left: Callable[[str], bool]) -> None:
        if engine is None:
            remove_here(Path(folder), is_left)
        else:
            with suppress(EngineError):
                remove_from(engine, is_left)

    remove(is_of_the_dead)
    if sys.stdin.buffer.read(1):
        return  # the owner ends as it should, and has removed what was its own
    deadline = time.monotonic() + _PATIENCE_S
    settled = 0
    while settled < _SETTLED_ROUNDS and time.monotonic() < deadline:
        remove(lambda found: found == mark)
        # A command of the engine's that was under way when its caller was killed goes on, and may still make things.
        settled = 0 if engine and _is_named(mark) else settled + 1
        time.sleep(_ENGINE_ROUND_S if engine else _ROUND_S)


def is_of_the_dead(mark: str) -> bool:
    """Whether a mark's process has ended."""
    owner = parse(mark)
    return owner is not None and owner.is_gone()


def remove_here(folder: Path, is_left: Callable[[str], bool]) -> None:
    """End the processes, and remove the control groups and folders, whose mark is one that was left.

    Args:
        folder: Where temporary files are.
        is_left: Of a mark, whether what carries it is to be removed.
    """
    left = [path for path in folder.glob("argosy-*-*") if _is_named_after(path.name, is_left)]
    if left:
        _kill_writers(left)
    for group in limits.groups():
        if _is_named_after(group.name, is_left):
            limits.end(group)
    for path in left:
        shutil.rmtree(path, ignore_errors=True)


def remove_from(engine: Engine, is_left: Callable[[str], bool]) -> None:
    """Remove an engine's containers and networks whose mark is one that was left.

    Raises:
        EngineError: The engine does not answer.
    """
    for name in engine.labelled("container", LABEL):
        if _is_named_after(name, is_left):
            engine.remove_container(name)
    for name in engine.labelled("network", LABEL):
        if _is_named_after(name, is_left):
            with suppress(EngineError):  # a container that is on its way out still uses it: the next round
                engine.remove_network(name)


def _is_named_after(name: str, is_left: Callable[[str], bool]) -> bool:
    found = re.fullmatch(rf"argosy-[a-z]+-({_MARK})-.*", name)
    return found is not None and is_left(found[1])


def _kill_writers(folders: list[Path]) -> None:
    """Kill whoever writes its output into one of the folders, and its process group, until there is nobody."""
    prefixes = tuple(f"{folder}/" for folder in folders)
    deadline = time.monotonic() + _PATIENCE_S
    while writers := [pid for pid in _processes() if _output(pid).startswith(prefixes)]:
        for pid in writers:
            with suppress(OSError):
                os.killpg(os.getpgid(pid), signal.SIGKILL)
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return
        time.sleep(_ROUND_S)


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*") if int(path.name) != os.getpid()]


def _output(pid: int) -> str:
    """The file behind a process's stdout; a zombie has none."""
    try:
        return str(Path(f"/proc/{pid}/fd/1").readlink())
    except OSError:
        return ""


def _is_named(mark: str) -> bool:
    """Whether a mark is in the command line of a process other than the guards."""
    wanted = f"-{mark}-".encode()
    for pid in _processes():
        with suppress(OSError):
            if wanted in Path(f"/proc/{pid}/cmdline").read_bytes():
                return True
    return False


def _started(pid: int) -> int:
    """Ticks between the machine's start and a process's; -1 when there is no such process, or it is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        if Path("/proc/self").exists():
            return -1
        with suppress(OSError):
            os.kill(pid, 0)
            return 0
        return -1
    return -1 if fields[0] in "ZX" else int(fields[19])


def _namespace() -> int:
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return 0


def _boot() -> str:
    return _digest(Path("/proc/sys/kernel/random/boot_id"))


def _machine() -> str:
    return _digest(Path("/etc/machine-id"))


def _digest(path: Path) -> str:
    """Of a file's content; of this machine's name where there is nothing in it."""
    text = ""
    with suppress(OSError):
        text = path.read_text(encoding="ascii").strip()
    return hashlib.sha256((text or socket.gethostname()).encode()).hexdigest()[:8]
