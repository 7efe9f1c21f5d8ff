import io
import os
import subprocess
import tarfile
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from argosy.engine import Engine
from argosy.errors import ImageError
from argosy.image import build
from argosy.image.blobs import BlobStore
from argosy.image.build import BaseImage, Surroundings
from argosy.image.dependencies.lock import credentials_of
from argosy.image.dependencies.wheels import WheelFile
from argosy.image.dockerfile.context import Ejection, Foundation
from argosy.image.dockerfile.engine_build import build_by_engine, require_accepted
from argosy.image.dockerfile.locked_files import Downloads
from argosy.image.filesystem import read_filesystem
from argosy.image.image import OCI_LAYER_GZIP, OCI_MANIFEST, Image
from argosy.image.interpreter import Interpreter
from argosy.project import Project
from argosy.registry.transports import Access, read_from_engine
from tests.image.conftest import Shop
from tests.image.images import image
from tests.image.web import Answer, PackageIndex, Request, serving, uv_environment
from tests.scenarios.test_engine_build import engine_of

SITE = "opt/venv/lib/python3.11/site-packages"
SLIM = "python:3.11-slim"
MAKE_IMAGE = Path(__file__).parent.parent.parent / "engine/make-python-image"
WITH_APT = ("apt", "debian-archive-keyring", "tar", "gzip", "debconf", "diffutils")
NATIVE_C = """
#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "native", 0, -1, 0};
PyMODINIT_FUNC PyInit_native(void) { return PyModule_Create(&module); }
"""
SETUP = "from setuptools import Extension, setup\nsetup(ext_modules=[Extension('native', ['native.c'])])\n"
METADATA = "Metadata-Version: 2.2\nName: native\nVersion: 1.0\n"
PROJECT = '[build-system]\nrequires = ["setuptools"]\n[project]\nname = "native"\nversion = "1.0"\n'


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"config": {"architecture": "arm64"}}, "linux/arm64"),
        ({"layer_type": OCI_LAYER_GZIP}, "layers that SageMaker does not take"),
        ({"manifest_type": OCI_MANIFEST}, "another manifest"),
    ],
)
def test_what_sagemaker_would_not_take_is_refused(store: BlobStore, wrong: dict[str, object], said: str) -> None:
    require_accepted(image(store))
    with pytest.raises(ImageError, match=said):
        require_accepted(image(store, **wrong))  # type: ignore[arg-type]  # each of them is what it should be


def test_an_index_is_refused(store: BlobStore) -> None:
    with pytest.raises(ImageError, match="an index of images"):
        require_accepted(replace(image(store), index_bytes=b"{}"))


def reading(shop: Shop, engine: Engine) -> Callable[[str], Image]:
    """Reads images of an engine."""
    return lambda name: read_from_engine(engine, name, Access(shop.root, engine.environ, shop.cache_dir))


def ejection(shop: Shop, project: Project, engine: Engine, name: str) -> Ejection:
    """A project on an image of the engine."""
    base = BaseImage(reading(shop, engine)(name))
    around = Surroundings(shop.cache_dir, shop.environ, lambda _: None, shop.said.append)
    parts = build.plan(project, Interpreter("/usr/bin/python3.11", "3.11"), around, compiles=False)
    credentials = credentials_of(project, shop.environ)
    downloads = Downloads(BlobStore(shop.cache_dir / "downloads"), credentials, shop.said.append)
    return Ejection(project, Foundation(name, base), parts, downloads, engine.mounts_while_building())


def brought(ejection: Ejection, shop: Shop) -> Ejection:
    """The same with files that go along: the shop stands on this machine's loopback, where no container comes."""
    parts = ejection.parts
    for file in ejection.installed:
        ejection.downloads.store.add_bytes(shop.index.files[file.distribution][file.filename], file.digest)

    def here(files: Sequence[WheelFile]) -> tuple[WheelFile, ...]:
        return tuple(replace(file, url="") for file in files)

    local = replace(
        parts, sources=here(parts.sources), dependencies=here(parts.dependencies), server=here(parts.server)
    )
    return replace(ejection, parts=local)


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Shop]:
    """A shop that asks for a password, where both this machine and a container of Docker's reach it."""
    index = PackageIndex()
    index.add_server()
    index.add("model", "1.0")
    wanted = f"Basic {b64encode(b'me:k3nnwort9').decode()}"

    def answer(request: Request) -> Answer:
        if request.headers.get("Authorization") != wanted:
            return Answer(401, headers={"WWW-Authenticate": "Basic"})
        return index(request)

    gateway = "{{(index .IPAM.Config 0).Gateway}}"
    command = ["docker", "network", "inspect", "bridge", "--format", gateway]
    host = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    with serving(answer, host or "172.17.0.1") as url:
        environ = uv_environment(url.replace("://", "://me:k3nnwort9@"), tmp_path)
        yield Shop(index, url, tmp_path / "project", {**os.environ, **environ}, tmp_path / "cache", [])


