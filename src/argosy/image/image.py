"""An image as an immutable view: manifest, config and layers; no byte of a layer is read before it is asked for.

Source: OCI image-spec 1.1 `manifest.md`, `config.md`, `image-index.md`; Docker Image Manifest V2, Schema 2 (read
2026-11-22).
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO, Final, Protocol

from argosy.errors import ImageError

DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_MANIFEST_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_LAYER_TAR: Final = "application/vnd.docker.image.rootfs.diff.tar"
DOCKER_LAYER_ZSTD: Final = f"{DOCKER_LAYER_TAR}.zstd"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
OCI_LAYER_GZIP: Final = f"{OCI_LAYER}+gzip"
OCI_LAYER_ZSTD: Final = f"{OCI_LAYER}+zstd"
MANIFESTS: Final = (DOCKER_MANIFEST, OCI_MANIFEST)
INDEXES: Final = (DOCKER_MANIFEST_LIST, OCI_INDEX)

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


def is_digest(text: object) -> bool:
    """Whether this is `sha256:` and 64 hexadecimal digits, the only algorithm in use."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def digest_of(content: bytes) -> str:
    """The `sha256:` digest of bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def canonical_json(value: object) -> bytes:
    """The one serialization that a value has: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Blobs(Protocol):
    """Where an image's layers come from."""

    def open(self, digest: str) -> BinaryIO:
        """The bytes of a blob as a stream, verified against the digest by the time they end; the caller closes it."""
        ...


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a manifest says of a blob: its media type, `sha256:` digest and size in bytes."""

    media_type: str
    digest: str
    size: int

    @staticmethod
    def from_json(value: object) -> "Descriptor":
        """Read `mediaType`, `digest` and `size`.

        Raises:
            ImageError: One is missing or of the wrong kind.
        """
        match value:
            case {"mediaType": str(media_type), "digest": str(digest), "size": int(size)} if (
                is_digest(digest) and size >= 0
            ):
                return Descriptor(media_type, digest, size)
        raise ImageError("not a descriptor of a blob", got=str(value)[:200], want="mediaType, sha256 digest and size")

    def to_json(self) -> dict[str, object]:
        """The descriptor as a manifest holds it."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _maps_texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


_FIELDS: Final[Mapping[str, Callable[[object], bool]]] = {
    "Env": _are_texts,
    "Entrypoint": lambda value: isinstance(value, str) or _are_texts(value),
    "Cmd": lambda value: isinstance(value, str) or _are_texts(value),
    "Labels": _maps_texts,
    "User": lambda value: isinstance(value, str),
    "WorkingDir": lambda value: isinstance(value, str),
}
"""What the fields of a config have to be."""


@dataclass(frozen=True)
class Image:
    """One platform's image, exactly as it is stored.

    Attributes:
        manifest_bytes: The manifest, byte for byte.
        config_bytes: The config, byte for byte.
        blobs: Where the layers can be read.
        index_bytes: The index or manifest list through which the image was found, None when there was none.
    """

    manifest_bytes: bytes
    config_bytes: bytes
    blobs: Blobs
    index_bytes: bytes | None = None

    @cached_property
    def digest(self) -> str:
        """The manifest's digest, by which registries know the image."""
        return digest_of(self.manifest_bytes)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest as JSON."""
        return parse_object(self.manifest_bytes, "the manifest")

    @cached_property
    def config(self) -> dict[str, Any]:
        """The config as JSON: architecture, os, config (Env, Entrypoint, Cmd, Labels ...), rootfs, history."""
        return parse_object(self.config_bytes, "the config")

    @cached_property
    def media_type(self) -> str:
        """The manifest's media type; OCI's when it names none, as OCI allows."""
        return str(self.manifest.get("mediaType") or OCI_MANIFEST)

    @cached_property
    def config_descriptor(self) -> Descriptor:
        """Where the config is."""
        return Descriptor.from_json(self.manifest.get("config"))

    @cached_property
    def layers(self) -> tuple[Descriptor, ...]:
        """The layers, lowest first."""
        layers = self.manifest.get("layers")
        if not isinstance(layers, list):
            raise ImageError("the manifest has no layers", got=self.media_type)
        return tuple(Descriptor.from_json(layer) for layer in layers)

    @cached_property
    def diff_ids(self) -> tuple[str, ...]:
        """The digests of the uncompressed layers, lowest first, one for each layer.

        Raises:
            ImageError: The config lists another number of them than the manifest has layers.
        """
        rootfs = self.config.get("rootfs")
        listed = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
        found = tuple(d for d in listed if is_digest(d)) if isinstance(listed, list) else ()
        if len(found) != len(self.layers):
            raise ImageError("manifest and config disagree", got=f"{len(found)} diff IDs, {len(self.layers)} layers")
        return found

    @property
    def runtime(self) -> dict[str, Any]:
        """The config's `config` object: what a container is started with; what is null there is left out.

        Raises:
            ImageError: It, or one of its fields that are read here, is of the wrong kind.
        """
        found = self.config.get("config")
        if found is None:
            return {}
        fields = {} if not isinstance(found, dict) else {key: found[key] for key in found if found[key] is not None}
        wrong = [name for name, fits in _FIELDS.items() if name in fields and not fits(fields[name])]
        if wrong or not isinstance(found, dict):
            raise ImageError(
                "the config does not say what a container is started with",
                got=f"`{wrong[0]}`: {str(fields[wrong[0]])[:100]}" if wrong else type(found).__name__,
                want="config as OCI and Docker write it",
            )
        return fields


def parse_object(content: bytes, what: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ImageError: Not JSON, or not an object.
    """
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ImageError(f"{what} is not JSON", got=error) from error
    if not isinstance(value, dict):
        raise ImageError(f"{what} is not a JSON object", got=type(value).__name__)
    return value


def index_entries(index: dict[str, Any]) -> list[dict[str, Any]]:
    """The images that an index lists; what is no object is none, and neither is BuildKit's attestation of another."""
    listed = index.get("manifests")
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return [entry for entry in entries if not _is_attestation(entry)]


def platform_of(entry: dict[str, Any]) -> str | None:
    """What an entry of an index says its platform is, as `os/architecture[/variant]`; None when it does not say."""
    platform = entry.get("platform")
    if not isinstance(platform, dict) or not platform:
        return None
    variant = f"/{platform['variant']}" if platform.get("variant") else ""
    return f"{platform.get('os')}/{platform.get('architecture')}{variant}"


def choose_platform(index: dict[str, Any], where: object) -> Descriptor:
    """The linux/amd64 image of an index or manifest list, rather the one for every processor than one for newer ones.

    Raises:
        ImageError: There is none.
    """
    entries = index_entries(index)
    platforms = [platform_of(entry) for entry in entries]
    fitting = sorted(platform for platform in platforms if platform and f"{platform}/".startswith("linux/amd64/"))
    if fitting:  # "linux/amd64" comes before its variants
        return Descriptor.from_json(entries[platforms.index(fitting[0])])
    if platforms == [None]:
        return Descriptor.from_json(entries[0])
    seen = ", ".join(platform or "an image of no platform" for platform in platforms) or "none"
    raise ImageError("no image for linux/amd64", got=seen, where=where)


def _is_attestation(entry: dict[str, Any]) -> bool:
    annotations = entry.get("annotations")
    return isinstance(annotations, dict) and "vnd.docker.reference.digest" in annotations
