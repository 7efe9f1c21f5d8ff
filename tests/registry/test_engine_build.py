import io
import os
import subprocess
import tarfile
import uuid
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from argosy import engine as engines
from argosy.engine import Engine
from argosy.errors import ImageError
from argosy.image import build
from argosy.image.blobs import BlobStore
from argosy.image.build import BaseImage, Surroundings
from argosy.image.dependencies import WheelFile, index_credentials
from argosy.image.dockerfile.context import Ejection, Foundation
from argosy.image.dockerfile.locked_files import Downloads
from argosy.image.filesystem import read_filesystem
from argosy.image.image import OCI_LAYER_GZIP, OCI_MANIFEST, digest_of
from argosy.image.interpreter import Interpreter
from argosy.registry.engine_build import build_by_engine, require_accepted
from argosy.registry.transports import Access, read_from_engine
from tests.image.conftest import Shop
from tests.image.images import image
from tests.image.web import Answer, PackageIndex, Request, serving, uv_environment
from tests.scenarios.test_engine_build import engine_of

SITE = "opt/venv/lib/python3.11/site-packages"
SLIM = "python:3.11-slim"
MAKE_IMAGE = Path(__file__).parent.parent / "engine/make-python-image"
WITH_APT = ("apt", "debian-archive-keyring", "tar", "gzip", "debconf", "diffutils")
NATIVE_C = """
#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "native", 0, -1, 0};
PyMODINIT_FUNC PyInit_native(void) { return PyModule_Create(&module); }
"""
SETUP = "from setuptools import Extension, setup\nsetup(ext_modules=[Extension('native', ['native.c'])])\n"
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


def ejection(shop: Shop, engine: Engine, name: str) -> Ejection:
    """The shop's project on an image of the engine."""
    access = Access(shop.root, engine.environ, shop.cache_dir)
    base = BaseImage(read_from_engine(engine, name, access))
    project = shop.project("model\n")
    around = Surroundings(shop.cache_dir, shop.environ, lambda _: None, shop.said.append)
    parts = build.plan(project, Interpreter("/usr/bin/python3.11", "3.11"), around)
    credentials = index_credentials(project, shop.environ)
    downloads = Downloads(BlobStore(shop.cache_dir / "downloads"), credentials, shop.said.append)
    return Ejection(project, Foundation(name, base), parts, downloads, engine.mounts_while_building())


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    index = PackageIndex()
    index.add_server()
    index.add("model", "1.0")
    with serving(index) as url:
        environ = {**os.environ, **uv_environment(url, tmp_path)}
        yield Shop(index, url, tmp_path / "project", environ, tmp_path / "cache", [])


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
    made = ejection(private, engine, SLIM)
    said: list[str] = []
    built = build_by_engine(made, engine, Access(private.root, engine.environ, private.cache_dir), said.append)
    files = read_filesystem(built)
    assert "model-1.0.dist-info" in files.listing(SITE)
    assert "k3nnwort9" not in "".join([*said, *private.said, built.config_bytes.decode()])
    contents = {entry.path: files.read(entry.path) for entry in files if entry.kind == "file" and entry.size < 2**20}
    assert not [path for path, content in contents.items() if b"k3nnwort9" in content]
    assert not list(private.cache_dir.glob(".argosy-*"))


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
        for name, text in (("pyproject.toml", PROJECT), ("setup.py", SETUP), ("native.c", NATIVE_C)):
            member = tarfile.TarInfo(f"native-1.0/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


@pytest.mark.engine
def test_the_engine_installs_system_packages_and_compiles(shop: Shop, with_apt: str) -> None:
    engine = engines.find("docker", os.environ)
    made = ejection(shop, engine, with_apt)
    content = source_archive()
    made.downloads.store.add_bytes(content, digest_of(content))
    source = WheelFile("native", "1.0", "native-1.0.tar.gz", "", digest_of(content), len(content))
    project = shop.project("model\n", system_packages=["libyaml-0-2"])
    # The shop stands on this machine's loopback, where no container comes: what it sells goes along.
    parts = replace(
        made.parts,
        sources=(source,),
        dependencies=tuple(replace(wheel, url="") for wheel in made.parts.dependencies),
        server=tuple(replace(wheel, url="") for wheel in made.parts.server),
    )
    for wheel in (*made.parts.dependencies, *made.parts.server):
        name, filename = wheel.distribution, wheel.filename
        made.downloads.store.add_bytes(shop.index.files[name][filename], wheel.digest)
    said: list[str] = []
    access = Access(shop.root, engine.environ, shop.cache_dir)
    built = build_by_engine(replace(made, project=project, parts=parts), engine, access, said.append)
    files = read_filesystem(built)
    assert files.get("usr/lib/x86_64-linux-gnu/libyaml-0.so.2") is not None
    assert {"native-1.0.dist-info", "model-1.0.dist-info"} <= set(files.listing(SITE))
    assert any(name.startswith("native.cpython-311") for name in files.listing(SITE))
    assert files.get("usr/bin/gcc") is None
    assert not [entry.path for entry in files if entry.path.startswith("var/lib/apt/lists/") and entry.kind == "file"]
