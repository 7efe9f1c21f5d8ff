"""The image: the same for the same project, stored as SageMaker takes it, alive without network or writable disk."""

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from argosy.image import filesystem
from argosy.registry import transports
from argosy.registry.transports import Access
from tests.scenarios.conftest import Built, ask_alone, docker, from_csv, to_csv
from tests.scenarios.running import ARGOSY, EXAMPLE, argosy

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
GZIP_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def layers(layout: str, digest: str) -> list[str]:
    """The digests of an image's layers in an OCI layout."""
    folder = Path(layout.removeprefix("oci:").rpartition(":")[0])
    manifest = json.loads((folder / "blobs" / digest.replace(":", "/")).read_bytes())
    return [layer["digest"] for layer in manifest["layers"]]


def build(project: Path, layout: str) -> str:
    """Build a project; returns the digest."""
    done = argosy("build", project, "--output", layout)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_same_project_in_another_folder_is_the_same_image(built: Built, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "elsewhere")
    for path in (tmp_path / "elsewhere").rglob("*"):
        path.touch()
    assert build(tmp_path / "elsewhere", f"oci:{tmp_path}/image:latest") == built.digest


def test_a_changed_predictor_changes_its_layer_alone(built: Built, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(EXAMPLE, project)
    with (project / "predictor.py").open("a") as file:
        file.write("# another line\n")
    digest = build(project, f"oci:{tmp_path}/image:latest")
    before, after = layers(built.layout, built.digest), layers(f"oci:{tmp_path}/image:latest", digest)
    assert digest != built.digest
    assert len(before) == len(after)
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


def test_of_argosy_only_the_server_enters_the_image(built: Built, tmp_path: Path) -> None:
    access = Access(tmp_path, {}, tmp_path)
    site = "opt/venv/lib/python3.11/site-packages/"
    inside = [entry.path for entry in filesystem.read_filesystem(transports.read_image(built.layout, access))]
    names = {path.removeprefix(site).partition("/")[0] for path in inside if path.startswith(site)}
    brought = {name.partition("-")[0] for name in names if name.endswith(".dist-info")}
    model = {"cloudpickle", "joblib", "narwhals", "numpy", "scikit_learn", "scipy", "threadpoolctl"}
    assert brought == model | {"argosy", "click", "h11", "httptools", "orjson", "uvicorn", "uvloop"}
    ours = {
        path.removeprefix(f"{site}argosy/").partition("/")[0] for path in inside if path.startswith(f"{site}argosy/")
    }
    assert ours == {
        "__init__.py",
        "contract.py",
        "errors.py",
        "flavors",
        "http_protocol.py",
        "media_type.py",
        "py.typed",
        "serving",
    }


@pytest.fixture(params=["loaded", "pulled"])
def reference(request: pytest.FixtureRequest, built: Built, registry: str, loaded: str) -> Iterator[str]:
    """The image in the engine, by either way."""
    if request.param == "loaded":
        yield loaded
        return
    pushed = f"{registry}/argosy-scenario/breast-cancer:1"
    done = argosy("build", EXAMPLE, "--output", f"docker://{pushed}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == built.digest
    docker("pull", pushed)
    yield pushed
    docker("rmi", "--force", pushed)


@pytest.mark.usefixtures("built")
def test_memory_stays_flat_whatever_the_artifacts_weigh(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "project", ignore=shutil.ignore_patterns("build"))
    with (tmp_path / "project/model/weights.bin").open("wb") as file:
        file.truncate(1 << 30)
    command = [*ARGOSY, "build", str(tmp_path / "project"), "--base", "debian", "--output", f"oci:{tmp_path}/image"]
    # A small process in between: the system counts what a process was forked from, and the tests are large.
    done = subprocess.run([sys.executable, "-c", PEAK, *command], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 200 * 1024, "KiB"


@pytest.mark.engine
def test_it_serves_without_network_and_with_a_read_only_disk(
    reference: str, features: np.ndarray, direct: np.ndarray
) -> None:
    assert np.array_equal(from_csv(ask_alone(reference, to_csv(features))), direct)


@pytest.mark.engine
def test_the_stored_manifest_is_what_sagemaker_takes(built: Built, registry: str) -> None:
    done = argosy("build", EXAMPLE, "--output", f"docker://{registry}/argosy-scenario/stored:1")
    assert done.returncode == 0, done.stderr
    accept = ", ".join(
        [MANIFEST, "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"]
    )
    request = urllib.request.Request(
        f"http://{registry}/v2/argosy-scenario/stored/manifests/1", headers={"Accept": accept}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        manifest = json.load(answer)
        assert answer.headers["Content-Type"] == MANIFEST
        assert answer.headers["Docker-Content-Digest"] == built.digest
    assert manifest["mediaType"] == MANIFEST
    assert {layer["mediaType"] for layer in manifest["layers"]} == {GZIP_LAYER}
