"""A container that is a plain process of this machine: for projects not yet built.

The process has an environment and a process group of its own, and is ended when whoever started it is killed.
It has this machine's network and no limits: what needs isolation to be proved is not proved by it.
"""

import random
import shutil
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from argosy import contract
from argosy.errors import ContainerError
from argosy.simulator.containers.attempt import Attempt, AttemptLog, OnAttempt
from argosy.simulator.containers.leftovers import make_folder
from argosy.simulator.containers.log import Log
from argosy.simulator.containers.network_watch import LOOPBACK, listening
from argosy.simulator.containers.program import Program, Start, processes_below

_ATTEMPTS: Final = 200
_FIRST_PORT, _LAST_PORT = 10_000, 32_000  # Linux gives 32768 and above to outgoing connections


@dataclass(frozen=True, slots=True)
class Command:
    """What is run, complete.

    Attributes:
        name: What errors call it: the image or project.
        arguments: Program and arguments.
        environment: The whole environment; nothing is inherited.
        folder: Working directory.
        port: The port that it listens on, at 127.0.0.1 or everywhere.
        models_path: Where it sees `Launch.models_dir`; a process without a root of its own sees it where it is.
        caveat: What running it this way cannot prove, as a clause about the container.
        is_watched: Whether its Python tells what it tries to reach: `PYTHONPATH` is added to its environment.
        on_attempt: Told of each attempt.
    """

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    folder: Path
    port: int
    models_path: str = contract.MODELS_DIR
    caveat: str = ""
    is_watched: bool = False
    on_attempt: OnAttempt | None = None


class ProcessContainer:
    """Runs a command as a container: see `Container`.

    Args:
        command: What is run.
        on_remove: Called once by `remove`, after the process has ended; for folders that were made for it.
    """

    def __init__(self, command: Command, on_remove: Callable[[], None] | None = None) -> None:
        self._command = command
        self._on_remove = on_remove
        self._program: Program | None = None
        self._folder: Path | None = None
        self._attempts: AttemptLog | None = None
        self._log: Log | None = None

    @property
    def name(self) -> str:
        """The image or project."""
        return self._command.name

    @property
    def kind(self) -> str:
        """`process`."""
        return "process"

    @property
    def is_offline(self) -> bool:
        """It has this machine's network."""
        return False

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

    @property
    def lends_network(self) -> bool:
        """All processes have this machine's network as it is."""
        return False

    @property
    def can_restart(self) -> bool:
        """It is a program that can be run again."""
        return True

    def restart(self) -> None:
        """Run the program again, in the same log.

        Raises:
            ContainerError: It still runs, its port is taken, or the program cannot be run.
        """
        if self._program is None or self._program.exit_code() is None:
            raise ContainerError("a process that runs, or was never started, is not started again", where=self.name)
        self._program.end()
        self._run()

    def start(self) -> None:
        """Start the process with its log going to a file.

        Raises:
            ContainerError: Its port is taken, or the program cannot be run.
        """
        command = self._command
        self._folder = make_folder("container")
        self._log = Log(self._folder / "log")
        if command.is_watched:
            self._attempts = AttemptLog(self._folder, command.on_attempt)
        self._run()
        if self._attempts is not None:
            self._attempts.follow()

    def _run(self) -> None:
        command = self._command
        assert self._log is not None
        if not is_free(command.port):
            raise ContainerError(
                f"port {command.port}, where the container listens, is taken by another program",
                where=command.name,
                hint=f"end what listens there (see `ss -ltnp 'sport = :{command.port}'`), or use `--container docker`",
            )
        environment = dict(command.environment)
        if self._attempts is not None:
            environment["PYTHONPATH"] = python_path(str(self._attempts.folder), environment)
        start = Start(command.arguments, environment, command.folder)
        try:
            self._program = Program(start, self._log.file)
        except OSError as error:
            raise ContainerError("the container's program cannot be run", got=error, where=command.name) from error

    def exit_code(self) -> int | None:
        """None while the process runs, or before it was started."""
        return self._program.exit_code() if self._program else None

    def terminate(self) -> None:
        """Send SIGTERM to the first process alone, as an engine does."""
        if self._program is not None:
            self._program.terminate()

    def kill(self) -> None:
        """Send SIGKILL to the whole process group."""
        if self._program is not None:
            self._program.kill()

    def wait(self, timeout_s: float) -> int | None:
        """The exit code, or None when the process still runs after `timeout_s`."""
        return self._program.wait(timeout_s) if self._program else None

    def logs(self, last_bytes: int | None = None) -> str:
        """What the process and its children wrote; its end is still there after `remove`."""
        return self._log.text(last_bytes) if self._log else ""

    def attempts(self) -> Sequence[Attempt]:
        """What its Python tried to reach."""
        return self._attempts.attempts() if self._attempts else ()

    def out_of_memory(self) -> str:
        """Nothing is known: it is not limited."""
        return ""

    def written(self) -> Sequence[str]:
        """Nothing is known: it has this machine's file system."""
        return ()

    def processes(self) -> Sequence[tuple[str, int]]:
        """The name and the memory of each of its processes."""
        return processes_below(self._program.pid) if self._program else ()

    def memory_bytes(self) -> int | None:
        """What the process and its descendants take now."""
        return self._program.memory_bytes() if self._program else None

    def is_on_loopback_only(self) -> bool:
        """Whether all that listens on its port on this machine does so on loopback."""
        found = listening(self._command.port)
        return bool(found) and found <= LOOPBACK

    def remove(self) -> None:
        """Kill the process group and remove the log's folder; the second call does nothing."""
        if self._program is not None:
            self._program.end()
            self._program = None
        if self._attempts is not None:
            self._attempts.close()
        if self._log is not None:
            self._log.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        if self._on_remove is not None:
            on_remove, self._on_remove = self._on_remove, None
            on_remove()


def python_path(folder: str, environment: Mapping[str, str]) -> str:
    """`PYTHONPATH` with a folder before what is there."""
    return ":".join(filter(None, (folder, environment.get("PYTHONPATH"))))


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
