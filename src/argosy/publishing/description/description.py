"""What a run of an image came to, as it is kept and shown."""

from typing import Final

import msgspec

from argosy.marketplace.listing import Usage
from argosy.publishing.description.measurement import Measured

VERSION: Final = 1


class Limits(msgspec.Struct, frozen=True):
    """What the container had while it was measured.

    Attributes:
        instance_type: Whose processors and memory it was given; None gave it all of the machine.
        cpus: The processors of that type, or of the machine.
        memory_bytes: The memory of that type; None is not limited.
        machine_cpus: The processors of the machine, of which a container gets no more.
        machine_memory_bytes: The memory of the machine, of which it gets no more either.
        container: `docker`, `podman`, `sandbox`, `process`.
    """

    instance_type: str | None
    cpus: int
    memory_bytes: int | None
    machine_cpus: int
    machine_memory_bytes: int
    container: str


class Description(msgspec.Struct, frozen=True):
    """What can be said of an image without its seller.

    Attributes:
        target: The image or project, as it was named.
        digest: Digest of the image's manifest; empty for a project that was run as it is.
        made_at: When, in UTC as ISO 8601.
        title: What the image calls its model; empty where it does not.
        speed: The latency line; empty where nothing could be measured.
        usage: As `[marketplace.usage]`: what is left empty is not known.
        measured: How quick it was; None where nothing could be measured.
        limits: What the container had.
        notes: What could not be said, and why, one sentence each.
        version: Of the form of the file.
    """

    target: str
    digest: str
    made_at: str
    title: str
    speed: str
    usage: Usage
    measured: Measured | None
    limits: Limits
    notes: tuple[str, ...] = ()
    version: int = VERSION
