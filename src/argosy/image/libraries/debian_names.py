"""The Debian packages that have libraries: by the rule of their names, else by Debian's own list of files.

Source: Debian Policy Manual 8.1, names of shared library packages; wiki.debian.org/DebianRepository/Format, "Contents"
indices (read 2026-11-22).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from argosy.image.blobs import BlobStore
from argosy.image.debian.packages import Index, Release, by_hash, read_index, read_releases
from argosy.image.debian.relations import Relation
from argosy.image.debian.system import read_debian_system
from argosy.image.download import Download, fetch
from argosy.image.image import Image
from argosy.image.libraries.search import DEFAULT_FOLDERS
from argosy.model_archive import gzip_reader

_SONAME: Final = re.compile(r"(lib[\w+.-]+?)\.so\.([\w.]+)")
_CONTENTS: Final = "Contents-amd64.gz"


def debian_packages(
    libraries: Iterable[str], base_image: Image, cache_dir: Path, say: Callable[[str], None]
) -> dict[str, str]:
    """Library -> the package of the base image's own suites that has it; what no package has is left out.

    Raises:
        ImageError: The base image is no Debian system.
        NetworkError: The mirror does not answer.
    """
    system = read_debian_system(base_image, cache_dir)
    releases = read_releases(system.suites, say)
    index = read_index(releases)
    found: dict[str, str] = {}
    rest: set[str] = set()
    for library in sorted(set(libraries)):
        named = next((name for name in likely_names(library) if index.get(Relation(name)) is not None), None)
        if named is None:
            rest.add(library)
        else:
            found[library] = named
    if rest:
        found |= _listed(rest, releases, index, BlobStore(cache_dir / "downloads", is_cache=True), say)
    return found


def likely_names(library: str) -> Iterator[str]:
    """The names that the policy gives a library's package.

    >>> list(likely_names("libGL.so.1"))[:2], list(likely_names("libglib-2.0.so.0"))[:1]
    (['libgl1', 'libgl1t64'], ['libglib-2.0-0'])
    """
    parts = _SONAME.fullmatch(library)
    if parts is not None:
        stem = parts.group(1).lower().replace("_", "-")
        name = f"{stem}{'-' if stem[-1].isdigit() else ''}{parts.group(2)}"
        yield from (name, f"{name}t64")  # 64-bit time renamed the packages, since Debian 13


def _listed(
    libraries: set[str],
    releases: Iterable[Release],
    index: Index,
    downloads: BlobStore,
    say: Callable[[str], None],
) -> dict[str, str]:
    """The packages by Debian's list of files, which is large and kept."""
    found: dict[str, str] = {}
    for release in releases:
        for component in release.suite.components:
            path = f"{component}/{_CONTENTS}"
            url = by_hash(release, path)
            if url is None or found.keys() >= libraries:
                continue
            digest = release.digests[path]
            fetch([Download(url, digest)], downloads, lambda _: say("downloading Debian's list of files"))
            with downloads.open(digest) as file, gzip_reader(file) as lines:
                for library, names in files_of(lines, libraries - found.keys()):
                    there = [name for name in names if index.get(Relation(name)) is not None]
                    if there:
                        found.setdefault(library, there[0])
    return found


def files_of(lines: Iterable[bytes], libraries: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """The lines of a list of files that name a library where the loader looks, with the packages that have it."""
    folders = "|".join(map(re.escape, DEFAULT_FOLDERS))
    names = "|".join(map(re.escape, libraries))
    wanted = re.compile(rf"(?:{folders})/({names})\s+(\S+)\n?".encode())
    for line in lines:
        found = wanted.fullmatch(line)
        if found is not None:
            packages = sorted(name.rpartition("/")[2] for name in found.group(2).decode().split(","))
            yield found.group(1).decode(), packages
