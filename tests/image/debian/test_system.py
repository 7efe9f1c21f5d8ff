from pathlib import Path

import pytest

from argosy.errors import ImageError
from argosy.image.blobs import BlobStore
from argosy.image.debian.packages import Suite, debian_suites
from argosy.image.debian.system import DebianSystem, read_debian_system
from tests.image.images import Member, file, image, link

RELEASE = file("etc/os-release", b'PRETTY_NAME="Debian 12"\nID=debian\nVERSION_CODENAME=bookworm\n')
STATUS = file(
    "var/lib/dpkg/status",
    b"""Package: libc6
Status: install ok installed
Version: 2.36-9
Provides: libc
Conflicts: old
Breaks: older (<< 2)

Package: gone
Status: deinstall ok config-files
Version: 1
""",
)
DEB822 = b"""# one
Types: deb deb-src
URIs: http://deb.debian.org/debian
# a comment inside
Suites: bookworm
  bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
URIs: http://elsewhere.example/
Suites: test
Components: main
Enabled: no

Types: deb-src
URIs: http://elsewhere.example/
Suites: test
Components: main
"""
ONE_LINE = b"""# deb http://no.example/ no main
deb [arch=amd64 signed-by=/nowhere.gpg] http://security.debian.org/debian-security bookworm-security main  # why
deb-src http://no.example/ no main
deb https://flat.example/ ./
"""


def read(tmp_path: Path, *members: Member) -> DebianSystem:
    return read_debian_system(image(BlobStore(tmp_path / "blobs"), [members]), tmp_path / "cache")


def test_a_base_without_sources_has_those_of_its_release(tmp_path: Path) -> None:
    system = read(tmp_path, RELEASE, STATUS)
    assert (system.name, system.suites, system.database) == ("Debian 12", debian_suites("bookworm"), "status")
    (installed,) = system.installed
    assert (installed.name, installed.version, installed.provides) == ("libc6", "2.36-9", "libc")
    assert installed.excludes == "old, older (<< 2)"


def test_sources_are_those_that_the_base_names(tmp_path: Path) -> None:
    system = read(
        tmp_path,
        RELEASE,
        STATUS,
        file("etc/apt/sources.list", ONE_LINE),
        file("etc/apt/sources.list.d/debian.sources", DEB822),
        file("etc/apt/sources.list.d/old.list.save", b"deb http://no.example/ no main\n"),
        file("usr/share/keyrings/debian.gpg", b"keys"),
    )
    keyring = system.suites[1].keyring
    assert Path(keyring).read_bytes() == b"keys"
    assert system.suites == (
        Suite("https://security.debian.org/debian-security", "bookworm-security", ("main",)),
        Suite("https://deb.debian.org/debian", "bookworm", ("main", "contrib"), keyring),
        Suite("https://deb.debian.org/debian", "bookworm-updates", ("main", "contrib"), keyring),
    )
    assert read(tmp_path, RELEASE, STATUS, file("etc/apt/sources.list", ONE_LINE)).suites == system.suites[:1]


def test_a_distroless_base_has_a_file_for_each_package(tmp_path: Path) -> None:
    system = read(
        tmp_path,
        file("usr/lib/os-release", b"NAME=Debian\nID=debian\nVERSION_CODENAME=bookworm\n"),
        link("etc/os-release", "../usr/lib/os-release"),
        file("var/lib/dpkg/status.d/base", b"Package: base\nVersion: 12\n"),
        file("var/lib/dpkg/status.d/base.md5sums", b"0  a\n"),
    )
    assert (system.name, system.database) == ("Debian", "status.d")
    assert [(one.name, one.version) for one in system.installed] == [("base", "12")]


def test_what_is_read_is_remembered_until_its_keys_are_gone(tmp_path: Path) -> None:
    sources = file("etc/apt/sources.list.d/debian.sources", DEB822)
    members = (RELEASE, STATUS, sources, file("usr/share/keyrings/debian.gpg", b"keys"))
    base = image(BlobStore(tmp_path / "blobs"), [members])
    system = read_debian_system(base, tmp_path / "cache")
    (layer,) = base.layers
    stored = BlobStore(tmp_path / "blobs").path(layer.digest)
    stored.rename(tmp_path / "aside")
    assert read_debian_system(base, tmp_path / "cache") == system
    (tmp_path / "aside").rename(stored)
    Path(system.suites[0].keyring).unlink()
    assert read_debian_system(base, tmp_path / "cache") == system
    assert Path(system.suites[0].keyring).is_file()


def test_a_base_that_is_no_debian_system_points_to_the_engine(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"Alpine Linux v3\.20") as caught:
        read(tmp_path, file("etc/os-release", b'PRETTY_NAME="Alpine Linux v3.20"\nID=alpine\n'))
    assert "--engine docker" in str(caught.value.hint)


def test_a_base_that_does_not_say_where_packages_come_from_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not say where"):
        read(tmp_path, STATUS, file("etc/os-release", b"ID=ubuntu\nVERSION_CODENAME=noble\n"))
