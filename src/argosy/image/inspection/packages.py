"""Installed packages by the records that pip, uv and dpkg leave: which there are, and which file is whose.

Source: packaging.python.org, "Recording installed projects"; dpkg(1), files of /var/lib/dpkg (read 2026-11-22).
"""

import csv
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from packaging.utils import canonicalize_name

from argosy.image.inspection.settings import encodable

Kind = Literal["python", "debian"]

_DIST_INFO: Final = re.compile(r"(?P<site>.*?)/?(?P<name>[^/]+)-(?P<version>[^/-]+)\.dist-info/(METADATA|RECORD)")
_STATUS: Final = re.compile(r"var/lib/dpkg/(status|status\.d/[^/]+)")
_LIST: Final = re.compile(r"var/lib/dpkg/info/(?P<name>[^/:]+)(:[^/]+)?\.list")
_BYTECODE: Final = re.compile(r"(?P<folder>.*?)__pycache__/(?P<module>[^/.]+)\.[^/]+\.pyc")


@dataclass(frozen=True, slots=True)
class Package:
    """One installed package.

    Attributes:
        kind: Whose it is: pip's or dpkg's.
        name: In the normal form for Python.
        version: As recorded.
    """

    kind: Kind
    name: str
    version: str


class Ownership:
    """Which file belongs to which package; layers are added from the lowest on."""

    def __init__(self) -> None:
        self._owners: dict[str, Package] = {}
        self._debian: dict[str, Package] = {}
        self.declared: dict[Package, int] = {}
        """Bytes that dpkg says a package takes, of those packages whose files nobody listed."""

    def add(self, records: Mapping[str, bytes]) -> None:
        """Learn from one layer's records; `declared` is then about that layer's packages."""
        before = set(self._debian.values())
        declared: dict[Package, int] = {}
        for path, content in records.items():
            if _STATUS.fullmatch(path):
                for package, size in _debian_packages(content):
                    self._debian[package.name] = package
                    declared[package] = size
        listed: set[str] = set()
        for path, content in records.items():
            if match := _LIST.fullmatch(path):
                listed.add(match["name"])
                owner = self._debian.get(match["name"]) or Package("debian", match["name"], "")
                names = content.decode(errors="replace").splitlines()
                self._owners.update((name.strip("/"), owner) for name in names)
            elif path.endswith("/RECORD") and (match := _DIST_INFO.fullmatch(path)):
                owner = _distribution(match)
                self._owners.update((name, owner) for name in _recorded(content, match["site"]))
        self.declared = {
            package: size for package, size in declared.items() if package not in before and package.name not in listed
        }

    def owner(self, path: str) -> Package | None:
        """Whose file it is; bytecode belongs to whom its source belongs."""
        if match := _BYTECODE.fullmatch(path):
            source = self.owner(f"{match['folder']}{match['module']}.py")
            return source or self._owners.get(path)
        # Packages of a Debian that has merged /lib into /usr may still list the old names.
        return self._owners.get(path) or (self._owners.get(path.removeprefix("usr/")))


def is_record(path: str) -> bool:
    """Whether a file is a record of installed packages that is read here."""
    return any(pattern.fullmatch(path) for pattern in (_DIST_INFO, _STATUS, _LIST))


def installed(paths: Iterable[str], statuses: Iterable[bytes]) -> dict[tuple[Kind, str], str]:
    """The versions of all packages by kind and name; several versions of one are joined by a comma.

    Args:
        paths: All files of the image.
        statuses: The content of dpkg's status files.
    """
    versions: dict[tuple[Kind, str], set[str]] = {}
    for path in paths:
        match = _DIST_INFO.fullmatch(path) if path.endswith(".dist-info/METADATA") else None
        if match:
            package = _distribution(match)
            versions.setdefault((package.kind, package.name), set()).add(package.version)
    for content in statuses:
        for package, _ in _debian_packages(content):
            versions.setdefault((package.kind, package.name), set()).add(package.version)
    return {key: ", ".join(sorted(found)) for key, found in sorted(versions.items())}


def is_status(path: str) -> bool:
    """Whether a file is one of those where dpkg, or what stands in for it, says what is installed."""
    return _STATUS.fullmatch(path) is not None and not path.endswith(".md5sums")


def _distribution(match: re.Match[str]) -> Package:
    return Package("python", encodable(canonicalize_name(match["name"])), encodable(match["version"]))


def _recorded(content: bytes, site: str) -> Iterator[str]:
    for row in csv.reader(content.decode(errors="replace").splitlines()):
        if row:
            yield posixpath.normpath(posixpath.join("/", site, row[0])).strip("/")


def _debian_packages(content: bytes) -> Iterator[tuple[Package, int]]:
    """Package and installed size in bytes of every paragraph that tells of an installed one."""
    for paragraph in content.decode(errors="replace").split("\n\n"):
        fields = dict(re.findall(r"^(Package|Version|Status|Installed-Size): *(.*)$", paragraph, re.MULTILINE))
        if "Package" in fields and fields.get("Status", "install ok installed").endswith(" installed"):
            size = fields.get("Installed-Size", "")
            package = Package("debian", fields["Package"], fields.get("Version", ""))
            yield package, int(size) * 1024 if size.isdecimal() else 0