@pytest.mark.engine
@pytest.mark.parametrize("way", ["docker", "docker with BuildKit"])
def test_a_password_is_lent_to_the_build_and_stays_nowhere(private: Shop, way: str) -> None:
    engine = engine_of(way)
    made = ejection(private, private.project("model\n"), engine, SLIM)
    said: list[str] = []
    built = build_by_engine(made, engine, reading(private, engine), private.cache_dir, said.append).image
    files = read_filesystem(built)
    assert "model-1.0.dist-info" in files.listing(SITE)
    assert "k3nnwort9" not in "".join([*said, *private.said, built.config_bytes.decode()])
    contents = {entry.path: files.read(entry.path) for entry in files if entry.kind == "file" and entry.size < 2**20}
    assert not [path for path, content in contents.items() if b"k3nnwort9" in content]
    assert not list(private.cache_dir.glob(".argosy-*"))


@pytest.mark.engine
@pytest.mark.docker_26
def test_the_newer_docker_gives_no_index_and_no_attestation(shop: Shop, tmp_path: Path) -> None:
    host = os.environ["ARGOSY_TEST_DOCKER_26"]
    config = os.environ["ARGOSY_TEST_DOCKER_26_CONFIG"]
    engine = Engine("docker", {**os.environ, "DOCKER_HOST": host, "DOCKER_CONFIG": config})
    if not engine.has_image(SLIM):
        Engine("docker", os.environ).save(SLIM, tmp_path / "slim.tar")
        engine.load(tmp_path / "slim.tar")
    shop.index.add("model", "1.0")
    made = brought(ejection(shop, shop.project("model\n"), engine, SLIM), shop)
    built = build_by_engine(made, engine, reading(shop, engine), shop.cache_dir, shop.said.append).image
    require_accepted(built)
    assert "model-1.0.dist-info" in read_filesystem(built).listing(SITE)


@pytest.fixture
def with_apt(tmp_path: Path) -> Iterator[str]:
    """The name of a base image in Docker from which packages of Debian's can be installed."""
    archive = tmp_path / "base.tar"
    subprocess.run([MAKE_IMAGE, archive, *WITH_APT], check=True, capture_output=True, timeout=240)
    name = f"argosy-test/with-apt:{uuid.uuid4().hex}"
    variables = ["-c", "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    subprocess.run(["docker", "import", *variables, archive, name], check=True, capture_output=True, timeout=120)
    yield name
    subprocess.run(["docker", "rmi", "--force", name], check=True, capture_output=True)


def source_archive() -> bytes:
    """A distribution that has its source only, in C."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in (
            ("PKG-INFO", METADATA),
            ("pyproject.toml", PROJECT),
            ("setup.py", SETUP),
            ("native.c", NATIVE_C),
        ):
            member = tarfile.TarInfo(f"native-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.mark.engine
def test_the_engine_installs_system_packages_and_compiles(shop: Shop, with_apt: str) -> None:
    engine = engine_of("docker with BuildKit")
    shop.index.add("model", "1.0")
    shop.index.add_file("native", "native-1.0.tar.gz", source_archive())
    project = shop.project("model\nnative\n", system_packages=["libyaml-0-2"])
    made = brought(ejection(shop, project, engine, with_apt), shop)
    assert [source.filename for source in made.parts.sources] == ["native-1.0.tar.gz"]
    built = build_by_engine(made, engine, reading(shop, engine), shop.cache_dir, shop.said.append).image
    files = read_filesystem(built)
    assert files.get("usr/lib/x86_64-linux-gnu/libyaml-0.so.2") is not None
    assert {"native-1.0.dist-info", "model-1.0.dist-info"} <= set(files.listing(SITE))
    assert any(name.startswith("native.cpython-311") for name in files.listing(SITE))
    assert files.get("usr/bin/gcc") is None
    assert not [entry.path for entry in files if entry.path.startswith("var/lib/apt/lists/") and entry.kind == "file"]
