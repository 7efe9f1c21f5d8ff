"""What a running inference image is to the simulator: a URL, signals, an exit code and a log.

`engine_container.py`, `sandbox.py` and `process.py` implement the protocol; endpoints, transform jobs and checks know
nothing else of them.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from argosy import contract
from argosy.errors import ContainerError
from argosy.simulator.containers.attempt import Attempt, OnAttempt

_LOG_TAIL_LINES: Final = 25
_LOG_TAIL_BYTES: Final = 64 * 1024
_KILLED_TIMEOUT_S: Final = 10.0
_MADE: Final = ("/tmp", "/proc", "/dev", "/sys", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/.dockerenv")


class Container(Protocol):
    """A running inference image as the platform runs it.

    The methods block; asynchronous callers put them on a thread.
    """

    @property
    def name(self) -> str:
        """What errors call it: the image or project it was made of."""

    @property
    def kind(self) -> str:
        """`docker`, `podman`, `sandbox` or `process`."""

    @property
    def url(self) -> str:
        """`http://ADDRESS:PORT` without a final slash, valid after `start`."""

    @property
    def is_offline(self) -> bool:
        """Whether it really has no way out to a network."""

    @property
    def caveat(self) -> str:
        """What running it this way cannot prove, as a clause; empty when there is nothing to say."""

    @property
    def models_path(self) -> str:
        """Where the container sees `Launch.models_dir`: `/opt/ml/models`, unless it is a plain process."""

    @property
    def lends_network(self) -> bool:
        """Whether containers of its kind can be started in its network while it runs: `Launch.shares_network_with`."""

    def start(self) -> None:
        """Start it; returns before it answers.

        Raises:
            ContainerError: It cannot be started; nothing is left behind after `remove`.
            EngineError: The container engine failed.
        """

    def exit_code(self) -> int | None:
        """None while it runs; 128 + the number of the signal when a signal ended it."""

    def terminate(self) -> None:
        """Send SIGTERM to its first process."""

    def kill(self) -> None:
        """Send SIGKILL; all its processes end."""

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code, or None when it still runs after `timeout_s`."""

    def logs(self, last_bytes: int | None = None) -> str:
        """What it wrote to stdout and stderr so far, or the last of it; no more than `log.MOST_BYTES` is kept."""

    def attempts(self) -> Sequence[Attempt]:
        """What it tried to reach so far, one for each host and process; still there after `remove`."""

    def out_of_memory(self) -> str:
        """What the kernel did to it for want of memory, as a clause; empty when nothing is known of that."""

    def memory_bytes(self) -> int | None:
        """What all its processes take now; None before its start and after its end, and where that cannot be seen."""

    def is_on_loopback_only(self) -> bool:
        """Whether it listens at its port on 127.0.0.1 or ::1 alone; False where that cannot be seen."""

    def written(self) -> Sequence[str]:
        """The files of its own file system, outside `/tmp`, that it made, changed or removed so far; while it runs.

        Empty where that cannot be seen.
        """

    def processes(self) -> Sequence[tuple[str, int]]:
        """The name and the memory in bytes of each of its processes, the largest first; while it runs.

        Empty where that cannot be seen.
        """

    @property
    def can_restart(self) -> bool:
        """Whether it can be started again once it has ended, with what it wrote still there."""

    def restart(self) -> None:
        """Start it again once it has ended.

        Raises:
            ContainerError: It cannot be started, or its kind cannot be started again.
            EngineError: The container engine failed.
        """

    def remove(self) -> None:
        """End it and leave nothing behind: no process, container, network, mount or folder. May be called twice."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How a container is started, beside its image.

    Attributes:
        environment: `ContainerDefinition.Environment` and what the platform adds to it.
        model_dir: The unpacked model artifacts, seen read-only at `/opt/ml/model`; None mounts nothing there.
        models_dir: A folder that grows while the container runs: models of a multi-model endpoint, or adapters. Seen
            read-only at `/opt/ml/models`; None mounts nothing there.
        channels: Artifacts beside the model's, by channel, seen read-only below
            `/opt/ml/additional-model-data-sources`.
        read_only: Whether the root file system is read-only, with `/tmp` alone writable; SageMaker's is writable.
        hostname: `ContainerHostname`; None leaves it to the kind of container.
        shares_network_with: A container of the same model that has been started: this one gets no network of its own
            but that one's, so that each needs a port of its own. None gives it its own.
        cpus: Processors that it may use, in time; None is all.
        memory_bytes: Memory that all its processes may use together, without swap; None is all. UNSURE: how much of an
            instance's memory SageMaker leaves to a container; `instance_types` has the whole.
        disk_bytes: What it may write to its file system; heeded by a sandbox.
        user: The number of the user and of the group that it runs as, whatever the image says; None leaves it to the
            image. Not heeded without root, and by plain processes.
        is_watched: Whether its attempts to reach the network are looked for, with a hook in its Python among others.
        on_attempt: Told of each.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    model_dir: Path | None = None
    models_dir: Path | None = None
    channels: Mapping[str, Path] = field(default_factory=dict)
    read_only: bool = False
    hostname: str | None = None
    shares_network_with: Container | None = None
    cpus: float | None = None
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    user: int | None = None
    is_watched: bool = True
    on_attempt: OnAttempt | None = None

    @property
    def mounts(self) -> dict[str, Path]:
        """The folders of this machine that are seen read-only in the container, by the path in it."""
        found = {f"{contract.CHANNELS_DIR}/{name}": folder for name, folder in self.channels.items()}
        if self.model_dir is not None:
            found[contract.MODEL_DIR] = self.model_dir
        if self.models_dir is not None:
            found[contract.MODELS_DIR] = self.models_dir
        return found

    @property
    def port(self) -> int:
        """Where the container is told to listen: 8080, unless its environment names another port."""
        return int(self.environment.get(contract.PlatformVariable.BIND_TO_PORT, contract.PORT))


class DelegatingContainer:
    """A `Container` that does all that another one does.

    Args:
        container: The one that runs.
    """

    def __init__(self, container: Container) -> None:
        self._container = container

    @property
    def name(self) -> str:
        """What errors call it."""
        return self._container.name

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._container.url

    @property
    def kind(self) -> str:
        """What runs it."""
        return self._container.kind

    @property
    def is_offline(self) -> bool:
        """Whether it has no way out to a network."""
        return self._container.is_offline

    @property
    def caveat(self) -> str:
        """What running it this way cannot prove."""
        return self._container.caveat

    @property
    def models_path(self) -> str:
        """Where it sees the folder of models."""
        return self._container.models_path

    @property
    def lends_network(self) -> bool:
        """Whether others can be started in its network."""
        return self._container.lends_network

    @property
    def can_restart(self) -> bool:
        """Whether it can be started again."""
        return self._container.can_restart

    def start(self) -> None:
        """Start it.

        Raises:
            ContainerError: It cannot be started.
            EngineError: The container engine failed.
        """
        self._container.start()

    def restart(self) -> None:
        """Start it again once it has ended.

        Raises:
            ContainerError: It cannot be started.
            EngineError: The container engine failed.
        """
        self._container.restart()

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._container.exit_code()

    def terminate(self) -> None:
        """Send SIGTERM to its first process."""
        self._container.terminate()

    def kill(self) -> None:
        """Send SIGKILL."""
        self._container.kill()

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code, or None when it still runs after `timeout_s`."""
        return self._container.wait(timeout_s)

    def logs(self, last_bytes: int | None = None) -> str:
        """What it wrote so far, or the last of it."""
        return self._container.logs(last_bytes)

    def attempts(self) -> Sequence[Attempt]:
        """What it tried to reach so far."""
        return self._container.attempts()

    def out_of_memory(self) -> str:
        """What the kernel did to it for want of memory."""
        return self._container.out_of_memory()

    def is_on_loopback_only(self) -> bool:
        """Whether it listens on loopback alone."""
        return self._container.is_on_loopback_only()

    def written(self) -> Sequence[str]:
        """What it wrote outside `/tmp`."""
        return self._container.written()

    def memory_bytes(self) -> int | None:
        """What its processes take now."""
        return self._container.memory_bytes()

    def processes(self) -> Sequence[tuple[str, int]]:
        """The name and the memory of each of its processes."""
        return self._container.processes()

    def remove(self) -> None:
        """End it and leave nothing behind."""
        self._container.remove()


