"""Image <-> docker archive: the tar file of `docker save`, as `docker load` and `podman load` take it.

Source: Docker Image Specification v1.2, `manifest.json` (read 2026-11-22).
"""

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from argosy.errors import ImageError
from argosy.image.blobs import fetch_layers
from argosy.image.image import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    Descriptor,
    Image,
    canonical_json,
    digest_of,
    parse_object,
)
from argosy.image.layer import Layer, LayerCache, cache_key, compress_layer
from argosy.image.layer_stream import GZIP_MAGIC, ZSTD_MAGIC
from argosy.model_archive import written_aside

_MANIFEST: Final = "manifest.json"
_SMALL: Final = 64 * 2**20


@dataclass(frozen=True, slots=True)
class _Listed:
    """One image of the archive's manifest.json."""

    config: str
    names: tuple[str, ...]
    layers: tuple[str, ...]


def write_archive(image: Image, file: Path, name: str | None) -> str:
    """Write the image, its layers as they are, for `docker load`.

    Args:
        image: What is written.
        file: The archive; replaced when it is complete.
        name: What the image is called after loading; none leaves it without a name.

    Returns:
        The manifest's digest.
    """
    fetch_layers(image.blobs, image.layers)
    config_name = f"{image.config_descriptor.digest.removeprefix('sha256:')}.json"
    layer_names = [f"{layer.digest.removeprefix('sha256:')}.tar.gz" for layer in image.layers]
    listing = canonical_json(
        [{"Config": config_name, "RepoTags": [tagged(name)] if name else None, "Layers": layer_names}]
    )
    with written_aside(file) as aside, tarfile.open(aside, "w", format=tarfile.PAX_FORMAT) as archive:
        for layer, layer_name in dict(zip(image.layers, layer_names, strict=True)).items():
            with image.blobs.open(layer.digest) as stream:
                archive.addfile(_member(layer_name, layer.size), stream)
                if stream.read(1):
                    raise ImageError("a blob is longer than its manifest says", where=layer.digest)
        _add_bytes(archive, config_name, image.config_bytes)
        _add_bytes(archive, _MANIFEST, listing)
    return image.digest


def read_archive(file: Path, name: str | None, cache: LayerCache) -> Image:
    """The image of that name; of the only one when no name is given.

    Layers go to the cache, those that are not compressed are gzip'ed there, once.

    Raises:
        ImageError: Not such an archive, no such image, or a layer that is not gzip'ed or plain tar.
    """
    try:
        with tarfile.open(file, "r:*") as archive:
            listed = _chosen(_listing(archive, file), file, name)
            config_bytes = _open(archive, listed.config, file).read(_SMALL)
            rootfs = parse_object(config_bytes, f"`{file}`: the config").get("rootfs")
            named = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
            diff_ids = named if isinstance(named, list) else []
            if len(diff_ids) != len(listed.layers):
                raise ImageError(
                    "config and manifest.json disagree",
                    got=f"{len(diff_ids)} diff IDs, {len(listed.layers)} layers",
                    where=file,
                )
            layers = [
                _layer(archive, layer_name, str(diff_id), cache, file)
                for layer_name, diff_id in zip(listed.layers, diff_ids, strict=True)
            ]
    except FileNotFoundError:
        raise ImageError("no such archive", where=file) from None
    except (tarfile.TarError, EOFError) as error:
        raise ImageError("not a docker archive", got=error, where=file) from error
    manifest = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": Descriptor(DOCKER_CONFIG, digest_of(config_bytes), len(config_bytes)).to_json(),
        "layers": [Descriptor(DOCKER_LAYER, layer.digest, layer.size).to_json() for layer in layers],
    }
    return Image(canonical_json(manifest), config_bytes, cache.store)


def tagged(name: str) -> str:
    """The name with its tag, `latest` when it has none."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _listing(archive: tarfile.TarFile, file: Path) -> list[_Listed]:
    content = _open(archive, _MANIFEST, file).read(_SMALL)
    entries: Any = parse_object(b'{"images":' + content + b"}", f"`{file}`: manifest.json")["images"]
    found = []
    for entry in entries if isinstance(entries, list) else []:
        match entry:
            case {"Config": str(config), "Layers": list(layers)}:
                tags = entry.get("RepoTags")
                names = tuple(str(name) for name in tags) if isinstance(tags, list) else ()
                found.append(_Listed(config, names, tuple(str(layer) for layer in layers)))
            case _:
                raise ImageError("manifest.json is not as `docker save` writes it", where=file)
    return found


def _chosen(images: list[_Listed], file: Path, name: str | None) -> _Listed:
    if name is None and len(images) == 1:
        return images[0]
    wanted = None if name is None else tagged(name)
    for image in images:
        known = {*image.names, *(known.removeprefix("docker.io/").removeprefix("library/") for known in image.names)}
        if wanted in known or wanted in {known.removeprefix("localhost/") for known in image.names}:
            return image
    names = ", ".join(name for image in images for name in image.names) or "none with a name"
    raise ImageError(
        "the archive has no such image" if name else "the archive has not exactly one image",
        got=names,
        want=wanted or f"one of them: docker-archive:{file}:NAME",
        where=file,
    )


def _layer(archive: tarfile.TarFile, name: str, diff_id: str, cache: LayerCache, file: Path) -> Layer:
    with _open(archive, name, file) as stream:
        start = stream.read(4)
        stream.seek(0)
        if start[:2] == GZIP_MAGIC:
            with cache.store.writer() as writer:
                while chunk := stream.read(1 << 20):
                    writer.write(chunk)
                return Layer(writer.digest, writer.size, diff_id)
        if start == ZSTD_MAGIC:
            raise ImageError("a layer is compressed with zstd, which SageMaker does not take", got=name, where=file)
        key = cache_key("compressed", diff_id)
        layer = cache.get(key)
        if layer is None:
            layer = compress_layer(stream, cache.store)
            if layer.diff_id != diff_id:
                raise ImageError(
                    "a layer is not what its diff ID says", got=layer.diff_id, want=diff_id, where=f"{file}: {name}"
                )
            cache.put(key, layer)
        return layer


def _open(archive: tarfile.TarFile, name: str, file: Path) -> IO[bytes]:
    """A member's content; links, with which old `docker save` shares layers, are followed inside the archive."""
    try:
        content = archive.extractfile(name)
    except KeyError:
        content = None
    if content is None:
        raise ImageError(f"not a docker archive: it has no `{name}`", where=file)
    return content


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:

    archive.addfile(_member(name, len(content)), io.BytesIO(content))
