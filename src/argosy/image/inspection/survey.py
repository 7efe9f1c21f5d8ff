"""One pass over an image's layers: the files of each, the merged tree, the records of installed packages."""

import hashlib
import tarfile
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Final

from argosy.image.filesystem import Filesystem, read_filesystem
from argosy.image.image import Image
from argosy.image.inspection.packages import is_record
from argosy.image.layer_stream import layer_members
from argosy.image.observation import Collected, Sink

RECORD_LIMIT: Final = 32 * 2**20
"""A longer record of a package is not read: dpkg's status of a whole desktop is 5 MB."""

Place = tuple[int, int]
"""Where a file's bytes are: index of the layer, and number of the member in it."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file with bytes of its own in a layer; `size` in bytes."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What came of the pass.

    Attributes:
        tree: The layers merged.
        files: Of each layer, by the number of the member.
        records: Of each layer, the records of packages by path.
    """

    tree: Filesystem
    files: tuple[Mapping[int, StoredFile], ...]
    records: tuple[Mapping[str, bytes], ...]

    def kept(self) -> frozenset[Place]:
        """The places of the files that are there when all layers are merged."""
        return frozenset(place for entry, place in self.tree.nodes() if entry.kind in ("file", "hardlink"))


def survey(image: Image) -> Survey:
    """Read every layer once, verified; no content but that of package records is held.

    Raises:
        ImageError: A layer is broken.
    """
    seen = [_Layer() for _ in image.layers]
    tree = read_filesystem(image, lambda index: [seen[index]])
    return Survey(tree, tuple(layer.files for layer in seen), tuple(layer.records for layer in seen))


class _Layer:
    """What one layer has, filled while it is read."""

    def __init__(self) -> None:
        self.files: dict[int, StoredFile] = {}
        self.records: dict[str, bytes] = {}
        self._number = -1

    def begin(self, member: tarfile.TarInfo) -> Sink | None:
        """Note a file, and have the record of a package read."""
        self._number += 1
        if not member.isfile():
            return None
        path = member.name.removeprefix("./").strip("/")
        self.files[self._number] = StoredFile(path, member.size)
        if not is_record(path) or member.size > RECORD_LIMIT:
            return None
        return Collected(lambda content: self.records.update({path: content.read()}))

    def finish(self, digest: str, diff_id: str) -> None:
        """Nothing is remembered."""


def content_digests(image: Image, wanted: Set[Place]) -> dict[Place, str]:
    """The sha256 of the files at some places; only the layers that have one are read."""
    found: dict[Place, str] = {}
    for layer in sorted({layer for layer, _ in wanted}):
        with layer_members(image, layer) as archive:
            for number, member in enumerate(archive):
                if (layer, number) in wanted:
                    stream = archive.extractfile(member)
                    if stream is not None:
                        found[layer, number] = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]  # any stream does
    return found
