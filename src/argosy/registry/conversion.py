"""An image, wherever it is -> the same as SageMaker takes it, wherever it is wanted; only what must move moves."""

from dataclasses import dataclass

from argosy.errors import ArgosyError
from argosy.image import reference
from argosy.image.convert import convert
from argosy.image.image import Image
from argosy.image.layer import LayerCache
from argosy.image.reference import RegistryReference
from argosy.registry import transports
from argosy.registry.transports import Access


@dataclass(frozen=True, slots=True)
class Converted:
    """What came of a conversion.

    Attributes:
        image: As it is stored now.
        changes: What is different from the source, a sentence each.
        is_written: False when the target held exactly this image already.
    """

    image: Image
    changes: tuple[str, ...]
    is_written: bool


def convert_image(source: str, target: str, access: Access) -> Converted:
    """Store an image as SageMaker takes it: linux/amd64 alone, Docker's schema 2, gzip layers.

    Within one registry only layers that have to be compressed anew are read; else every layer is read and verified
    against its digest and diff ID.

    Args:
        source: Where the image is.
        target: Where it goes; may be the source.
        access: What reading and writing needs.

    Raises:
        ImageError: The image is broken, for another platform, or has layers that may not be distributed.
        InvalidReferenceError: Source or target is none.
        RegistryError: A registry refused, or does not answer.
        EngineError: The container engine did not give or take the image.
    """
    origin, place = reference.parse(source), reference.parse_target(target)
    stays = (
        isinstance(origin, RegistryReference)
        and isinstance(place, RegistryReference)
        and origin.registry == place.registry
    )
    found = convert(transports.read_image(source, access), LayerCache(access.cache_dir), trusting=stays)
    if not found.changes and (origin == place or _is_stored(found.image, place, access)):
        return Converted(found.image, (), is_written=False)
    transports.write_image(found.image, target, access)
    return Converted(found.image, found.changes, is_written=True)


def _is_stored(image: Image, place: reference.Reference, access: Access) -> bool:
    """Whether a registry has this very manifest under the name already."""
    if not isinstance(place, RegistryReference):
        return False
    try:
        stored = transports.read_image(str(place), access)
    except ArgosyError:  # there is none, or what is there is broken: writing will tell the rest
        return False
    return stored.index_bytes is None and stored.manifest_bytes == image.manifest_bytes
