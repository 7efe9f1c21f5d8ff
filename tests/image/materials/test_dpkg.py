import pytest

from argosy.image.materials.dpkg import parse_copyright, parse_os_release, parse_status
from tests.image.materials.conftest import COPYRIGHT, STATUS


def test_only_what_is_installed_is_a_package() -> None:
    assert [(each.name, each.version, each.source) for each in parse_status(STATUS)] == [
        ("libc6", "2.36-9+deb12u8", ("glibc", "2.36-9+deb12u8")),
        ("libgomp1", "1:12.2.0-14+b1", ("gcc-12", "12.2.0-14")),
    ]


@pytest.mark.parametrize("content", [b"", b"\n\n\n", b"nonsense", b"Package: x\n", b"\xff\0"])
def test_what_is_no_status_has_no_packages(content: bytes) -> None:
    assert parse_status(content) == []


def test_a_copyright_file_for_programs_says_its_licences_once() -> None:
    found = parse_copyright(COPYRIGHT)
    assert found is not None
    assert found.names == ("GPL-2", "LGPL-2.1+")
    assert parse_copyright(b"License: GPL-2\n") is None


@pytest.mark.parametrize(
    ("content", "system"),
    [
        (b'ID="ubuntu"\nVERSION_ID="22.04"\n', ("ubuntu", "22.04")),
        (b"NAME=x\nID=debian\n", ("debian", "")),
        (b"VERSION_ID=1\n", None),
    ],
)
def test_the_system_is_told_by_os_release(content: bytes, system: tuple[str, str] | None) -> None:
    assert parse_os_release(content) == system
