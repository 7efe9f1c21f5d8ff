from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from argosy.image.blobs import BlobStore
from argosy.image.dependencies.wheels import WheelFile
from argosy.image.image import Image
from argosy.image.materials.inventory import Inventory, Places, take_inventory
from argosy.image.materials.subject import Subject
from tests.image.images import Member, file, image, link, sha256
from tests.image.web import wheel

PLACES = Places("opt/program", "opt/model", "opt/venv", 1)
SITE = "opt/venv/lib/python3.11/site-packages"
STATUS = b"""Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc
Version: 2.36-9+deb12u8

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: libgomp1
Status: install ok installed
Architecture: amd64
Source: gcc-12 (12.2.0-14)
Version: 1:12.2.0-14+b1
Description: a library
 Version: 9

"""
COPYRIGHT = b"""Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Files: *
License: LGPL-2.1+

License: GPL-2
 This is free software.

License: GPL-2
"""
BASE: Sequence[Member] = (
    file("usr/lib/os-release", b'PRETTY_NAME="Debian"\nID=debian\nVERSION_ID="12"\n'),
    link("etc/os-release", "../usr/lib/os-release"),
    file("var/lib/dpkg/status", STATUS),
    file("var/lib/dpkg/status.d/tzdata", b"Package: tzdata\nVersion: 2025b\nArchitecture: all\n"),
    file("usr/share/doc/libc6/copyright", COPYRIGHT),
    file("usr/share/doc/gcc-12-base/copyright", b"This package was debianized by somebody.\n"),
    link("usr/share/doc/libgomp1", "gcc-12-base"),
    file("usr/lib/python3/dist-packages/pip-23.dist-info/METADATA", b"Name: pip\nVersion: 23\nLicense: MIT\n\ntext"),
    file("usr/lib/python3/dist-packages/old-1.dist-info/METADATA", b"Name: old\nVersion: 1\n"),
)
SYSTEM: Sequence[Member] = (
    file("usr/lib/python3/dist-packages/.wh.old-1.dist-info"),
    file("var/lib/dpkg/status.d/added", b"Package: added\nVersion: 1\nArchitecture: amd64\n"),
)
METADATA = b"Name: Model\nVersion: 1.0+cpu\nLicense-Expression: MIT\nLicense-File: LICENSE\n"
DEPENDENCIES: Sequence[Member] = (file(f"{SITE}/model-1.0+cpu.dist-info/METADATA", METADATA),)
PREDICTOR: Sequence[Member] = (file("opt/program/predictor.py", b"class Model: ...\n"),)
ARTIFACTS: Sequence[Member] = (file("opt/model/weights", b"1234"), file("opt/model/sub/labels.txt", b"a\n"))
NAMES = ("argosy: server", "argosy: system", "argosy: dependencies", "argosy: predictor", "argosy: artifacts")


@dataclass(frozen=True)
class Made:
    """An image with something of everything, and the wheel in it."""

    image: Image
    wheel: WheelFile
    content: bytes
    cache_dir: Path

    def inventory(self) -> Inventory:
        return take_inventory(self.image, [self.wheel], PLACES, self.cache_dir)

    def subject(self) -> Subject:
        sources = {"argosy.toml": sha256(b"toml"), "pylock.argosy.toml": sha256(b"lock")}
        return Subject(self.image, self.inventory(), "docker.io/library/base:1", sha256(b"base"), sources)


@pytest.fixture
def made(tmp_path: Path) -> Made:
    content = wheel(
        "model", "1.0+cpu", {"model.py": b""}, metadata=("License-Expression: MIT", "License-File: LICENSE")
    )
    filename = "model-1.0+cpu-py3-none-any.whl"
    url = f"https://me:pass@index.test/files/{filename}?token=x"
    named = WheelFile("model", "1.0+cpu", filename, url, sha256(content), len(content))
    store = BlobStore(tmp_path / "cache" / "downloads")
    store.add_bytes(content, named.digest)
    layers = (BASE, SYSTEM, DEPENDENCIES, PREDICTOR, ARTIFACTS)
    config = {"history": [{"created_by": "ENV A=b", "empty_layer": True}, *({"created_by": name} for name in NAMES)]}
    return Made(image(BlobStore(tmp_path / "blobs"), layers, config=config), named, content, tmp_path / "cache")
