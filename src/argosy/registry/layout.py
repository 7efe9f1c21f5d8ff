"""Image <-> OCI image layout: a folder with `oci-layout`, `index.json` and blobs named by their digest.

Source: OCI image-spec 1.1 `image-layout.md` (read 2026-11-22).
"""

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from argosy.errors import ImageError
from argosy.image.blobs import BlobStore, fetch_layers, folder_aside, local_file
from argosy.image.image import (
    INDEXES,
    OCI_INDEX,
    Blobs,
    Descriptor,
    Image,
    canonical_json,
    choose_platform,
    parse_object,
)
from argosy.image.layer import cache_key
from argosy.model_archive import written_aside

INDEX: Final = "index.json"
REF_NAME: Final = "org.opencontainers.image.ref.name"
_VERSION: Final = {"imageLayoutVersion": "1.0.0"}
_SETTLED_NS: Final = 2 * 10**9


def read_layout(folder: Path, tag: str | None) -> Image:
    """The image of a tag; of the only one when no tag is given.

    Raises:
        ImageError: Not a layout, no such tag, a missing blob, or no image for linux/amd64.
    """
    return read_index(_index(folder), tag, BlobStore(folder / "blobs"), folder)


def read_index(listed: dict[str, Any], tag: str | None, blobs: Blobs, place: Path) -> Image:
    """The image of a tag in a layout's `index.json`, through further indexes where it leads there.

    Args:
        listed: The parsed `index.json`.
        tag: None for the only image, or the only one for linux/amd64.
        blobs: The layout's.
        place: The layout, or the archive that it is packed in: what errors name.

    Raises:
        ImageError: No such tag, a missing blob, or no image for linux/amd64.
    """
    chosen, index_bytes = _chosen(listed, place, tag)
    manifest_bytes = _read(blobs, chosen)
    manifest = parse_object(manifest_bytes, f"`{place}`: the manifest")
    while chosen.media_type in INDEXES or manifest.get("mediaType") in INDEXES:
        index_bytes = index_bytes or manifest_bytes
        chosen = choose_platform(manifest, place)
        manifest_bytes = _read(blobs, chosen)
        manifest = parse_object(manifest_bytes, f"`{place}`: the manifest")
    return Image(manifest_bytes, _read(blobs, Descriptor.from_json(manifest.get("config"))), blobs, index_bytes)


@dataclass(frozen=True, slots=True)
class VerifiedBlobs:
    """Remembers which files of layouts were read and had their digest, so that what did not change is not read again.

    A file is known by what the system says of it. Its change time cannot be set back, so an equal stamp means equal
    bytes, unless it changed twice within one tick of the clock: what changed just now is not remembered.

    Attributes:
        cache_dir: The user's cache folder.
        now: Tells the time in nanoseconds since the epoch.
    """

    cache_dir: Path
    now: Callable[[], int] = time.time_ns

    def is_whole(self, store: BlobStore, blob: Descriptor) -> bool:
        """Whether the store has the blob, and it is what digest and size say; read only when that is not known."""
        path = store.path(blob.digest)
        try:
            stamp = _stamp(path)
        except FileNotFoundError:
            return False
        remembered = self.cache_dir / "verified" / cache_key("verified", str(path.resolve()), blob.size)
        if _recall(remembered) == stamp:
            return True
        is_settled = self.now() - stamp[-1] > _SETTLED_NS
        if not store.is_whole(blob.digest, blob.size):
            return False
        if is_settled:
            with written_aside(remembered) as aside:
                aside.write_bytes(canonical_json(stamp))
        return True


def write_layout(image: Image, folder: Path, tag: str, verified: VerifiedBlobs | None = None) -> str:
    """Add the image under a tag; other tags stay, and the layout names the image only when all its blobs are there.

    Blobs that the image has on the same filesystem are linked, others copied. Every one is read and verified first,
    those that the layout has already, too.

    Args:
        image: What is written.
        folder: The layout; made when it is not there.
        tag: Names the image in it.
        verified: Knows which layers of the layout need not be read again; None reads all.

    Returns:
        The manifest's digest.
    """
    store = BlobStore(folder / "blobs")
    fetch_layers(image.blobs, [layer for layer in image.layers if store.size(layer.digest) is None])
    for layer in image.layers:
        is_there = store.is_whole(layer.digest, layer.size) if verified is None else verified.is_whole(store, layer)
        if not is_there:
            _add_blob(image, layer, store)
    store.add_bytes(image.config_bytes, image.config_descriptor.digest)
    store.add_bytes(image.manifest_bytes, image.digest)
    with written_aside(folder / "oci-layout") as aside:
        aside.write_bytes(canonical_json(_VERSION))
    index = _index(folder) if (folder / INDEX).exists() else {}
    kept = [entry for entry in _entries(index) if _tag(entry) != tag]
    entry = {
        **Descriptor(image.media_type, image.digest, len(image.manifest_bytes)).to_json(),
        "annotations": {REF_NAME: tag},
        "platform": {"architecture": "amd64", "os": "linux"},
    }
    with written_aside(folder / INDEX) as aside:
        aside.write_bytes(canonical_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [*kept, entry]}))
    return image.digest


def _add_blob(image: Image, layer: Descriptor, store: BlobStore) -> None:
    store.remove(layer.digest)
    source = local_file(image.blobs, layer.digest, layer.size)
    if source is not None:
        target = store.path(layer.digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        with folder_aside(store.folder) as aside:
            linked = aside / "blob"
            try:
                os.link(source, linked)
            except OSError:  # another filesystem, or one without links
                shutil.copyfile(source, linked)
            linked.replace(target)
        return
    with image.blobs.open(layer.digest) as stream:
        store.add(stream, layer.digest, layer.size)


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_ino, status.st_dev, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _recall(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _read(blobs: Blobs, blob: Descriptor) -> bytes:
    with blobs.open(blob.digest) as stream:
        return stream.read()


def _index(folder: Path) -> dict[str, Any]:
    path = folder / INDEX
    try:
        return parse_object(path.read_bytes(), f"`{path}`")
    except (FileNotFoundError, NotADirectoryError):
        raise ImageError("not an OCI layout: it has no index.json", where=folder) from None


def _entries(index: dict[str, Any]) -> list[dict[str, Any]]:
    """The images that an index lists; what is no object is none."""
    listed = index.get("manifests")
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def _tag(entry: dict[str, Any]) -> object:
    annotations = entry.get("annotations")
    return annotations.get(REF_NAME) if isinstance(annotations, dict) else None


def _chosen(index: dict[str, Any], folder: Path, tag: str | None) -> tuple[Descriptor, bytes | None]:
    """The entry that is meant, and the layout's index where that itself is one of several platforms."""
    entries = _entries(index)
    tags = [_tag(entry) for entry in entries]
    if tag is None and len(entries) == 1:
        return Descriptor.from_json(entries[0]), None
    if tag is None and entries and not any(tags):
        return choose_platform(index, folder), canonical_json(index)
    for entry, name in zip(entries, map(str, tags), strict=True):
        if name == tag or name.rpartition(":")[2] == tag:
            return Descriptor.from_json(entry), None
    raise ImageError(
        "the layout has no such image" if tag else "the layout has several images",
        got=json.dumps(sorted(map(str, tags))),
        want=f"`{tag}`" if tag else f"one of them: oci:{folder}:TAG",
        where=folder,
    )
