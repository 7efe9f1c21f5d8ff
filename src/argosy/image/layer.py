"""Files -> a layer that is the same bytes for the same files: a sorted, timeless tar, gzip'ed by a pinned compressor.

Nothing is held in memory: a layer streams from its files through both digests into the cache's blob store.
"""

import dataclasses
import hashlib
import io
import itertools
import json
import stat
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

from zlib_ng import zlib_ng

from argosy.errors import ImageError
from argosy.image.blobs import CHUNK, BlobStore
from argosy.image.image import canonical_json, digest_of, is_digest
from argosy.image.observation import Observer, Sink, begun
from argosy.model_archive import COMPRESSION_LEVEL, gzip_writer, written_aside

FORMAT: Final = f"1, gzip by zlib-ng {zlib_ng.ZLIBNG_VERSION} level {COMPRESSION_LEVEL}"
"""What decides a layer's bytes beside its files; part of every cache key."""

_BLOCK: Final = tarfile.BLOCKSIZE


class GivenUpError(Exception):
    """A layer is not finished because nobody wants it any more; what was written of it is gone."""


@dataclass(frozen=True, slots=True)
class Member:
    """One name in a layer.

    Attributes:
        path: Relative to the image's root, with no `..`.
        mode: Permission bits.
        size: Bytes of a file, else 0.
        open: A stream of the file's bytes, closed by the layer; None for a folder or link.
        link: Where a link points; None for others.
        hard: Whether the link is a hard one, to an earlier member.
    """

    path: str
    mode: int
    size: int = 0
    open: Callable[[], IO[bytes]] | None = None
    link: str | None = None
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """A finished layer in the blob store.

    Attributes:
        digest: Of the gzip'ed bytes, as manifests name the layer.
        size: Of the gzip'ed bytes.
        diff_id: Digest of the tar, as configs name the layer.
        notes: What a person should know of it.
    """

    digest: str
    size: int
    diff_id: str
    notes: tuple[str, ...] = ()


def from_bytes(path: str, content: bytes, *, executable: bool = False) -> Member:
    """A small file made here."""
    return Member(path, 0o755 if executable else 0o644, len(content), lambda: io.BytesIO(content))


def from_file(path: str, file: Path) -> Member:
    """A file on disk; who may execute it may read it, and nothing else of its mode counts."""
    status = file.stat()
    executable = bool(status.st_mode & stat.S_IXUSR)
    return Member(path, 0o755 if executable else 0o644, status.st_size, lambda: file.open("rb"))


def symlink(path: str, target: str) -> Member:
    """A symbolic link."""
    return Member(path, 0o777, link=target)


def folder(path: str, mode: int = 0o755) -> Member:
    """A folder, where its mode is not 0755 or it would otherwise be missing."""
    return Member(path, mode)


def ordered(members: Iterable[Member]) -> list[Member]:
    """Members in the order of their paths, whatever order they came in.

    Raises:
        ImageError: Two members have one path, or one lies in what another says is no folder.
    """
    found = sorted(members, key=lambda member: member.path)
    files = {member.path for member in found if member.open is not None or member.link is not None}
    for member in found:
        parent = member.path.rpartition("/")[0]
        while parent and parent not in files:
            parent = parent.rpartition("/")[0]
        if parent:
            raise ImageError("a file and a folder for one path in a layer", got=f"`/{parent}`, `/{member.path}`")
    for before, after in itertools.pairwise(found):
        if before.path == after.path:
            raise ImageError("two files for one path in a layer", got=f"`/{after.path}`")
    return found


def write_layer(
    members: Iterable[Member],
    store: BlobStore,
    is_given_up: Callable[[], bool] = lambda: False,
    observers: Sequence[Observer] = (),
) -> Layer:
    """Write members, in the order given, as a layer; folders on the way to them are added with mode 0755.

    Args:
        members: What is in it.
        store: Takes it.
        is_given_up: Asked now and then whether to go on.
        observers: See all members, the added folders too, as if they read the layer.

    Raises:
        GivenUpError: It was told to.
        ImageError: A path leads out of the image, or a file is shorter or longer than its size.
    """
    layer = _write(_until(is_given_up, _tar(members, observers)), store)
    for observer in observers:
        observer.finish(layer.digest, layer.diff_id)
    return layer


