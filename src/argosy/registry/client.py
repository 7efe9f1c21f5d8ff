"""Image <-> registry: every digest verified, only what is missing sent, and what was stored read back.

Source: OCI distribution-spec 1.1, pull and push (read 2026-11-22).
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import urlencode, urljoin

import httpx

from argosy.errors import ImageError, RegistryError
from argosy.image.blobs import CHUNK, BlobStore, JoinedBlobs
from argosy.image.image import (
    INDEXES,
    MANIFESTS,
    Blobs,
    Descriptor,
    Image,
    choose_platform,
    digest_of,
    parse_object,
)
from argosy.image.reference import RegistryReference
from argosy.registry.protocol import Repository, connect

_ACCEPT: Final = {"Accept": ", ".join([*MANIFESTS, *INDEXES])}
_OK: Final = frozenset({httpx.codes.OK})
_THERE_OR_NOT: Final = frozenset({httpx.codes.OK, httpx.codes.NOT_FOUND})
_MOUNTED_OR_STARTED: Final = frozenset({httpx.codes.CREATED, httpx.codes.ACCEPTED})
_CREATED: Final = frozenset({httpx.codes.CREATED})


@dataclass(frozen=True, slots=True)
class RegistryBlobs:
    """Blobs of a repository; each goes to the store when it is first read."""

    place: RegistryReference
    docker_config: Path
    store: BlobStore

    def open(self, digest: str) -> BinaryIO:
        """The blob's bytes, verified by their end.

        Raises:
            RegistryError: The registry does not answer, or refuses.
            ImageError: What it sent is not what the digest says.
        """
        if self.store.size(digest) is None:
            with connect(self.place, self.docker_config) as repository:
                repository.download(repository.url(f"blobs/{digest}"), lambda chunks: self._keep(chunks, digest))
        return self.store.open(digest)

    def _keep(self, chunks: Iterator[bytes], digest: str) -> None:
        with self.store.writer() as writer:
            for chunk in chunks:
                writer.write(chunk)
            if writer.digest != digest:
                raise ImageError(
                    "a blob is not what its digest says",
                    got=f"{writer.digest}, {writer.size} bytes",
                    want=digest,
                    where=self.place,
                )


def pull(place: RegistryReference, docker_config: Path, store: BlobStore) -> Image:
    """The image of a reference, for linux/amd64 when it names an index; layers are fetched when they are read.

    Raises:
        RegistryError: The registry does not answer, refuses, or sends what was not asked for.
        ImageError: A manifest or config is broken, or there is no image for linux/amd64.
    """
    blobs = RegistryBlobs(place, docker_config, store)
    with connect(place, docker_config) as repository:
        manifest_bytes, media_type = _read_manifest(repository, place.manifest)
        index_bytes = None
        manifest = parse_object(manifest_bytes, f"`{place}`: the manifest")
        if media_type in INDEXES:
            index_bytes = manifest_bytes
            chosen = choose_platform(manifest, place)
            manifest_bytes, media_type = _read_manifest(repository, chosen.digest)
            manifest = parse_object(manifest_bytes, f"`{place}`: the manifest")
        if media_type not in MANIFESTS:
            raise ImageError("not an image that can be read", got=media_type, want=" or ".join(MANIFESTS), where=place)
    config = Descriptor.from_json(manifest.get("config"))
    with blobs.open(config.digest) as stream:
        return Image(manifest_bytes, stream.read(), blobs, index_bytes)


def push(place: RegistryReference, docker_config: Path, image: Image) -> str:
    """Store the image: the blobs that are missing, the manifest last, which is then read back and compared.

    Layers that came from another repository of the same registry are mounted, not sent.

    Returns:
        The digest as stored.

    Raises:
        RegistryError: The registry does not answer, refuses, or has stored something else.
    """
    if place.digest is not None and place.digest != image.digest:
        raise RegistryError("the reference names another digest", got=image.digest, want=place.digest, where=place)
    with connect(place, docker_config) as repository:
        for layer in dict.fromkeys(image.layers):
            _push_layer(repository, image.blobs, layer)
        config = image.config_descriptor
        _push_blob(repository, config, lambda: io.BytesIO(image.config_bytes), None)
        target = place.tag or image.digest
        url = repository.url(f"manifests/{target}")
        headers = {"Content-Type": image.media_type, "Content-Length": str(len(image.manifest_bytes))}
        repository.send("PUT", url, expected=_CREATED, headers=headers, body=lambda: iter([image.manifest_bytes]))
        stored, media_type = _read_manifest(repository, target)
        if stored != image.manifest_bytes or media_type != image.media_type:
            raise RegistryError(
                "the registry has stored another manifest than was sent",
                got=f"{media_type}, {digest_of(stored)}",
                want=f"{image.media_type}, {image.digest}",
                where=place,
                hint="SageMaker takes Docker's schema 2 only: push to a registry that keeps manifests as they are",
            )
    return image.digest


def _read_manifest(repository: Repository, name: str) -> tuple[bytes, str]:
    """A manifest or index by tag or digest, and its media type."""
    answer = repository.send("GET", repository.url(f"manifests/{name}"), expected=_OK, headers=_ACCEPT)
    digest = digest_of(answer.content)
    wanted = name if name.startswith("sha256:") else answer.headers.get("Docker-Content-Digest", digest)
    if digest != wanted:
        raise RegistryError("a manifest is not what its digest says", got=digest, want=wanted, where=repository.place)
    return answer.content, answer.headers.get("Content-Type", "").partition(";")[0].strip()


def _push_layer(repository: Repository, blobs: Blobs, layer: Descriptor) -> None:
    _push_blob(repository, layer, lambda: blobs.open(layer.digest), _mountable(repository, blobs, layer.digest))


def _push_blob(repository: Repository, blob: Descriptor, opened: Callable[[], BinaryIO], origin: str | None) -> None:
    known = repository.send("HEAD", repository.url(f"blobs/{blob.digest}"), expected=_THERE_OR_NOT)
    if known.status_code == httpx.codes.OK:
        return
    query = f"?{urlencode({'mount': blob.digest, 'from': origin})}" if origin else ""
    url = repository.url(f"blobs/uploads/{query}")
    started = repository.send("POST", url, expected=_MOUNTED_OR_STARTED, headers={"Content-Length": "0"})
    if started.status_code == httpx.codes.CREATED:
        return
    location = urljoin(url, started.headers.get("Location", ""))
    target = f"{location}{'&' if '?' in location else '?'}{urlencode({'digest': blob.digest})}"
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(blob.size)}
    repository.send("PUT", target, expected=_CREATED, headers=headers, body=lambda: _chunks(opened))


def _chunks(opened: Callable[[], BinaryIO]) -> Iterator[bytes]:
    with opened() as stream:
        while chunk := stream.read(CHUNK):
            yield chunk


def _mountable(repository: Repository, blobs: Blobs, digest: str) -> str | None:
    """The other repository of the same registry that has the blob, as far as we know."""
    match blobs:
        case JoinedBlobs(_, other):
            return _mountable(repository, other, digest)
        case RegistryBlobs(place) if place.registry == repository.place.registry:
            return place.repository if place.repository != repository.place.repository else None
    return None
