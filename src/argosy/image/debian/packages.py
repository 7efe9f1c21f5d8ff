"""Debian's package indexes, and what a set of packages needs.

Source: wiki.debian.org/DebianRepository/Format; Debian Policy Manual 7, relationships (read 2026-11-22).
"""

import lzma
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import httpx

from argosy.errors import ImageError
from argosy.image.debian.signature import signed_text
from argosy.image.debian.version import sort_key
from argosy.image.download import connected, get
from argosy.image.image import digest_of

MIRROR: Final = "https://deb.debian.org"
SUITES: Final = (
    (f"{MIRROR}/debian", "bookworm"),
    (f"{MIRROR}/debian", "bookworm-updates"),
    (f"{MIRROR}/debian-security", "bookworm-security"),
)
_INDEX: Final = "main/binary-amd64/Packages.xz"
_NAME: Final = re.compile(r"^Package: (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Package:
    """A binary package of an index.

    Attributes:
        name: As dpkg knows it.
        version: With epoch and revision.
        url: Where the .deb is.
        digest: `sha256:` digest of the .deb.
        size: Bytes of the .deb.
        stanza: Its paragraph of the index.
    """

    name: str
    version: str
    url: str
    digest: str
    size: int
    stanza: str

    def field(self, name: str) -> str:
        """A field's first line, empty when there is none."""
        return _field(self.stanza, name)


@dataclass(frozen=True, slots=True)
class Release:
    """The indexes of a suite as one moment had them: archive URL, name, and the digest of each index file."""

    archive: str
    suite: str
    digests: dict[str, str]


def read_releases(say: Callable[[str], None]) -> list[Release]:
    """What the suites have now; says when nobody could verify Debian's signature, and https alone has to do.

    Raises:
        NetworkError: The mirror does not answer.
        ImageError: A signature is wrong.
    """
    releases = []
    unverified = []
    with connected() as client:
        for archive, suite in SUITES:
            url = f"{archive}/dists/{suite}/InRelease"
            clearsigned = get(client, url)
            text = signed_text(clearsigned, url)
            if text is None:
                unverified.append(suite)
                text = clearsigned
            releases.append(Release(archive, suite, _digests(text.decode("utf-8", "replace"), url)))
    if unverified:
        say(
            f"the signatures of {', '.join(unverified)} were not verified (no gpgv with Debian's keys here): https only"
        )
    return releases


def read_packages(releases: Iterable[Release]) -> dict[str, Package]:
    """Every package of the suites by name, in its newest version.

    Raises:
        NetworkError: The mirror does not answer.
        ImageError: An index is not what its release says.
    """
    found: dict[str, Package] = {}
    with connected() as client:
        for release in releases:
            for stanza in _index(client, release).split("\n\n"):
                name = _NAME.search(stanza)
                if name is None:
                    continue
                before = found.get(name.group(1))
                if before is None or sort_key(before.version) < sort_key(_field(stanza, "Version")):
                    found[name.group(1)] = _package(name.group(1), stanza, release.archive)
    return found


def closure(wanted: Iterable[str], packages: dict[str, Package], unneeded: frozenset[str]) -> list[Package]:
    """The packages and all that they need before they work, sorted by name.

    Of alternatives the first that exists is taken; a virtual package is taken from the first that provides it.

    Args:
        wanted: Names.
        packages: What there is, by name.
        unneeded: Names that are left out with all that only they need.

    Raises:
        ImageError: Something is needed that no package provides.
    """
    chosen: dict[str, Package] = {}
    rest = [[name] for name in wanted]
    while rest:
        alternatives = rest.pop()
        if any(name in unneeded or name in chosen for name in alternatives):
            continue
        package = next((packages[name] for name in alternatives if name in packages), None)
        package = package or _provider(alternatives, packages)
        if package is None:
            raise ImageError("Debian has no such package", got=" | ".join(alternatives))
        if package.name not in chosen:
            chosen[package.name] = package
            for field in ("Pre-Depends", "Depends"):
                rest += [_names(clause) for clause in package.field(field).split(",") if clause.strip()]
    return [chosen[name] for name in sorted(chosen)]


def _index(client: httpx.Client, release: Release) -> str:
    digest = release.digests.get(_INDEX)
    if digest is None:
        raise ImageError("Debian's release lists no index for amd64", where=release.suite)
    by_hash = f"{release.archive}/dists/{release.suite}/{_INDEX.rpartition('/')[0]}/by-hash/SHA256/{digest[7:]}"
    content = get(client, by_hash)
    if digest_of(content) != digest:
        raise ImageError(
            "Debian's index is not what its release says", got=digest_of(content), want=digest, where=by_hash
        )
    return lzma.decompress(content).decode("utf-8", "replace")


def _digests(text: str, where: str) -> dict[str, str]:
    section = re.search(r"^SHA256:\n((?: .*\n)+)", text.replace("\r\n", "\n"), re.MULTILINE)
    if section is None:
        raise ImageError("Debian's release lists no sha256 digests", where=where)
    lines = (line.split() for line in section.group(1).splitlines())
    return {path: f"sha256:{digest}" for digest, _, path in lines}


def _package(name: str, stanza: str, archive: str) -> Package:
    return Package(
        name,
        _field(stanza, "Version"),
        f"{archive}/{_field(stanza, 'Filename')}",
        f"sha256:{_field(stanza, 'SHA256')}",
        int(_field(stanza, "Size") or 0),
        stanza.strip("\n"),
    )


def _field(stanza: str, name: str) -> str:
    start = stanza.find(f"\n{name}: ")
    if start < 0:
        return ""
    start += len(name) + 3
    end = stanza.find("\n", start)
    return stanza[start : end if end >= 0 else len(stanza)]


def _names(clause: str) -> list[str]:
    """The alternatives of a relationship, without versions and architectures."""
    return [re.split(r"[\s(:\[]", part.strip(), maxsplit=1)[0] for part in clause.split("|")]


def _provider(names: list[str], packages: dict[str, Package]) -> Package | None:
    for name in sorted(packages):
        provided = {
            alternative for clause in packages[name].field("Provides").split(",") for alternative in _names(clause)
        }
        if provided.intersection(names):
            return packages[name]
    return None
