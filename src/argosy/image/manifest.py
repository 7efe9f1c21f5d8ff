"""Base image, layers and settings -> the config and manifest that SageMaker takes: Docker's schema 2, gzip layers.

Source: SageMaker refuses OCI manifests and indexes, "Unsupported manifest media type" (mlflow#13834,
amazon-sagemaker-feedback#180, read 2026-11-22).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from argosy.errors import ImageError
from argosy.image.blobs import BlobStore, JoinedBlobs
from argosy.image.image import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    OCI_LAYER,
    OCI_LAYER_GZIP,
    Blobs,
    Descriptor,
    Image,
    canonical_json,
    digest_of,
)
from argosy.image.layer import Layer, LayerCache, cache_key, compress_layer
from argosy.image.layer_stream import layer_stream

CREATED: Final = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class NamedLayer:
    """A layer of ours with the name that the image's history gives it."""

    name: str
    layer: Layer


@dataclass(frozen=True, slots=True)
class Settings:
    """What a container of the image is started with.

    Attributes:
        environment: Variables beside the base image's; they win.
        entrypoint: Exec form.
        command: The default argument.
        working_dir: Absolute.
        port: TCP port that the image listens on.
        labels: Labels beside the base image's; they win.
    """

    environment: Mapping[str, str]
    entrypoint: Sequence[str]
    command: Sequence[str]
    working_dir: str
    port: int | None
    labels: Mapping[str, str]


def assemble(base_image: Image | None, added: Sequence[NamedLayer], settings: Settings, store: BlobStore) -> Image:
    """The image of the base's layers and ours.

    Of the base's settings only environment and labels are kept: its user, health check, stop signal and triggers would
    stand against what SageMaker does. The base's OCI layers keep their bytes and get Docker's names.

    Args:
        base_image: What lies below; None for an image from nothing.
        added: Our layers, lowest first.
        settings: What the image is started with.
        store: Has our layers.

    Raises:
        ImageError: The base is not for linux/amd64, or has layers that are not gzip'ed.
    """
    below = () if base_image is None else _docker_layers(base_image)
    found = None if base_image is None else base_image.config.get("history")
    history: list[Any] = found if isinstance(found, list) else []
    config_bytes = canonical_json(
        {
            "architecture": "amd64",
            "config": _started_with(base_image, settings),
            "created": CREATED,
            "history": history + [{"created": CREATED, "created_by": f"argosy: {new.name}"} for new in added],
            "os": "linux",
            "rootfs": {
                "diff_ids": [
                    *(() if base_image is None else base_image.diff_ids),
                    *(new.layer.diff_id for new in added),
                ],
                "type": "layers",
            },
        }
    )
    layers = [*below, *(Descriptor(DOCKER_LAYER, new.layer.digest, new.layer.size) for new in added)]
    manifest_bytes = canonical_json(
        {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST,
            "config": Descriptor(DOCKER_CONFIG, digest_of(config_bytes), len(config_bytes)).to_json(),
            "layers": [layer.to_json() for layer in layers],
        }
    )
    blobs: Blobs = store if base_image is None else JoinedBlobs(store, base_image.blobs)
    return Image(manifest_bytes, config_bytes, blobs)


def with_gzip_layers(image: Image, cache: LayerCache) -> Image:
    """The image, its uncompressed layers gzip'ed, once; everything else stays as it is.

    Raises:
        ImageError: A layer is not what its digest or diff ID says.
    """
    layers = []
    for layer, diff_id in zip(image.layers, image.diff_ids, strict=True):
        if layer.media_type != OCI_LAYER:
            layers.append(layer)
            continue
        key = cache_key("compressed", diff_id)
        made = cache.get(key)
        if made is None:
            with layer_stream(image, layer) as tar:
                made = compress_layer(tar, cache.store)
            if made.diff_id != diff_id:
                raise ImageError("a layer is not what its diff ID says", got=made.diff_id, want=diff_id)
            cache.put(key, made)
        layers.append(Descriptor(OCI_LAYER_GZIP, made.digest, made.size))
    if tuple(layers) == image.layers:
        return image
    manifest = {**image.manifest, "layers": [layer.to_json() for layer in layers]}
    return Image(canonical_json(manifest), image.config_bytes, JoinedBlobs(cache.store, image.blobs))


def variables(image: Image) -> dict[str, str]:
    """The environment that the image's config sets."""
    pairs = (variable.partition("=") for variable in image.runtime.get("Env") or ())
    return {name: value for name, _, value in pairs}


def _docker_layers(base_image: Image) -> tuple[Descriptor, ...]:
    config = base_image.config
    platform = f"{config.get('os')}/{config.get('architecture')}"
    if platform != "linux/amd64":
        raise ImageError("the base image is for another platform", got=platform, want="linux/amd64")
    for layer in base_image.layers:
        if layer.media_type not in (DOCKER_LAYER, OCI_LAYER_GZIP):
            raise ImageError(
                "a layer of the base image is not gzip'ed, and SageMaker takes no other",
                got=layer.media_type,
                where=layer.digest,
                hint="skopeo copy --format v2s2 --dest-compress-format gzip --dest-force-compress-format BASE oci:base",
            )
    return tuple(Descriptor(DOCKER_LAYER, layer.digest, layer.size) for layer in base_image.layers)


def _started_with(base_image: Image | None, settings: Settings) -> dict[str, Any]:
    environment = {**({} if base_image is None else variables(base_image)), **settings.environment}
    labels = {**((base_image.runtime.get("Labels") or {}) if base_image else {}), **settings.labels}
    started: dict[str, Any] = {"Env": [f"{name}={value}" for name, value in environment.items()]}
    if settings.entrypoint:
        started["Entrypoint"] = list(settings.entrypoint)
    if settings.command:
        started["Cmd"] = list(settings.command)
    if settings.working_dir:
        started["WorkingDir"] = settings.working_dir
    if settings.port is not None:
        started["ExposedPorts"] = {f"{settings.port}/tcp": {}}
    if labels:
        started["Labels"] = labels
    return started
