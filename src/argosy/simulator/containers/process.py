"""A container that is a plain process of this machine: for machines with no engine, and for projects not yet built.

The process has an environment of its own and a process group of its own, and a second process ends it when this one is
killed. It has this machine's network and no limits:
what needs isolation to be proved is not proved by it.
"""

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from argosy import contract
from argosy.errors import ContainerError

_GROUP_END_TIMEOUT_S: Final = 5.0
_POLL_S: Final = 0.01
_ATTEMPTS: Final = 200
_FIRST_PORT, _LAST_PORT = 10_000, 32_000  # Linux gives 32768 and above to outgoing connections

# Reads a byte when the container was removed, and the end of the file when whoever started it was killed. The pidfd
# tells the group from another that got its number later.
_GUARD: Final = """
import os, shutil, signal, sys
group, folder = int(sys.argv[1]), sys.argv[2]
leader = os.pidfd_open(group)
if not sys.stdin.buffer.read(1):
    signal.pidfd_send_signal(leader, 0)
    os.killpg(group, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)
"""


@dataclass(frozen=True, slots=True)
class Command:
    """What is run, complete.

    Attributes:
        name: What errors call it: the image or project.
        arguments: Program and arguments.
        environment: The whole environment; nothing is inherited.
        folder: Working directory.
        port: The port that it listens on, at 127.0.0.1 or everywhere.
        is_supervised: Whether the container's first process is the child of the process started here, as under
            `unshare --fork`: then the child gets SIGTERM.
        stdin: What it reads from stdin.
        models_path: Where it sees `Launch.models_dir`; a process without a root of its own sees it where it is.
        caveat: What running it this way cannot prove, as a clause about the container.
    """

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    folder: Path
    port: int
    is_supervised: bool = False
    stdin: bytes = field(default=b"", repr=False)
    models_path: str = contract.MODELS_DIR
    caveat: str = ""


class ProcessContainer:
    """Runs a command as a container: see `Container`.

    Args:
        command: What is run.
        on_remove: Called once by `remove`, after the process has ended; for folders that were made for it.
    """

    def __init__(self, command: Command, on_remove: Callable[[], None] | None = None) -> None:
        self._command = command
        self._on_remove = on_remove
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._last_log = ""

    @property
    def name(self) -> str:
        """The image or project."""
        return self._command.name

    @property
    def caveat(self) -> str:
        """What running it this way cannot prove."""
        return self._command.caveat

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._command.port}"

    @property
    def models_path(self) -> str:
        """Where it sees the folder of models."""
        return self._command.models_path

    def start(self) -> None:
        """Start the process with its log going to a file.

        Raises:
            ContainerError: Its port is taken, or the program cannot be run.
        """
        command = self._command
        if not is_free(command.port):
            raise ContainerError(
                f"port {command.port}, where the container listens, is taken by another program",
                where=command.name,
                hint=f"end what listens there (see `ss -ltnp 'sport = :{command.port}'`), or use `--container docker`",
            )
        self._folder = Path(tempfile.mkdtemp(prefix="argosy-container-"))
        try:
            with (self._folder / "log").open("wb") as log, tempfile.TemporaryFile(dir=self._folder) as stdin:
                stdin.write(command.stdin)
                stdin.seek(0)
                self._process = subprocess.Popen(
                    command.arguments,
                    env=dict(command.environment),
                    cwd=command.folder,
                    stdin=stdin,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            self._guard = _guarded(self._process.pid, self._folder)
        except OSError as error:
            raise ContainerError("the container's program cannot be run", got=error, where=command.name) from error

    def exit_code(self) -> int | None:
        """None while the process runs, or before it was started."""
        code = None if self._process is None else self._process.poll()
        return None if code is None else _as_exit_code(code)

    def terminate(self) -> None:
        """Send SIGTERM to the first process alone, as an engine does."""
        if self._process is not None and self._process.poll() is None:
            target = self._first_child() if self._command.is_supervised else self._process.pid
            _send(target or self._process.pid, signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to the whole process group."""
        if self._process is None:
            return
        child = self._first_child() if self._command.is_supervised and self._process.poll() is None else None
        if child is not None:
            _send(child, signal.SIGKILL)
        _send(-self._process.pid, signal.SIGKILL)

    def wait(self, timeout_s: float) -> int | None:
        """The exit code, or None when the process still runs after `timeout_s`."""
        if self._process is None:
            return None
        try:
            return _as_exit_code(self._process.wait(timeout_s))
        except subprocess.TimeoutExpired:
            return None

    def logs(self) -> str:
        """What the process and its children wrote; still there after `remove`."""
        if self._folder is None:
            return self._last_log
        return (self._folder / "log").read_bytes().decode(errors="replace")

    def remove(self) -> None:
        """Kill the process group and remove the log's folder; the second call does nothing."""
        if self._process is not None:
            self.kill()
            self._process.wait()
            _await_group_end(self._process.pid)
            self._process = None
        if self._guard is not None:
            self._guard.communicate(b".")
            self._guard = None
        if self._folder is not None:
            self._last_log = self.logs()
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        if self._on_remove is not None:
            on_remove, self._on_remove = self._on_remove, None
            on_remove()

    def _first_child(self) -> int | None:
        """The process ID of the child, None before it was forked."""
        pid = self._process.pid if self._process else 0
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        except OSError:
            return None
        return int(children[0]) if children else None


def _guarded(group: int, folder: Path) -> subprocess.Popen[bytes]:
    """Start what kills the process group and removes the folder when this process ends without having done so."""
    return subprocess.Popen(
        (sys.executable, "-I", "-S", "-c", _GUARD, str(group), str(folder)),
        env={},
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _await_group_end(group: int) -> None:
    """Wait for killed children of the first process, which may hold the port until they are dead, reaped or not."""
    deadline = time.monotonic() + _GROUP_END_TIMEOUT_S
    while _has_living(group) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


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


def free_port() -> int:
    """A port on which nothing listens now.

    Raises:
        ContainerError: There is none.
    """
    return free_row(1)


def free_row(length: int) -> int:
    """The first of some ports in a row on which nothing listens now.

    They are not of those that the system gives to outgoing connections: one of these could be taken until it is used.

    Raises:
        ContainerError: There is no such row.
    """
    for _attempt in range(_ATTEMPTS):
        first = random.randrange(_FIRST_PORT, _LAST_PORT - length)
        if all(is_free(port) for port in range(first, first + length)):
            return first
    raise ContainerError(f"no {length} ports in a row are free", where=f"127.0.0.1:{_FIRST_PORT}-{_LAST_PORT}")


def is_free(port: int) -> bool:
    """Whether a server could listen on the port, at every address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True


def _as_exit_code(code: int) -> int:
    """Python says -15 where engines say 143."""
    return 128 - code if code < 0 else code


def _send(target: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(target, number)
