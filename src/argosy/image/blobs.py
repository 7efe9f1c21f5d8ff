"""Blobs on disk, named by their digest: written aside and verified, so that a blob that is there is whole."""

import fcntl
import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol, runtime_checkable

from argosy.errors import DamagedCacheError, ImageError
from argosy.image.image import Blobs, Descriptor, is_digest
from argosy.model_archive import full_disk_named

CHUNK: Final = 1 << 20
_ASIDE: Final = ".new."
_LOCK: Final = "lock"


class VerifiedReader(io.RawIOBase):
    """A stream that fails at its end unless what was read has the digest.

    Args:
        stream: What is read; closed with this reader.
        digest: What it must have.
        where: What to name in the error.
        dropped: A file of a cache that is removed when it is not what its digest says.
    """

    def __init__(self, stream: BinaryIO, digest: str, where: object, dropped: Path | None = None) -> None:
        self._stream = stream
        self._digest = digest
        self._where = where
        self._dropped = dropped
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # any buffer is cast to a memoryview
        """Fill the buffer, and verify at the end."""
        view = memoryview(buffer).cast("B")
        content = self._stream.read(len(view))
        if not content and len(view):
            got = f"sha256:{self._hash.hexdigest()}"
            if got != self._digest:
                raise _damaged(got, self._digest, self._where, self._dropped)
            return 0
        self._hash.update(content)
        view[: len(content)] = content
        return len(content)

    def close(self) -> None:
        """Close what is read, too."""
        self._stream.close()
        super().close()


def verified(stream: BinaryIO, digest: str, where: object, dropped: Path | None = None) -> BinaryIO:
    """A buffered stream over `stream` that fails at its end unless the digest is right."""
    return io.BufferedReader(VerifiedReader(stream, digest, where, dropped), CHUNK)


class BlobWriter(io.RawIOBase):
    """Takes a blob's bytes, counts and hashes them on their way to a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, content: bytes) -> int:  # type: ignore[override]  # bytes is all that is written here
        """Append bytes."""
        self._hash.update(content)
        self.size += len(content)
        return self._file.write(content)

    @property
    def digest(self) -> str:
        """The digest of what was written so far."""
        return f"sha256:{self._hash.hexdigest()}"


class PartialBlob:
    """The first bytes of a blob; they are read again before more are added, and kept aside when no more come.

    Args:
        file: Open for reading and appending.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0
        file.seek(0)
        while chunk := file.read(CHUNK):
            self._hash.update(chunk)
            self.size += len(chunk)

    @property
    def digest(self) -> str:
        """The digest of what is there so far."""
        return f"sha256:{self._hash.hexdigest()}"

    def write(self, content: bytes) -> None:
        """Append bytes."""
        self._file.write(content)
        self._hash.update(content)
        self.size += len(content)

    def restart(self) -> None:
        """Throw away what is there."""
        self._file.seek(0)
        self._file.truncate()
        self._hash = hashlib.sha256()
        self.size = 0


class BlobStore:
    """A folder `sha256/HEX` of blobs, as an OCI layout has it; safe for several processes at once.

    Args:
        folder: The `blobs` folder; made when something is written.
        is_cache: Whether a blob that proves damaged is removed, so that it is made again.
    """

    def __init__(self, folder: Path, *, is_cache: bool = False) -> None:
        self.folder = folder
        self._is_cache = is_cache

    def path(self, digest: str) -> Path:
        """Where the blob is or would be.

        Raises:
            ImageError: Not a sha256 digest.
        """
        if not is_digest(digest):
            raise ImageError("not a digest", got=f"`{digest[:100]}`", want="sha256: and 64 hexadecimal digits")
        return self.folder / "sha256" / digest.removeprefix("sha256:")

    def size(self, digest: str) -> int | None:
        """Bytes of the blob, None when it is not there."""
        try:
            return self.path(digest).stat().st_size
        except FileNotFoundError:
            return None

    def open(self, digest: str) -> BinaryIO:
        """The blob's bytes, verified by their end.

        Raises:
            ImageError: It is not there, or, while reading, not what its digest says.
        """
        path = self.path(digest)
        try:
            return verified(path.open("rb"), digest, path, path if self._is_cache else None)
        except FileNotFoundError:
            raise ImageError("a blob is missing", got=digest, where=self.folder) from None

    def is_whole(self, digest: str, size: int | None = None) -> bool:
        """Whether the blob is there and is what digest and size say; all of it is read."""
        if self.size(digest) is None or size not in (None, self.size(digest)):
            return False
        with self.path(digest).open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}" == digest

    def remove(self, digest: str) -> None:
        """Remove a blob, if it is there."""
        self.path(digest).unlink(missing_ok=True)

    def require(self, digest: str) -> Path:
        """The file of a blob, after reading and verifying all of it.

        Raises:
            ImageError: It is not there, or not what its digest says.
        """
        path = self.path(digest)
        if not self.is_whole(digest):
            raise _damaged("something else", digest, path, path if self._is_cache else None)
        return path

    def read(self, digest: str) -> bytes:
        """A small blob (manifest, config) as a whole."""
        with self.open(digest) as stream:
            return stream.read()

    @contextmanager
    def writer(self) -> Iterator[BlobWriter]:
        """Write a blob whose digest is known at the end only; it gets its name when the block ends well."""
        folder = self.folder / "sha256"
        folder.mkdir(parents=True, exist_ok=True)
        with (
            full_disk_named(folder),
            folder_aside(self.folder) as aside,
        ):
            written = aside / "blob"
            with written.open("wb") as file:
                writer = BlobWriter(file)
                yield writer
            written.chmod(0o444)
            written.replace(self.path(writer.digest))

    @contextmanager
    def resumed(self, digest: str) -> Iterator[PartialBlob]:
        """Write a blob whose digest is known, going on where an earlier attempt ended, of this process or a killed one.

        When the block ends well and the digest is right the blob gets its name; when the block fails what was written
        stays aside, unless it is nothing. Of several processes at once one goes on, the others begin on their own.

        Raises:
            ImageError: The block ended well, but the bytes are not what the digest says; nothing is kept then.
        """
        path = self.path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        with full_disk_named(path.parent), _locked_aside(self.folder, path.name) as (file, aside):
            partial = PartialBlob(file)
            try:
                yield partial
            except BaseException:
                if partial.size == 0:
                    aside.unlink(missing_ok=True)
                raise
            if partial.digest != digest:
                aside.unlink(missing_ok=True)
                raise ImageError(
                    "a blob is not what its digest says",
                    got=f"{partial.digest}, {partial.size} bytes",
                    want=digest,
                    where=self.folder,
                )
            file.flush()
            aside.chmod(0o444)
            aside.replace(path)

    def add(self, stream: BinaryIO, digest: str, size: int | None = None) -> None:
        """Copy a stream into the store.

        Raises:
            ImageError: The bytes are not what `digest` and `size` say; nothing is kept then.
        """
        with self.writer() as writer:
            while chunk := stream.read(CHUNK):
                writer.write(chunk)
            if writer.digest != digest or size not in (None, writer.size):
                raise ImageError(
                    "a blob is not what its digest says",
                    got=f"{writer.digest}, {writer.size} bytes",
                    want=f"{digest}, {size} bytes",
                )

    def add_bytes(self, content: bytes, digest: str) -> None:
        """Keep small bytes whose digest is known."""
        if not self.is_whole(digest, len(content)):
            self.add(io.BytesIO(content), digest, len(content))


