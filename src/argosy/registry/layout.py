"""Image <-> OCI image layout: a folder with `oci-layout`, `index.json` and blobs named by their digest.

Source: OCI image-spec 1.1 `image-layout.md` (read 2026-11-22).
"""

import json
import os
import shutil
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
from argosy.model_archive import written_aside

INDEX: Final = "index.json"
REF_NAME: Final = "org.opencontainers.image.ref.name"
_VERSION: Final = {"imageLayoutVersion": "1.0.0"}


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


def write_layout(image: Image, folder: Path, tag: str) -> str:
    """Add the image under a tag; other tags stay, and the layout names the image only when all its blobs are there.

    Blobs that the image has on the same filesystem are linked, others copied. Every one is read and verified first,
    those that the layout has already, too.

    Returns:
        The manifest's digest.
    """
    store = BlobStore(folder / "blobs")
    fetch_layers(image.blobs, [layer for layer in image.layers if store.size(layer.digest) is None])
    for layer in image.layers:
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
    if store.is_whole(layer.digest, layer.size):
        return
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
