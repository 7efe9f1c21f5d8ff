import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.errors import ImageError, NetworkError
from argosy.image.debian import LOCK_NAME, packages, rootfs
from argosy.image.debian.packages import Suite
from argosy.image.debian.rootfs import debian_image
from argosy.image.filesystem import read_filesystem
from argosy.image.interpreter import find_interpreter
from tests.image.debian.archives import Mirror
from tests.image.images import ELF, file, folder, link
from tests.image.web import ignore, serving

FRAME = [
    file("./usr/share/base-passwd/passwd.master", b"root:*:0:0::/root:/bin/sh\n"),
    file("./usr/share/base-passwd/group.master", b"root:*:0:\n"),
    folder("./tmp"),
]
PYTHON = [
    folder("./"),
    folder("./bin"),
    file("./bin/python3.11", ELF, 0o4755),
    file("./lib64/ld-linux-x86-64.so.2", ELF, 0o755),
    link("./usr/bin/other", "./bin/python3.11", b"1"),
    file("./usr/share/man/man1/python.1", b"manual"),
    file("./usr/share/doc/python3.11/README", b"read me"),
    file("./usr/share/doc/python3.11/copyright", b"licence"),
    link("./usr/share/doc/alias", "python3.11"),
]


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    found = Mirror()
    found.add("base-passwd", FRAME)
    found.add("python3.11", PYTHON, Depends="base-passwd, dpkg")
    with serving(found) as url:
        monkeypatch.setattr(rootfs, "SUITES", (Suite(f"{url}/debian", "test"),))
        monkeypatch.setattr(packages, "signed_text", lambda content, *_: content)
        monkeypatch.setattr(rootfs, "WANTED", ("python3.11",))
        yield found


def test_packages_become_a_root_filesystem(mirror: Mirror, tmp_path: Path) -> None:
    image = debian_image(tmp_path, None, ignore)
    files = read_filesystem(image)
    paths = {entry.path for entry in files}
    assert {
        "usr/bin/python3.11",
        "usr/share/doc/python3.11/copyright",
        "usr/share/doc/alias",
        "var/lib/dpkg/status",
    } <= paths
    assert not {path for path in paths if "/man/" in path or path.endswith("README")}
    assert files.read("bin/python3.11") == ELF
    assert files.read("usr/bin/other") == ELF
    assert files.read("etc/passwd").startswith(b"root:")
    assert {name: entry.mode for name in ("tmp", "root", "usr/bin/python3.11") if (entry := files.get(name))} == {
        "tmp": 0o1777,
        "root": 0o700,
        "usr/bin/python3.11": 0o755,
    }
    status = files.read("var/lib/dpkg/status").decode()
    assert "Package: python3.11\nStatus: install ok installed\nVersion: 1.0\n" in status
    assert "SHA256" not in status
    assert find_interpreter(image, None, tmp_path).path == "/usr/bin/python3.11"
    assert image.config["history"][0]["created_by"] == "argosy: base (Debian 12 with Python 3.11, 2 packages)"


def test_the_same_packages_are_the_same_image(mirror: Mirror, tmp_path: Path) -> None:
    assert debian_image(tmp_path / "a", None, ignore).digest == debian_image(tmp_path / "b", None, ignore).digest


def test_for_a_day_nobody_is_asked(mirror: Mirror, tmp_path: Path) -> None:
    first = debian_image(tmp_path, None, ignore)
    asked = len(mirror.requests)
    assert debian_image(tmp_path, None, ignore).digest == first.digest
    assert len(mirror.requests) == asked


def make_old(cache_dir: Path) -> None:
    os.utime(cache_dir / "debian/bookworm.json", (1, 1))


def test_after_a_day_newer_packages_are_taken_and_told(mirror: Mirror, tmp_path: Path) -> None:
    said: list[str] = []
    first = debian_image(tmp_path, None, ignore)
    make_old(tmp_path)
    assert debian_image(tmp_path, None, said.append).digest == first.digest
    assert said == []
    mirror.add("python3.11", PYTHON, "1.0+deb12u1", Depends="base-passwd")
    make_old(tmp_path)
    assert debian_image(tmp_path, None, said.append).digest != first.digest
    assert said[0] == "Debian has newer packages, so the base changes: python3.11"


def test_without_network_the_last_packages_are_taken(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    first = debian_image(tmp_path, None, ignore)
    make_old(tmp_path)
    monkeypatch.setattr(rootfs, "SUITES", (Suite("http://127.0.0.1:9/debian", "test"),))
    assert debian_image(tmp_path, None, said.append).digest == first.digest
    assert said[0].startswith("Debian's mirror does not answer")
    with pytest.raises(NetworkError):
        debian_image(tmp_path / "other", None, ignore)


def test_what_is_locked_stays_whatever_debian_has(mirror: Mirror, tmp_path: Path) -> None:
    said: list[str] = []
    lock = tmp_path / LOCK_NAME
    first = debian_image(tmp_path / "here", lock, said.append)
    assert f"wrote {lock}: keep it under version control" in said
    old = mirror.debs["python3.11"][0]
    mirror.add("python3.11", PYTHON, "1.0+deb12u1", Depends="base-passwd")
    mirror.debs["python3.11"] = (old, mirror.debs["python3.11"][1])
    assert debian_image(tmp_path / "elsewhere", lock, ignore).digest == first.digest


def test_a_locked_package_that_the_mirror_has_no_more_says_how_to_lock_anew(mirror: Mirror, tmp_path: Path) -> None:
    lock = tmp_path / LOCK_NAME
    debian_image(tmp_path / "here", lock, ignore)
    lock.write_text(lock.read_text().replace("pool/python3.11.deb", "pool/gone.deb"))
    with pytest.raises(NetworkError, match="no more") as caught:
        debian_image(tmp_path / "elsewhere", lock, ignore)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith(f"rm {lock}")


def test_two_packages_with_one_file_are_an_error(mirror: Mirror, tmp_path: Path) -> None:
    mirror.add("base-passwd", [*FRAME, file("./usr/bin/python3.11")])
    with pytest.raises(ImageError, match=r"`/usr/bin/python3\.11`"):
        debian_image(tmp_path, None, ignore)
    assert not list((tmp_path / "blobs").rglob("sha256/*"))


def test_a_package_that_is_not_what_its_index_says_is_an_error(mirror: Mirror, tmp_path: Path) -> None:
    content, text = mirror.debs["python3.11"]
    mirror.debs["python3.11"] = (content[:-1] + b"!", text)
    with pytest.raises(ImageError, match="not what its lock says"):
        debian_image(tmp_path, None, ignore)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"packages": 1}', b"\xff"])
def test_a_list_of_packages_that_cannot_be_read_is_made_again(mirror: Mirror, tmp_path: Path, content: bytes) -> None:
    first = debian_image(tmp_path, None, ignore)
    (tmp_path / "debian/bookworm.json").write_bytes(content)
    assert debian_image(tmp_path, None, ignore).digest == first.digest
