"""Image <-> registry: every digest verified, only what is missing sent, and what was stored read back.

Source: OCI distribution-spec 1.1, pull and push (read 2026-11-22).
"""

import io
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Final, TypeVar

import httpx

from argosy.errors import ImageError, RegistryError
from argosy.image.blobs import BlobStore, JoinedBlobs
from argosy.image.download import Download, StoppedError, at_once, receive
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
from argosy.registry.access import Access
from argosy.registry.endpoint import Endpoint, place_to_write, places_to_read
from argosy.registry.mounts import Mounts
from argosy.registry.progress import transferring
from argosy.registry.protocol import PARALLEL, Repository, connect, read_whole
from argosy.registry.upload import Upload, upload

_ACCEPT: Final = {"Accept": ", ".join([*MANIFESTS, *INDEXES])}
_OK: Final = frozenset({httpx.codes.OK})
_BLOB: Final = _OK | {httpx.codes.PARTIAL_CONTENT, httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE}
_CREATED: Final = frozenset({httpx.codes.CREATED})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RegistryBlobs:
    """Blobs of a repository; each goes to the store when it is first read.

    Attributes:
        place: Whose they are.
        endpoints: Where they can be had, the best first.
        access: Credentials, settings and who is told of progress.
        store: Where they go to.
        sizes: Digest -> bytes, as the manifest says.
    """

    place: RegistryReference
    endpoints: tuple[Endpoint, ...]
    access: Access
    store: BlobStore
    sizes: Mapping[str, int]

    def open(self, digest: str) -> BinaryIO:
        """The blob's bytes, verified by their end.

        Raises:
            RegistryError: The registry does not answer, or refuses.
            ImageError: What it sent is not what the digest says.
        """
        self._fetch([digest])
        return self.store.open(digest)

    def fetch(self, layers: Sequence[Descriptor]) -> None:
        """Bring those of the layers here that are not, several at once.

        Raises:
            RegistryError: The registry does not answer, or refuses.
            ImageError: What it sent is not what the digest says.
        """
        self._fetch([layer.digest for layer in layers])

    def _fetch(self, digests: Sequence[str]) -> None:
        missing = [digest for digest in dict.fromkeys(digests) if self.store.size(digest) is None]
        if missing:
            _at_first(self.endpoints, lambda endpoint: self._fetch_from(endpoint, missing))

    def _fetch_from(self, endpoint: Endpoint, digests: Sequence[str]) -> None:
        with connect(endpoint, self.access) as repository:
            missing = [digest for digest in digests if self.store.size(digest) is None]
            at_once(lambda digest, stopped: self._download(repository, digest, stopped), missing, PARALLEL)

    def _download(self, repository: Repository, digest: str, stopped: threading.Event) -> None:
        url = repository.url(f"blobs/{digest}")

        @contextmanager
        def opened(headers: Mapping[str, str]) -> Iterator[httpx.Response]:
            with repository.answered("GET", url, headers=headers) as response:
                if response.status_code not in _BLOB:
                    repository.require(read_whole(response), _BLOB)
                yield response

        wanted = Download(url, digest, self.sizes.get(digest), "a blob is not what its digest says")
        with transferring(self.access.progress, digest, wanted.size or 0) as transfer:

            def advance(count: int) -> None:
                if stopped.is_set():
                    raise StoppedError
                transfer.advance(count)

            receive(wanted, self.store, opened, advance=advance, attempts=repository.attempts)
            transfer.end("received")


def pull(place: RegistryReference, access: Access, store: BlobStore) -> Image:
    """The image of a reference, for linux/amd64 when it names an index; layers are fetched when they are read.

    Mirrors that the settings name are asked first, and left for the next where they fail.

    Raises:
        RegistryError: The registry does not answer, refuses, or sends what was not asked for.
        ImageError: A manifest or config is broken, or there is no image for linux/amd64.
        UsageError: Settings or certificates cannot be read.
    """
    endpoints = places_to_read(place, access)

    def pull_from(endpoint: Endpoint) -> Image:
        with connect(endpoint, access) as repository:
            manifest_bytes, index_bytes = _read_image(repository, place)
        manifest = parse_object(manifest_bytes, f"`{place}`: the manifest")
        config = Descriptor.from_json(manifest.get("config"))
        listed = manifest.get("layers")
        layers = [Descriptor.from_json(layer) for layer in listed] if isinstance(listed, list) else []
        sizes = {blob.digest: blob.size for blob in (config, *layers)}
        blobs = RegistryBlobs(place, endpoints[endpoints.index(endpoint) :], access, store, sizes)
        with blobs.open(config.digest) as stream:
            return Image(manifest_bytes, stream.read(), blobs, index_bytes)

    return _at_first(endpoints, pull_from)


