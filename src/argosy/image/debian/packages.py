"""Debian's package indexes, and what a set of packages needs.

Source: wiki.debian.org/DebianRepository/Format; Debian Policy Manual 7, relationships (read 2026-11-22).
"""

import io
import lzma
import re
from collections.abc import Callable, Iterable, Iterator
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
        ImageError: A signature is wrong or missing.
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
        suites = ", ".join(unverified)
        say(f"the signatures of {suites} were not verified (no gpgv here that knows the keys): https only")
    return releases


class Index:
    """The packages of several suites by name, each in its newest version; paragraphs are parsed when asked for."""

    def __init__(self) -> None:
        self._stanzas: dict[str, tuple[str, bytes]] = {}

    def add(self, archive: str, stanzas: Iterable[bytes]) -> None:
        """Add the paragraphs of an index, each ending with a line break."""
        for stanza in stanzas:
            name = _field(stanza, b"Package")
            before = self._stanzas.get(name)
            if before is None or sort_key(_field(before[1], b"Version")) < sort_key(_field(stanza, b"Version")):
                self._stanzas[name] = (archive, stanza)

    def get(self, name: str) -> Package | None:
        """The package of that name."""
        found = self._stanzas.get(name)
        return None if found is None else _package(name, found[1], found[0])

    def provider(self, names: Iterable[str]) -> Package | None:
        """The first package, by name, that provides one of these virtual ones."""
        wanted = set(names)
        for name in sorted(self._stanzas):
            provided = _field(self._stanzas[name][1], b"Provides")
            if provided and wanted.intersection(n for clause in provided.split(",") for n in _names(clause)):
                return self.get(name)
        return None


def read_index(releases: Iterable[Release]) -> Index:
    """Every package of the suites.

    Raises:
        NetworkError: The mirror does not answer.
        ImageError: An index is not what its release says.
    """
    index = Index()
    with connected() as client:
        for release in releases:
            with lzma.open(io.BytesIO(_fetch(client, release))) as stream:
                index.add(release.archive, _stanzas(stream))
    return index


def closure(wanted: Iterable[str], index: Index, unneeded: frozenset[str]) -> list[Package]:
    """The packages and all that they need before they work, sorted by name.

    Of alternatives the first that exists is taken; a virtual package is taken from the first that provides it.

    Args:
        wanted: Names.
        index: What there is.
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
        package = next(filter(None, map(index.get, alternatives)), None) or index.provider(alternatives)
        if package is None:
            raise ImageError("Debian has no such package", got=" | ".join(alternatives))
        if package.name not in chosen:
            chosen[package.name] = package
            for field in (b"Pre-Depends", b"Depends"):
                clauses = _field(package.stanza.encode(), field).split(",")
                rest += [_names(clause) for clause in clauses if clause.strip()]
    return [chosen[name] for name in sorted(chosen)]


def _fetch(client: httpx.Client, release: Release) -> bytes:
    digest = release.digests.get(_INDEX)
    if digest is None:
        raise ImageError("Debian's release lists no index for amd64", where=release.suite)
    by_hash = f"{release.archive}/dists/{release.suite}/{_INDEX.rpartition('/')[0]}/by-hash/SHA256/{digest[7:]}"
    content = get(client, by_hash)
    if digest_of(content) != digest:
        raise ImageError(
            "Debian's index is not what its release says", got=digest_of(content), want=digest, where=by_hash
        )
    return content


def _digests(text: str, where: str) -> dict[str, str]:
    section = re.search(r"^SHA256:\n((?: .*\n)+)", text.replace("\r\n", "\n"), re.MULTILINE)
    if section is None:
        raise ImageError("Debian's release lists no sha256 digests", where=where)
    lines = (line.split() for line in section.group(1).splitlines())
    return {path: f"sha256:{digest}" for digest, _, path in lines}


def _stanzas(stream: Iterable[bytes]) -> Iterator[bytes]:
    lines: list[bytes] = []
    for line in stream:
        if line != b"\n":
            lines.append(line)
        elif lines:
            yield b"".join(lines)
            lines = []
    if lines:
        yield b"".join(lines)


def _package(name: str, stanza: bytes, archive: str) -> Package:
    return Package(
        name,
        _field(stanza, b"Version"),
        f"{archive}/{_field(stanza, b'Filename')}",
        f"sha256:{_field(stanza, b'SHA256')}",
        int(_field(stanza, b"Size") or 0),
        stanza.decode("utf-8", "replace"),
    )


def _field(stanza: bytes, name: bytes) -> str:
    """A field's first line, empty when there is none."""
    start = 0 if stanza.startswith(name + b": ") else stanza.find(b"\n" + name + b": ") + 1
    if start == 0 and not stanza.startswith(name + b": "):
        return ""
    end = stanza.find(b"\n", start)
    return stanza[start + len(name) + 2 : end if end >= 0 else len(stanza)].decode("utf-8", "replace")


def _names(clause: str) -> list[str]:
    """The alternatives of a relationship, without versions and architectures."""
    return [re.split(r"[\s(:\[]", part.strip(), maxsplit=1)[0] for part in clause.split("|")]
