"""What a base image says of itself as a Debian system: where its packages come from, and which it has.

Source: os-release(5), sources.list(5), dpkg(1) `/var/lib/dpkg/status`; distroless' `/var/lib/dpkg/status.d` (read
2026-11-22).
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

from argosy.errors import ImageError
from argosy.image.debian.closure import Installed
from argosy.image.debian.packages import Suite, debian_suites
from argosy.image.debian.paragraphs import field, folded, paragraphs
from argosy.image.filesystem import Filesystem, read_filesystem
from argosy.image.image import Image, canonical_json, digest_of
from argosy.image.layer import cache_key
from argosy.model_archive import written_aside

STATUS: Final = "var/lib/dpkg/status"
STATUS_FOLDER: Final = "var/lib/dpkg/status.d"

_FORMAT: Final = 1
_SOURCES: Final = "etc/apt/sources.list"
_SOURCES_FOLDER: Final = "etc/apt/sources.list.d"
_ALWAYS_HTTPS: Final = re.compile(r"^http://((?:deb|security)\.debian\.org)(?=/|$)")
_ONE_LINE: Final = re.compile(r"^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)$")


class DebianSystem(msgspec.Struct, frozen=True):
    """A Debian system in an image.

    Attributes:
        name: As os-release has it, for people.
        suites: Where its packages come from.
        installed: The packages that it has.
        database: How it keeps the list: one file, or one file a package, as distroless images do.
    """

    name: str
    suites: tuple[Suite, ...]
    installed: tuple[Installed, ...]
    database: Literal["status", "status.d"]


def read_debian_system(image: Image, cache_dir: Path) -> DebianSystem:
    """The Debian system of an image; what it has is remembered by its digest.

    Raises:
        ImageError: The image has no list of Debian packages, or does not say where they come from.
    """
    remembered = cache_dir / "debian" / "systems" / cache_key("debian system", _FORMAT, image.digest)
    try:
        found = msgspec.json.decode(remembered.read_bytes(), type=DebianSystem)
        if all(not suite.keyring or Path(suite.keyring).is_file() for suite in found.suites):
            return found
    except (FileNotFoundError, ValueError):
        pass
    found = _read(read_filesystem(image), cache_dir / "debian" / "keyrings")
    with written_aside(remembered) as aside:
        aside.write_bytes(canonical_json(msgspec.to_builtins(found)))
    return found


def _read(files: Filesystem, keyrings: Path) -> DebianSystem:
    release = _os_release(files)
    name = release.get("PRETTY_NAME") or release.get("NAME") or "an image without os-release"
    names = files.listing(STATUS_FOLDER)
    database: Literal["status", "status.d"] = "status.d" if names else "status"
    paths = [f"{STATUS_FOLDER}/{name}" for name in names if not name.endswith(".md5sums")] if names else [STATUS]
    contents = [files.read(path) for path in paths if _is_file(files, path)]
    if not contents:
        raise ImageError(
            "the base image has no list of Debian packages, so none can be added to it here",
            got=name,
            want=f"`/{STATUS}` or `/{STATUS_FOLDER}`",
            hint="let the image's own package manager install them: argosy build --engine docker",
        )
    installed = [
        _installed(one) for content in contents for one in paragraphs(content.splitlines(True)) if _is_installed(one)
    ]
    suites = tuple(dict.fromkeys(_suites(files, keyrings)))
    if not suites and release.get("ID") == "debian" and release.get("VERSION_CODENAME"):
        suites = debian_suites(release["VERSION_CODENAME"])
    if not suites:
        raise ImageError(
            "the base image does not say where its packages come from",
            got=name,
            want=f"Debian's os-release, or `deb` lines in `/{_SOURCES}`",
            hint="argosy build --engine docker, with a Dockerfile that adds the sources",
        )
    return DebianSystem(name, suites, tuple(sorted(installed, key=lambda package: package.name)), database)


def _os_release(files: Filesystem) -> dict[str, str]:
    for path in ("etc/os-release", "usr/lib/os-release"):
        if _is_file(files, path):
            pairs = (line.partition("=") for line in files.read(path).decode("utf-8", "replace").splitlines())
            return {name: value.strip().strip("\"'") for name, _, value in pairs if value}
    return {}


def _is_installed(paragraph: bytes) -> bool:
    """Distroless' paragraphs have no `Status`: what is listed is there."""
    status = field(paragraph, "Status")
    return bool(field(paragraph, "Package")) and (not status or status.endswith(" installed"))


def _installed(paragraph: bytes) -> Installed:
    excludes = ", ".join(filter(None, (field(paragraph, "Conflicts"), field(paragraph, "Breaks"))))
    return Installed(field(paragraph, "Package"), field(paragraph, "Version"), field(paragraph, "Provides"), excludes)


def _suites(files: Filesystem, keyrings: Path) -> Iterator[Suite]:
    texts = [_SOURCES, *(f"{_SOURCES_FOLDER}/{name}" for name in files.listing(_SOURCES_FOLDER))]
    for path in texts:
        if not path.endswith((".list", ".sources")) or not _is_file(files, path):
            continue
        content = files.read(path)
        found = _one_line_style(content) if path.endswith(".list") else _deb822_style(content)
        for archive, name, components, signed_by in found:
            if not name.endswith("/"):  # a repository without suites has another layout
                yield Suite(_archive(archive), name, components, _keyring(files, signed_by, keyrings))


def _one_line_style(content: bytes) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    for line in content.decode("utf-8", "replace").splitlines():
        found = _ONE_LINE.match(line.partition("#")[0].strip())
        if found is not None:
            options = dict(option.partition("=")[::2] for option in shlex.split(found.group(1) or ""))
            yield found.group(2), found.group(3), tuple(found.group(4).split()), options.get("signed-by", "")


def _deb822_style(content: bytes) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    lines = [line for line in content.splitlines(True) if not line.startswith(b"#")]
    for one in paragraphs(lines):
        if "deb" not in folded(one, "Types") or field(one, "Enabled").lower() == "no":
            continue
        for archive in folded(one, "URIs"):
            for name in folded(one, "Suites"):
                yield archive, name, tuple(folded(one, "Components")), field(one, "Signed-By")


def _archive(url: str) -> str:
    return _ALWAYS_HTTPS.sub(r"https://\1", url).rstrip("/")


def _keyring(files: Filesystem, signed_by: str, keyrings: Path) -> str:
    """The image's own keys for a suite, kept on this machine; the empty text for Debian's keys here."""
    if not signed_by.startswith("/") or not _is_file(files, signed_by):
        return ""
    content = files.read(signed_by)
    kept = keyrings / f"{digest_of(content).removeprefix('sha256:')}.gpg"
    with written_aside(kept) as aside:
        aside.write_bytes(content)
    return str(kept)


def _is_file(files: Filesystem, path: str) -> bool:
    entry = files.resolve(path)
    return entry is not None and entry.kind in ("file", "hardlink")
