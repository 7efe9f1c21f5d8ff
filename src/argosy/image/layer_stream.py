"""One layer's bytes: decompressed as a stream, checked against its digests, or kept aside to be read in any order."""

import hashlib
import io
import tarfile
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, Final

from argosy.errors import ImageError
from argosy.image.image import Descriptor, Image
from argosy.model_archive import BROKEN_ARCHIVE, gzip_reader

GZIP_MAGIC: Final = b"\x1f\x8b"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_CHUNK: Final = 1 << 20


@contextmanager
def layer_members(image: Image, index: int) -> Iterator[tarfile.TarFile]:
    """A layer as a stream of tar members, verified against digest and diff ID when the block ends well.

    Raises:
        ImageError: The layer is broken, or compressed with something else than gzip.
    """
    layer = image.layers[index]
    with layer_stream(image, layer) as stream:
        hashing = _HashingReader(stream)
        buffered = io.BufferedReader(hashing, _CHUNK)
        try:
            with tarfile.open(fileobj=buffered, mode="r|") as archive:
                yield archive
            while buffered.read(_CHUNK):
                pass
        except BROKEN_ARCHIVE as error:
            raise ImageError("a layer is broken", got=error, where=layer.digest) from error
        got = f"sha256:{hashing.hash.hexdigest()}"
        if got != image.diff_ids[index]:
            raise ImageError(
                "a layer is not what its diff ID says", got=got, want=image.diff_ids[index], where=layer.digest
            )


@contextmanager
def layer_stream(image: Image, layer: Descriptor) -> Iterator[BinaryIO]:
    """The uncompressed tar of a layer as a stream.

    Raises:
        ImageError: The layer is compressed with zstd or something unknown.
    """
    with image.blobs.open(layer.digest) as blob:
        buffered = blob if isinstance(blob, io.BufferedReader) else io.BufferedReader(blob, _CHUNK)  # type: ignore[type-var]  # a BinaryIO reads bytes
        start = buffered.peek(4)[:4]
        if start[:2] == GZIP_MAGIC:
            with gzip_reader(buffered) as stream:
                yield stream
                while buffered.read(_CHUNK):  # to its end, so that the digest is verified
                    pass
        elif start == ZSTD_MAGIC:
            raise ImageError(
                "a layer is compressed with zstd, which SageMaker does not take",
                got=layer.digest,
                hint="skopeo copy --format v2s2 --dest-compress-format gzip SOURCE docker-archive:image.tar",
            )
        else:
            yield buffered


class LayerContents:
    """One layer uncompressed in an unnamed temporary file, so that its files can be read in any order.

    Args:
        image: Whose layer it is.
        layer: Index of the layer, 0 the lowest.
    """

    def __init__(self, image: Image, layer: int) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as this object; has no name to remove
        weakref.finalize(self, self._file.close)
        with layer_stream(image, image.layers[layer]) as stream:
            while chunk := stream.read(_CHUNK):
                self._file.write(chunk)
        self._file.seek(0)
        with tarfile.open(fileobj=self._file, mode="r:") as archive:
            self._places = [(member.offset_data, member.size) for member in archive]

    def open(self, number: int) -> BinaryIO:
        """The content of the layer's member of that number, as a seekable stream."""
        offset, size = self._places[number]
        return io.BufferedReader(FileSlice(self._file, offset, size, self))


class FileSlice(io.RawIOBase):
    """A part of a file as a stream of its own; several of them share the file.

    Args:
        file: What is read; not closed with the slice.
        offset: Where the part starts, in bytes.
        size: How long it is, in bytes.
        owner: Kept alive by the slice: its end may close the file.
    """

    def __init__(self, file: IO[bytes], offset: int, size: int, owner: object = None) -> None:
        self._owner = owner
        self._file, self._offset, self._size, self._position = file, offset, size, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move within the part."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # any buffer is cast to a memoryview
        """Fill the buffer from the part."""
        view = memoryview(buffer).cast("B")
        self._file.seek(self._offset + self._position)
        content = self._file.read(max(0, min(len(view), self._size - self._position)))
        view[: len(content)] = content
        self._position += len(content)
        return len(content)


class _HashingReader(io.RawIOBase):
    """Passes bytes on and hashes them."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # any buffer is cast to a memoryview
        view = memoryview(buffer).cast("B")
        content = self._stream.read(len(view))
        self.hash.update(content)
        view[: len(content)] = content
        return len(content)
