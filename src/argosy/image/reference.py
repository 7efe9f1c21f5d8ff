"""Where an image is, as skopeo names it.

oci:DIR[:TAG], docker-archive:FILE[:REF], docker-daemon:REF, containers-storage:REF (Podman's), docker://REF.

Source: containers-transports(5); distribution/reference's grammar (read 2026-11-22).
"""

import re
from dataclasses import dataclass
from typing import Final

from argosy.engine import PODMAN
from argosy.errors import InvalidReferenceError

_HOST: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::\d+)?"
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_TAG: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST: Final = r"sha256:[0-9a-f]{64}"
_NAME: Final = re.compile(
    rf"(?:(?P<registry>{_HOST})/)?(?P<repository>{_COMPONENT}(?:/{_COMPONENT})*)"
    rf"(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?"
)
_ONLY_TAG: Final = re.compile(_TAG)
DOCKER_HUB: Final = "docker.io"
DEFAULT_TAG: Final = "latest"


@dataclass(frozen=True, slots=True)
class LayoutReference:
    """An image in an OCI layout folder; no tag means the only one, or `latest` when writing."""

    folder: str
    tag: str | None = None

    def __str__(self) -> str:
        return f"oci:{self.folder}:{self.tag}" if self.tag else f"oci:{self.folder}"


@dataclass(frozen=True, slots=True)
class ArchiveReference:
    """An image in a `docker save` archive; no name means the only one."""

    file: str
    name: str | None = None

    def __str__(self) -> str:
        return f"docker-archive:{self.file}:{self.name}" if self.name else f"docker-archive:{self.file}"


@dataclass(frozen=True, slots=True)
class DaemonReference:
    """An image in a local container engine.

    Attributes:
        name: Name or id.
        engine: `podman` for containers-storage; None for the engine that answers, Docker before Podman.
    """

    name: str
    engine: str | None = None

    def __str__(self) -> str:
        return f"{'containers-storage' if self.engine else 'docker-daemon'}:{self.name}"


@dataclass(frozen=True, slots=True)
class RegistryReference:
    """An image in a registry.

    Attributes:
        registry: Host and perhaps port; `docker.io` when the reference names none.
        repository: Path in the registry, lower case.
        tag: None when only a digest is given.
        digest: Wins over the tag when reading.
    """

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        return f"docker://{self.name}"

    @property
    def name(self) -> str:
        """The reference as `docker pull` takes it."""
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.repository}{tag}{digest}"

    @property
    def manifest(self) -> str:
        """What a manifest is asked for by: the digest, else the tag."""
        return self.digest or self.tag or DEFAULT_TAG


Reference = LayoutReference | ArchiveReference | DaemonReference | RegistryReference


def is_tag(text: str) -> bool:
    """Whether an image can be tagged like this: OCI distribution-spec 1.1, "Pulling manifests" (read 2026-11-23)."""
    return _ONLY_TAG.fullmatch(text) is not None


def parse(text: str) -> Reference:
    """Read a reference.

    >>> parse("docker://python:3.11-slim")
    RegistryReference(registry='docker.io', repository='library/python', tag='3.11-slim', digest=None)
    >>> parse("oci:build/image:latest").tag
    'latest'

    Raises:
        InvalidReferenceError: No known transport, or what follows is not what it takes.
    """
    transport, separator, rest = text.partition(":")
    if not separator or not rest:
        raise _invalid(text, "a transport and a place")
    if transport == "oci":
        folder, _, tag = rest.partition(":")
        if not folder or (tag and not re.fullmatch(_TAG, tag)):
            raise _invalid(text, "oci:DIR[:TAG], where DIR has no colon")
        return LayoutReference(folder, tag or None)
    if transport == "docker-archive":
        file, _, name = rest.partition(":")
        if not file or (name and _NAME.fullmatch(name) is None):
            raise _invalid(text, "docker-archive:FILE[:NAME[:TAG]], where FILE has no colon")
        return ArchiveReference(file, name or None)
    if transport in ("docker-daemon", "containers-storage"):
        if _NAME.fullmatch(rest) is None and re.fullmatch(_DIGEST, rest) is None:
            raise _invalid(text, f"{transport}:NAME[:TAG] or {transport}:sha256:ID")
        return DaemonReference(rest, None if transport == "docker-daemon" else PODMAN)
    if transport == "docker" and rest.startswith("//"):
        return _registry(text, rest[2:])
    raise _invalid(text, "a transport")


def parse_target(text: str) -> Reference:
    """Read a reference to where an image is to be put; only a registry knows an image by digest.

    Raises:
        InvalidReferenceError: Not a reference, or one that names an image of the engine by id or digest.
    """
    place = parse(text)
    name = place.name if isinstance(place, DaemonReference | ArchiveReference) else None
    if name is not None and (name.startswith("sha256:") or "@" in name):
        raise InvalidReferenceError(
            "an image cannot be given an id or digest, it has one", got=f"`{text}`", want="NAME[:TAG]"
        )
    return place


def _registry(text: str, name: str) -> RegistryReference:
    found = _NAME.fullmatch(name)
    if found is None:
        raise _invalid(text, "docker://[REGISTRY/]REPOSITORY[:TAG][@sha256:DIGEST], the repository in lower case")
    registry, repository = found["registry"], found["repository"]
    if registry is not None and not re.search(r"[.:]", registry) and registry != "localhost":
        registry, repository = None, f"{registry}/{repository}"
        if _NAME.fullmatch(repository) is None:
            raise _invalid(text, "docker://[REGISTRY/]REPOSITORY[:TAG][@sha256:DIGEST], the repository in lower case")
    if registry is None:
        registry = DOCKER_HUB
        repository = repository if "/" in repository else f"library/{repository}"
    tag = found["tag"]
    return RegistryReference(registry, repository, tag or (None if found["digest"] else DEFAULT_TAG), found["digest"])


def _invalid(text: str, want: str) -> InvalidReferenceError:
    return InvalidReferenceError(
        "not a reference to an image",
        got=f"`{text}`",
        want=want,
        hint=(
            "images are named oci:DIR[:TAG], docker-archive:FILE[:REF], docker-daemon:REF, containers-storage:REF or "
            "docker://REF"
        ),
    )
