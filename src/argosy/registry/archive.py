"""Image <-> docker archive: the tar file of `docker save`, as `docker load` and `podman load` take it.

Source: Docker Image Specification v1.2, `manifest.json` (read 2026-11-22).
"""

import hashlib
import io
import lzma
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from argosy.errors import ImageError
from argosy.image.blobs import CHUNK, BlobWriter, fetch_layers, verified
from argosy.image.convert import gzip_layer
from argosy.image.image import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    Descriptor,
    Image,
    canonical_json,
    digest_of,
    parse_object,
)
from argosy.image.layer import Layer, LayerCache
from argosy.image.layer_stream import GZIP_MAGIC, ZSTD_MAGIC, decompressed
from argosy.model_archive import BROKEN_ARCHIVE, full_disk_named, written_aside
from argosy.registry import layout

_MANIFEST: Final = "manifest.json"
_SMALL: Final = 64 * 2**20


@dataclass(frozen=True, slots=True)
class _Listed:
    """One image of the archive's manifest.json."""

    config: str
    names: tuple[str, ...]
    layers: tuple[str, ...]


def write_archive(image: Image, file: Path, name: str | None) -> str:
    """Write the image, its layers as they are, for `docker load`.

    Args:
        image: What is written.
        file: The archive; replaced when it is complete.
        name: What the image is called after loading; none leaves it without a name.

    Returns:
        The manifest's digest.
    """
    fetch_layers(image.blobs, image.layers)
    config_name = f"{image.config_descriptor.digest.removeprefix('sha256:')}.json"
    layer_names = [f"{layer.digest.removeprefix('sha256:')}.tar.gz" for layer in image.layers]
    listing = canonical_json(
        [{"Config": config_name, "RepoTags": [tagged(name)] if name else None, "Layers": layer_names}]
    )
    with written_aside(file) as aside, tarfile.open(aside, "w", format=tarfile.PAX_FORMAT) as archive:
        for layer, layer_name in dict(zip(image.layers, layer_names, strict=True)).items():
            with image.blobs.open(layer.digest) as stream:
                archive.addfile(_member(layer_name, layer.size), stream)
                if stream.read(1):
                    raise ImageError("a blob is longer than its manifest says", where=layer.digest)
        _add_bytes(archive, config_name, image.config_bytes)
        _add_bytes(archive, _MANIFEST, listing)
    return image.digest


def read_archive(file: Path, name: str | None, cache: LayerCache) -> Image:
    """The image of that name; of the only one when no name is given.

    Read are the archives of every Docker and of Podman, packed OCI layouts, and each of them compressed. Layers go to
    the cache, verified against their diff IDs; those that are not gzip'ed are compressed there, once.

    Raises:
        ImageError: Not such an archive, no such image, or a layer that is broken.
    """
    try:
        with _opened(file, cache) as archive:
            members = {member.name.removeprefix("./"): member for member in archive}
            contents = _Contents(archive, members, file)
            if _MANIFEST not in members and layout.INDEX in members:
                return _read_layout(contents, name, cache)
            return _read_saved(contents, name, cache)
    except FileNotFoundError:
        raise ImageError("no such archive", where=file) from None
    except (*BROKEN_ARCHIVE, lzma.LZMAError) as error:
        raise ImageError("not a docker archive", got=error, where=file) from error


def tagged(name: str) -> str:
    """The name with its tag, `latest` when it has none."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


@contextmanager
def _opened(file: Path, cache: LayerCache) -> Iterator[tarfile.TarFile]:
    """The archive; first uncompressed into a nameless file, if need be, since its members are read in any order."""
    with file.open("rb") as stored:
        start = stored.peek(4)[:4]
        if start[:2] != GZIP_MAGIC and start != ZSTD_MAGIC:
            with tarfile.open(fileobj=stored, mode="r:*") as archive:
                yield archive
            return
        cache.store.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache.store.folder) as plain, full_disk_named(cache.store.folder):
            with decompressed(stored, file) as content:
                shutil.copyfileobj(content, plain, CHUNK)
            plain.seek(0)
            with tarfile.open(fileobj=plain, mode="r:") as archive:
                yield archive


@dataclass(frozen=True, slots=True)
class _Contents:
    """The members of an archive by name."""

    archive: tarfile.TarFile
    members: Mapping[str, tarfile.TarInfo]
    file: Path

    def open(self, name: str) -> io.BufferedReader:
        """A member's content; links, with which old `docker save` shares layers, are followed inside the archive."""
        member = self.members.get(name)
        try:
            content = None if member is None else self.archive.extractfile(member)
        except KeyError:
            content = None
        if content is None:
            raise ImageError(f"not a docker archive: it has no `{name}`", where=self.file)
        return cast(io.BufferedReader, content)

    def read(self, name: str) -> bytes:
        """A small member as a whole."""
        with self.open(name) as stream:
            return stream.read(_SMALL)


