"""The images of ECR on disk: blobs by digest, and which repository has which layers, manifests and tags.

One store is behind both doors, so both show the same images. Manifests are kept byte for byte.
"""

import fnmatch
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from argosy.image.blobs import BlobStore
from argosy.image.image import INDEXES, digest_of

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS layers (
    repository TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (repository, digest)
) STRICT;
CREATE TABLE IF NOT EXISTS images (
    repository TEXT NOT NULL, digest TEXT NOT NULL, media_type TEXT NOT NULL, pushed REAL NOT NULL,
    PRIMARY KEY (repository, digest)
) STRICT;
CREATE TABLE IF NOT EXISTS tags (
    repository TEXT NOT NULL, tag TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (repository, tag)
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class RepositoryName:
    """Where a repository is: account, region, and its name there."""

    account: str
    region: str
    name: str

    @property
    def uri(self) -> str:
        """As images in it are named, without a scheme: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME`."""
        suffix = ".cn" if self.region.startswith("cn-") else ""
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com{suffix}/{self.name}"


@dataclass(frozen=True, slots=True)
class Repository:
    """What ECR knows of a repository.

    Attributes:
        name: Where it is.
        is_immutable: Whether its tags stay where they are.
        exempt: Patterns of tags for which the opposite holds.
        scans_on_push: Whether what is pushed is scanned at once.
    """

    name: RepositoryName
    is_immutable: bool = False
    exempt: tuple[str, ...] = ()
    scans_on_push: bool = False

    def is_fixed(self, tag: str) -> bool:
        """Whether a tag cannot be given to another image."""
        return self.is_immutable != any(fnmatch.fnmatchcase(tag, pattern) for pattern in self.exempt)


@dataclass(frozen=True, slots=True)
class StoredImage:
    """A manifest in a repository.

    Attributes:
        digest: Of the manifest's bytes.
        media_type: Of the manifest.
        manifest: Its bytes, as they were pushed.
        pushed: Seconds since 1970.
        tags: In their order.
    """

    digest: str
    media_type: str
    manifest: bytes
    pushed: float
    tags: tuple[str, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """Digests of its config and layers; of the manifests in an index."""
        return tuple(each["digest"] for each in parts_of(self.manifest))

    @property
    def size(self) -> int:
        """Bytes of its layers, packed as they are."""
        found: Any = json.loads(self.manifest)
        return sum(int(layer.get("size", 0)) for layer in found.get("layers", ()))


def parts_of(manifest: bytes) -> list[dict[str, Any]]:
    """The descriptors in a manifest or index; Any: JSON.

    Raises:
        ValueError: It is neither.
    """
    found: Any = json.loads(manifest)
    match found:
        case {"manifests": list(entries)}:
            listed = entries
        case {"config": dict(config), "layers": list(layers)}:
            listed = [config, *layers]
        case _:
            raise ValueError("neither a manifest nor an index")
    if not all(isinstance(each, dict) and isinstance(each.get("digest"), str) for each in listed):
        raise ValueError("a descriptor without a digest")
    return listed


class ImageStore:
    """The store; for several threads.

    Args:
        folder: Made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.blobs = BlobStore(folder / "blobs")
        self.blobs.path(digest_of(b"")).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._database = sqlite3.connect(folder / "images.sqlite3", check_same_thread=False, isolation_level=None)
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Let go of the folder."""
        with self._lock:
            self._database.close()

    def has_layer(self, repository: RepositoryName, digest: str) -> bool:
        """Whether a repository has a blob: ECR lets none see those of another."""
        found = self._rows("SELECT 1 FROM layers WHERE repository = ? AND digest = ?", repository.uri, digest)
        return bool(found) and self.blobs.size(digest) is not None

    def add_layer(self, repository: RepositoryName, digest: str) -> None:
        """A blob that is in the store belongs to a repository, too."""
        with self._changing():
            self._database.execute("INSERT OR IGNORE INTO layers VALUES (?, ?)", (repository.uri, digest))

    def find(self, repository: RepositoryName, reference: str) -> StoredImage | None:
        """An image by its digest or tag."""
        digest = reference
        if not reference.startswith("sha256:"):
            tagged = self._rows("SELECT digest FROM tags WHERE repository = ? AND tag = ?", repository.uri, reference)
            if not tagged:
                return None
            digest = tagged[0][0]
        found = self._rows(
            "SELECT media_type, pushed FROM images WHERE repository = ? AND digest = ?", repository.uri, digest
        )
        return None if not found else self._image(repository, digest, *found[0])

    def all(self, repository: RepositoryName) -> list[StoredImage]:
        """The images of a repository, the oldest first."""
        rows = self._rows(
            "SELECT digest, media_type, pushed FROM images WHERE repository = ? ORDER BY pushed, digest",
            repository.uri,
        )
        return [self._image(repository, *row) for row in rows]

    def put(self, repository: RepositoryName, manifest: bytes, media_type: str, tag: str | None) -> StoredImage:
        """Keep a manifest, and let a tag name it."""
        digest = digest_of(manifest)
        self.blobs.add_bytes(manifest, digest)
        with self._changing():
            self._database.execute(
                "INSERT OR IGNORE INTO images VALUES (?, ?, ?, ?)",
                (repository.uri, digest, media_type, round(time.time(), 3)),
            )
            if tag is not None:
                self._database.execute("INSERT OR REPLACE INTO tags VALUES (?, ?, ?)", (repository.uri, tag, digest))
        found = self.find(repository, digest)
        assert found is not None, "it was just stored"
        return found

    def untag(self, repository: RepositoryName, tag: str) -> None:
        """Take a tag away; its image goes when no other names it, as `BatchDeleteImage` by tag has it."""
        found = self.find(repository, tag)
        with self._changing():
            self._database.execute("DELETE FROM tags WHERE repository = ? AND tag = ?", (repository.uri, tag))
        if found is not None and found.tags == (tag,):
            self.remove(repository, found.digest)

    def remove(self, repository: RepositoryName, digest: str) -> None:
        """Forget an image with its tags."""
        with self._changing():
            for table in ("images", "tags"):
                self._database.execute(
                    f"DELETE FROM {table} WHERE repository = ? AND digest = ?", (repository.uri, digest)
                )

    def remove_all(self, repository: RepositoryName) -> None:
        """Forget a repository, and the blobs that no other repository has."""
        with self._changing():
            rows = self._database.execute("SELECT digest FROM layers WHERE repository = ?", (repository.uri,))
            digests = [row[0] for row in rows]
            for table in ("images", "tags", "layers"):
                self._database.execute(f"DELETE FROM {table} WHERE repository = ?", (repository.uri,))
            for digest in digests:
                if not self._database.execute("SELECT 1 FROM layers WHERE digest = ?", (digest,)).fetchone():
                    self.blobs.remove(digest)

    def copy(self, image: StoredImage, source: RepositoryName, target: RepositoryName) -> None:
        """Have an image in another repository, too, with what it is made of."""
        for digest in image.parts:
            held = self.find(source, digest) if image.media_type in INDEXES else None
            if held is not None:
                self.copy(held, source, target)
            else:
                self.add_layer(target, digest)
        self.put(target, image.manifest, image.media_type, None)

    def _image(self, repository: RepositoryName, digest: str, media_type: str, pushed: float) -> StoredImage:
        tags = self._rows(
            "SELECT tag FROM tags WHERE repository = ? AND digest = ? ORDER BY tag", repository.uri, digest
        )
        return StoredImage(digest, media_type, self.blobs.read(digest), pushed, tuple(row[0] for row in tags))

    def _rows(self, query: str, *values: str) -> list[Any]:
        """Any: rows of the query's columns."""
        with self._lock:
            return self._database.execute(query, values).fetchall()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")
