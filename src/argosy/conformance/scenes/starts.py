"""Further starts of the same image: again, and with less than an endpoint of its own gives it."""

from dataclasses import dataclass

from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.endpoint import Start


@dataclass(frozen=True, slots=True)
class SecondStart:
    """The second start of a container that was healthy and has ended.

    Attributes:
        kind: `docker`, `podman`, `sandbox` or `process`.
        first: The first start.
        second: The second; None where its kind cannot be started again.
    """

    kind: str
    first: Start
    second: Start | None


@dataclass(frozen=True, slots=True)
class Confined:
    """A container that is given less, or runs as somebody else.

    Attributes:
        kind: `docker`, `podman`, `sandbox` or `process`.
        is_enforced: Whether it really was; a plain process cannot be.
        usual: The start of the container that was given all.
        start: Its start.
        baseline: How an invocation is answered by the container that was given all; None when none is known.
        again: How the same is answered here; None when it was not healthy.
        log: Its log, for the reasons in it.
        memory: What the kernel did to it for want of memory, as a clause; empty when nothing is known of that.
    """

    kind: str
    is_enforced: bool
    usual: Start
    start: Start
    baseline: Exchange | None
    again: Exchange | None
    log: tuple[str, ...] = ()
    memory: str = ""

    @property
    def is_worse(self) -> bool:
        """Whether it did not get healthy, or answers worse than the container that was given all."""
        if not self.start.is_healthy:
            return True
        if self.again is None or self.baseline is None or self.again.status == self.baseline.status:
            return False
        return self.again.status is None or self.again.is_server_error or self.baseline.is_success


@dataclass(frozen=True, slots=True)
class ReadOnlyRoot:
    """A container whose root file system is read-only, with `/tmp` alone writable.

    Attributes:
        confined: What became of it.
        written: What a container writes outside `/tmp` where it can, when this one did not work.
    """

    confined: Confined
    written: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OtherUser:
    """A container as a serverless endpoint has it: no root, little memory, no GPU.

    Attributes:
        confined: What became of it.
        user: The number of the user and group that it ran as.
        memory_mb: Its memory.
        limit_s: How long a serverless endpoint waits for it.
    """

    confined: Confined
    user: int
    memory_mb: int
    limit_s: float


@dataclass(frozen=True, slots=True)
class OnInstance:
    """A container with the processors, the memory and the disk of an instance type.

    Attributes:
        confined: What became of it.
        instance_type: The type's name.
        memory_bytes: Its memory.
        disk_bytes: Its disk.
        workers: Command and memory in bytes of each process of a container that is not limited, the largest first;
            empty where that cannot be seen.
    """

    confined: Confined
    instance_type: str
    memory_bytes: int
    disk_bytes: int
    workers: tuple[tuple[str, int], ...] = ()
