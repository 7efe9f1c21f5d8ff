"""Packages laid out on a base image, with a mirror on loopback."""

import hashlib
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from argosy.errors import ImageError
from argosy.image.blobs import BlobStore
from argosy.image.debian import LOCK_NAME, packages
from argosy.image.debian.system_packages import system_layer
from argosy.image.filesystem import Filesystem, read_filesystem
from argosy.image.image import Image
from argosy.image.layer import LayerCache
from argosy.image.manifest import NamedLayer, Settings, assemble
from argosy.project import Project
from argosy.project_file import ImageTable, Model, Serving
from tests.image.debian.archives import Mirror
from tests.image.images import Member, file, folder, image, link
from tests.image.web import serving

BASE = [
    folder("usr"),
    folder("usr/lib"),
    link("lib", "usr/lib"),
    folder("var/local", 0o2775),
    folder("usr/share/doc"),
    file("var/lib/dpkg/status", b"Package: libc6\nStatus: install ok installed\nVersion: 2.36\n"),
]
LIBRARY = [
    folder("./"),
    folder("./lib"),
    file("./lib/libfoo.so.1.2", b"library"),
    link("./lib/libfoo.so.1", "libfoo.so.1.2"),
    link("./lib/alias", "./lib/libfoo.so.1.2", tarfile.LNKTYPE),
    folder("./var"),
    folder("./var/local", 0o755),
    file("./var/local/kept", b""),
    folder("./usr/share/doc/libfoo1"),
    file("./usr/share/doc/libfoo1/copyright", b"licence"),
    file("./usr/share/doc/libfoo1/README", b"read me"),
]


@dataclass
class Desk:
    """A project on a base image whose sources are the mirror."""

    root: Path
    mirror: Mirror
    url: str
    said: list[str] = field(default_factory=list)

    def base(self, members: list[Member] | None = None) -> Image:
        sources = file("etc/apt/sources.list", f"deb {self.url}/debian test main\n".encode())
        return image(BlobStore(self.root / "base"), [[*(BASE if members is None else members), sources]])

    def build(self, *wanted: str, base: Image | None = None, cache: str = "cache") -> Image:
        """The base image with the layer on it."""
        below = base or self.base()
        project = Project(self.root, Model("predictor:Model"), Serving(), ImageTable(system_packages=wanted))
        made = system_layer(project, below, self.root / cache, self.said.append)
        added = [] if made is None else [NamedLayer("system", made.layer)]
        settings = Settings({}, (), (), "", None, {})
        return assemble(below, added, settings, LayerCache(self.root / cache).store)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    mirror = Mirror()
    sums = b"0  lib/libfoo.so.1.2\n1  usr/share/doc/libfoo1/README\n"
    mirror.add("libfoo1", LIBRARY, control={"md5sums": sums}, Depends="libc6 (>= 2.30), libdep")
    mirror.add("libdep", [file("./usr/lib/libdep.so", b"dependency")])
    with serving(mirror) as url:
        monkeypatch.setattr(packages, "signed_text", lambda content, *_: content)
        yield Desk(tmp_path, mirror, url)


def mode(files: Filesystem, path: str) -> int | None:
    entry = files.get(path)
    return None if entry is None else entry.mode


def test_packages_stand_on_the_base_image_as_if_apt_had_put_them_there(desk: Desk) -> None:
    files = read_filesystem(desk.build("libfoo1"))
    assert files.read("usr/lib/libfoo.so.1") == files.read("lib/alias") == b"library"
    assert files.read("usr/lib/libdep.so") == b"dependency"
    assert files.read("usr/share/doc/libfoo1/copyright") == b"licence"
    assert files.get("usr/share/doc/libfoo1/README") is None
    lib = files.get("lib")
    assert lib is not None
    assert (lib.kind, lib.link) == ("symlink", "usr/lib")
    assert mode(files, "var/local") == 0o2775


def test_dpkg_knows_them(desk: Desk) -> None:
    files = read_filesystem(desk.build("libfoo1"))
    status = files.read("var/lib/dpkg/status").decode()
    assert status.count("Package: ") == 3
    assert "Package: libc6\nStatus: install ok installed\nVersion: 2.36\n\n" in status
    assert "Package: libfoo1\nStatus: install ok installed\nVersion: 1.0\nArchitecture: amd64\n\n" in status
    listing = files.read("var/lib/dpkg/info/libfoo1.list").decode().splitlines()
    assert listing[0] == "/."
    assert "/lib/libfoo.so.1.2" in listing
    assert "/usr/share/doc/libfoo1/README" not in listing
    assert files.read("var/lib/dpkg/info/libfoo1.md5sums") == b"0  lib/libfoo.so.1.2\n"