@dataclass(frozen=True, slots=True)
class JoinedBlobs:
    """Blobs of a store, and of another place where the store has them not."""

    store: BlobStore
    other: Blobs

    def open(self, digest: str) -> BinaryIO:
        """The blob's bytes, verified by their end."""
        return self.store.open(digest) if self.store.size(digest) is not None else self.other.open(digest)


@runtime_checkable
class RemoteBlobs(Blobs, Protocol):
    """Blobs elsewhere, of which several can be brought here at once."""

    def fetch(self, layers: Sequence[Descriptor]) -> None:
        """Bring those of the layers here that are not."""
        ...


def fetch_layers(blobs: Blobs, layers: Sequence[Descriptor]) -> None:
    """Bring layers to this machine, several at once, before they are read one after the other.

    Raises:
        RegistryError: A registry does not answer, or refuses.
        ImageError: What it sent is not what the digest says.
    """
    match blobs:
        case JoinedBlobs(store, other):
            fetch_layers(other, [layer for layer in layers if store.size(layer.digest) is None])
        case RemoteBlobs():
            blobs.fetch(layers)


@contextmanager
def folder_aside(folder: Path) -> Iterator[Path]:
    """A folder of one's own in `folder` to write in; it is removed in the end, or, after a kill, by the next who asks.

    A lock tells whose writer is alive, since the system frees it with the process.
    """
    for left in folder.glob(f"{_ASIDE}*"):
        _remove_abandoned(left)
    with (
        tempfile.TemporaryDirectory(dir=folder, prefix=_ASIDE, ignore_cleanup_errors=True) as name,
        (Path(name) / "locking").open("wb") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        # It has its name when it is locked, so nobody finds it free before.
        (Path(name) / "locking").rename(Path(name) / _LOCK)
        yield Path(name)


def _remove_abandoned(left: Path) -> None:
    try:
        with (left / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
    except (FileNotFoundError, BlockingIOError):  # just made or just removed by another, or in use
        return


@contextmanager
def _locked_aside(folder: Path, name: str) -> Iterator[tuple[BinaryIO, Path]]:
    """A file beside the blobs that only this thread of this process writes to, with what it held before."""
    aside = folder / ".partial" / name
    aside.parent.mkdir(exist_ok=True)
    with aside.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had the lock may have made a blob of this very file meanwhile.
            is_ours = os.path.samestat(os.fstat(file.fileno()), aside.stat())
        except (BlockingIOError, FileNotFoundError):
            is_ours = False
        if is_ours:
            yield file, aside
            return
    with folder_aside(folder) as own, (own / "blob").open("a+b") as file:
        yield file, own / "blob"


def local_file(blobs: Blobs, digest: str, size: int) -> Path | None:
    """The file that holds a blob, where it is one of that size in a store on this machine; read and verified.

    Raises:
        ImageError: It is not what its digest says.
    """
    match blobs:
        case BlobStore():
            return blobs.require(digest) if blobs.size(digest) == size else None
        case JoinedBlobs(store, other):
            return local_file(store, digest, size) or local_file(other, digest, size)
    return None


def _damaged(got: str, want: str, where: object, dropped: Path | None) -> ImageError:
    what = "a blob is not what its digest says"
    if dropped is None:
        return ImageError(what, got=got, want=want, where=where)
    dropped.unlink(missing_ok=True)
    return DamagedCacheError(what, got=got, want=want, where=where, hint="it is removed from the cache: run it again")
