"""`[image] system_packages`: Debian packages as a layer on a base image, with no daemon and no maintainer script run.

What they need is computed against the list of packages that the base image has; that list is written anew, so that
dpkg, apt and whatever reads an image's packages see them.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from argosy.errors import ImageError
from argosy.image.blobs import BlobStore
from argosy.image.debian import LOCK_NAME, deb
from argosy.image.debian.closure import closure
from argosy.image.debian.lock import fetch_locked, read_locked, write_locked
from argosy.image.debian.packages import Package, read_index, read_releases
from argosy.image.debian.paragraphs import field, paragraphs
from argosy.image.debian.placing import is_left_out, placed
from argosy.image.debian.relations import Relation
from argosy.image.debian.system import STATUS, STATUS_FOLDER, DebianSystem, read_debian_system
from argosy.image.filesystem import Filesystem, read_filesystem
from argosy.image.image import Image, canonical_json, digest_of
from argosy.image.layer import Layer, LayerCache, Member, cache_key, folder, from_bytes, write_layer
from argosy.project import Project

_LAYOUT: Final = 1
_RECORDS: Final = "var/lib/dpkg/info"
_SCRIPTS: Final = ("preinst", "postinst")
_CALLED: Final = re.compile(
    rb"^[^#\n]*?\b(update-alternatives|adduser|addgroup|useradd|groupadd|systemd-sysusers|dpkg-divert|fc-cache|"
    rb"update-ca-certificates|update-fonts-\w+)\b",
    re.MULTILINE,
)
"""Programs by which a maintainer script makes what the package's own files do not have."""


@dataclass(frozen=True, slots=True)
class SystemLayer:
    """The layer of a project's system packages, whether the cache had it, and what is in it."""

    layer: Layer
    cached: bool
    packages: tuple[Package, ...]


def system_layer(
    project: Project, base_image: Image, cache_dir: Path, say: Callable[[str], None]
) -> SystemLayer | None:
    """The layer of `[image] system_packages` and all that they need; None when the base image has them all.

    Raises:
        ImageError: The base is no Debian system, a package does not exist or does not fit, or a file is broken.
        NetworkError: The mirror does not answer, or has a locked package no more.
    """
    system = read_debian_system(base_image, cache_dir)
    packages = _locked(project, system, say)
    if not packages:
        say("the base image has all `system_packages` already")
        return None
    cache = LayerCache(cache_dir)
    key = cache_key("system", _LAYOUT, base_image.digest, [[one.name, one.version, one.digest] for one in packages])
    layer = cache.get(key)
    cached = layer is not None
    if layer is None:
        downloads = BlobStore(cache_dir / "downloads", is_cache=True)
        fetch_locked(packages, downloads, project.root / LOCK_NAME, say)
        debs = {package.name: downloads.path(package.digest) for package in packages}
        notes: list[str] = []
        made = write_layer(_Layout(read_filesystem(base_image), system).members(debs, notes), cache.store)
        layer = replace(made, notes=tuple(notes))
        cache.put(key, layer)
    for note in layer.notes:
        say(note)
    return SystemLayer(layer, cached, tuple(packages))


def _locked(project: Project, system: DebianSystem, say: Callable[[str], None]) -> list[Package]:
    """The packages to add: those of the lock while project and base image are the same, else chosen now."""
    path = project.root / LOCK_NAME
    wanted = sorted(set(project.image.system_packages))
    sources = [[suite.archive, suite.name, list(suite.components)] for suite in system.suites]
    there = [[package.name, package.version] for package in system.installed]
    inputs = digest_of(canonical_json([wanted, sources, there]))
    packages = read_locked(path, "system", inputs)
    if packages is None:
        say(f"choosing the packages for {', '.join(wanted)} on {system.name}")
        index = read_index(read_releases(system.suites, say))
        packages = closure([_asked(text) for text in wanted], index, system.installed)
        write_locked(path, "system", inputs, packages)
        say(f"wrote {path}: keep it under version control")
    return packages


def _asked(text: str) -> Relation:
    name, equals, version = text.partition("=")
    return Relation(name, equals, version)