def _read_saved(contents: _Contents, name: str | None, cache: LayerCache) -> Image:
    """The image as manifest.json lists it: Docker's own form, and what newer ones write beside an OCI layout."""
    file = contents.file
    listed = _chosen(_listing(contents.read(_MANIFEST), file), file, name)
    config_bytes = contents.read(listed.config)
    rootfs = parse_object(config_bytes, f"`{file}`: the config").get("rootfs")
    named = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    diff_ids = named if isinstance(named, list) else []
    if len(diff_ids) != len(listed.layers):
        raise ImageError(
            "config and manifest.json disagree",
            got=f"{len(diff_ids)} diff IDs, {len(listed.layers)} layers",
            where=file,
        )
    layers = [
        _layer(contents, layer_name, str(diff_id), cache)
        for layer_name, diff_id in zip(listed.layers, diff_ids, strict=True)
    ]
    manifest = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": Descriptor(DOCKER_CONFIG, digest_of(config_bytes), len(config_bytes)).to_json(),
        "layers": [Descriptor(DOCKER_LAYER, layer.digest, layer.size).to_json() for layer in layers],
    }
    return Image(canonical_json(manifest), config_bytes, cache.store)


@dataclass(frozen=True, slots=True)
class _PackedBlobs:
    """The blobs of a packed OCI layout."""

    contents: _Contents

    def open(self, digest: str) -> BinaryIO:
        stream = self.contents.open(f"blobs/{digest.replace(':', '/')}")
        return verified(cast(BinaryIO, stream), digest, self.contents.file)


def _read_layout(contents: _Contents, name: str | None, cache: LayerCache) -> Image:
    """The image of a packed OCI layout, as `podman save --format oci-archive` and buildx write it."""
    listed = parse_object(contents.read(layout.INDEX), f"`{contents.file}`: {layout.INDEX}")
    found = layout.read_index(listed, name, _PackedBlobs(contents), contents.file)
    for layer in dict.fromkeys(found.layers):
        with found.blobs.open(layer.digest) as stream:
            cache.store.add(stream, layer.digest, layer.size)
    return replace(found, blobs=cache.store)


def _listing(content: bytes, file: Path) -> list[_Listed]:
    entries: Any = parse_object(b'{"images":' + content + b"}", f"`{file}`: manifest.json")["images"]
    found = []
    for entry in entries if isinstance(entries, list) else []:
        match entry:
            case {"Config": str(config), "Layers": list(layers)}:
                tags = entry.get("RepoTags")
                names = tuple(str(name) for name in tags) if isinstance(tags, list) else ()
                found.append(_Listed(config, names, tuple(str(layer) for layer in layers)))
            case _:
                raise ImageError("manifest.json is not as `docker save` writes it", where=file)
    return found


def _chosen(images: list[_Listed], file: Path, name: str | None) -> _Listed:
    if name is None and len(images) == 1:
        return images[0]
    wanted = None if name is None else tagged(name)
    for image in images:
        known = {*image.names, *(known.removeprefix("docker.io/").removeprefix("library/") for known in image.names)}
        if wanted in known or wanted in {known.removeprefix("localhost/") for known in image.names}:
            return image
    names = ", ".join(name for image in images for name in image.names) or "none with a name"
    raise ImageError(
        "the archive has no such image" if name else "the archive has not exactly one image",
        got=names,
        want=wanted or f"one of them: docker-archive:{file}:NAME",
        where=file,
    )


def _layer(contents: _Contents, name: str, diff_id: str, cache: LayerCache) -> Layer:
    where = f"{contents.file}: {name}"
    with contents.open(name) as stream:
        if stream.peek(2)[:2] != GZIP_MAGIC:
            return gzip_layer(lambda: decompressed(stream, where), diff_id, cache, where)
        with cache.store.writer() as writer:
            copied: io.BufferedReader = io.BufferedReader(_CopyingReader(stream, writer), CHUNK)
            with decompressed(copied, where) as tar:
                found = f"sha256:{hashlib.file_digest(tar, 'sha256').hexdigest()}"  # type: ignore[arg-type]  # any stream does
            while copied.read(CHUNK):  # what may follow the gzip'ed tar
                pass
            if found != diff_id:
                raise ImageError("a layer is not what its diff ID says", got=found, want=diff_id, where=where)
        return Layer(writer.digest, writer.size, diff_id)


class _CopyingReader(io.RawIOBase):
    """Passes bytes on, and writes them to the store on the way."""

    def __init__(self, stream: BinaryIO, writer: BlobWriter) -> None:
        self._stream, self._writer = stream, writer

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # any buffer is cast to a memoryview
        view = memoryview(buffer).cast("B")
        content = self._stream.read(len(view))
        self._writer.write(content)
        view[: len(content)] = content
        return len(content)


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    archive.addfile(_member(name, len(content)), io.BytesIO(content))
