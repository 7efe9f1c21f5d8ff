"""Images as other tools store them: any compression, either manifest format, behind an index with attestations."""

import gzip
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from argosy.image.blobs import BlobStore
from argosy.image.image import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_LAYER_TAR,
    DOCKER_LAYER_ZSTD,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_LAYER_GZIP,
    OCI_LAYER_ZSTD,
    OCI_MANIFEST,
    Image,
)
from tests.image.images import Member, sha256, tar

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COMPRESS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": lambda content: gzip.compress(content, 1, mtime=0),
    "zstd": zstd.compress,
    "uncompressed": lambda content: content,
}
TYPES: Final = {
    OCI_MANIFEST: {"gzip": OCI_LAYER_GZIP, "zstd": OCI_LAYER_ZSTD, "uncompressed": OCI_LAYER},
    DOCKER_MANIFEST: {"gzip": DOCKER_LAYER, "zstd": DOCKER_LAYER_ZSTD, "uncompressed": DOCKER_LAYER_TAR},
}


def foreign_image(
    store: BlobStore,
    layers: Sequence[tuple[str, Sequence[Member]]],
    manifest_type: str = OCI_MANIFEST,
    config: dict[str, Any] | None = None,
    **manifest: object,
) -> Image:
    """An image in the store; a layer is a word of `COMPRESS` and its members; `manifest` are further fields of that."""
    tars = [tar(members) for _, members in layers]
    stored = [COMPRESS[kind](content) for content, (kind, _) in zip(tars, layers, strict=True)]
    config_bytes = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": ["PATH=/bin"], "Entrypoint": ["/bin/serve"]},
            "rootfs": {"type": "layers", "diff_ids": [sha256(content) for content in tars]},
            **(config or {}),
        }
    ).encode()
    config_type = OCI_CONFIG if manifest_type == OCI_MANIFEST else DOCKER_CONFIG
    described = [
        descriptor(TYPES[manifest_type][kind], content) for content, (kind, _) in zip(stored, layers, strict=True)
    ]
    manifest_bytes = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": descriptor(config_type, config_bytes),
            "layers": described,
            **manifest,
        }
    ).encode()
    for content in (*stored, config_bytes, manifest_bytes):
        store.add_bytes(content, sha256(content))
    return Image(manifest_bytes, config_bytes, store)


def index_of(image: Image) -> bytes:
    """What BuildKit pushes: an index of the image, one for another platform, and the image's attestation."""
    entry = descriptor(image.media_type, image.manifest_bytes)
    other = {"mediaType": image.media_type, "digest": "sha256:" + "0" * 64, "size": 1}
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [
                {**other, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
                {**entry, "platform": {"os": "linux", "architecture": "amd64"}},
                {
                    **other,
                    "platform": {"os": "unknown", "architecture": "unknown"},
                    "annotations": {
                        "vnd.docker.reference.type": "attestation-manifest",
                        "vnd.docker.reference.digest": image.digest,
                    },
                },
            ],
        }
    ).encode()


def descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": sha256(content), "size": len(content)}
