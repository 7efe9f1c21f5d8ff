import zipfile
from collections.abc import Callable

import pytest

from argosy.errors import ImageError, ResolutionError
from argosy.image.blobs import BlobStore
from argosy.image.dependencies.lock import lock
from argosy.image.dependencies.source_builds import Workshop
from argosy.image.dependencies.target import Host
from argosy.image.dependencies.uv_command import Uv
from argosy.image.dependencies.wheels import WheelFile
from tests.image.conftest import Shop
from tests.image.dependencies.sources import files, sdist, write
from tests.image.images import ELF
from tests.image.web import ignore, wheel

NATIVE = "cp311-cp311-linux_x86_64"
AMD64, ARM64 = Host("linux", "amd64"), Host("linux", "arm64")
Making = Callable[..., WheelFile]


@pytest.fixture
def make(shop: Shop) -> Making:
    """Locks what the project names, and has the wheel of one distribution."""
    shop.root.mkdir()

    def making(name: str, dependencies: str, host: Host = AMD64, glibc_minor: int = 36) -> WheelFile:
        locked = lock(shop.project(dependencies=dependencies), "3.11", shop.environ, ignore)
        listed = {package.distribution: package for package in (*locked.dependencies, *locked.server)}
        uv = Uv(shop.root, shop.environ)
        workshop = Workshop(uv, "3.11", glibc_minor, host, shop.cache_dir, {}, shop.said.append)
        versions = {package.distribution: package.version or "local" for package in listed.values()}
        return workshop.wheel(listed[name], versions)

    return making


def members(shop: Shop, made: WheelFile) -> list[str]:
    with zipfile.ZipFile(BlobStore(shop.cache_dir / "downloads").require(made.digest)) as archive:
        return archive.namelist()


def sell(shop: Shop, tag: str = "py3-none-any", glibc: int = 34) -> None:
    """An sdist on the index, whose wheel has a compiled file."""
    content = {**files("source", "1.0", tag=tag), "src/source/native.so": ELF + f"\0GLIBC_2.{glibc}\0".encode()}
    shop.index.add_file("source", "source-1.0.tar.gz", sdist("source", "1.0", content))
    (shop.root / "r.txt").write_text("source\n")


@pytest.mark.parametrize("host", [AMD64, ARM64, Host("darwin", "arm64")])
def test_a_source_of_pure_python_is_built_on_any_host(shop: Shop, make: Making, host: Host) -> None:
    sell(shop)
    made = make("source", "r.txt", host)
    assert (made.filename, made.version, made.url) == ("source-1.0-py3-none-any.whl", "1.0", "")
    assert "source/__init__.py" in members(shop, made)


def test_an_sdist_is_built_once(shop: Shop, make: Making) -> None:
    sell(shop)
    first = make("source", "r.txt")
    (said,) = [text for text in shop.said if text.startswith("building")]
    assert said == "building a wheel of source 1.0"
    asked = len(shop.index.requests)
    assert make("source", "r.txt") == first
    assert [text for text in shop.said if text.startswith("building")] == [said]
    assert len(shop.index.requests) == asked


def test_what_is_compiled_enters_from_a_host_like_the_image(shop: Shop, make: Making) -> None:
    sell(shop, NATIVE)
    assert make("source", "r.txt").filename == f"source-1.0-{NATIVE}.whl"


def test_what_is_compiled_on_another_host_is_an_error_that_says_where_to_build_it(shop: Shop, make: Making) -> None:
    sell(shop, NATIVE)
    make("source", "r.txt", AMD64)
    with pytest.raises(ResolutionError, match="what is compiled here does not fit") as raised:
        make("source", "r.txt", ARM64)
    assert "built on linux/arm64" in str(raised.value)
    assert raised.value.hint == (
        "build it where it fits, and add the folder `wheels` to `[image] dependencies`:\n"
        'docker run --rm --platform linux/amd64 --volume "$PWD/wheels:/wheels" python:3.11 '
        "pip wheel --no-deps --wheel-dir /wheels source==1.0"
    )


def test_what_is_compiled_for_another_python_does_not_enter(shop: Shop, make: Making) -> None:
    sell(shop, "cp310-cp310-linux_x86_64")
    with pytest.raises(ResolutionError, match="what is compiled here does not fit"):
        make("source", "r.txt")


def test_what_needs_a_newer_c_library_than_the_bases_does_not_enter(shop: Shop, make: Making) -> None:
    sell(shop, NATIVE, glibc=38)
    with pytest.raises(ResolutionError, match="newer C library") as raised:
        make("source", "r.txt", glibc_minor=36)
    assert (raised.value.got, raised.value.want) == ("glibc 2.38", "glibc 2.36 or older")
    assert make("source", "r.txt", glibc_minor=39).filename == f"source-1.0-{NATIVE}.whl"


def test_an_sdist_that_is_not_what_the_lock_says_is_not_built(shop: Shop, make: Making) -> None:
    sell(shop)
    lock(shop.project(dependencies="r.txt"), "3.11", shop.environ, ignore)
    shop.index.add_file("source", "source-1.0.tar.gz", sdist("source", "1.0", {"evil.py": b""}))
    with pytest.raises(ImageError, match="not what its lock says"):
        make("source", "r.txt")
    assert not any(text.startswith("building a wheel of source at") for text in shop.said)


def test_a_build_that_fails_is_an_error_with_a_way_out(shop: Shop, make: Making) -> None:
    broken = files("mine", "1")
    broken["backend.py"] = b"def build_wheel(*_, **__):\n    raise SystemExit('no compiler here')\n"
    write(shop.root / "mine", broken)
    with pytest.raises(ResolutionError, match="cannot be built here") as raised:
        make("mine", "mine")
    assert f"--volume {shop.root}/mine:/source/mine python:3.11 pip wheel" in str(raised.value.hint)


def test_a_package_of_this_machine_is_built_with_the_code_that_it_has_now(shop: Shop, make: Making) -> None:
    write(shop.root / "mine", files("mine", "1"))
    first = make("mine", "mine")
    (shop.root / "mine/src/mine/more.py").write_text("")
    second = make("mine", "mine")
    assert "mine/more.py" in members(shop, second)
    assert first.digest != second.digest


def test_a_package_whose_build_asks_for_more_than_the_lock_has_is_an_error(shop: Shop, make: Making) -> None:
    shop.index.add("model", "1.0")
    write(shop.root / "mine", files("mine", "1", "model<2", is_static=False))
    assert make("mine", "mine").version == "1"
    backend = shop.root / "mine/backend.py"
    backend.write_text(
        backend.read_text().replace("model<2", "model>20")
    )  # another size: else Python may take its old bytecode
    with pytest.raises(
        ResolutionError, match=r"needs what is not in the lock: got model 1\.0, want model>20"
    ) as raised:
        make("mine", "mine")
    assert raised.value.hint == f"argosy lock {shop.root}"


def test_a_wheel_of_a_folder_is_verified(shop: Shop, make: Making) -> None:
    path = shop.root / "mine-1-py3-none-any.whl"
    path.write_bytes(wheel("mine", "1", {"mine.py": b"1"}))
    (shop.root / "r.txt").write_text(f"mine @ {path.as_uri()}\n")
    lock(shop.project(dependencies="r.txt"), "3.11", shop.environ, ignore)
    path.write_bytes(wheel("mine", "1", {"mine.py": b"2"}))
    with pytest.raises(ImageError, match="not what its digest says"):
        make("mine", "r.txt")
