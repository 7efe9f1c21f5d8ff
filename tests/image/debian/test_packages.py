import hashlib
import lzma
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from argosy.errors import ImageError, NetworkError
from argosy.image.debian import packages
from argosy.image.debian.packages import Index, Suite, debian_suites, read_index, read_releases
from argosy.image.debian.relations import Relation
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


def test_the_newest_of_several_suites_wins() -> None:
    found = index(stanza("a", version="1.0-1"))
    found.add("https://security", [stanza("a", version="1.0-1+deb12u10")])
    found.add("https://updates", [stanza("a", version="1.0-1+deb12u9")])
    package = found.get(Relation("a"))
    assert package is not None
    assert (package.package.version, package.package.url) == ("1.0-1+deb12u10", "https://security/pool/a.deb")


PACKED = lzma.compress(b"\n".join(PACKAGES))
RELEASE = release({"main/binary-amd64/Packages.xz": PACKED, "main/binary-arm64/Packages.xz": b"x"})


@contextmanager
def mirror(
    monkeypatch: pytest.MonkeyPatch, content: bytes = PACKED, text: bytes = RELEASE
) -> Iterator[tuple[Suite, ...]]:
    def answer(request: Request) -> Answer:
        if request.path == "/debian/dists/test/InRelease":
            return Answer(200, text)
        by_hash = f"main/binary-amd64/by-hash/SHA256/{hashlib.sha256(PACKED).hexdigest()}"
        return Answer(200, content) if request.path == f"/debian/dists/test/{by_hash}" else Answer(404)

    with serving(answer) as url:
        monkeypatch.setattr(packages, "signed_text", lambda *_: None)
        yield (Suite(f"{url}/debian", "test"),)


def test_an_index_is_found_through_its_release(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with mirror(monkeypatch) as suites:
        found = read_index(read_releases(suites, said.append))
    assert found.get(Relation("app")) is not None
    assert said == ["the signatures of test were not verified (no gpgv here that knows the keys): https only"]


def test_an_index_that_is_not_what_its_release_says_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        mirror(monkeypatch, content=lzma.compress(b"evil")) as suites,
        pytest.raises(ImageError, match="not what its release"),
    ):
        read_index(read_releases(suites, ignore))


@pytest.mark.parametrize("text", [b"", release({"main/binary-arm64/Packages.xz": b""})])
def test_a_release_without_the_index_is_an_error(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    with mirror(monkeypatch, text=text) as suites, pytest.raises(ImageError):
        read_index(read_releases(suites, ignore))


def test_no_mirror_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with mirror(monkeypatch) as gone:
        pass
    with pytest.raises(NetworkError):
        read_releases(gone, ignore)


def test_what_nobody_can_verify_has_to_come_by_https(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another host: what comes over loopback nobody changes on the way."""
    monkeypatch.setattr(packages, "signed_text", lambda *_: None)
    monkeypatch.setattr(packages, "get", lambda _, __: RELEASE)
    with pytest.raises(ImageError, match="not fetched by https"):
        read_releases([Suite("http://mirror.example/debian", "test")], ignore)
    assert len(read_releases(debian_suites("bookworm"), ignore)) == 3
