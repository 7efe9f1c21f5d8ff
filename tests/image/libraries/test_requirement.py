"""The proof at the end of a build: what stops it, what is only said, and what it proposes."""

from collections.abc import Iterator

import pytest

from argosy.errors import MissingLibraryError
from argosy.image import build
from argosy.image.blobs import BlobStore
from argosy.image.build import BaseImage, Surroundings
from argosy.image.debian import packages
from argosy.image.filesystem import read_filesystem
from argosy.image.image import Image
from tests.image.conftest import Shop
from tests.image.debian.archives import Mirror
from tests.image.images import PYTHON, Member, file, image
from tests.image.libraries.programs import AARCH64, program
from tests.image.web import serving

NAME = "model/a.cpython-311-x86_64-linux-gnu.so"


@pytest.fixture
def debian(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Member]]:
    """What makes an image a Debian system whose mirror has libodd1."""
    mirror = Mirror()
    mirror.add("libodd1", [file("./usr/lib/libodd.so.1", program(soname="libodd.so.1"))])
    monkeypatch.setattr(packages, "signed_text", lambda content, *_: content)
    with serving(mirror) as url:
        sources = file("etc/apt/sources.list", f"deb {url}/debian test main\n".encode())
        yield [file("var/lib/dpkg/status", b"Package: libc6\nVersion: 1\n"), sources]


def built(
    shop: Shop, wheel: bytes | None, below: list[Member] | None = None, *, name: str = NAME, **table: object
) -> Image:
    """The image of a project whose one dependency has this program."""
    if wheel is not None:
        shop.index.add("model", "1.0", files={"model/__init__.py": b"", name: wheel})
    project = shop.project("model\n" if wheel is not None else None, **table)
    base_image = image(BlobStore(shop.root.parent / "base"), [PYTHON, below or []])
    around = Surroundings(shop.cache_dir, shop.environ, lambda _: None, shop.said.append)
    return build.build(project, BaseImage(base_image), around)


def test_an_image_whose_programs_find_all_is_said_to(shop: Shop) -> None:
    built(shop, program())
    assert "programs have the libraries that they name" in shop.said[-1]


def test_what_is_missing_stops_the_build_and_names_the_package(shop: Shop, debian: list[Member]) -> None:
    with pytest.raises(MissingLibraryError) as caught:
        built(shop, program(["libodd.so.1", "libnone.so.9"]), debian)
    assert caught.value.packages == ("libodd1",)
    said = str(caught.value)
    assert f"`libodd.so.1` is not in the image: /opt/venv/lib/python3.11/site-packages/{NAME}" in said
    assert 'libodd.so.1 is in libodd1: system_packages = ["libodd1"] below [image], or build with --add-missing' in said
    assert "no Debian package of the base image's suites has libnone.so.9" in said
    assert 'ignore_missing_libraries = ["libnone.so.9", "libodd.so.1"] below [image]' in said


def test_with_the_package_it_is_built(shop: Shop, debian: list[Member]) -> None:
    made = built(shop, program(["libodd.so.1"]), debian, system_packages=["libodd1"])
    assert read_filesystem(made).resolve("usr/lib/libodd.so.1") is not None
    created_by = [entry["created_by"] for entry in made.config["history"]]
    assert created_by == ["a test", "argosy: system", "argosy: dependencies", "argosy: server", "argosy: predictor"]


def test_a_package_that_is_there_is_not_proposed_again(shop: Shop, debian: list[Member]) -> None:
    """As libblas3, whose library is put in place by its maintainer script."""
    status = file("var/lib/dpkg/status", b"Package: libodd1\nVersion: 1\n")
    with pytest.raises(MissingLibraryError) as caught:
        built(shop, program(["libodd.so.1"]), [status, debian[1]])
    assert caught.value.packages == ()
    assert "libodd1 is in the image, but its maintainer script" in str(caught.value.hint)


def test_what_the_project_ignores_stops_nothing(shop: Shop) -> None:
    built(shop, program(["libodd.so.1"]), ignore_missing_libraries=["libodd.so.*"])
    assert not [line for line in shop.said if "libodd" in line]


def test_on_what_is_no_debian_the_engine_is_proposed(shop: Shop) -> None:
    with pytest.raises(MissingLibraryError) as caught:
        built(shop, program(["libodd.so.1"]))
    assert caught.value.packages == ()
    assert "--engine docker" in str(caught.value.hint)


def test_without_network_the_finding_stays(shop: Shop) -> None:
    status = file("var/lib/dpkg/status", b"Package: libc6\nVersion: 1\n")
    gone = file("etc/apt/sources.list", b"deb http://127.0.0.1:9/debian test main\n")
    with pytest.raises(MissingLibraryError, match=r"libodd\.so\.1") as caught:
        built(shop, program(["libodd.so.1"]), [status, gone])
    assert "was not looked up" in str(caught.value.hint)


def test_what_the_base_image_lacks_is_a_warning(shop: Shop) -> None:
    built(shop, None, [file(f"usr/bin/tool{number}", program([f"libodd{number}.so.1"])) for number in range(10)])
    warnings = [line for line in shop.said if line.startswith("warning: ")]
    assert warnings[0] == "warning: `libodd0.so.1` is not in the image: /usr/bin/tool0"
    assert warnings[-1] == "warning: and 2 more"


def test_too_old_and_foreign_programs_stop_the_build_with_a_hint_of_their_own(shop: Shop) -> None:
    libc = file("usr/lib/libc.so.6", program(soname="libc.so.6", defined=["GLIBC_2.36"]))
    with pytest.raises(MissingLibraryError, match="too old") as caught:
        built(shop, program(["libc.so.6"], required={"libc.so.6": ["GLIBC_2.99"]}), [libc])
    assert "take a newer base image" in str(caught.value.hint)


def test_a_module_for_another_machine_stops_the_build(shop: Shop) -> None:
    with pytest.raises(MissingLibraryError, match="for aarch64, not x86-64") as caught:
        built(shop, program(machine=AARCH64))
    assert "another machine" in str(caught.value.hint)


def test_a_library_that_comes_with_another_distribution_is_said(shop: Shop) -> None:
    shop.index.add("other", "1.0", files={"other/libodd.so.1": program()})
    shop.index.add("model", "1.0", files={NAME: program(["libodd.so.1"])})
    project = shop.project("model\nother\n")
    around = Surroundings(shop.cache_dir, shop.environ, lambda _: None, shop.said.append)
    build.build(project, BaseImage(image(BlobStore(shop.root.parent / "base"))), around)
    assert [line for line in shop.said if line.startswith("libodd.so.1: found only after")]
