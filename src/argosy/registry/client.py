"""Placeholder until the protocol is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from argosy.errors import RegistryError
from argosy.image.blobs import BlobStore
from argosy.image.image import Image
from argosy.image.reference import RegistryReference


@contextmanager
def connect(place: RegistryReference, docker_config: Path) -> Iterator[None]:
    raise RegistryError("registries are not there yet", where=place)
    yield


def pull(registry: None, place: RegistryReference, store: BlobStore) -> Image:
    raise RegistryError("registries are not there yet", where=place)


def push(registry: None, place: RegistryReference, image: Image) -> str:
    raise RegistryError("registries are not there yet", where=place)
