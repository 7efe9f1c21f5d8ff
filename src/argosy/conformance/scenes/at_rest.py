"""The image and its artifacts at rest: what can be told without a container."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from argosy.image.filesystem import Filesystem
from argosy.image.image import Image
from argosy.image.libraries.proof import Proof
from argosy.image.libraries.search import Libraries
from argosy.image.materials.scanner import Scan
from argosy.image.materials.secrets import Search
from argosy.model_archive import Fault

OTHERS_FOLDERS: Final = re.compile(
    r"(^|/)(site-packages|dist-packages|node_modules|python\d(\.\d+)?|__pycache__|conda-meta|\.git|\.cache)/"
    r"|^usr/(lib|lib32|lib64|libexec|share|include)/|^(lib|lib64|proc|sys|dev|var/(lib|cache))/"
)
"""Where lies what others wrote: distributions and the system. Of the texts there only the first line is kept."""


@dataclass(frozen=True, slots=True)
class Still:
    """The image at rest, its layers not yet read.

    Attributes:
        image: Its manifest and config.
        is_stored: Whether the manifest is the one that a registry or layout stores; a daemon and a docker archive have
            none of their own, it is made when the image is pushed.
        target: As it was named, `docker://registry/repository:tag`; empty where that is not known.
    """

    image: Image
    is_stored: bool
    target: str = ""


@dataclass(frozen=True, slots=True)
class Files:
    """The image at rest with its layers merged, and what was found when each layer was read, once.

    Attributes:
        image: Its manifest and config.
        filesystem: The names in it.
        search: Secrets in all layers.
        libraries: Its programs, and where the loader finds what they need.
        proof: Which of them cannot be loaded.
        contents: By the place of a file in the layers: the text of what may be the project's own, of any other
            executable the first bytes.
        is_whole: Whether room was left for all of these.
    """

    image: Image
    filesystem: Filesystem = field(repr=False)
    search: Search
    libraries: Libraries = field(repr=False)
    proof: Proof = field(repr=False)
    contents: Mapping[tuple[int, int], bytes] = field(repr=False)
    is_whole: bool = True

    def content(self, path: str) -> bytes:
        """What was kept of a file, links followed; nothing of a file that is not there or of no interest."""
        place = self.filesystem.source(path)
        return b"" if place is None else self.contents.get(place, b"")


@dataclass(frozen=True, slots=True)
class Room:
    """What has to fit on the volume of a transform job's instance.

    Attributes:
        image_bytes: The files of all layers unpacked.
        artifacts_bytes: The archive's files unpacked; None when there is none.
    """

    image_bytes: int
    artifacts_bytes: int | None


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scanner found, or why there is no result."""

    scan: Scan | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Archive:
    """A linted model.tar.gz.

    Attributes:
        name: Of the file.
        faults: What is wrong with it.
        packed_bytes: Its size.
        unpacked_bytes: The sizes of its files together.
    """

    name: str
    faults: tuple[Fault, ...]
    packed_bytes: int = 0
    unpacked_bytes: int = 0
