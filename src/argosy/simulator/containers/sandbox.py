"""A container made of an unpacked image with no engine: namespaces of its own, and a network of loopback alone.

Its files, processes, host name, network, `/tmp` and 64 MB of shared memory are its own, its environment is the image's,
and its memory and processors are limited where the kernel lets us. `supervisor.py` makes all that, and relays the port.
What it writes to its file system is kept in memory, and counts as such. Of its system calls those that lead out of it
are refused.
"""

import functools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from argosy import contract
from argosy.errors import ContainerError
from argosy.simulator.containers import limits
from argosy.simulator.containers.attempt import FOLDER, Attempt, AttemptLog
from argosy.simulator.containers.container import Launch, outermost
from argosy.simulator.containers.leftovers import make_folder
from argosy.simulator.containers.limits import Enforced
from argosy.simulator.containers.log import Log
from argosy.simulator.containers.network_watch import LOOPBACK, listening
from argosy.simulator.containers.process import free_port, python_path
from argosy.simulator.containers.program import Program, Start, isolated, processes_below
from argosy.simulator.containers.supervisor import WRITTEN
from argosy.simulator.sandboxing.order import HOSTNAME, Entry, Order

_CAVEAT: Final = (
    "it runs without a container engine: an engine refuses more system calls, and what it writes to its file system "
    "takes up its memory"
)
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PROBE_TIMEOUT_S: Final = 20.0
_NETWORK_S: Final = 10.0
_POLL_S: Final = 0.005


