"""Buckets as folders: the object `s3://BUCKET/KEY` is the file `ROOT/BUCKET/KEY`.

S3 takes any text as a key, a file system does not. A key that it cannot hold (a part that is empty, `.` or `..`, a name
that is too long, an object below another object) is refused when it is created, and is no object otherwise.
"""

import errno
import fcntl
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO, Final

from argosy.errors import StorageError
from argosy.simulator.storage.objects import ObjectUri, StoredObject

_PARTIAL: Final = ".argosy-partial-"
"""How the files in a bucket's folder begin to which objects under way are written; no part of a key may begin so."""
_LONGEST_KEY: Final = 1024
"""Bytes. Source: Amazon S3 User Guide, "Naming Amazon S3 objects" (read 2026-11-23)."""


@dataclass(frozen=True, slots=True)
class _Bucket:
    """A folder, and whether links that lead out of it are followed."""

    folder: Path
    follows_links: bool

    def holds(self, path: Path) -> bool:
        """Whether a path is really below the folder, links resolved."""
        return self.follows_links or path.resolve().is_relative_to(self.folder.resolve())


class LocalFolder:
    """An `ObjectStore` in folders; buckets are made when their first object is.

    Args:
        root: The folder with a folder for each bucket; links that lead out of a bucket are no objects. None has no
            buckets but `mounts`.
        mounts: Folders that are buckets by these names wherever they lie; links to files are followed in them.
    """

    def __init__(self, root: Path | None, mounts: Mapping[str, Path] | None = None) -> None:
        self._root = root
        self._mounts = dict(mounts or {})
        self._cleaned: set[Path] = set()

    def list(self, prefix: ObjectUri) -> Iterator[StoredObject]:
        """The objects whose keys begin with a prefix, in the order of their keys' UTF-8 bytes.

        Raises:
            StorageError: There is no such bucket, or it cannot be read.
        """
        bucket = self._bucket(prefix)
        if not bucket.folder.is_dir():
            raise self._no_bucket(prefix)
        above = prefix.key.rpartition("/")[0]
        start = bucket.folder
        if above:
            found = _path(bucket, above)
            if found is None:
                return
            start = found
        yield from _walk(bucket, start, f"{above}/" if above else "", prefix.key)

    def find(self, uri: ObjectUri) -> StoredObject | None:
        """The object with exactly this key, None when there is none.

        Raises:
            StorageError: There is no such bucket.
        """
        bucket = self._bucket(uri)
        if not bucket.folder.is_dir():
            raise self._no_bucket(uri)
        path = _path(bucket, uri.key)
        return None if path is None else _stored(bucket, path, uri.key)

    def open(self, uri: ObjectUri) -> BinaryIO:
        """The object's file, seekable.

        Raises:
            StorageError: It is not there or cannot be read.
        """
        bucket = self._bucket(uri)
        if not bucket.folder.is_dir():
            raise self._no_bucket(uri)
        path = _path(bucket, uri.key)
        if path is None or _stored(bucket, path, uri.key) is None:
            raise StorageError("there is no such object", where=uri)
        try:
            return path.open("rb")
        except OSError as error:
            raise StorageError("the object cannot be read", got=error, where=uri) from error

    def create(self, uri: ObjectUri, content_type: str | None = None) -> "LocalUpload":
        """Begin an object; what killed writers left in its bucket is removed first. A file has no media type.

        Raises:
            StorageError: A folder cannot hold the key, or the file system refuses.
        """
        bucket = self._bucket(uri)
        target = _path(bucket, uri.key)
        fault = "no path below the bucket's folder" if target is None else _clash(bucket, target)
        if target is None or fault is not None:
            raise StorageError(
                "a folder cannot hold this key",
                got=fault,
                want="parts between slashes that are not empty, `.` or `..`, and no object below another",
                where=uri,
            )
        try:
            if bucket.folder not in self._cleaned:
                _remove_leftovers(bucket.folder)
                self._cleaned.add(bucket.folder)
            return LocalUpload(uri, bucket.folder, target)
        except OSError as error:
            raise StorageError("the object cannot be stored", got=error, where=uri) from error

    def remove(self, uri: ObjectUri) -> None:
        """Remove an object; nothing happens when there is none.

        Raises:
            StorageError: There is no such bucket, or the file system refuses.
        """
        if self.find(uri) is None:
            return
        bucket = self._bucket(uri)
        path = bucket.folder / uri.key
        try:
            path.unlink(missing_ok=True)
            with suppress(OSError):  # a folder that is not empty stays
                while path.parent != bucket.folder:
                    path = path.parent
                    path.rmdir()
        except OSError as error:
            raise StorageError("the object cannot be removed", got=error, where=uri) from error

    def remove_leftovers(self) -> None:
        """Remove what killed writers left in any bucket; what cannot be removed stays."""
        with suppress(OSError):
            folders = list(self._root.iterdir()) if self._root is not None else []
            for folder in (*folders, *self._mounts.values()):
                if folder.is_dir() and not folder.is_symlink():
                    _remove_leftovers(folder)

    def _bucket(self, uri: ObjectUri) -> _Bucket:
        if uri.bucket in self._mounts:
            return _Bucket(self._mounts[uri.bucket], follows_links=True)
        if self._root is None or not _is_part(uri.bucket) or "/" in uri.bucket:
            raise self._no_bucket(uri)
        folder = self._root / uri.bucket
        if folder.is_symlink():
            raise StorageError("a bucket is a link", got=f"`{folder}`", want="a folder", where=uri)
        return _Bucket(folder, follows_links=False)

    def _no_bucket(self, uri: ObjectUri) -> StorageError:
        known = "the bucket" if self._root is None else f"`{self._root / uri.bucket}`"
        hint = None if self._root is None else f"mkdir -p {self._root / uri.bucket}"
        return StorageError("there is no such bucket", want=f"a folder: {known}", where=uri, hint=hint)


