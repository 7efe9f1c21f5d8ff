"""Debian's package indexes: suites -> signed releases -> the packages that they have.

Source: wiki.debian.org/DebianRepository/Format (read 2026-11-22).
"""

import io
import lzma
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from argosy.errors import ImageError
from argosy.image.debian.paragraphs import field, paragraphs
from argosy.image.debian.relations import Relation, parse_relations
from argosy.image.debian.signature import KEYRING, signed_text
from argosy.image.debian.version import sort_key
from argosy.image.download import connected, get
from argosy.image.image import digest_of

MIRROR: Final = "https://deb.debian.org"
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Suite:
    """Where packages come from.

    Attributes:
        archive: URL above `dists` and `pool`.
        name: As below `dists`.
        components: Parts of the suite that are read, as `main`.
        keyring: File on this machine with the keys that sign the suite; empty for Debian's own here.
    """

    archive: str
    name: str
    components: tuple[str, ...] = ("main",)
    keyring: str = ""


def debian_suites(codename: str) -> tuple[Suite, ...]:
    """The suites of a release of Debian that a machine of that release is updated from."""
    return (
        Suite(f"{MIRROR}/debian", codename),
        Suite(f"{MIRROR}/debian", f"{codename}-updates"),
        Suite(f"{MIRROR}/debian-security", f"{codename}-security"),
    )


@dataclass(frozen=True, slots=True)
class Package:
    """A binary package of an index.

    Attributes:
        name: As dpkg knows it.
        version: With epoch and revision.
        url: Where the .deb is.
        digest: `sha256:` digest of the .deb.
        size: Bytes of the .deb.
    """

    name: str
    version: str
    url: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A package with its paragraph of the index, which says what it needs."""

    package: Package
    paragraph: bytes

    def relations(self, *names: str) -> list[list[Relation]]:
        """The clauses of these fields."""
        return [clause for name in names for clause in parse_relations(field(self.paragraph, name))]


@dataclass(frozen=True, slots=True)
class Release:
    """The indexes of a suite as one moment had them: the suite, and the digest of each index file."""

    suite: Suite
    digests: dict[str, str]


def read_releases(suites: Iterable[Suite], say: Callable[[str], None]) -> list[Release]:
    """What the suites have now; says when nobody could verify a signature, and https alone has to do.

    Raises:
        NetworkError: The mirror does not answer.
        ImageError: A signature is wrong or missing, or cannot be verified where there is no https either.
    """
    releases = []
    unverified = []
    with connected() as client:
        for suite in suites:
            url = f"{suite.archive}/dists/{suite.name}/InRelease"
            clearsigned = get(client, url)
            text = signed_text(clearsigned, url, Path(suite.keyring or KEYRING))
            if text is None:
                _require_https(url)
                unverified.append(suite.name)
                text = clearsigned
            releases.append(Release(suite, _digests(text.decode("utf-8", "replace"), url)))
    if unverified:
        names = ", ".join(unverified)
        say(f"the signatures of {names} were not verified (no gpgv here that knows the keys): https only")
    return releases


class Index:
    """The packages of several suites by name; paragraphs are parsed when asked for."""

    def __init__(self) -> None:
        self._paragraphs: dict[str, list[tuple[str, bytes]]] = {}

    def add(self, archive: str, found: Iterable[bytes]) -> None:
        """Add the paragraphs of an index, each ending with a line break."""
        for paragraph in found:
            self._paragraphs.setdefault(field(paragraph, "Package"), []).append((archive, paragraph))

    def get(self, wanted: Relation) -> Candidate | None:
        """The newest package of that name that fits."""
        fitting = [
            (sort_key(version), archive, paragraph)
            for archive, paragraph in self._paragraphs.get(wanted.name, ())
            if wanted.fits(version := field(paragraph, "Version"))
        ]
        if not fitting:
            return None
        _, archive, paragraph = max(fitting, key=lambda one: one[0])
        return _candidate(archive, paragraph)

    def versions(self, name: str) -> list[str]:
        """The versions of a package, the newest first."""
        found = {field(paragraph, "Version") for _, paragraph in self._paragraphs.get(name, ())}
        return sorted(found, key=sort_key, reverse=True)

    def provider(self, wanted: Iterable[Relation]) -> Candidate | None:
        """The first package, by name, that provides one of these virtual ones."""
        relations = list(wanted)
        for name in sorted(self._paragraphs):
            newest = self.get(Relation(name)) if any(self._provides(name, one) for one in relations) else None
            if newest is not None:
                return newest
        return None

    def _provides(self, name: str, wanted: Relation) -> bool:
        for _, paragraph in self._paragraphs[name]:
            if wanted.name.encode() in paragraph and provides(field(paragraph, "Provides"), wanted):
                return True
        return False


def provides(text: str, wanted: Relation) -> bool:
    """Whether a field `Provides` has a virtual package that fits."""
    return any(
        one.name == wanted.name and wanted.fits(one.version or None)
        for clause in parse_relations(text)
        for one in clause
    )


def read_index(releases: Iterable[Release]) -> Index:
    """Every package of the suites for amd64.

    Raises:
        NetworkError: The mirror does not answer.
        ImageError: An index is not what its release says.
    """
    index = Index()
    with connected() as client:
        for release in releases:
            for component in release.suite.components:
                content = _fetch(client, release, f"{component}/binary-amd64/Packages.xz")
                with lzma.open(io.BytesIO(content)) as stream:
                    index.add(release.suite.archive, paragraphs(stream))
    return index


def by_hash(release: Release, path: str) -> str | None:
    """The URL of a file of the release by its digest, so that a mirror that changes meanwhile does no harm."""
    digest = release.digests.get(path)
    if digest is None:
        return None
    folder = f"{release.suite.archive}/dists/{release.suite.name}/{path.rpartition('/')[0]}".rstrip("/")
    return f"{folder}/by-hash/SHA256/{digest.removeprefix('sha256:')}"


def _fetch(client: httpx.Client, release: Release, path: str) -> bytes:
    url = by_hash(release, path)
    if url is None:
        raise ImageError("Debian's release lists no index for amd64", got=f"no `{path}`", where=release.suite.name)
    content = get(client, url)
    digest = release.digests[path]
    if digest_of(content) != digest:
        raise ImageError("Debian's index is not what its release says", got=digest_of(content), want=digest, where=url)
    return content


def _require_https(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise ImageError(
            "an index of packages that is not fetched by https has a signature that cannot be verified here",
            where=url,
            hint="apt-get install gpgv debian-archive-keyring, or a base image whose sources say https",
        )


def _digests(text: str, where: str) -> dict[str, str]:
    section = re.search(r"^SHA256:\n((?: .*\n)+)", text.replace("\r\n", "\n"), re.MULTILINE)
    if section is None:
        raise ImageError("Debian's release lists no sha256 digests", where=where)
    lines = (line.split() for line in section.group(1).splitlines())
    return {path: f"sha256:{digest}" for digest, _, path in lines}


def _candidate(archive: str, paragraph: bytes) -> Candidate:
    package = Package(
        field(paragraph, "Package"),
        field(paragraph, "Version"),
        f"{archive}/{field(paragraph, 'Filename')}",
        f"sha256:{field(paragraph, 'SHA256')}",
        int(field(paragraph, "Size") or 0),
    )
    return Candidate(package, paragraph)
