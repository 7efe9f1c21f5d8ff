"""A container made of an unpacked image with no engine: a root, mount, PID and IPC namespaces of its own.

Its files, processes, `/tmp` and 64 MB of shared memory are its own, and its environment is the image's. Its network is
this machine's, and it has no limits of memory or processors.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from argosy import contract
from argosy.errors import ContainerError
from argosy.simulator.containers.container import Launch
from argosy.simulator.containers.process import Command, ProcessContainer, free_port

_CAVEAT: Final = "it runs without a container engine: it can reach the network, and nothing limits its memory"
_PUBLIC: Final = "it listens where it likes, as on SageMaker: other machines may reach it at port {port} of this one"
_ENTRY: Final = Path(__file__).with_name("namespace_entry.py")
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PROBE_TIMEOUT_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Order:
    """What `namespace_entry.py` is told.

    Attributes:
        root: The unpacked image.
        scratch: An empty folder, used inside the namespace only.
        mounts: Folders of this machine that are seen read-only, by the path in the image.
        folder: Working directory in the image.
        user: The image's `USER`, or empty.
        arguments: Program and arguments.
        environment: The whole environment.
        is_read_only: Whether only `/tmp` can be written to.
        is_rootless: Whether this is a user namespace, where only root exists.
        is_probe: Whether to end after setting up.
    """

    root: str
    scratch: str
    mounts: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = ""
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    is_read_only: bool = False
    is_rootless: bool = False
    is_probe: bool = False

    def encoded(self) -> bytes:
        """As it goes to the script's stdin."""
        return json.dumps(asdict(self)).encode()


def open_unpacked(root: Path, config: Mapping[str, Any], name: str, launch: Launch) -> ProcessContainer:
    """A container of an unpacked image; nothing in `root` is changed by running it.

    It listens on a free port when the image's label promises that it heeds `SAGEMAKER_BIND_TO_PORT`, else on 8080.

    Args:
        root: The merged root filesystem.
        config: The `config` object of the image's configuration (Env, Entrypoint, WorkingDir, User, Labels).
        name: What errors call it.
        launch: How it is started.

    Raises:
        ContainerError: This machine does not allow what is needed.
    """
    probe(root)
    environment = {"PATH": _PATH, "HOME": "/root"}
    environment |= dict(pair.split("=", 1) for pair in config.get("Env") or [] if "=" in pair)
    environment |= launch.environment
    is_quiet = launch.is_on_loopback and contract.Variable.PREDICTOR in environment  # an image of Argosy's
    if is_quiet:
        environment[contract.Variable.HOST] = "127.0.0.1"
    port = contract.PORT
    if (config.get("Labels") or {}).get(contract.LABEL_BIND_TO_PORT) == "true":
        port = int(environment.setdefault("SAGEMAKER_BIND_TO_PORT", str(free_port())))
    scratch = tempfile.mkdtemp(prefix="argosy-root-")
    order = Order(
        root=str(root),
        scratch=scratch,
        mounts={path: str(folder) for path, folder in launch.mounts.items()},
        folder=config.get("WorkingDir") or "/",
        user=config.get("User") or "",
        arguments=(*(config.get("Entrypoint") or ()), contract.SERVE_ARGUMENT),
        environment=environment,
        is_read_only=launch.read_only,
        is_rootless=os.geteuid() != 0,
    )
    caveat = _CAVEAT if is_quiet else f"{_CAVEAT}; {_PUBLIC.format(port=port)}"
    command = Command(
        name, _unshare(), {"PATH": _PATH}, Path("/"), port, is_supervised=True, stdin=order.encoded(), caveat=caveat
    )
    return ProcessContainer(command, on_remove=lambda: shutil.rmtree(scratch, ignore_errors=True))


def probe(root: Path) -> None:
    """Set a container up and end it at once.

    Raises:
        ContainerError: Namespaces or mounts are refused, or `unshare` of util-linux is missing.
    """
    with tempfile.TemporaryDirectory(prefix="argosy-root-") as scratch:
        order = Order(str(root), scratch, is_rootless=os.geteuid() != 0, is_probe=True)
        try:
            ended = subprocess.run(
                _unshare(), input=order.encoded(), capture_output=True, check=False, timeout=_PROBE_TIMEOUT_S
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            complaint = str(error)
        else:
            complaint = ended.stderr.decode(errors="replace").strip()
            if ended.returncode == 0:
                return
    raise ContainerError(
        "this machine does not let an image run without a container engine",
        got=complaint,
        want="Linux with util-linux's `unshare`, and root or user namespaces with overlay mounts",
        hint="simulate the project folder itself, or use `--container docker`",
    )


def _unshare() -> tuple[str, ...]:
    as_root = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    python = (sys.executable, "-I", "-S", str(_ENTRY))
    return ("unshare", *as_root, "--mount", "--pid", "--ipc", "--fork", "--kill-child", "--", *python)
