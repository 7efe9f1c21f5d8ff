"""Whether image and artifacts fit: into the registry, onto a transform job's volume, into a serverless endpoint."""

from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, unknown
from argosy.conformance.clause import must, should
from argosy.conformance.profile import Profile
from argosy.conformance.scenes.at_rest import Room, Still
from argosy.conformance.sources import BATCH_STORAGE, ECR_QUOTAS, SERVERLESS_PAGE

LARGEST_LAYER: Final = 52_000 * 2**20
"""Bytes of a layer that ECR takes (ECR_QUOTAS, read 2026-11-22)."""

MOST_LAYERS: Final = 125
"""Layers that Docker puts on top of each other (moby `layer/layer_store.go`, `maxLayerDepth`, read 2026-11-23)."""

LARGE_IMAGE: Final = 10 * 10**9
"""Compressed bytes from which a start takes long; what a serverless endpoint takes at most is 10 GB, too."""

VOLUME: Final = 30 * 2**30
"""Bytes of the volume that a transform job's instance has, whatever its type (BATCH_STORAGE, read 2026-11-22)."""

VOLUME_WITH_ROOM: Final = 25 * 10**9
"""What leaves room on that volume for the system and for temporary files."""


def _layer_size(still: Still) -> Verdict:
    layers = still.image.layers
    large = [layer for layer in layers if layer.size > LARGEST_LAYER]
    if large:
        seen = (Evidence(f"layer {layer.digest}", f"{_gb(layer.size)}") for layer in large)
        return failed(f"{len(large)} layers are larger than ECR takes", *seen)
    return passed(f"the largest of {len(layers)} layers has {_gb(max((layer.size for layer in layers), default=0))}")


def _layer_count(still: Still) -> Verdict:
    count = len(still.image.layers)
    if count > MOST_LAYERS:
        return failed(f"{count} layers", Evidence("manifest", f"{count} layers, and Docker takes {MOST_LAYERS}"))
    return passed(f"{count} layers")


def _image_size(still: Still) -> Verdict:
    size = sum(layer.size for layer in still.image.layers)
    if size > LARGE_IMAGE:
        return failed(f"the image has {_gb(size)}", *_largest(still))
    return passed(f"the image has {_gb(size)}")


def _serverless_size(still: Still) -> Verdict:
    size = sum(layer.size for layer in still.image.layers)
    if size > LARGE_IMAGE:
        return failed(f"the image has {_gb(size)}, a serverless endpoint takes 10 GB", *_largest(still))
    return passed(f"the image has {_gb(size)}")


def _batch_volume(room: Room) -> Verdict:
    total = room.image_bytes + (room.artifacts_bytes or 0)
    artifacts = "no artifacts" if room.artifacts_bytes is None else f"{_gb(room.artifacts_bytes)} of artifacts"
    told = f"{_gb(room.image_bytes)} of image and {artifacts} unpacked"
    if total > VOLUME:
        return failed(f"{told}, on a volume of 30 GB", Evidence("unpacked", told))
    if total > VOLUME_WITH_ROOM:
        return unknown(f"{told}: nobody wrote down how much of the 30 GB is left for them", Evidence("unpacked", told))
    return passed(told)


def _largest(still: Still) -> list[Evidence]:
    largest = sorted(still.image.layers, key=lambda layer: -layer.size)[:3]
    return [Evidence(f"layer {layer.digest}", _gb(layer.size)) for layer in largest]


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 10**9 else f"{size / 1e6:.1f} MB"


_GROUP: Final[Group[Still]] = Group("image", Still)
_ROOM: Final[Group[Room]] = Group("image", Room)

CHECKS: Final[tuple[Check[Still] | Check[Room], ...]] = (
    _GROUP.check(
        must(
            "image-layer-size",
            ECR_QUOTAS,
            "No layer is larger than the 52,000 MiB that ECR takes.",
            "copy large files in several steps, or put them into model.tar.gz",
            rows="I04",
        ),
        _layer_size,
    ),
    _GROUP.check(
        should(
            "image-layer-count",
            "https://github.com/moby/moby/blob/master/layer/layer_store.go",
            "The image has at most 125 layers, Docker's own limit.",
            "join RUN and COPY steps, or build in stages and copy the result",
            rows="I04",
        ),
        _layer_count,
    ),
    _GROUP.check(
        should(
            "image-size",
            ECR_QUOTAS,
            "The image has at most 10 GB: every instance downloads it before the start.",
            "leave out caches and compilers (argosy image show IMAGE tells what is large); put weights elsewhere",
            rows="I04",
        ),
        _image_size,
    ),
    _GROUP.check(
        must(
            "image-serverless-size",
            SERVERLESS_PAGE,
            "The image of a serverless endpoint has at most 10 GB.",
            "leave out what is for GPUs, caches and compilers (argosy image show IMAGE tells what is large)",
            rows="I04",
            only=(Profile.SERVERLESS,),
        ),
        _serverless_size,
    ),
    _ROOM.check(
        must(
            "batch-volume",
            BATCH_STORAGE,
            "Image and artifacts, unpacked, fit on the 30 GB volume of a transform job, which validation is, too.",
            "make the model smaller (half precision, quantized), or leave out of the image what serving does not need",
            rows="A05 F11 F12",
        ),
        _batch_volume,
    ),
)