def outermost(paths: Iterable[str], own: Iterable[str]) -> tuple[str, ...]:
    """What a container wrote: without what is in `/tmp`, what was made to run it, and the folders of other entries.

    Args:
        paths: Absolute paths in the container, files and folders.
        own: Paths that whoever runs it has made: they are left out with all that is below and above them.

    >>> outermost(["/opt", "/opt/cache", "/opt/cache/a", "/tmp/b", "/etc", "/etc/hosts"], ["/etc/hosts"])
    ('/opt/cache/a',)
    """
    made = (*_MADE, *own)
    found = sorted({path for path in paths if not any(_is_at_or_below(path, other) for other in made)})
    above = {str(parent) for path in (*found, *made) for parent in PurePosixPath(path).parents}
    return tuple(path for path in found if path not in above and "__pycache__" not in path)


def _is_at_or_below(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}/")


@dataclass(frozen=True, slots=True)
class Stop:
    """How a container ended.

    Attributes:
        exit_code: 128 + the number of the signal when a signal ended it.
        seconds: From SIGTERM to its end.
        killed: Whether SIGTERM was not enough.
    """

    exit_code: int
    seconds: float
    killed: bool


def stop(container: Container, grace_s: float = contract.STOP_GRACE.value) -> Stop:
    """End a container as SageMaker does: SIGTERM, and SIGKILL after `grace_s`.

    Raises:
        ContainerError: It outlived SIGKILL.
    """
    started = time.monotonic()
    container.terminate()
    exit_code = container.wait(grace_s)
    killed = exit_code is None
    if exit_code is None:
        container.kill()
        exit_code = container.wait(_KILLED_TIMEOUT_S)
    if exit_code is None:
        raise ContainerError("the container outlived SIGKILL", where=container.name)
    return Stop(exit_code, time.monotonic() - started, killed)


def ending(container: Container, exit_code: int) -> str:
    """How a container ended, in words: `exit code 137: out of memory, …`."""
    reason = container.out_of_memory()
    return f"exit code {exit_code}: {reason}" if reason else f"exit code {exit_code}"


def log_tail(container: Container, lines: int = _LOG_TAIL_LINES) -> str:
    """The last lines of a container's log, indented, under a heading; or a sentence that there are none."""
    written = container.logs(_LOG_TAIL_BYTES).rstrip().splitlines()
    if not written:
        return "The container wrote nothing to its log."
    return "\n".join(["The container's log ends with:", *(f"    {line}" for line in written[-lines:])])
