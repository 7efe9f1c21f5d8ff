"""A foreign image -> the same image as SageMaker takes it: one platform, Docker's schema 2, gzip layers.

What is right already keeps its bytes: the config always, so that the image's ID stays, and every gzip layer.

Source: OCI image-spec 1.1 `manifest.md`, `layer.md`; Docker Image Manifest V2, Schema 2 (read 2026-11-22). SageMaker
refuses OCI manifests and indexes, "Unsupported manifest media type" (mlflow#13834, amazon-sagemaker-feedback#180, read
2026-11-22).
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Any, Final

from argosy.errors import ImageError
from argosy.image.blobs import JoinedBlobs
from argosy.image.image import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_LAYER_TAR,
    DOCKER_LAYER_ZSTD,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_LAYER,
    OCI_LAYER_GZIP,
    OCI_LAYER_ZSTD,
    Descriptor,
    Image,
    canonical_json,
    index_entries,
    parse_object,
    platform_of,
)
from argosy.image.layer import Layer, LayerCache, cache_key, compress_layer
from argosy.image.layer_stream import GZIP_MAGIC, ZSTD_MAGIC, verified_tar

PLATFORM: Final = "linux/amd64"
_COMPRESSION: Final = {
    DOCKER_LAYER: "gzip",
    OCI_LAYER_GZIP: "gzip",
    DOCKER_LAYER_ZSTD: "zstd",
    OCI_LAYER_ZSTD: "zstd",
    DOCKER_LAYER_TAR: "uncompressed",
    OCI_LAYER: "uncompressed",
}
_ELSEWHERE: Final = ("foreign", "nondistributable")
"""Words in the media types of layers whose bytes registries do not hold."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """An image as SageMaker takes it.

    Attributes:
        image: The image; the given one itself when its manifest was right.
        changes: What is different, a sentence each; none when it was right already.
    """

    image: Image
    changes: tuple[str, ...]


def convert(image: Image, cache: LayerCache, *, trusting: bool = False) -> Conversion:
    """The image as SageMaker takes it; layers that are not gzip'ed are compressed anew, once, into the cache.

    Args:
        image: Of any of the two manifest formats.
        cache: Gets the new layers.
        trusting: Believe the media types and digests of layers, so that only those are read that have to be compressed
            anew. Otherwise every layer is read and verified against digest and diff ID.

    Raises:
        ImageError: It is for another platform, is no image at all, or has a layer that is broken, not in its registry,
            or compressed with something unknown.
    """
    _require_platform(image)
    layers, recompressed = [], []
    for index, (layer, diff_id) in enumerate(zip(image.layers, image.diff_ids, strict=True)):
        found = _compression(image, index, trusting=trusting)
        if found == "gzip":
            layers.append(Descriptor(DOCKER_LAYER, layer.digest, layer.size))
            continue
        made = gzip_layer(_tar_of(image, index), diff_id, cache, layer.digest)
        layers.append(Descriptor(DOCKER_LAYER, made.digest, made.size))
        recompressed.append(f"layer {index}: {found}, {layer.size / 1e6:,.1f} MB -> gzip, {made.size / 1e6:,.1f} MB")
    config = Descriptor(DOCKER_CONFIG, image.config_descriptor.digest, len(image.config_bytes))
    wanted = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": config.to_json(),
        "layers": [layer.to_json() for layer in layers],
    }
    if image.manifest == wanted:
        return Conversion(image, tuple(_index_changes(image)))
    changes = (*_index_changes(image), _manifest_change(image), *recompressed)
    return Conversion(Image(canonical_json(wanted), image.config_bytes, JoinedBlobs(cache.store, image.blobs)), changes)


def gzip_layer(
    opened: Callable[[], AbstractContextManager[IO[bytes]]], diff_id: str, cache: LayerCache, where: object
) -> Layer:
    """The gzip'ed layer of a diff ID: from the cache, or made now of its tar.

    Args:
        opened: Opens the uncompressed tar.
        diff_id: What the tar has to be.
        cache: Gets the layer.
        where: What to name in the error.

    Raises:
        ImageError: The tar is not what the diff ID says.
    """
    key = cache_key("compressed", diff_id)
    known = cache.get(key)
    if known is not None:
        return known
    with opened() as tar:
        made = compress_layer(tar, cache.store)
    if made.diff_id != diff_id:
        raise ImageError("a layer is not what its diff ID says", got=made.diff_id, want=diff_id, where=where)
    cache.put(key, made)
    return made


def _tar_of(image: Image, index: int) -> Callable[[], AbstractContextManager[IO[bytes]]]:
    return lambda: verified_tar(image, index)


def _compression(image: Image, index: int, *, trusting: bool) -> str:
    """What a layer is compressed with: what its media type says, or, after reading and verifying it, what it is."""
    layer = image.layers[index]
    named = _COMPRESSION.get(layer.media_type)
    if named is None:
        elsewhere = any(word in layer.media_type for word in _ELSEWHERE)
        raise ImageError(
            "a layer's bytes are not part of the image: they may not be distributed"
            if elsewhere
            else "not a layer of a container image",
            got=layer.media_type,
            want="gzip, zstd or no compression",
            where=f"layer {index}, {layer.digest}",
            hint="build the image again on a base whose layers a registry may hold" if elsewhere else None,
        )
    if trusting:
        return named
    with image.blobs.open(layer.digest) as stream:
        start = stream.read(4)
    found = "gzip" if start[:2] == GZIP_MAGIC else "zstd" if start == ZSTD_MAGIC else "uncompressed"
    if found == "gzip":  # kept as it is: else it is verified when it is compressed
        with verified_tar(image, index):
            pass
    return found


def _require_platform(image: Image) -> None:
    if image.config_descriptor.media_type not in (DOCKER_CONFIG, OCI_CONFIG):
        raise ImageError("an artifact, and no container image", got=f"config {image.config_descriptor.media_type}")
    platform = f"{image.config.get('os')}/{image.config.get('architecture')}"
    if platform != PLATFORM:
        raise ImageError(
            "the image is for another platform",
            got=platform,
            want=PLATFORM,
            hint="build it for the platform that SageMaker has: docker build --platform linux/amd64 ...",
        )


def _index_changes(image: Image) -> list[str]:
    """What is left out of an index, if there is one."""
    if image.index_bytes is None:
        return []
    index = parse_object(image.index_bytes, "the index")
    listed: Any = index.get("manifests")
    found = [platform_of(entry) or "an image of no platform" for entry in index_entries(index)]
    attestations = len(listed) - len(found)
    if attestations:
        found.append(f"{attestations} attestation{'s' * (attestations > 1)}")
    return [f"index of {', '.join(found)} -> the {PLATFORM} image alone"]


def _manifest_change(image: Image) -> str:
    dropped = sorted(image.manifest.keys() - {"schemaVersion", "mediaType", "config", "layers"})
    left_out = f"; left out: {', '.join(dropped)}" if dropped else ""
    return f"manifest: {image.media_type} -> Docker's schema 2{left_out}"