def compress_layer(tar: IO[bytes], store: BlobStore) -> Layer:
    """Gzip a finished tar as it is."""
    return _write(iter(lambda: tar.read(CHUNK), b""), store)


class LayerCache:
    """Remembers which inputs gave which layer, in a folder beside the blob store.

    Args:
        cache_dir: The user's cache folder.
    """

    def __init__(self, cache_dir: Path) -> None:
        self.store = BlobStore(cache_dir / "blobs", is_cache=True)
        self._folder = cache_dir / "layers"

    def get(self, key: str) -> Layer | None:
        """The layer remembered for the key, if its blob is still there."""
        try:
            match json.loads((self._folder / key).read_bytes()):
                case {"digest": str(digest), "size": int(size), "diff_id": str(diff_id), "notes": list(notes)} if (
                    is_digest(digest) and self.store.size(digest) == size
                ):
                    return Layer(digest, size, diff_id, tuple(str(note) for note in notes))
        except (FileNotFoundError, ValueError):
            pass
        return None

    def put(self, key: str, layer: Layer) -> None:
        """Remember a layer."""
        with written_aside(self._folder / key) as aside:
            aside.write_bytes(canonical_json(dataclasses.asdict(layer)))


def cache_key(*inputs: object) -> str:
    """A file name that stands for these inputs, this format and this compressor."""
    return digest_of(canonical_json([FORMAT, *inputs])).removeprefix("sha256:")


def _until(is_given_up: Callable[[], bool], chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        if is_given_up():
            raise GivenUpError
        yield chunk


def _write(chunks: Iterable[bytes], store: BlobStore) -> Layer:
    tar_hash = hashlib.sha256()
    with store.writer() as writer:
        with gzip_writer(writer) as stream:
            for chunk in chunks:
                tar_hash.update(chunk)
                stream.write(chunk)
        digest, size = writer.digest, writer.size
    return Layer(digest, size, f"sha256:{tar_hash.hexdigest()}")


def _tar(members: Iterable[Member], observers: Sequence[Observer]) -> Iterator[bytes]:
    for member in _with_folders(members):
        header = _header(member)
        sinks = begun(header, observers)
        yield header.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
        if member.open is not None:
            yield from _content(member, sinks)
        for sink in sinks:
            sink.close()
    yield bytes(2 * _BLOCK)


def _with_folders(members: Iterable[Member]) -> Iterator[Member]:
    """The members, each after the folders on the way to it."""
    folders: set[str] = set()
    for member in members:
        folder, _, name = member.path.rpartition("/")
        if folder in folders and name not in ("", ".", "..") and "\0" not in name and (member.open or member.link):
            yield member
            continue
        parts = PurePosixPath(member.path).parts
        if not parts or member.path.startswith("/") or ".." in parts or "\0" in member.path:
            raise ImageError("a path leads out of the image", got=f"`{member.path}`")
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            if parent not in folders:
                folders.add(parent)
                yield Member(parent, 0o755)
        if member.open is None and member.link is None:
            if member.path in folders:
                continue
            folders.add(member.path)
        yield member


def _header(member: Member) -> tarfile.TarInfo:
    header = tarfile.TarInfo(member.path)
    header.mode, header.size = member.mode, member.size
    if member.link is not None:
        header.type, header.linkname = tarfile.LNKTYPE if member.hard else tarfile.SYMTYPE, member.link
    elif member.open is None:
        header.type = tarfile.DIRTYPE
    return header


def _content(member: Member, sinks: Sequence[Sink]) -> Iterator[bytes]:
    assert member.open is not None
    read = 0
    with member.open() as stream:
        while chunk := stream.read(CHUNK):
            read += len(chunk)
            for sink in sinks:
                sink.write(chunk)
            yield chunk
    if read != member.size:
        raise ImageError("a file changed while it was read", got=f"{read} bytes", want=member.size, where=member.path)
    if read % _BLOCK:
        yield bytes(_BLOCK - read % _BLOCK)
