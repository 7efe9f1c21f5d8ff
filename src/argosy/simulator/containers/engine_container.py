"""A container of Docker or Podman, run as SageMaker runs it: `serve`, no network, 64 MB of shared memory.

No network, yet reachable from here: how differs by engine.

- Docker: a bridge network of its own without masquerading, the port published on 127.0.0.1. Packets that leave it carry
  an address that nobody answers to.
- Podman as root: an internal network of its own, which has no route out; a published port does not work there, the
  container's own address does. Podman without root: the same network, reached by the published port, which Podman
  forwards from inside.

Names are looked up at an address of the container's own loopback. Where this process is root and the engine's
containers are processes of this machine, `supervisor.py` joins the container's network and listens there, so that
lookups and connections are seen; elsewhere nothing answers, a lookup fails soon, and only the container's Python is
watched. What this machine itself serves at its bridge address stays reachable.
"""

import functools
import os
import shutil
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from argosy import contract
from argosy.engine import Engine, RunOptions
from argosy.errors import ContainerError, EngineError
from argosy.simulator.containers import limits
from argosy.simulator.containers.attempt import FOLDER, Attempt, AttemptLog
from argosy.simulator.containers.container import Container, Launch, outermost
from argosy.simulator.containers.leftovers import LABEL, guard, make_folder, marked
from argosy.simulator.containers.log import KEPT_BYTES, MOST_BYTES
from argosy.simulator.containers.network_watch import LOOPBACK, RESOLVER, listening
from argosy.simulator.containers.process import python_path
from argosy.simulator.containers.program import Program, Start, isolated, memory_of, processes_below
from argosy.simulator.sandboxing.order import Order

_SHARED_MEMORY: Final = f"--shm-size={int(contract.SHARED_MEMORY.value)}"
_QUICK_LOOKUPS: Final = ("--dns=127.0.0.1", "--dns-opt=timeout:1", "--dns-opt=attempts:1")
_RESOLVER_FILE: Final = f"nameserver {RESOLVER}\noptions timeout:1 attempts:1\n"
_DOCKER_NETWORK: Final = ("--opt=com.docker.network.bridge.enable_ip_masquerade=false",)
_PODMAN_NETWORK: Final = ("--internal",)
# Docker keeps the newer half at least; Podman begins the log anew when it is full.
_DOCKER_LOG: Final = ("--log-driver=json-file", f"--log-opt=max-size={MOST_BYTES // 2}", "--log-opt=max-file=2")
_PODMAN_LOG: Final = ("--log-driver=k8s-file", f"--log-opt=max-size={MOST_BYTES}")
_PODMAN_WRITES: Final = ("/etc/passwd", "/etc/group")  # where it names a user that the image does not have
_KILLED: Final = 137
_NOWHERE: Final = "http://127.0.0.1:9"