class LocalUpload:
    """An object under way: a locked file aside, renamed when it is whole.

    Args:
        uri: Its name.
        bucket: The bucket's folder; it and the folders of the key are made.
        target: Its path.
    """

    def __init__(self, uri: ObjectUri, bucket: Path, target: Path) -> None:
        self._uri = uri
        self._target = target
        self._aside, self.stream = _open_aside(bucket)
        self._is_ended = False

    def finish(self) -> None:
        """Give it its name.

        Raises:
            StorageError: The file system refuses; nothing of it is there.
        """
        try:
            self.stream.flush()
            self._target.parent.mkdir(parents=True, exist_ok=True)
            self._aside.replace(self._target)
        except OSError as error:
            self.discard()
            raise StorageError("the object cannot be stored", got=error, where=self._uri) from error
        self._end()

    def discard(self) -> None:
        """Leave nothing of it. Does nothing after `finish`."""
        if not self._is_ended:
            self._aside.unlink(missing_ok=True)
            self._end()

    def _end(self) -> None:
        self._is_ended = True
        with suppress(OSError):  # what could not be flushed is told by `finish`
            self.stream.close()


def _is_part(part: str) -> bool:
    return part not in ("", ".", "..") and "\0" not in part and not part.startswith(_PARTIAL)


def _path(bucket: _Bucket, key: str) -> Path | None:
    """Where a key's file is or would be; None for a key that a folder cannot hold, or that leads out of it."""
    parts = key.split("/")
    if not all(map(_is_part, parts)):
        return None
    try:
        if len(os.fsencode(key)) > _LONGEST_KEY:
            return None
        path = bucket.folder.joinpath(*parts)
        return path if bucket.holds(path) else None
    except (OSError, UnicodeEncodeError):
        return None


def _clash(bucket: _Bucket, target: Path) -> str | None:
    """What of the file system stands in the way of a new object."""
    try:
        if target.is_dir():
            return f"`{target}` is a folder"
        for parent in target.parents:
            if parent == bucket.folder:
                break
            if os.path.lexists(parent) and not parent.is_dir():
                return f"`{parent}` is an object"
        longest = os.pathconf(_existing(target), "PC_NAME_MAX")
    except OSError as error:
        return "a name that is too long" if error.errno == errno.ENAMETOOLONG else str(error)
    if any(len(os.fsencode(part)) > longest for part in target.parts):
        return "a name that is too long"
    return None


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())


def _stored(bucket: _Bucket, path: Path, key: str) -> StoredObject | None:
    """The object that a file is; None for what is no file, is gone, or lies outside."""
    try:
        found = path.stat()
        if not S_ISREG(found.st_mode) or (path.is_symlink() and not bucket.holds(path)):
            return None
    except OSError:
        return None
    return StoredObject(key, found.st_size, f"{found.st_ino:x}-{found.st_size:x}-{found.st_mtime_ns:x}")


def _walk(bucket: _Bucket, folder: Path, above: str, prefix: str) -> Iterator[StoredObject]:
    """The objects below a folder, sorted: a folder sorts with the slash behind its name, as its objects' keys do."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(
                (f"{entry.name}/" if entry.is_dir(follow_symlinks=False) else entry.name for entry in entries),
                key=os.fsencode,
            )
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise StorageError("a folder of a bucket cannot be read", got=error, where=folder) from error
    for name in names:
        key = above + name
        if name.startswith(_PARTIAL):
            continue
        if name.endswith("/"):
            if key.startswith(prefix) or prefix.startswith(key):
                yield from _walk(bucket, folder / name, key, prefix)
        elif key.startswith(prefix):
            found = _stored(bucket, folder / name, key)
            if found is not None:
                yield found


def _open_aside(folder: Path) -> tuple[Path, BinaryIO]:
    """A new file with a lock that lives as long as this process holds it open."""
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        path = folder / f"{_PARTIAL}{uuid.uuid4().hex}"
        stream = path.open("xb")
        fcntl.flock(stream, fcntl.LOCK_EX)
        if os.fstat(stream.fileno()).st_nlink:
            return path, stream
        stream.close()  # taken for a leftover before it was locked


def _remove_leftovers(folder: Path) -> None:
    """Remove the files that no living process holds locked."""
    for path in folder.glob(f"{_PARTIAL}*"):
        with suppress(OSError), path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
