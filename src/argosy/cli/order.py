"""What the command line of `argosy build` orders, with the surroundings that it needs."""

from dataclasses import dataclass
from typing import Final

from argosy.image.build import Surroundings
from argosy.project import Project
from argosy.registry.access import Access

DEBIAN: Final = "debian"
"""The base that is put together from Debian's packages."""


@dataclass(frozen=True, slots=True)
class Order:
    """One build.

    Attributes:
        project: What is built.
        base: `debian`, or a reference to the base image.
        around: For locking the dependencies and making layers.
        access: For reading and writing images.
        targets: Where to put the image.
        engine: The container engine that builds, or None when none does.
    """

    project: Project
    base: str
    around: Surroundings
    access: Access
    targets: tuple[str, ...]
    engine: str | None = None
