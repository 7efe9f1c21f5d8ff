"""The seller's machine, as `argosy doctor` finds it."""

from dataclasses import dataclass

from argosy.simulator.containers.instance_types import InstanceType


@dataclass(frozen=True, slots=True)
class Runners:
    """What can run an image here.

    Attributes:
        engine: `docker` or `podman` when one answers, else empty.
        version: The engine's.
        engine_refusal: Why none answers.
        sandbox_refusal: Why no sandbox is possible, empty when one is.
    """

    engine: str
    version: str = ""
    engine_refusal: str = ""
    sandbox_refusal: str = ""


@dataclass(frozen=True, slots=True)
class Builder:
    """What the engine's own builds make.

    Attributes:
        engine: `docker` or `podman`.
        keeps_indexes: Whether Docker's images are in containerd's store, which keeps an image with its attestations.
        driver: What Docker's builds run on; empty without buildx.
        makes_attestations: Whether buildx adds them unless told otherwise.
        has_docker_format: Whether Podman is told to write Docker's format.
    """

    engine: str
    keeps_indexes: bool = False
    driver: str = ""
    makes_attestations: bool = True
    has_docker_format: bool = False


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder in which images lie.

    Attributes:
        path: The folder.
        free_bytes: What may still be written there; None where that cannot be told.
        is_writable: Whether this user may write there.
    """

    path: str
    free_bytes: int | None
    is_writable: bool = True


@dataclass(frozen=True, slots=True)
class Disks:
    """The folders in which images lie: Argosy's cache, and the engine's own; None where it is not on this machine."""

    cache: Folder
    engine: Folder | None = None


@dataclass(frozen=True, slots=True)
class Cloud:
    """What AWS's SDK finds on this machine; never a secret.

    Attributes:
        is_installed: Whether the SDK is.
        source: Where the credentials come from; empty when there are none.
        region: The region that is set, or empty.
        fault: Why AWS's files cannot be read, else empty.
    """

    is_installed: bool
    source: str = ""
    region: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """What AWS said when it was asked whom the credentials belong to.

    Attributes:
        arn: The user or role; empty when it was not told.
        refusal: Why it was not told.
        seconds: How long that took.
    """

    arn: str
    refusal: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Clock:
    """How right the clock is.

    Attributes:
        skew_s: Seconds that it is ahead of AWS's, behind when negative; None when AWS was not asked or did not say.
        asked: The URL that was asked; empty when none was.
        refusal: Why AWS did not say.
        is_synchronised: Whether the kernel knows that something keeps it right; None where the kernel does not tell.
    """

    skew_s: float | None = None
    asked: str = ""
    refusal: str = ""
    is_synchronised: bool | None = None


@dataclass(frozen=True, slots=True)
class Software:
    """What is installed.

    Attributes:
        python: Its version.
        argosy: Its version.
        missing: Requirements of the toolkit that are not met, each with what is there instead.
        extras: Argosy's other extras: name -> whether all that it needs is there.
        scanners: The scanners for known vulnerabilities that are on the PATH.
    """

    python: str
    argosy: str
    missing: tuple[str, ...] = ()
    extras: tuple[tuple[str, bool], ...] = ()
    scanners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proxies:
    """Proxies that the environment names.

    Attributes:
        variables: Variable -> host of the proxy, without its login.
        spares_loopback: Whether 127.0.0.1 is reached without them.
    """

    variables: tuple[tuple[str, str], ...] = ()
    spares_loopback: bool = True


@dataclass(frozen=True, slots=True)
class Capacity:
    """Processors and memory, beside those of the instance type that is meant."""

    cpus: int
    memory_bytes: int
    wanted: InstanceType
