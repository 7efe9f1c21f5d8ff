"""Debian packages -> a base image: their files without documentation, /usr merged, no maintainer script run.

Python is Debian's own. The certificates of public authorities are left out: a SageMaker container calls nobody.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from argosy.errors import ImageError, NetworkError
from argosy.image.blobs import BlobStore
from argosy.image.debian import deb
from argosy.image.debian.closure import SCRIPTS_ONLY, closure
from argosy.image.debian.lock import fetch_locked, read_locked, write_locked
from argosy.image.debian.packages import Package, debian_suites, read_index, read_releases
from argosy.image.debian.placing import is_left_out, placed
from argosy.image.debian.relations import Relation
from argosy.image.debian.system import STATUS
from argosy.image.debian.system_packages import installed_paragraph
from argosy.image.image import Image, canonical_json, digest_of
from argosy.image.interpreter import DEFAULT_PATH
from argosy.image.layer import LayerCache, Member, cache_key, folder, from_bytes, symlink, write_layer
from argosy.image.manifest import NamedLayer, Settings, assemble
from argosy.model_archive import written_aside

PYTHON: Final = "3.11"
CODENAME: Final = "bookworm"
SUITES: Final = debian_suites(CODENAME)
WANTED: Final = (
    "base-files",
    "base-passwd",
    "coreutils",
    "dash",
    "libc-bin",
    "libc6",
    "libgomp1",
    "libstdc++6",
    "libtinfo6",
    f"python{PYTHON}",
)
UNNEEDED: Final = SCRIPTS_ONLY | {"awk", "perl-base"}
"""Beside `WANTED` nothing but maintainer scripts calls awk and Perl; packages that a project names may need them."""

REFRESH_S: Final = 24 * 3600
"""A list of packages older than this is compared with Debian's before it is used."""

_LAYOUT: Final = 2
_MERGED: Final = ("bin", "lib", "lib64", "sbin")
_KEPT_FROM_TEMPLATES: Final = {
    "usr/share/base-passwd/passwd.master": "etc/passwd",
    "usr/share/base-passwd/group.master": "etc/group",
    "usr/share/libc-bin/nsswitch.conf": "etc/nsswitch.conf",
}
"""What maintainer scripts would have put in place."""


def debian_image(cache_dir: Path, lock: Path | None, say: Callable[[str], None]) -> Image:
    """The base image of Debian 12 with Python 3.11.

    Its packages are those of the project's lock, or else today's, which are locked then. Without network those of the
    last time are taken.

    Args:
        cache_dir: The user's cache folder.
        lock: The project's `debian.argosy.toml`; None takes today's packages and locks nothing.
        say: Told what a person should know.

    Raises:
        NetworkError: The mirror does not answer, or has a locked package no more, and the cache has nothing.
        ImageError: Something is not what its digest says.
    """
    packages = _locked(cache_dir, lock, say)
    cache = LayerCache(cache_dir)
    key = cache_key("debian", _LAYOUT, [[package.name, package.version, package.digest] for package in packages])
    layer = cache.get(key)
    if layer is None:
        downloads = BlobStore(cache_dir / "downloads", is_cache=True)
        fetch_locked(packages, downloads, lock or _remembered_file(cache_dir), say)
        layer = write_layer(_members(packages, downloads), cache.store)
        cache.put(key, layer)
    name = f"base (Debian 12 with Python {PYTHON}, {len(packages)} packages)"
    started = Settings({"PATH": DEFAULT_PATH}, (), (f"python{PYTHON}",), "", None, {})
    return assemble(None, [NamedLayer(name, layer)], started, cache.store)


def _locked(cache_dir: Path, lock: Path | None, say: Callable[[str], None]) -> list[Package]:
    wanted = [*WANTED, *(f"-{name}" for name in sorted(UNNEEDED))]
    inputs = digest_of(canonical_json(["debian", CODENAME, wanted]))
    packages = None if lock is None else read_locked(lock, "base", inputs)
    if packages is None:
        packages = _packages(_remembered_file(cache_dir), wanted, say)
        if lock is not None:
            write_locked(lock, "base", inputs, packages)
            say(f"wrote {lock}: keep it under version control")
    return packages


