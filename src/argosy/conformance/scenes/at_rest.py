"""The image and its artifacts at rest: what can be told without a container."""

from dataclasses import dataclass

from argosy.image.filesystem import Filesystem
from argosy.image.image import Image
from argosy.image.materials.secrets import Search
from argosy.model_archive import Fault


@dataclass(frozen=True, slots=True)
class Still:
    """The image at rest, its layers not yet read.

    Attributes:
        image: Its manifest and config.
        is_stored: Whether the manifest is the one that a registry or layout stores; a daemon and a docker archive have
            none of their own, it is made when the image is pushed.
    """

    image: Image
    is_stored: bool


@dataclass(frozen=True, slots=True)
class Files:
    """The image at rest with its layers merged, and what was found when every layer was searched for secrets."""

    image: Image
    filesystem: Filesystem
    search: Search


@dataclass(frozen=True, slots=True)
class Archive:
    """A linted model.tar.gz."""

    name: str
    faults: tuple[Fault, ...]