class _Layout:
    """Lays packages out on the tree of a base image.

    A path goes where the base image's links lead it (/lib -> usr/lib), so that no link is replaced by a folder, and a
    folder that the base has keeps its mode.
    """

    def __init__(self, files: Filesystem, system: DebianSystem) -> None:
        self._files = files
        self._system = system
        self._folders: dict[str, str] = {"": ""}
        self._seen: set[str] = set()
        self._links: set[str] = set()

    def members(self, debs: Mapping[str, Path], notes: list[str]) -> Iterator[Member]:
        """All files of the packages, then the list of packages; what a person should know is added to `notes`."""
        described: list[bytes] = []
        for name in sorted(debs):
            control = deb.control(debs[name])
            described.append(control["control"].rstrip(b"\n") + b"\n")
            notes += _script_notes(name, control)
            paths: list[str] = []
            for path, member in placed(debs[name], self._place):
                paths.append(path)
                if self._is_new(member, name):
                    yield from self._with_parents(member)
            for record in self._records(name, control, paths):
                yield from self._with_parents(record)
        for record in self._database(described):
            yield from self._with_parents(record)

    def _place(self, path: str) -> str | None:
        return None if is_left_out(path) else self._at(path)

    def _at(self, path: str) -> str:
        parent, _, name = path.rpartition("/")
        return f"{self._real(parent)}/{name}".lstrip("/")

    def _real(self, path: str) -> str:
        """Where a folder of a package is in the image."""
        known = self._folders.get(path)
        if known is None:
            known = self._at(path)
            entry = self._files.resolve(known)
            if entry is not None and entry.kind == "directory":
                known = entry.path
            elif entry is not None or known in self._links or self._files.get(known) is not None:
                raise ImageError("a package has a folder where the image has something else", got=f"`/{known}`")
            self._folders[path] = known
        return known

    def _is_new(self, member: Member, package: str) -> bool:
        """Whether a member is to be written: not a folder that is there already, nor a link to one."""
        below = self._files.resolve(member.path)
        is_folder = member.open is None and member.link is None
        if is_folder and (member.path in self._seen or (below is not None and below.kind == "directory")):
            return False
        if below is not None and below.kind == "directory":
            if member.link is not None and not member.hard:
                return False
            raise ImageError(
                "a package has a file where the image has a folder", got=f"`/{member.path}`", where=package
            )
        if member.path in self._seen:
            raise ImageError("two Debian packages have the same file", got=f"`/{member.path}`", where=package)
        if member.link is not None and not member.hard:
            self._links.add(member.path)
        return True

    def _with_parents(self, member: Member) -> Iterator[Member]:
        """A member after the folders on the way to it that have another mode in the base image than a new one has."""
        parts = member.path.split("/")
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            if parent not in self._seen:
                self._seen.add(parent)
                entry = self._files.get(parent)
                if entry is not None and entry.mode != 0o755:
                    yield folder(parent, entry.mode)
        self._seen.add(member.path)
        yield member

    def _records(self, name: str, control: Mapping[str, bytes], paths: Sequence[str]) -> Iterator[Member]:
        """What dpkg remembers of a package beside its paragraph: its files and their checksums."""
        there = set(paths)
        sums = b"".join(
            line + b"\n"
            for line in control.get("md5sums", b"").splitlines()
            if line.partition(b"  ")[2].decode("utf-8", "replace") in there
        )
        if self._system.database == "status.d":
            yield from_bytes(self._at(f"{STATUS_FOLDER}/{name}"), control["control"].rstrip(b"\n") + b"\n")
            yield from_bytes(self._at(f"{STATUS_FOLDER}/{name}.md5sums"), sums)
        else:
            stem = f"{name}:amd64" if field(control["control"], "Multi-Arch") == "same" else name
            listing = "".join(f"{path}\n" for path in ["/.", *(f"/{path}" for path in paths)])
            yield from_bytes(self._at(f"{_RECORDS}/{stem}.list"), listing.encode())
            yield from_bytes(self._at(f"{_RECORDS}/{stem}.md5sums"), sums)

    def _database(self, described: Sequence[bytes]) -> Iterator[Member]:
        if self._system.database == "status":
            names = {field(one, "Package") for one in described}
            before = self._files.read(STATUS).splitlines(True)
            kept = [one for one in paragraphs(before) if field(one, "Package") not in names]
            listed = [*kept, *map(installed_paragraph, described)]
            yield from_bytes(self._at(STATUS), b"".join([one + b"\n" for one in listed]))


def installed_paragraph(control: bytes) -> bytes:
    """A package's own paragraph as dpkg's status has it once it is installed."""
    first, _, rest = (control.rstrip(b"\n") + b"\n").partition(b"\n")
    return first + b"\nStatus: install ok installed\n" + rest


def _script_notes(name: str, control: Mapping[str, bytes]) -> Iterator[str]:
    called = sorted({found.decode() for script in _SCRIPTS for found in _CALLED.findall(control.get(script, b""))})
    if called:
        yield (
            f"warning: `{name}` has a maintainer script that calls {', '.join(called)}, and none is run: if something"
            " of it is missing in the image, let apt install it: argosy build --engine docker"
        )