class SandboxContainer:
    """Runs an unpacked image: see `Container`. Nothing in its root is changed by that.

    Args:
        root: The merged root filesystem.
        config: The `config` object of the image's configuration (Env, Entrypoint, WorkingDir, User).
        name: What errors call it.
        launch: How it is started.
        on_remove: Called once by `remove`, last; for folders that were made for it.

    Raises:
        ContainerError: This machine does not allow what is needed.
    """

    def __init__(
        self,
        root: Path,
        config: Mapping[str, Any],
        name: str,
        launch: Launch,
        on_remove: Callable[[], None] | None = None,
    ) -> None:
        probe(root)
        self._on_remove = on_remove
        self._root = root
        self._config = config
        self._name = name
        self._launch = launch
        self._program: Program | None = None
        self._folder: Path | None = None
        self._attempts: AttemptLog | None = None
        self._enforced = Enforced()
        self._memory_kills = 0
        self._log: Log | None = None
        self._listener: socket.socket | None = _bound()
        self._port = int(self._listener.getsockname()[1])

    @property
    def name(self) -> str:
        """The image as the caller named it."""
        return self._name

    @property
    def kind(self) -> str:
        """`sandbox`."""
        return "sandbox"

    @property
    def is_offline(self) -> bool:
        """Its network leads nowhere."""
        return True

    @property
    def caveat(self) -> str:
        """What running it this way cannot prove."""
        return "; ".join(filter(None, (_CAVEAT, self._enforced.caveat)))

    @property
    def url(self) -> str:
        """Where it is reached: the relay's end on this machine."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def models_path(self) -> str:
        """Where it sees the folder of models."""
        return contract.MODELS_DIR

    @property
    def lends_network(self) -> bool:
        """Others can be started in its network."""
        return True

    @property
    def network_process(self) -> int | None:
        """A process in its network namespace, None when it does not run."""
        return self._program.pid if self._program and self._program.exit_code() is None else None

    def await_network(self) -> int | None:
        """Its network process as soon as the network is made: then it has a child, which becomes the image's program.

        Before that the process is in this machine's network. None when it does not run, or has ended meanwhile.
        """
        deadline = time.monotonic() + _NETWORK_S
        while (pid := self.network_process) is not None and time.monotonic() < deadline:
            if self._program is not None and self._program.first() != pid:
                return pid
            time.sleep(_POLL_S)
        return None

    def start(self) -> None:
        """Start it in namespaces of its own.

        Raises:
            ContainerError: `unshare` cannot be run, or the container whose network it is to share does not run.
        """
        launch = self._launch
        command = _unshare() if launch.shares_network_with is None else self._joining()
        self._folder = make_folder("container")
        self._log = Log(self._folder / "log")
        if launch.is_watched:
            self._attempts = AttemptLog(self._folder, launch.on_attempt)
        self._enforced = limits.enforce(launch.cpus, launch.memory_bytes, self._folder.name)
        listener, self._listener = self._listener, None
        if listener is None:
            raise ContainerError("a container is started once", where=self._name)
        with listener:
            order = Order(
                entry=self._entry(self._folder),
                makes_network=launch.shares_network_with is None,
                listener=listener.fileno(),
                port=launch.port,
                attempts=str(self._attempts.file) if self._attempts and not launch.shares_network_with else None,
                cgroups=[str(group) for group in self._enforced.groups],
                memory_limit=self._enforced.data_bytes,
                processors=self._enforced.processors,
            )
            descriptors = (listener.fileno(),)
            start = Start(command, {"PATH": _PATH}, stdin=order.encoded(), descriptors=descriptors, is_supervisor=True)
            try:
                self._program = Program(start, self._log.file)
            except OSError as error:
                raise ContainerError("the container's program cannot be run", got=error, where=self._name) from error
        if self._attempts is not None:
            self._attempts.follow()

    @property
    def can_restart(self) -> bool:
        """What it wrote is gone with its last process."""
        return False

    def restart(self) -> None:
        """Refused.

        Raises:
            ContainerError: A sandbox is started once.
        """
        raise ContainerError("a sandbox is not started again", where=self._name, hint="use `--container docker`")

    def exit_code(self) -> int | None:
        """None while it runs, or before it was started."""
        return self._program.exit_code() if self._program else None

    def terminate(self) -> None:
        """Send SIGTERM to its first process."""
        if self._program is not None:
            self._program.terminate()

    def kill(self) -> None:
        """Send SIGKILL to its first process, with which all others end."""
        if self._program is not None:
            self._program.kill()

    def wait(self, timeout_s: float) -> int | None:
        """The exit code, or None when it still runs after `timeout_s`."""
        return self._program.wait(timeout_s) if self._program else None

    def logs(self, last_bytes: int | None = None) -> str:
        """What it wrote; its end is still there after `remove`."""
        return self._log.text(last_bytes) if self._log else ""

    def attempts(self) -> Sequence[Attempt]:
        """What it tried to reach; a container that shares another's network tells only what its Python did."""
        return self._attempts.attempts() if self._attempts else ()

    def out_of_memory(self) -> str:
        """What the kernel did to it for want of memory."""
        kills = self._enforced.memory_kills() or self._memory_kills
        limit = self._launch.memory_bytes
        return limits.told(kills, limit) if kills and limit else ""

    def written(self) -> Sequence[str]:
        """What is in the upper half of its file system; nothing once it has ended."""
        pid = self.network_process
        if pid is None:
            return ()
        upper = f"/proc/{pid}/fd/{WRITTEN}"
        found = [Path(folder, name) for folder, _, names in os.walk(upper) for name in names]
        return outermost((f"/{path.relative_to(upper)}" for path in found), (*self._launch.mounts, FOLDER))

    def processes(self) -> Sequence[tuple[str, int]]:
        """The name and the memory of each of its processes."""
        return processes_below(self._program.first()) if self._program else ()

    def memory_bytes(self) -> int | None:
        """What its processes take now."""
        return self._program.memory_bytes() if self._program else None

    def is_on_loopback_only(self) -> bool:
        """Whether all that listens on its port, in its network, does so on loopback."""
        pid = self.network_process
        found = listening(self._launch.port, Path(f"/proc/{pid}/net")) if pid else frozenset()
        return bool(found) and found <= LOOPBACK

    def remove(self) -> None:
        """End it, and remove its folder and control groups; the second call does nothing."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._program is not None:
            self._program.end()
            self._program = None
        if self._attempts is not None:
            self._attempts.close()
        self._memory_kills = self._enforced.memory_kills() or self._memory_kills
        self._enforced.remove()
        self._enforced = Enforced(caveat=self._enforced.caveat)
        if self._log is not None:
            self._log.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        if self._on_remove is not None:
            on_remove, self._on_remove = self._on_remove, None
            on_remove()

    def _entry(self, folder: Path) -> Entry:
        launch, config = self._launch, self._config
        scratch = folder / "scratch"
        scratch.mkdir()
        home = "/root" if launch.user is None else "/"  # as engines have it for a user that the image does not name
        environment = {"PATH": _PATH, "HOME": home, "HOSTNAME": launch.hostname or HOSTNAME}
        environment |= dict(pair.split("=", 1) for pair in config.get("Env") or [] if "=" in pair)
        environment |= launch.environment
        mounts = [(str(source), target, False) for target, source in launch.mounts.items()]
        if self._attempts is not None:
            mounts += [
                (str(self._attempts.folder), FOLDER, False),
                (str(self._attempts.file), f"{FOLDER}/{self._attempts.file.name}", True),
            ]
            environment["PYTHONPATH"] = python_path(FOLDER, environment)
        return Entry(
            root=str(self._root),
            scratch=str(scratch),
            mounts=mounts,
            folder=config.get("WorkingDir") or "/",
            user=config.get("User") or "" if launch.user is None else f"{launch.user}:{launch.user}",
            arguments=(*(config.get("Entrypoint") or ()), contract.SERVE_ARGUMENT),
            environment=environment,
            hostname=launch.hostname or HOSTNAME,
            disk_bytes=launch.disk_bytes,
            is_read_only=launch.read_only,
            is_rootless=_is_rootless(),
        )

    def _joining(self) -> tuple[str, ...]:
        """The command that starts the supervisor in the network of another sandbox."""
        other = self._launch.shares_network_with
        pid = other.await_network() if isinstance(other, SandboxContainer) else None
        if pid is None:
            raise ContainerError(
                "the container whose network it is to share does not run", want="another sandbox", where=self._name
            )
        user = ("--user", "--preserve-credentials") if _is_rootless() else ()
        return ("nsenter", f"--target={pid}", *user, "--net", "--", *isolated("supervisor"))


def probe(root: Path) -> None:
    """Set a container up and end it at once; that it went well is remembered.

    Raises:
        ContainerError: Namespaces or mounts are refused, or `unshare` of util-linux is missing.
    """
    _probe(root, _unshare())


@functools.cache
def _probe(root: Path, command: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory(prefix="argosy-probe-") as scratch:
        order = Order(Entry(str(root), scratch, is_rootless=_is_rootless(), is_probe=True), makes_network=True)
        try:
            ended = subprocess.run(
                command, input=order.encoded(), capture_output=True, check=False, timeout=_PROBE_TIMEOUT_S
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            complaint = str(error)
        else:
            complaint = ended.stderr.decode(errors="replace").strip()
            if ended.returncode == 0:
                return
            if not complaint and ended.returncode < 0:
                complaint = signal.Signals(-ended.returncode).name
    raise ContainerError(
        "this machine does not let an image run without a container engine",
        got=complaint,
        want="Linux with util-linux's `unshare`, and root or user namespaces with overlay mounts",
        hint="simulate the project folder itself, or use `--container docker`",
    )


def _bound() -> socket.socket:
    """A socket with a port of its own that nobody can connect to yet.

    The port is asked for by its number: only then does a socket keep it when it stops listening.
    """
    while True:
        bound = socket.socket()
        try:
            bound.bind(("127.0.0.1", free_port()))
        except OSError:
            bound.close()
        else:
            return bound


def _is_rootless() -> bool:
    return os.geteuid() != 0


def _unshare() -> tuple[str, ...]:
    as_root = ("--user", "--map-root-user") if _is_rootless() else ()
    return ("unshare", *as_root, "--net", "--", *isolated("supervisor"))
