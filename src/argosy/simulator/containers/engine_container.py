"""A container of Docker or Podman, run as SageMaker runs it: `serve`, no network, 64 MB of shared memory.

No network, yet reachable from here: how differs by engine.

- Docker: a bridge network of its own without masquerading, the port published on 127.0.0.1. Packets that leave it carry
  an address that nobody answers to.
- Podman as root: an internal network of its own, which has no route out; a published port does not work there, the
  container's own address does. Podman without root: the same network, reached by the published port, which Podman
  forwards from inside.

Names are looked up at 127.0.0.1 in the container, where nothing answers, so a lookup fails soon. What this machine
itself serves at its bridge address stays reachable.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Final

from argosy import contract
from argosy.engine import Engine, RunOptions
from argosy.errors import ContainerError, EngineError
from argosy.simulator.containers.container import Launch

LABEL: Final = "argosy.simulator"
"""On every container and network made here: `docker ps --all --filter label=…` finds what a killed simulator left."""

_SHARED_MEMORY: Final = f"--shm-size={int(contract.SHARED_MEMORY.value)}"
_QUICK_LOOKUPS: Final = ("--dns=127.0.0.1", "--dns-opt=timeout:1", "--dns-opt=attempts:1")
_DOCKER_NETWORK: Final = ("--opt=com.docker.network.bridge.enable_ip_masquerade=false",)
_PODMAN_NETWORK: Final = ("--internal",)


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
        self._unique = f"argosy-{uuid.uuid4().hex[:12]}"
        self._is_started = False
        self._url = ""
        self._last_log = ""

    @property
    def name(self) -> str:
        """The image as the caller named it."""
        return self._name

    @property
    def url(self) -> str:
        """Where it listens, seen from this machine."""
        return self._url

    @property
    def models_path(self) -> str:
        """Where it sees the folder of models."""
        return contract.MODELS_DIR

    @property
    def container(self) -> str:
        """The engine's name for it."""
        return self._unique

    @property
    def program(self) -> str:
        """`docker` or `podman`: the engine that runs it."""
        return self._engine.program

    def start(self) -> None:
        """Make a network and run the image with the argument `serve`.

        Raises:
            ContainerError: The image cannot be started: no `serve`, another architecture, ….
            EngineError: The engine failed for another reason.
        """
        engine = self._engine
        labels: Mapping[str, str] = {LABEL: self._unique}
        self._is_started = True
        engine.create_network(self._unique, labels, _PODMAN_NETWORK if engine.is_podman else _DOCKER_NETWORK)
        options = RunOptions(
            name=self._unique,
            labels=labels,
            environment=self._launch.environment,
            network=self._unique,
            publish=self._launch.port,
            read_only_mounts={folder: path for path, folder in self._launch.mounts.items()},
            flags=(
                _SHARED_MEMORY,
                *_QUICK_LOOKUPS,
                *(("--read-only", "--tmpfs=/tmp") if self._launch.read_only else ()),
            ),
        )
        try:
            engine.run(self._image, (contract.SERVE_ARGUMENT,), options)
        except EngineError as error:
            raise self._not_started(error) from error
        self._url = self._find_url()

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
            self._engine.kill(self._unique, "KILL")

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code, or None when it still runs after `timeout_s`."""
        return self._engine.wait(self._unique, timeout_s) if self._is_started else None

    def logs(self) -> str:
        """What it wrote; still there after `remove`."""
        return self._engine.logs(self._unique) if self._is_started else self._last_log

    def remove(self) -> None:
        """Remove container and network; the second call does nothing."""
        if self._is_started:
            try:
                self._last_log = self._engine.logs(self._unique)
            except EngineError:
                self._last_log = ""  # it was never created
            self._engine.remove_container(self._unique)
            self._engine.remove_network(self._unique)
            self._is_started = False
        if self._on_remove is not None:
            on_remove, self._on_remove = self._on_remove, None
            on_remove()

    def _find_url(self) -> str:
        """Where the port can be reached; a container that has ended already gets a URL where nothing answers."""
        try:
            if self._engine.is_podman and not self._engine.is_rootless():
                return f"http://{self._engine.address(self._unique, self._unique) or '127.0.0.1'}:{self._launch.port}"
            return f"http://127.0.0.1:{self._engine.published_port(self._unique, self._launch.port)}"
        except EngineError:
            if self._engine.exit_code(self._unique) is None:
                raise
            return "http://127.0.0.1:9"

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
