"""Reading and writing images wherever they live; the one door for every verb that takes an image."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from argosy import engine
from argosy.errors import EngineError
from argosy.image import reference
from argosy.image.image import Image
from argosy.image.layer import LayerCache
from argosy.registry import archive, client, layout
from argosy.registry.access import Access

__all__ = ["Access", "read_from_engine", "read_image", "write_image"]
_STARTED_WITH: Final = ("Entrypoint", "Cmd", "Env", "User", "WorkingDir", "Labels")


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
        case reference.DaemonReference(name, program):
            return read_from_engine(engine.find(program, access.environ), name, access)
        case reference.RegistryReference() as place:
            return client.pull(place, access, cache.store)


def read_from_engine(program: engine.Engine, name: str, access: Access) -> Image:
    """An image of a local engine; its layers are gzip'ed into the cache.

    Raises:
        ImageError: It is broken.
        EngineError: The engine has no such image, or does not answer.
    """
    with _folder_beside(access.cache_dir) as aside:
        saved = aside / "image.tar"
        program.save(name, saved)
        return archive.read_archive(saved, None, LayerCache(access.cache_dir))


def write_image(image: Image, text: str, access: Access) -> str:
    """Store the image where the reference says, and look at what was stored, where that can be asked for.

    Returns:
        The digest as stored.

    Raises:
        InvalidReferenceError: Not a reference that can be written to.
        ImageError: The image is broken.
        RegistryError: The registry refused, or stored something else than what was sent.
        EngineError: The local engine did not take it, or has something else now.
    """
    match reference.parse_target(text):
        case reference.LayoutReference(folder, tag):
            known = layout.VerifiedBlobs(access.cache_dir)
            return layout.write_layout(image, Path(folder), tag or reference.DEFAULT_TAG, known)
        case reference.ArchiveReference(file, name):
            return archive.write_archive(image, Path(file), name)
        case reference.DaemonReference(name, program):
            _load(image, name, engine.find(program, access.environ), access)
            return image.digest
        case reference.RegistryReference() as place:
            return client.push(place, access, image)


def _load(image: Image, name: str, program: engine.Engine, access: Access) -> None:
    with _folder_beside(access.cache_dir) as folder:
        packed = folder / "image.tar"
        archive.write_archive(image, packed, name)
        program.load(packed)
    found = program.inspect_image(name)
    if str(found.get("Id")).removeprefix("sha256:") == image.config_descriptor.digest.removeprefix("sha256:"):
        return
    # Docker with containerd's store knows an image by the digest of a manifest that it wrote itself: what it unpacked
    # and what it will start is compared instead.
    root, config = found.get("RootFS") or {}, found.get("Config") or {}
    loaded = {"layers": root.get("Layers"), **{field: config.get(field) or None for field in _STARTED_WITH}}
    wanted = {"layers": list(image.diff_ids), **{field: image.runtime.get(field) or None for field in _STARTED_WITH}}
    differing = [field for field in wanted if loaded[field] != wanted[field]]
    if differing:
        raise EngineError(
            f"`{program.program}` has loaded another image than it was given",
            got=f"image {found.get('Id')} with other {', '.join(differing)}",
            want=image.config_descriptor.digest,
            where=name,
        )


@contextmanager
def _folder_beside(cache_dir: Path) -> Iterator[Path]:
    """A folder for a packed image; in the cache, since an image may be larger than what /tmp holds."""
    cache_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".argosy-", dir=cache_dir, ignore_cleanup_errors=True) as folder:
        yield Path(folder)
