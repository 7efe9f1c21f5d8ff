"""A layer's members shown to all who want to know something of them, in one reading of it or while it is written.

Reading a layer costs far more than looking at it: decompressing, hashing, taking a tar apart.
"""

import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import IO, Final, Protocol

from argosy.image.blobs import CHUNK
from argosy.image.image import Image
from argosy.image.layer_stream import layer_members

_IN_MEMORY: Final = 16 * 2**20


class Sink(Protocol):
    """Takes the bytes of a file as they go by."""

    def write(self, chunk: bytes, /) -> None:
        """More of them."""
        ...

    def close(self) -> None:
        """That was all."""
        ...


class Observer(Protocol):
    """Finds something out about one layer."""

    def begin(self, member: tarfile.TarInfo) -> Sink | None:
        """The next member; where its bytes are to go, if it is a file and they are wanted."""
        ...

    def finish(self, digest: str, diff_id: str) -> None:
        """The layer is whole, and is what its digests say: what was found of it may be remembered."""
        ...


class Collected:
    """A sink that gives all of a file, or its first bytes, to somebody when they are there; large ones wait on disk.

    Args:
        whole: Reads them, from their start, in any order.
        limit: Bytes after which no more are kept; None keeps all.
    """

    def __init__(self, whole: Callable[[IO[bytes]], None], limit: int | None = None) -> None:
        self._whole = whole
        self._left = limit
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  # closed with the sink

    def write(self, chunk: bytes, /) -> None:
        """Keep more."""
        if self._left is not None:
            chunk = chunk[: self._left]
            self._left -= len(chunk)
        self._file.write(chunk)

    def close(self) -> None:
        """Give what was kept."""
        with self._file as file:
            file.seek(0)
            self._whole(file)


def observe(image: Image, index: int, observers: Sequence[Observer]) -> None:
    """Read one layer, verified, for these observers.

    Raises:
        ImageError: The layer is broken.
    """
    with layer_members(image, index) as archive:
        for _ in shown(archive, observers):
            pass
    finish(image, index, observers)


def shown(archive: tarfile.TarFile, observers: Sequence[Observer]) -> Iterator[tarfile.TarInfo]:
    """The members of a layer, each when the observers have seen it; the layer need not be verified yet."""
    for member in archive:
        sinks = begun(member, observers)
        if sinks:
            content = archive.extractfile(member)
            while content is not None and (chunk := content.read(CHUNK)):
                for sink in sinks:
                    sink.write(chunk)
            for sink in sinks:
                sink.close()
        yield member


def begun(member: tarfile.TarInfo, observers: Iterable[Observer]) -> list[Sink]:
    """Show a member: where its bytes are to go."""
    return [sink for observer in observers if (sink := observer.begin(member)) is not None]


def finish(image: Image, index: int, observers: Iterable[Observer]) -> None:
    """Tell the observers of a layer that it was verified."""
    for observer in observers:
        observer.finish(image.layers[index].digest, image.diff_ids[index])