class EngineContainer:
    """Runs an image of an engine: see `Container`.

    Args:
        engine: Has the image.
        image: Name or ID, as the engine knows it.
        name: What errors call it.
        launch: How it is started.
        on_remove: Called once by `remove`, last; for folders that were made for it.
    """

    def __init__(
        self, engine: Engine, image: str, name: str, launch: Launch, on_remove: Callable[[], None] | None = None
    ) -> None:
        self._engine = engine
        self._image = image
        self._name = name
        self._launch = launch
        self._on_remove = on_remove
        self._unique = f"{marked('container')}-{uuid.uuid4().hex[:12]}"
        self._is_started = False
        self._is_ended_by_us = False
        self._url = ""
        self._pid = 0  # its first process, where it is ours to look into
        self._seen_pid = 0  # the same, where it can be seen at all
        self._folder: Path | None = None
        self._attempts: AttemptLog | None = None
        self._watcher: Program | None = None
        self._last_log = ""
        self._out_of_memory = ""

    @property
    def name(self) -> str:
        """The image as the caller named it."""
        return self._name

    @property
    def kind(self) -> str:
        """`docker` or `podman`."""
        return Path(self._engine.program).name

    @property
    def is_offline(self) -> bool:
        """Its network has no way out."""
        return True

    @property
    def caveat(self) -> str:
        """Nothing to say: a kernel and an instance of AWS's nobody has here."""
        return ""

    @property
    def url(self) -> str:
        """Where it listens, seen from this machine."""
        return self._url

    @property
    def models_path(self) -> str:
        """Where it sees the folder of models."""
        return contract.MODELS_DIR

    @functools.cached_property
    def lends_network(self) -> bool:
        """Others can be reached in its network with Docker, or Podman as root, on Linux."""
        return sys.platform == "linux" and not self._engine.is_rootless()

    @property
    def first_process(self) -> int:
        """Its first process, where the engine runs on this machine and we are root."""
        return self._pid if self._pid and self.exit_code() is None else 0

    @property
    def container(self) -> str:
        """The engine's name for it."""
        return self._unique

    @property
    def program(self) -> str:
        """`docker` or `podman`: the engine that runs it."""
        return self._engine.program

    def start(self) -> None:
        """Make a network, or join another container's, and run the image with the argument `serve`.

        Raises:
            ContainerError: The image cannot be started: no `serve`, another architecture, ….
            EngineError: The engine failed for another reason.
        """
        engine = self._engine
        guard(engine)
        other = self._launch.shares_network_with
        self._is_started = True
        if other is None:
            network = _PODMAN_NETWORK if engine.is_podman else _DOCKER_NETWORK
            engine.create_network(self._unique, {LABEL: self._unique}, network)
        options = self._options(other)
        try:
            engine.run(self._image, (contract.SERVE_ARGUMENT,), options)
        except EngineError as error:
            raise self._not_started(error) from error
        found = engine.inspect_container(self._unique)
        self._note(found)
        if self._attempts is not None and self._folder is not None:
            if self._pid and other is None:
                self._watcher = self._watch(self._attempts.file, self._folder / "watcher")
            self._attempts.follow()

    @property
    def can_restart(self) -> bool:
        """An engine keeps what a container wrote until it is removed."""
        return True

    def restart(self) -> None:
        """Start it again; what it tries to reach is not watched from then on, but by its Python.

        Raises:
            EngineError: It cannot be started.
        """
        self._engine.start(self._unique)
        self._note(self._engine.inspect_container(self._unique))

    def _note(self, found: Mapping[str, Any]) -> None:
        """Where it listens, and its first process; it is another one after each start."""
        self._url = self._find_url(found, self._launch.shares_network_with)
        self._seen_pid = _process_here(found)
        self._pid = self._seen_pid if os.geteuid() == 0 else 0

    def exit_code(self) -> int | None:
        """None while it runs, or before it was started."""
        return self._engine.exit_code(self._unique) if self._is_started else None

    def terminate(self) -> None:
        """Send SIGTERM to its first process."""
        if self._is_started:
            self._engine.kill(self._unique, "TERM")

    def kill(self) -> None:
        """Send SIGKILL."""
        if self._is_started:
            self._is_ended_by_us = True
            self._engine.kill(self._unique, "KILL")

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code, or None when it still runs after `timeout_s`."""
        return self._engine.wait(self._unique, timeout_s) if self._is_started else None

    def logs(self, last_bytes: int | None = None) -> str:
        """What it wrote; its end is still there after `remove`."""
        written = self._engine.logs(self._unique) if self._is_started else self._last_log
        return written if last_bytes is None else written[-last_bytes:]

    def attempts(self) -> Sequence[Attempt]:
        """What it tried to reach; a container that shares another's network tells only what its Python did."""
        return self._attempts.attempts() if self._attempts else ()

    def out_of_memory(self) -> str:
        """What the kernel did to it for want of memory, as far as the engine knows: not all of them always do."""
        limit = self._launch.memory_bytes
        if not self._is_started or not limit:
            return self._out_of_memory
        with suppress(EngineError):
            state = self._engine.inspect_container(self._unique)["State"]
            if state.get("OOMKilled"):
                return limits.told(1, limit)
            if state["ExitCode"] == _KILLED and not state["Running"] and not self._is_ended_by_us:
                return f"most likely out of memory, it was killed, not by us, and its limit is {limit / 2**30:.3g} GiB"
        return ""

    def written(self) -> Sequence[str]:
        """What it wrote outside `/tmp`, as the engine compares it with the image."""
        own = (*self._launch.mounts, FOLDER, *(_PODMAN_WRITES if self._engine.is_podman else ()))
        return outermost(self._engine.changes(self._unique), own) if self._is_started else ()

    def processes(self) -> Sequence[tuple[str, int]]:
        """The name and the memory of each of its processes, where they are processes of this machine."""
        return processes_below(self._pid) if self._pid else ()

    def memory_bytes(self) -> int | None:
        """What its processes take now, where they are processes of this machine."""
        return memory_of(self._seen_pid) if self._seen_pid and self._is_started else None

    def is_on_loopback_only(self) -> bool:
        """Whether it listens on loopback alone, where its network can be looked into."""
        found = listening(self._launch.port, Path(f"/proc/{self._pid}/net")) if self._pid else frozenset()
        return bool(found) and found <= LOOPBACK

    def remove(self) -> None:
        """Remove container, network and folder; the second call does nothing."""
        if self._is_started:
            self._out_of_memory = self.out_of_memory()
            try:
                self._last_log = self.logs(KEPT_BYTES)
            except EngineError:
                self._last_log = ""  # it was never created
            self._engine.remove_container(self._unique)
            if self._launch.shares_network_with is None:
                self._engine.remove_network(self._unique)
            self._is_started = False
        if self._watcher is not None:
            self._watcher.end()
            self._watcher = None
        if self._attempts is not None:
            self._attempts.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        if self._on_remove is not None:
            on_remove, self._on_remove = self._on_remove, None
            on_remove()

    def _options(self, other: Container | None) -> RunOptions:
        launch = self._launch
        environment = dict(launch.environment)
        mounts = {folder: path for path, folder in launch.mounts.items()}
        flags = [_SHARED_MEMORY, *(_PODMAN_LOG if self._engine.is_podman else _DOCKER_LOG)]
        if launch.is_watched:
            self._folder = make_folder("container")
            self._attempts = AttemptLog(self._folder, launch.on_attempt)
            resolver = self._folder / "resolv.conf"
            resolver.write_text(_RESOLVER_FILE, encoding="ascii")
            mounts |= {self._attempts.folder: FOLDER, resolver: "/etc/resolv.conf"}
            flags.append(f"--mount=type=bind,source={self._attempts.file},target={FOLDER}/{self._attempts.file.name}")
            environment["PYTHONPATH"] = python_path(FOLDER, self._image_environment() | environment)
        elif other is None:
            flags += _QUICK_LOOKUPS
        flags += ["--read-only", "--tmpfs=/tmp"] if launch.read_only else []
        if launch.cpus:
            flags.append(f"--cpus={min(launch.cpus, os.cpu_count() or 1):g}")  # Docker refuses more than there are
        if launch.memory_bytes:
            flags += [f"--memory={launch.memory_bytes}b", f"--memory-swap={launch.memory_bytes}b"]
        flags += [f"--user={launch.user}:{launch.user}"] if launch.user is not None else []
        flags += [f"--hostname={launch.hostname}"] if launch.hostname and other is None else []
        return RunOptions(
            name=self._unique,
            labels={LABEL: self._unique},
            environment=environment,
            network=self._unique if other is None else f"container:{self._joined(other)}",
            publish=launch.port if other is None else None,
            read_only_mounts=mounts,
            flags=tuple(flags),
        )

    def _watch(self, attempts: Path, log: Path) -> Program | None:
        """What listens to lookups in its network, and looks at its connections; ends with the container."""
        order = Order(attempts=str(attempts), watched_process=self._pid)
        command = ("nsenter", f"--target={self._pid}", "--net", "--", *isolated("supervisor"))
        with suppress(OSError):
            return Program(Start(command, self._engine.environ, stdin=order.encoded()), log)
        return None

    def _image_environment(self) -> dict[str, str]:
        listed = (self._engine.inspect_image(self._image).get("Config") or {}).get("Env") or []
        return dict(pair.split("=", 1) for pair in listed if "=" in pair)

    def _joined(self, other: Container) -> str:
        """The engine's name of the container whose network this one shares."""
        if not isinstance(other, EngineContainer) or other.program != self.program:
            raise ContainerError(
                "containers that share a network are run by one engine",
                got=f"{other.kind} and {self.kind}",
                where=self._name,
            )
        if not other.lends_network:
            raise ContainerError(
                "containers that share a network cannot be reached here",
                want="Docker, or Podman as root, on Linux",
                where=self._name,
                hint="give each container a network of its own",
            )
        return other.container

    def _find_url(self, found: Mapping[str, Any], other: Container | None) -> str:
        """Where the port can be reached; a container that has ended already gets a URL where nothing answers."""
        port = self._launch.port
        if isinstance(other, EngineContainer):
            owner = self._engine.inspect_container(other.container)
            return f"http://{_address(owner, other.container)}:{port}"
        settings = found["NetworkSettings"]
        if self._engine.is_podman and not self._engine.is_rootless():
            return f"http://{_address(found, self._unique)}:{port}"
        bindings = (settings["Ports"] or {}).get(f"{port}/tcp") or []
        if bindings:
            return f"http://127.0.0.1:{bindings[0]['HostPort']}"
        if found["State"]["Running"]:
            raise EngineError(f"port {port} of container `{self._unique}` is not published")
        return _NOWHERE

    def _not_started(self, error: EngineError) -> EngineError | ContainerError:
        """The image's fault, when the engine created the container but could not run its program."""
        complaint = str(error.got or "")
        blamed = ("executable file not found", "exec format error", "permission denied", "no such file or directory")
        if any(sign in complaint for sign in blamed):
            return ContainerError(
                "the image cannot be started with the argument `serve`",
                got=complaint.splitlines()[0],
                want="an ENTRYPOINT that takes `serve`, or a `serve` on PATH, built for this machine's architecture",
                where=self._name,
            )
        return error


def _address(found: Mapping[str, Any], network: str) -> str:
    """The container's IP address in a network; one where nothing answers when it has ended."""
    return str(found["NetworkSettings"]["Networks"][network]["IPAddress"] or "127.0.0.1")


def _process_here(found: Mapping[str, Any]) -> int:
    """The container's first process as a process of this machine; 0 where it is none, or cannot be told."""
    pid = int(found["State"].get("Pid") or 0)
    # Its /etc/hosts lies in a folder of the engine's that has its ID; so has its control group, which anyone may see.
    for file in ("mountinfo", "cgroup") if pid else ():
        with suppress(OSError):
            if str(found["Id"]) in Path(f"/proc/{pid}/{file}").read_text(encoding="utf-8", errors="replace"):
                return pid
    return 0