def _remembered_file(cache_dir: Path) -> Path:
    return cache_dir / "debian" / f"{CODENAME}.json"


class _Remembered(msgspec.Struct, frozen=True):
    """What Debian had the last time."""

    wanted: list[str] = []
    state: str = ""
    packages: list[Package] = []


def _remembered(path: Path) -> _Remembered:
    """What is remembered; nothing when there is no such file, or only an unreadable one."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Remembered)
    except (FileNotFoundError, ValueError):
        return _Remembered()


def _packages(remembered: Path, wanted: list[str], say: Callable[[str], None]) -> list[Package]:
    """The packages to install: those remembered, while Debian has no others."""
    before = _remembered(remembered)
    kept = before.packages if before.wanted == wanted else []
    if kept and time.time() - remembered.stat().st_mtime < REFRESH_S:
        return kept
    try:
        releases = read_releases(SUITES, say)
        state = [[release.suite.name, release.digests] for release in releases]
        if not kept or before.state != cache_key(state):
            found = closure(map(Relation, WANTED), read_index(releases), unneeded=UNNEEDED)
            newer = sorted({package.name for package in found} - {p.name for p in kept if p in found}) if kept else []
            if newer:
                say(f"Debian has newer packages, so the base changes: {', '.join(newer)}")
            kept = found
    except NetworkError as error:
        if not kept:
            raise
        say(f"Debian's mirror does not answer, so its packages are those of the last time ({error.message})")
        return kept
    content = {"wanted": wanted, "state": cache_key(state), "packages": kept}
    with written_aside(remembered) as aside:
        aside.write_bytes(canonical_json(msgspec.to_builtins(content)))
    return kept


def _members(packages: Sequence[Package], downloads: BlobStore) -> Iterator[Member]:
    """The whole tree: its frame, each package's files in the package's own order, then what scripts would have made."""
    yield from _frame()
    seen: set[str] = set()
    templates: dict[str, bytes] = {}
    described: list[bytes] = []
    for package in packages:
        file = downloads.path(package.digest)
        described.append(installed_paragraph(deb.control(file)["control"]))
        for _, member in placed(file, _place):
            is_folder = member.open is None and member.link is None
            if is_folder and member.path in seen:
                continue
            if member.path in seen:
                raise ImageError("two Debian packages have the same file", got=f"`/{member.path}`", where=package.name)
            seen.add(member.path)
            if member.open is not None and member.path in _KEPT_FROM_TEMPLATES:
                with member.open() as stream:
                    content = templates[_KEPT_FROM_TEMPLATES[member.path]] = stream.read()
                yield from_bytes(member.path, content)
            else:
                yield member
    for path in sorted(templates.keys() - seen):
        yield from_bytes(path, templates[path])
    if "usr/bin/sh" not in seen:
        yield symlink("usr/bin/sh", "dash")
    yield from_bytes(STATUS, b"\n".join([*described, b""]))


def _frame() -> Iterator[Member]:
    for name in ("dev", "etc", "opt", "proc", "run", "sys", "usr", "usr/local", "usr/local/bin", "var", "var/lib"):
        yield folder(name)
    yield folder("root", 0o700)
    yield folder("tmp", 0o1777)
    yield folder("var/tmp", 0o1777)
    for name in _MERGED:
        yield folder(f"usr/{name}")
        yield symlink(name, f"usr/{name}")


def _place(path: str) -> str | None:
    """Where a package's file goes: below /usr where that has merged, and nowhere when the frame has it already."""
    if path.partition("/")[0] in _MERGED:
        path = f"usr/{path}"
    return None if path in ("tmp", "var/tmp", "root") or is_left_out(path) else path
