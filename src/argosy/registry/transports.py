"""Reading and writing images wherever they live; the one door for every verb that takes an image."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from argosy import engine
from argosy.image import reference
from argosy.image.image import Image
from argosy.image.layer import LayerCache
from argosy.registry import archive, client, layout


@dataclass(frozen=True, slots=True)
class Access:
    """What reading and writing images needs of the surroundings.

    Attributes:
        docker_config: Folder of Docker's `config.json`.
        environ: The environment, for the container engine's command line.
        cache_dir: Where layers are kept.
    """

    docker_config: Path
    environ: Mapping[str, str]
    cache_dir: Path


def read_image(text: str, access: Access) -> Image:
    """The image that a reference names, for linux/amd64 where there are several.

    Layers of a registry are fetched when they are read.

    Raises:
        InvalidReferenceError: Not a reference.
        ImageError: There is no such image, or it is broken.
        RegistryError: The registry refused, or does not answer.
        EngineError: The local engine has no such image, or does not answer.
    """
    cache = LayerCache(access.cache_dir)
    match reference.parse(text):
        case reference.LayoutReference(folder, tag):
            return layout.read_layout(Path(folder), tag)
        case reference.ArchiveReference(file, name):
            return archive.read_archive(Path(file), name, cache)
        case reference.DaemonReference(name):
            return read_from_engine(engine.find(None, access.environ), name, access)
        case reference.RegistryReference() as place:
            return client.pull(place, access.docker_config, cache.store)


def read_from_engine(program: engine.Engine, name: str, access: Access) -> Image:
    """An image of a local engine; its layers are gzip'ed into the cache.

    Raises:
        ImageError: It is broken.
        EngineError: The engine has no such image, or does not answer.
    """
    with tempfile.TemporaryDirectory(prefix="argosy-") as folder:
        saved = Path(folder) / "image.tar"
        program.save(name, saved)
        return archive.read_archive(saved, None, LayerCache(access.cache_dir))


def write_image(image: Image, text: str, access: Access) -> str:
    """Store the image where the reference says.

    Returns:
        The digest as stored.

    Raises:
        InvalidReferenceError: Not a reference that can be written to.
        ImageError: The image is broken.
        RegistryError: The registry refused, or stored something else than what was sent.
        EngineError: The local engine did not take it.
    """
    match reference.parse_target(text):
        case reference.LayoutReference(folder, tag):
            return layout.write_layout(image, Path(folder), tag or reference.DEFAULT_TAG)
        case reference.ArchiveReference(file, name):
            return archive.write_archive(image, Path(file), name)
        case reference.DaemonReference(name):
            with tempfile.TemporaryDirectory(prefix="argosy-") as folder:
                packed = Path(folder) / "image.tar"
                archive.write_archive(image, packed, name)
                engine.find(None, access.environ).load(packed)
            return image.digest
        case reference.RegistryReference() as place:
            return client.push(place, access.docker_config, image)
