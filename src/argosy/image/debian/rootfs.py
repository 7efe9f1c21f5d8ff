"""Debian packages -> a base image: their files without documentation, /usr merged, no maintainer script run.

Python is Debian's own. The certificates of public authorities are left out: a SageMaker container calls nobody.
"""

import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final

import msgspec

from argosy.errors import ImageError, NetworkError
from argosy.image.blobs import BlobStore
from argosy.image.debian import deb
from argosy.image.debian.packages import Package, closure, read_index, read_releases
from argosy.image.download import Download, fetch
from argosy.image.image import Image, canonical_json
from argosy.image.interpreter import DEFAULT_PATH
from argosy.image.layer import LayerCache, Member, cache_key, folder, from_bytes, symlink, write_layer
from argosy.image.manifest import NamedLayer, Settings, assemble
from argosy.model_archive import written_aside

PYTHON: Final = "3.11"
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
UNNEEDED: Final = frozenset({"awk", "debconf", "dpkg", "install-info", "perl-base"})
"""Needed by maintainer scripts only, and none is run."""

REFRESH_S: Final = 24 * 3600
"""A list of packages older than this is compared with Debian's before it is used."""

_LAYOUT: Final = 1
_MERGED: Final = ("bin", "lib", "lib64", "sbin")
_LEFT_OUT: Final = tuple(f"usr/share/{name}/" for name in ("bug", "info", "lintian", "locale", "man", "menu"))
_NOT_IN_STATUS: Final = ("Filename: ", "Size: ", "MD5sum: ", "SHA256: ", "Description-md5: ")
_KEPT_FROM_TEMPLATES: Final = {
    "usr/share/base-passwd/passwd.master": "etc/passwd",
    "usr/share/base-passwd/group.master": "etc/group",
    "usr/share/libc-bin/nsswitch.conf": "etc/nsswitch.conf",
}
"""What maintainer scripts would have put in place."""


def debian_image(cache_dir: Path, say: Callable[[str], None]) -> Image:
    """The base image of Debian 12 with Python 3.11, of today's packages; from the cache when those did not change.

    Without network the packages of the last time are taken.

    Raises:
        NetworkError: The mirror does not answer, and the cache has nothing.
        ImageError: Something is not what its digest says.
    """
    packages = _packages(cache_dir / "debian" / "bookworm.json", say)
    cache = LayerCache(cache_dir)
    key = cache_key("debian", _LAYOUT, [[package.name, package.version, package.digest] for package in packages])
    layer = cache.get(key)
    if layer is None:
        downloads = BlobStore(cache_dir / "downloads", is_cache=True)
        wanted = [Download(package.url, package.digest, package.size) for package in packages]
        fetch(wanted, downloads, lambda missing: say(f"downloading {missing} of Debian packages"))
        layer = write_layer(_members(packages, downloads), cache.store)
        cache.put(key, layer)
    name = f"base (Debian 12 with Python {PYTHON}, {len(packages)} packages)"
    started = Settings({"PATH": DEFAULT_PATH}, (), (f"python{PYTHON}",), "", None, {})
    return assemble(None, [NamedLayer(name, layer)], started, cache.store)


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


def _packages(remembered: Path, say: Callable[[str], None]) -> list[Package]:
    """The packages to install: those remembered, while Debian has no others."""
    wanted = [*WANTED, *(f"-{name}" for name in sorted(UNNEEDED))]
    before = _remembered(remembered)
    kept = before.packages if before.wanted == wanted else []
    if kept and time.time() - remembered.stat().st_mtime < REFRESH_S:
        return kept
    try:
        releases = read_releases(say)
        state = [[release.suite, release.digests] for release in releases]
        if not kept or before.state != cache_key(state):
            found = closure(WANTED, read_index(releases), UNNEEDED)
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
    for package in packages:
        with deb.opened(downloads.path(package.digest)) as archive:
            for member in archive:
                path = _place(member.name)
                if path is None or (member.isdir() and path in seen):
                    continue
                if path in seen:
                    raise ImageError("two Debian packages have the same file", got=f"`/{path}`", where=package.name)
                seen.add(path)
                if path in _KEPT_FROM_TEMPLATES:
                    templates[_KEPT_FROM_TEMPLATES[path]] = _content(archive, member).read()
                    yield from_bytes(path, templates[_KEPT_FROM_TEMPLATES[path]])
                else:
                    yield _member(archive, member, path)
    for path in sorted(templates.keys() - seen):
        yield from_bytes(path, templates[path])
    if "usr/bin/sh" not in seen:
        yield symlink("usr/bin/sh", "dash")
    yield from_bytes("var/lib/dpkg/status", "".join(_status(package) for package in packages).encode())


def _frame() -> Iterator[Member]:
    for name in ("dev", "etc", "opt", "proc", "run", "sys", "usr", "usr/local", "usr/local/bin", "var", "var/lib"):
        yield folder(name)
    yield folder("root", 0o700)
    yield folder("tmp", 0o1777)
    yield folder("var/tmp", 0o1777)
    for name in _MERGED:
        yield folder(f"usr/{name}")
        yield symlink(name, f"usr/{name}")


def _place(name: str) -> str | None:
    """Where a package's file goes, None for what is left out: manuals, translations, documents but for licences."""
    path = name.removeprefix("./").rstrip("/")
    if path.partition("/")[0] in _MERGED:
        path = f"usr/{path}"
    if path in ("", ".", "tmp", "var/tmp", "root") or f"{path}/".startswith(_LEFT_OUT):
        return None
    document = path.removeprefix("usr/share/doc/")
    if document != path and "/" in document and not path.endswith("/copyright"):
        return None
    return path


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> Member:
    mode = member.mode & 0o1777
    if member.isdir():
        return folder(path, mode)
    if member.issym():
        return symlink(path, member.linkname)
    if member.islnk():
        target = _place(member.linkname)
        if target is None:
            raise ImageError("a hard link of a Debian package leads to what is left out", got=f"`{member.name}`")
        return Member(path, mode, link=target, hard=True)
    return Member(path, mode, member.size, lambda: _content(archive, member))


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(member)
    if content is None:
        raise ImageError("a Debian package holds a device", got=f"`{member.name}`")
    return content


def _status(package: Package) -> str:
    lines = [line for line in package.stanza.splitlines() if not line.startswith(_NOT_IN_STATUS)]
    return "\n".join([lines[0], "Status: install ok installed", *lines[1:], "", ""])
