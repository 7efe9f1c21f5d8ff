"""One layer's bytes: decompressed as a stream, checked against its digests, or kept aside to be read in any order."""

import hashlib
import io
import sys
import tarfile
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, Final, cast

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
        ImageError: The layer is broken, or compressed with something else than gzip or zstd.
    """
    with verified_tar(image, index) as tar:
        with tarfile.open(fileobj=tar, mode="r|") as archive:
            yield archive
        while tar.read(_CHUNK):
            pass


@contextmanager
def verified_tar(image: Image, index: int) -> Iterator[BinaryIO]:
    """The uncompressed tar of a layer, read to its end and verified against digest and diff ID when the block ends.

    Raises:
        ImageError: The layer is broken, or not what digest and diff ID say.
    """
    layer = image.layers[index]
    with layer_stream(image, layer) as stream:
        hashing = _HashingReader(stream)
        buffered = io.BufferedReader(hashing, _CHUNK)
        try:
            yield buffered
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
    """The uncompressed tar of a layer as a stream; its first bytes, not its media type, say what it is compressed with.

    SageMaker takes no zstd: it is read so that foreign images can be looked at, built on and converted.
    """
    with image.blobs.open(layer.digest) as blob:
        buffered = blob if isinstance(blob, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, blob), _CHUNK)
        with decompressed(buffered, layer.digest) as stream:
            yield stream
            while buffered.read(_CHUNK):  # to its end, so that the digest is verified
                pass


@contextmanager
def decompressed(stream: io.BufferedReader, where: object) -> Iterator[BinaryIO]:
    """What gzip or zstd compressed, uncompressed; other bytes as they are.

    Raises:
        ImageError: The zstd is broken; broken gzip raises what `BROKEN_ARCHIVE` lists.
    """
    start = stream.peek(4)[:4]
    if start[:2] == GZIP_MAGIC:
        with gzip_reader(stream) as content:
            yield content
    elif start == ZSTD_MAGIC:
        # Loaded here, because hardly any image needs it. A window is at most 128 MB, zstd's own limit.
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
        try:
            with io.BufferedReader(zstd.ZstdFile(stream), _CHUNK) as content:
                yield content
        except zstd.ZstdError as error:
            raise ImageError("broken zstd", got=error, where=where) from error
    else:
        yield stream


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
