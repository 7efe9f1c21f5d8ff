"""The image that statements are made about, with all that they say of it, and the names of its parts."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from argosy.image.image import Image
from argosy.image.materials.distributions import Distribution
from argosy.image.materials.dpkg import DebianPackage
from argosy.image.materials.inventory import SERVER, Inventory

NAME: Final = "inference-image"
"""What statements call the image; its folder's or repository's name would differ from machine to machine."""

TOOL_VERSION: Final = SERVER.version


@dataclass(frozen=True, slots=True)
class Subject:
    """An image with what is in it and what it was made from.

    Attributes:
        image: The image.
        inventory: What is in it.
        base_name: Of the base image where it means the same everywhere, else None.
        base_digest: Of the base image's manifest.
        sources: File of the project that the build reads but does not put into the image -> `sha256:` digest.
    """

    image: Image
    inventory: Inventory
    base_name: str | None
    base_digest: str
    sources: dict[str, str]


def bare_digest(digest: str) -> str:
    """The hexadecimal digits of a `sha256:` digest."""
    return digest.removeprefix("sha256:")


def python_url(distribution: Distribution) -> str:
    """The package URL of a Python distribution.

    Source: package-url/purl-spec, types `pypi` and `deb` (read 2026-11-22).
    """
    return f"pkg:pypi/{_quoted(distribution.name)}@{_quoted(distribution.version)}"


def debian_url(package: DebianPackage, system: tuple[str, str] | None) -> str:
    """The package URL of a Debian package; scanners look a package up by its source, which `upstream` names.

    Args:
        package: The package.
        system: `ID` and `VERSION_ID` of the image's system; without one it is taken for Debian's.
    """
    name, version = system or ("debian", "")
    qualifiers = {"arch": package.architecture, "distro": f"{name}-{version}" if version else name}
    source, source_version = package.source
    if source != package.name or source_version != package.version:
        qualifiers["upstream"] = source if source_version == package.version else f"{source}@{source_version}"
    listed = "&".join(f"{key}={_quoted(value)}" for key, value in sorted(qualifiers.items()))
    return f"pkg:deb/{_quoted(name)}/{_quoted(package.name)}@{_quoted(package.version)}?{listed}"


def _quoted(text: str) -> str:
    return quote(text, safe=":")
