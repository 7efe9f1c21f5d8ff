"""What is told to the supervisor of a sandbox, and what it tells the container's first process, as values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from argosy import contract
from argosy.simulator.containers.network_watch import RESOLVER
from argosy.simulator.containers.supervisor import PLATFORM, network_namespace

HOSTNAME: Final = "container"
"""Of a container that is given no other."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What `sandboxing/namespace_entry.py` is told.

    Attributes:
        root: The unpacked image.
        scratch: An empty folder, used inside the namespace only.
        mounts: Path of this machine, path in the container, and whether it may be written to there.
        folder: Working directory in the image.
        user: The image's `USER`, or empty.
        arguments: Program and arguments.
        environment: The whole environment.
        hostname: Of its UTS namespace.
        address: Its own, for its host name.
        resolver: Whom it asks for addresses.
        disk_bytes: What it may write to its file system, None for half of this machine's memory.
        is_read_only: Whether only `/tmp` can be written to.
        is_rootless: Whether this is a user namespace, where only root exists.
        is_probe: Whether to end after setting up.
    """

    root: str
    scratch: str
    mounts: Sequence[tuple[str, str, bool]] = ()
    folder: str = "/"
    user: str = ""
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    hostname: str = HOSTNAME
    address: str = PLATFORM
    resolver: str = RESOLVER
    disk_bytes: int | None = None
    is_read_only: bool = False
    is_rootless: bool = False
    is_probe: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """What `supervisor.py` is told.

    Attributes:
        entry: The container's first process; None only watches a network.
        makes_network: Whether its network namespace is new, and not another container's.
        listener: File descriptor of this machine's socket, which is relayed to `port`; None relays nothing.
        port: Where the container listens.
        attempts: The file that attempts to reach the network are written to; None does not watch.
        cgroups: Folders of the control groups that the first process goes into.
        memory_limit: `RLIMIT_DATA` in bytes, None for no limit.
        processors: Those that it is bound to; none for all.
        watched_process: With its end the watching ends; None waits for the first process.
        outer_network: The network namespace of this machine, in which nothing may be changed.
    """

    entry: Entry | None = None
    makes_network: bool = False
    listener: int | None = None
    port: int = contract.PORT
    attempts: str | None = None
    cgroups: Sequence[str] = ()
    memory_limit: int | None = None
    processors: Sequence[int] = ()
    watched_process: int | None = None
    outer_network: str = field(default_factory=network_namespace)

    def encoded(self) -> bytes:
        """As it goes to the supervisor's stdin."""
        return json.dumps(asdict(self)).encode()
