import gzip
import lzma
from pathlib import Path

import pytest

from argosy.image.blobs import BlobStore
from argosy.image.debian import packages
from argosy.image.libraries.debian_names import debian_packages, files_of, likely_names
from tests.image.debian.archives import release, stanza
from tests.image.images import file, image
from tests.image.web import Answer, Request, serving


@pytest.mark.parametrize(
    ("library", "name"),
    [
        ("libgomp.so.1", "libgomp1"),
        ("libGL.so.1", "libgl1"),
        ("libstdc++.so.6", "libstdc++6"),
        ("libfoo2.so.1", "libfoo2-1"),
        ("libfoo_bar-1.2.so.3.4", "libfoo-bar-1.2-3.4"),
    ],
)
def test_the_name_that_the_policy_gives(library: str, name: str) -> None:
    assert list(likely_names(library)) == [name, f"{name}t64"]


@pytest.mark.parametrize("library", ["odd.so", "libpython.so", "/lib/ld-musl-x86_64.so.1"])
def test_what_is_named_otherwise_has_no_likely_package(library: str) -> None:
    assert list(likely_names(library)) == []


def test_a_list_of_files_counts_where_the_loader_looks() -> None:
    lines = [
        b"usr/lib/x86_64-linux-gnu/libgthread-2.0.so.0   libs/libglib2.0-0\n",
        b"usr/lib/x86_64-linux-gnu/libgthread-2.0.so.0.1   libs/other\n",
        b"usr/lib/odd/libgthread-2.0.so.0   libs/private\n",
        b"lib/libtwo.so.1 libs/two,contrib/libs/one\n",
    ]
    found = list(files_of(lines, ["libgthread-2.0.so.0", "libtwo.so.1"]))
    assert found == [("libgthread-2.0.so.0", ["libglib2.0-0"]), ("libtwo.so.1", ["one", "two"])]


def test_the_rule_is_asked_first_and_the_list_of_files_for_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = lzma.compress(b"\n".join([stanza("libgomp1"), stanza("libglib2.0-0")]))
    contents = gzip.compress(b"usr/lib/x86_64-linux-gnu/libgthread-2.0.so.0 libs/absent,libs/libglib2.0-0\n")
    files = {"main/binary-amd64/Packages.xz": index, "main/Contents-amd64.gz": contents}
    asked: list[str] = []

    def answer(request: Request) -> Answer:
        asked.append(request.path)
        if request.path.endswith("/InRelease"):
            return Answer(200, release(files))
        return Answer(200, contents if request.path.startswith("/debian/dists/test/main/by-hash") else index)

    monkeypatch.setattr(packages, "signed_text", lambda content, *_: content)
    with serving(answer) as url:
        base = [
            file("etc/apt/sources.list", f"deb {url}/debian test main\n".encode()),
            file("var/lib/dpkg/status", b"Package: libc6\nVersion: 1\n"),
        ]
        below = image(BlobStore(tmp_path / "blobs"), [base])
        assert debian_packages(["libgomp.so.1"], below, tmp_path / "cache", asked.append) == {
            "libgomp.so.1": "libgomp1"
        }
        assert not [path for path in asked if path.startswith("/debian/dists/test/main/by-hash")]
        wanted = ["libgthread-2.0.so.0", "libnone.so.9"]
        assert debian_packages(wanted, below, tmp_path / "cache", asked.append) == {
            "libgthread-2.0.so.0": "libglib2.0-0"
        }
    assert "downloading Debian's list of files" in asked
