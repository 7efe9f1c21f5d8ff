"""The image of a project is alike, whoever builds it: Argosy, Docker with and without BuildKit, Podman, a person."""

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy import engine as engines
from argosy.engine import Engine
from argosy.image.filesystem import read_filesystem
from argosy.image.image import DOCKER_LAYER, DOCKER_MANIFEST, Image, digest_of
from argosy.registry import transports
from argosy.registry.transports import Access
from tests.scenarios.conftest import ask_alone, docker
from tests.scenarios.running import argosy

FOUNDATION = "python:3.11-slim"
BASE = ("--base", f"docker-daemon:{FOUNDATION}")
ENGINES = ("docker", "docker with BuildKit", "podman")
SITE = "opt/venv/lib/python3.11/site-packages"
TOML = """
[model]
predictor = "predictor:Scale"
artifacts = "model/"
[serving]
content_types = ["text/csv"]
[image]
dependencies = "requirements.txt"
environment = { GREETING = "a \\"b\\" $HOME" }
"""
PREDICTOR = """
import markupsafe._speedups
from argosy import Predictor

class Scale(Predictor):
    def load(self, model_dir):
        self.factor = int((model_dir / "weights/factor").read_text())

    def predict(self, rows: list[list[float]]) -> list[list[float]]:
        return [[cell * self.factor for cell in row] for row in rows]
"""
LIST_INSTALLED = """
import importlib.metadata, json
print(json.dumps(sorted([d.name.lower(), d.version] for d in importlib.metadata.distributions())))
"""


@pytest.fixture(scope="module")
def scale(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with artifacts, and a dependency that has an extension module."""
    project = tmp_path_factory.mktemp("engine-build") / "scale"
    (project / "model/weights").mkdir(parents=True)
    (project / "model/weights/factor").write_text("7")
    (project / "argosy.toml").write_text(TOML)
    (project / "predictor.py").write_text(PREDICTOR)
    (project / "requirements.txt").write_text("markupsafe\n")
    return project


def engine_of(way: str) -> Engine:
    """The engine of that name; Docker's command with BuildKit is not always the first on the PATH."""
    program = way.partition(" ")[0]
    if way != "docker with BuildKit":
        return engines.find(program, os.environ)
    for place in os.environ["PATH"].split(":"):
        environ = {**os.environ, "PATH": f"{place}:{os.environ['PATH']}"}
        if (Path(place) / program).is_file() and Engine(program, environ).mounts_while_building():
            return Engine(program, environ)
    pytest.fail("no command of Docker's with BuildKit: apt-get install docker.io", pytrace=False)


def built(way: str, project: Path, layout: Path) -> Image:
    """The image that an engine, or nobody's engine, builds."""
    path, flags = os.environ["PATH"], list[str]()
    if way != "daemonless":
        engine = engine_of(way)
        path, flags = engine.environ["PATH"], ["--engine", engine.program]
        if engine.is_podman and not engine.has_image(FOUNDATION):
            archive = layout.with_suffix(".tar")
            engines.find("docker", os.environ).save(FOUNDATION, archive)
            engine.load(archive)
    done = argosy("build", project, *BASE, *flags, "--output", f"oci:{layout}", PATH=path)
    assert done.returncode == 0, done.stderr
    image = transports.read_image(f"oci:{layout}", Access(layout, {}, layout))
    assert done.stdout == f"{image.digest}\n"
    return image


def described(image: Image) -> dict[str, object]:
    """What the files and the config of an image say."""
    files = read_filesystem(image)
    names = [path.removesuffix(".dist-info") for path in files.listing(SITE) if path.endswith(".dist-info")]
    own = [
        entry.path for entry in files if entry.path.startswith(("opt/program/", "opt/model/")) and entry.kind == "file"
    ]
    labels = dict(image.runtime["Labels"])
    assert labels.pop("org.opencontainers.image.base.digest").startswith("sha256:")
    return {
        "distributions": sorted(name.lower().replace("-", "==") for name in names),
        "files": {path: digest_of(files.read(path)) for path in own},
        "environment": sorted(image.runtime["Env"]),
        "labels": labels,
        "platform": (image.config["os"], image.config["architecture"]),
        **{
            name: image.runtime.get(name) or None
            for name in ("Entrypoint", "Cmd", "WorkingDir", "ExposedPorts", "User")
        },
    }


@pytest.fixture(scope="module")
def wanted(scale: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    found = described(built("daemonless", scale, tmp_path_factory.mktemp("wanted") / "image"))
    assert found["files"] == {
        f"opt/{inside}": digest_of((scale / path).read_bytes())
        for inside, path in (("program/predictor.py", "predictor.py"), ("model/weights/factor", "model/weights/factor"))
    }
    return found


@pytest.fixture(scope="module", params=["daemonless", *ENGINES])
def alike(request: pytest.FixtureRequest, scale: Path, tmp_path_factory: pytest.TempPathFactory) -> Image:
    return built(request.param, scale, tmp_path_factory.mktemp("built") / "image")


@pytest.fixture(scope="module")
def loaded(alike: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its name in Docker, whoever built it."""
    name, folder = f"argosy-test/alike:{uuid.uuid4().hex}", tmp_path_factory.mktemp("loaded")
    transports.write_image(alike, f"docker-daemon:{name}", Access(folder, os.environ, folder))
    yield name
    docker("rmi", "--force", name)


@pytest.mark.engine
def test_the_image_says_the_same_of_itself(alike: Image, wanted: dict[str, object]) -> None:
    assert described(alike) == wanted


@pytest.mark.engine
def test_the_manifest_is_what_sagemaker_takes(alike: Image) -> None:
    assert alike.media_type == DOCKER_MANIFEST
    assert {layer.media_type for layer in alike.layers} == {DOCKER_LAYER}
    assert alike.index_bytes is None


@pytest.mark.engine
def test_a_process_in_it_finds_the_same_packages(loaded: str, wanted: dict[str, object]) -> None:
    run = ("run", "--rm", "--network", "none", "--read-only", "--entrypoint", "python", loaded, "-c", LIST_INSTALLED)
    found = [f"{name.replace('-', '_')}=={version}" for name, version in json.loads(docker(*run))]
    assert found == wanted["distributions"]


@pytest.mark.engine
def test_it_answers_without_network_and_with_a_read_only_disk(loaded: str) -> None:
    assert ask_alone(loaded, b"1,2\n3,4\n") == "7.0,14.0\n21.0,28.0\n"


@pytest.mark.engine
def test_a_person_can_build_the_ejected_folder(scale: Path, wanted: dict[str, object], tmp_path: Path) -> None:
    project = tmp_path / "scale"
    shutil.copytree(scale, project)
    done = argosy("build", project, *BASE, "--eject")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{project}/build/docker/Dockerfile\n"
    environ = {**engine_of("docker with BuildKit").environ, "DOCKER_BUILDKIT": "1"}
    name = f"argosy-test/ejected:{uuid.uuid4().hex}"
    command = ["docker", "build", "--platform", "linux/amd64", "--tag", name, f"{project}/build/docker"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environ)
    assert done.returncode == 0, done.stderr
    try:
        access = Access(tmp_path, os.environ, tmp_path / "cache")
        assert described(transports.read_image(f"docker-daemon:{name}", access)) == wanted
    finally:
        docker("rmi", "--force", name)
