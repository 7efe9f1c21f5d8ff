"""Blobs on their way into a repository: pieces one after the other, hashed as they come, named when they are whole."""

import hashlib
import shutil
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from argosy.local_aws.images.store import ImageStore, RepositoryName

_FOLDER: Final = "uploads"


@dataclass(slots=True)
class Upload:
    """One blob on its way.

    Attributes:
        repository: Where it is to be.
        path: The file that it grows in.
        file: Open for writing.
        size: Bytes so far.
        sha256: Of the bytes so far.
    """

    repository: RepositoryName
    path: Path
    file: BinaryIO
    size: int = 0
    sha256: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    @property
    def digest(self) -> str:
        """Of what is there so far."""
        return f"sha256:{self.sha256.hexdigest()}"

    def write(self, chunk: bytes) -> None:
        """Add bytes."""
        self.file.write(chunk)
        self.sha256.update(chunk)
        self.size += len(chunk)


class Uploads:
    """The uploads that are under way; what a process before left is removed.

    Args:
        store: Where whole blobs go.
        folder: For those that are not; on the store's file system.
    """

    def __init__(self, store: ImageStore, folder: Path) -> None:
        self._store = store
        self._folder = folder / _FOLDER
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._open: dict[str, Upload] = {}

    def begin(self, repository: RepositoryName) -> str:
        """Start one; returns what it is known by."""
        name = str(uuid.uuid4())
        path = self._folder / name
        self._open[name] = Upload(repository, path, path.open("wb"))
        return name

    def find(self, repository: RepositoryName, name: str) -> Upload | None:
        """One that is under way in this repository."""
        found = self._open.get(name)
        return found if found is not None and found.repository == repository else None

    def finish(self, name: str) -> str:
        """Name the blob by its digest and give it to its repository; returns the digest."""
        upload = self._open.pop(name)
        upload.file.close()
        upload.path.chmod(0o444)
        upload.path.replace(self._store.blobs.path(upload.digest))
        self._store.add_layer(upload.repository, upload.digest)
        return upload.digest

    def discard(self, name: str) -> None:
        """Leave nothing of it."""
        upload = self._open.pop(name)
        upload.file.close()
        upload.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave nothing of any."""
        for name in list(self._open):
            self.discard(name)
        shutil.rmtree(self._folder, ignore_errors=True)
