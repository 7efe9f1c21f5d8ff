from pathlib import Path

import pytest

from argosy.errors import ImageError
from argosy.image.debian.deb import control, opened
from tests.image.debian.archives import deb
from tests.image.images import file


@pytest.mark.parametrize("compression", ["xz", "gz"])
def test_the_files_of_a_package(tmp_path: Path, compression: str) -> None:
    (tmp_path / "a.deb").write_bytes(deb([file("./usr/bin/tool", b"1")], compression=compression))
    with opened(tmp_path / "a.deb") as archive:
        assert [member.name for member in archive] == ["./usr/bin/tool"]


def test_what_dpkg_has_to_know(tmp_path: Path) -> None:
    (tmp_path / "a.deb").write_bytes(deb([file("a")], "tool", "2.0", control={"postinst": b"#!/bin/sh\n"}))
    said = control(tmp_path / "a.deb")
    assert said["control"].startswith(b"Package: tool\nVersion: 2.0\n")
    assert said["postinst"] == b"#!/bin/sh\n"


@pytest.mark.parametrize(
    "content",
    [b"", b"!<arch>\n", b"PK\x03\x04", deb([file("a")])[:-40], deb([file("a")], compression="zst")],
    ids=["empty", "no member", "zip", "cut", "zstd"],
)
def test_what_is_no_package_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.deb").write_bytes(content)
    with pytest.raises(ImageError), opened(tmp_path / "a.deb") as archive:
        list(archive)