def test_a_database_behind_a_link_stays_there(desk: Desk) -> None:
    base = [*BASE[:-2], link("var/lib/dpkg", "../../usr/lib/dpkg"), (file("usr/lib/dpkg/status", BASE[-1][1]))]
    files = read_filesystem(desk.build("libdep", base=desk.base(base)))
    entry = files.get("var/lib/dpkg")
    assert entry is not None
    assert entry.kind == "symlink"
    assert b"Package: libdep\n" in files.read("var/lib/dpkg/status")


def test_a_distroless_base_gets_a_file_for_each_package(desk: Desk) -> None:
    base = desk.base([folder("usr/lib"), file("var/lib/dpkg/status.d/libc6", b"Package: libc6\nVersion: 2.36\n")])
    files = read_filesystem(desk.build("libfoo1", base=base))
    assert files.read("var/lib/dpkg/status.d/libfoo1").startswith(b"Package: libfoo1\nVersion: 1.0\n")
    assert files.listing("var/lib/dpkg/status.d") == ["libc6", "libdep", "libdep.md5sums", "libfoo1", "libfoo1.md5sums"]
    assert files.get("var/lib/dpkg/status") is None
    assert files.read("lib/libfoo.so.1") == b"library"


def test_what_is_locked_gives_the_same_layer_elsewhere_and_later(desk: Desk) -> None:
    first = desk.build("libfoo1")
    assert f"wrote {desk.root / LOCK_NAME}: keep it under version control" in desk.said
    asked = len(desk.mirror.requests)
    assert desk.build("libfoo1").digest == first.digest
    assert len(desk.mirror.requests) == asked
    content, _ = desk.mirror.debs["libfoo1"]
    desk.mirror.add("libfoo1", LIBRARY, "2.0")
    desk.mirror.debs["libfoo1"] = (content, desk.mirror.debs["libfoo1"][1])
    assert desk.build("libfoo1", cache="another").digest == first.digest
    assert not [path for path in desk.mirror.requests[asked:] if not path.endswith(".deb")]


def test_other_wishes_or_another_base_are_locked_anew(desk: Desk) -> None:
    desk.build("libdep")
    before = (desk.root / LOCK_NAME).read_text()
    desk.build("libdep", "libfoo1")
    after = (desk.root / LOCK_NAME).read_text()
    assert "libfoo1" not in before
    assert "libfoo1" in after
    newer = [*BASE, file("var/lib/dpkg/status", b"Package: libdep\nStatus: install ok installed\nVersion: 1.0\n")]
    desk.mirror.add("libfoo1", LIBRARY, Depends="libdep")
    desk.build("libdep", "libfoo1", base=desk.base(newer), cache="another")
    assert "libdep" not in (desk.root / LOCK_NAME).read_text()


def test_what_the_base_has_makes_no_layer(desk: Desk) -> None:
    assert len(desk.build("libc6").layers) == 1
    assert desk.said[-1] == "the base image has all `system_packages` already"


def test_a_script_that_makes_what_the_package_needs_is_told_each_time(desk: Desk) -> None:
    scripts = {"postinst": b"#!/bin/sh\n# adduser would be wrong\nupdate-alternatives --install /usr/bin/x x /x 1\n"}
    desk.mirror.add("tool", [file("./usr/bin/tool")], control=scripts)
    for _ in range(2):
        desk.said.clear()
        desk.build("tool")
        (warning,) = [said for said in desk.said if said.startswith("warning")]
        assert "`tool` has a maintainer script that calls update-alternatives," in warning
        assert "--engine docker" in warning


@pytest.mark.parametrize(
    ("members", "match"),
    [
        ([file("./usr/lib", b"")], "a file where the image has a folder"),
        ([file("./var/lib/dpkg/status/x", b"")], "a folder where the image has something else"),
        ([file("./usr/lib/libdep.so", b"")], "two Debian packages have the same file"),
        ([file("./../evil", b"")], "leads out of the image"),
        ([link("./usr/odd", "/etc"), file("./usr/odd/evil", b"")], "a folder where the image has something else"),
    ],
)
def test_what_cannot_be_laid_out_is_an_error(desk: Desk, members: list[Member], match: str) -> None:
    desk.mirror.add("odd", members)
    with pytest.raises(ImageError, match=match):
        desk.build("libdep", "odd")
    assert not list((desk.root / "cache/blobs").rglob("sha256/*"))


def test_a_link_to_where_the_base_has_a_folder_leaves_the_folder(desk: Desk) -> None:
    desk.mirror.add("merged", [link("./usr/lib", "elsewhere")])
    entry = read_filesystem(desk.build("merged")).get("usr/lib")
    assert entry is not None
    assert entry.kind == "directory"


def test_the_layer_holds_what_its_packages_digests_say(desk: Desk) -> None:
    content, stanza = desk.mirror.debs["libdep"]
    assert hashlib.sha256(content).hexdigest() in stanza.decode()
    desk.mirror.debs["libdep"] = (content[:-1] + b"!", stanza)
    with pytest.raises(ImageError, match="not what its lock says"):
        desk.build("libdep")
