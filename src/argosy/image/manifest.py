"""Base image, layers and settings -> the config and manifest that SageMaker takes: Docker's schema 2, gzip layers.

Source: SageMaker refuses OCI manifests and indexes, "Unsupported manifest media type" (mlflow#13834,
amazon-sagemaker-feedback#180, read 2026-11-22).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from argosy.image.blobs import BlobStore, JoinedBlobs
from argosy.image.image import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    Blobs,
    Descriptor,
    Image,
    canonical_json,
    digest_of,
)
from argosy.image.layer import Layer

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
    stand against what SageMaker does.

    Args:
        base_image: What lies below, as `convert` gives it; None for an image from nothing.
        added: Our layers, lowest first.
        settings: What the image is started with.
        store: Has our layers.
    """
    below = () if base_image is None else base_image.layers
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


def variables(image: Image) -> dict[str, str]:
    """The environment that the image's config sets."""
    pairs = (variable.partition("=") for variable in image.runtime.get("Env") or ())
    return {name: value for name, _, value in pairs}


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
