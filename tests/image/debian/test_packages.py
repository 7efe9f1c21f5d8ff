import hashlib
import lzma
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from argosy.errors import ImageError, NetworkError
from argosy.image.debian import packages
from argosy.image.debian.packages import Index, closure, read_index, read_releases
from tests.image.debian.archives import release, stanza
from tests.image.web import Answer, Request, ignore, serving

PACKAGES = [
    stanza("app", Depends="libone (>= 1.0), libtwo:any | libthree, virtual", Pre_Depends="first"),
    stanza("first"),
    stanza("libone", Depends="app, script"),
    stanza("libthree"),
    stanza("provider", Provides="other, virtual (= 1)"),
    stanza("script", Depends="perl"),
    stanza("unrelated"),
]


def index(*stanzas: bytes) -> Index:
    found = Index()
    found.add("https://here", stanzas or PACKAGES)
    return found


def names(*wanted: str, unneeded: frozenset[str] = frozenset()) -> list[str]:
    return [package.name for package in closure(wanted, index(), unneeded)]


def test_a_package_brings_all_that_it_needs() -> None:
    assert names("app", unneeded=frozenset({"perl"})) == ["app", "first", "libone", "libthree", "provider", "script"]


def test_what_is_not_needed_is_left_out_with_all_that_only_it_needs() -> None:
    assert names("app", unneeded=frozenset({"script"})) == ["app", "first", "libone", "libthree", "provider"]


def test_what_nobody_has_is_an_error() -> None:
    with pytest.raises(ImageError, match="perl"):
        names("app")


def test_the_newest_of_several_suites_wins() -> None:
    found = index(stanza("a", version="1.0-1"))
    found.add("https://security", [stanza("a", version="1.0-1+deb12u10")])
    found.add("https://updates", [stanza("a", version="1.0-1+deb12u9")])
    package = found.get("a")
    assert package is not None
    assert (package.version, package.url) == ("1.0-1+deb12u10", "https://security/pool/a.deb")


PACKED = lzma.compress(b"\n".join(PACKAGES))
RELEASE = release({"main/binary-amd64/Packages.xz": PACKED, "main/binary-arm64/Packages.xz": b"x"})


@contextmanager
def mirror(monkeypatch: pytest.MonkeyPatch, content: bytes = PACKED, text: bytes = RELEASE) -> Iterator[None]:
    def answer(request: Request) -> Answer:
        if request.path == "/debian/dists/test/InRelease":
            return Answer(200, text)
        by_hash = f"main/binary-amd64/by-hash/SHA256/{hashlib.sha256(PACKED).hexdigest()}"
        return Answer(200, content) if request.path == f"/debian/dists/test/{by_hash}" else Answer(404)

    with serving(answer) as url:
        monkeypatch.setattr(packages, "SUITES", ((f"{url}/debian", "test"),))
        monkeypatch.setattr(packages, "signed_text", lambda _, __: None)
        yield


def test_an_index_is_found_through_its_release(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with mirror(monkeypatch):
        found = read_index(read_releases(said.append))
    assert found.get("app") is not None
    assert said == ["the signatures of test were not verified (no gpgv here that knows the keys): https only"]


def test_an_index_that_is_not_what_its_release_says_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with mirror(monkeypatch, content=lzma.compress(b"evil")), pytest.raises(ImageError, match="not what its release"):
        read_index(read_releases(ignore))


@pytest.mark.parametrize("text", [b"", release({"main/binary-arm64/Packages.xz": b""})])
def test_a_release_without_the_index_is_an_error(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    with mirror(monkeypatch, text=text), pytest.raises(ImageError):
        read_index(read_releases(ignore))


def test_no_mirror_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with mirror(monkeypatch):
        gone = packages.SUITES
    monkeypatch.setattr(packages, "SUITES", gone)
    with pytest.raises(NetworkError):
        read_releases(ignore)