def push(place: RegistryReference, access: Access, image: Image) -> str:
    """Store the image: the blobs that are missing, the manifest last, which is then read back and compared.

    Layers that another repository of the same registry has, as far as we know, are mounted and not sent.

    Returns:
        The digest as stored.

    Raises:
        RegistryError: The registry does not answer, refuses, or has stored something else.
        ImageError: The image is not what its digests say.
        UsageError: Settings or certificates cannot be read.
    """
    if place.digest is not None and place.digest != image.digest:
        raise RegistryError("the reference names another digest", got=image.digest, want=place.digest, where=place)
    config = image.config_descriptor
    if (digest_of(image.config_bytes), len(image.config_bytes)) != (config.digest, config.size):
        raise ImageError("the config is not what the manifest says", got=digest_of(image.config_bytes), want=config)
    endpoint = place_to_write(place, access)
    mounts = Mounts(access.cache_dir, endpoint.registry)
    opened: dict[Descriptor, Callable[[], BinaryIO]] = {
        layer: partial(image.blobs.open, layer.digest) for layer in image.layers
    }
    opened[config] = lambda: io.BytesIO(image.config_bytes)
    with connect(endpoint, access, "pull,push") as repository:

        def act(blob: Descriptor, stopped: threading.Event) -> None:
            origin = _origin(blob.digest, image.blobs, repository, mounts)
            with transferring(access.progress, blob.digest, blob.size) as transfer:
                upload(Upload(blob, opened[blob], origin), repository, transfer, stopped)
            mounts.remember(blob.digest, endpoint.repository)

        at_once(act, opened, PARALLEL)
        _put_manifest(repository, place, image)
    return image.digest


def _at_first(endpoints: Sequence[Endpoint], act: Callable[[Endpoint], T]) -> T:
    """What the first place gives that does not fail; the last one's failure where all do."""
    failures = []
    for endpoint in endpoints[:-1]:
        try:
            return act(endpoint)
        except (RegistryError, ImageError) as error:
            failures.append(error.message)
    try:
        return act(endpoints[-1])
    except RegistryError as error:
        if failures and error.hint is None:
            error.hint = f"the mirrors that CONTAINERS_REGISTRIES_CONF names failed before: {'; '.join(failures)}"
        raise


def _read_image(repository: Repository, place: RegistryReference) -> tuple[bytes, bytes | None]:
    """The manifest for linux/amd64, and the index that it was found through."""
    manifest_bytes, media_type = _read_manifest(repository, place.manifest)
    index_bytes = None
    if media_type in INDEXES:
        index_bytes = manifest_bytes
        chosen = choose_platform(parse_object(manifest_bytes, f"`{place}`: the index"), place)
        manifest_bytes, media_type = _read_manifest(repository, chosen.digest)
        if len(manifest_bytes) != chosen.size:
            raise RegistryError(
                "a manifest has not the size that its index says",
                got=f"{len(manifest_bytes)} bytes",
                want=f"{chosen.size} bytes",
                where=place,
            )
    if media_type not in MANIFESTS:
        raise ImageError("not an image that can be read", got=media_type, want=" or ".join(MANIFESTS), where=place)
    return manifest_bytes, index_bytes


def _read_manifest(repository: Repository, name: str) -> tuple[bytes, str]:
    """A manifest or index by tag or digest, and its media type."""
    url = repository.url(f"manifests/{name}")
    answer = repository.send("GET", url, expected=_OK, headers=_ACCEPT)
    digest = digest_of(answer.content)
    told = answer.headers.get("Docker-Content-Digest", digest)
    for wanted in (name if name.startswith("sha256:") else digest, told):
        if digest != wanted:
            raise RegistryError("a manifest is not what its digest says", got=digest, want=wanted, where=url)
    return answer.content, answer.headers.get("Content-Type", "").partition(";")[0].strip()


def _put_manifest(repository: Repository, place: RegistryReference, image: Image) -> None:
    """Store the manifest, and read it back by tag and by digest, since some registries convert what they are given."""
    name = place.tag or image.digest
    headers = {"Content-Type": image.media_type, "Content-Length": str(len(image.manifest_bytes))}
    url = repository.url(f"manifests/{name}")
    repository.send("PUT", url, expected=_CREATED, headers=headers, body=lambda: iter([image.manifest_bytes]))
    for read in dict.fromkeys([name, image.digest]):
        stored, media_type = _read_manifest(repository, read)
        if stored != image.manifest_bytes or media_type != image.media_type:
            raise RegistryError(
                "the registry has stored another manifest than was sent",
                got=f"{media_type or 'no media type'}, {digest_of(stored)}, {len(stored)} bytes",
                want=f"{image.media_type}, {image.digest}, {len(image.manifest_bytes)} bytes",
                where=f"docker://{repository.endpoint.registry}/{repository.endpoint.repository}"
                f"{'@' if read.startswith('sha256:') else ':'}{read}",
                hint="SageMaker takes Docker's schema 2 only: push to a registry that keeps manifests as they are",
            )


def _origin(digest: str, blobs: Blobs, repository: Repository, mounts: Mounts) -> str | None:
    """Another repository of the same registry that has the blob, as far as we know."""
    known = [_source(digest, blobs, repository.endpoint.registry), *mounts.repositories(digest)]
    return next((name for name in known if name and name != repository.endpoint.repository), None)


def _source(digest: str, blobs: Blobs, registry: str) -> str | None:
    """The repository that a blob is read from, if it is one of this registry."""
    match blobs:
        case JoinedBlobs(_, other):
            return _source(digest, other, registry)
        case RegistryBlobs(endpoints=endpoints, sizes=sizes) if digest in sizes:
            return next((found.repository for found in endpoints if found.registry == registry), None)
    return None
