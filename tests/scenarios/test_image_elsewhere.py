"""Our image in other people's engines and under other people's eyes, and their images mended."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from argosy.image.blobs import BlobStore
from argosy.registry.layout import write_layout
from tests.image.images import file, image
from tests.scenarios.conftest import Built, Environ, ask_alone, docker, from_csv, to_csv
from tests.scenarios.running import EXAMPLE, ROOT, argosy

SCHEMA_2 = "application/vnd.docker.distribution.manifest.v2+json"
GZIP_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
NAME = "argosy-scenario/elsewhere"


@pytest.fixture(scope="session")
def docker_26() -> Environ:
    """Variables that lead the command line to Docker 26 with containerd's image store, and to its BuildKit."""
    host = os.environ.get("ARGOSY_TEST_DOCKER_26")
    if not host:
        pytest.fail('no Docker 26: eval "$(scripts/engine up docker-26)", or scripts/test --all-engines', pytrace=False)
    return {"DOCKER_HOST": host, "DOCKER_CONFIG": os.environ["ARGOSY_TEST_DOCKER_26_CONFIG"]}


@pytest.fixture
def forget() -> Iterator[Callable[..., None]]:
    """Names images that engines are to forget at the end."""
    known: list[tuple[str, str, Environ | None]] = []

    def later(reference: str, program: str = "docker", environ: Environ | None = None) -> None:
        known.append((reference, program, environ))

    yield later
    for reference, program, environ in known:
        docker("rmi", "--force", reference, program=program, environ=environ)


def raw_manifest(place: str) -> dict[str, object]:
    """The manifest as skopeo, which converts nothing here, finds it."""
    found: dict[str, object] = json.loads(
        docker("inspect", "--raw", "--tls-verify=false", f"docker://{place}", program="skopeo")
    )
    return found


def judge(place: str) -> None:
    """SageMaker's format by skopeo's eyes, and every digest and diff ID by occystrap's, which nobody here wrote."""
    manifest = raw_manifest(place)
    assert manifest["mediaType"] == SCHEMA_2
    assert isinstance(manifest["layers"], list)
    assert {layer["mediaType"] for layer in manifest["layers"]} == {GZIP_LAYER}
    uv = Path(sys.executable).with_name("uv")
    referee = [uv, "run", "--quiet", "--project", ROOT, "--isolated", "--locked", "--only-group", "referee",
               "--python", sys.executable]  # fmt: skip
    command = [*referee, "occystrap", "--insecure", "--output-format", "json", "check", f"registry://{place}"]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=200,
        env={**os.environ, "UV_SYSTEM_CERTS": "1", "UV_PYTHON_DOWNLOADS": "never"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["errors"] == 0, done.stdout


def convert(source: str, target: str, environ: Environ | None = None) -> str:
    """Convert; what was said."""
    done = argosy("image", "convert", source, target, timeout_s=240, **(environ or {}))
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.engine
def test_podman_runs_it(built: Built, features: np.ndarray, direct: np.ndarray, forget: Callable[..., None]) -> None:
    convert(built.layout, f"containers-storage:{NAME}:podman")
    forget(f"{NAME}:podman", "podman")
    assert np.array_equal(from_csv(ask_alone(f"{NAME}:podman", to_csv(features), "podman")), direct)


@pytest.mark.engine
@pytest.mark.docker_26
def test_docker_26_with_containerds_store_runs_it(
    built: Built, features: np.ndarray, direct: np.ndarray, docker_26: Environ, forget: Callable[..., None]
) -> None:
    convert(built.layout, f"docker-daemon:{NAME}:newer", docker_26)
    forget(f"{NAME}:newer", environ=docker_26)
    assert np.array_equal(from_csv(ask_alone(f"{NAME}:newer", to_csv(features), environ=docker_26)), direct)
    said = argosy(
        "image", "diff", built.layout, f"docker-daemon:{NAME}:newer", "--exit-code", timeout_s=240, **docker_26
    )
    assert (said.returncode, said.stdout) == (0, "no difference\n"), said.stderr


@pytest.mark.engine
def test_strangers_find_no_fault_in_what_was_pushed(built: Built, registry: str) -> None:
    place = f"{registry}/{NAME}:pushed"
    done = argosy("build", EXAMPLE, "--base", "debian", "--output", f"docker://{place}")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == built.digest
    judge(place)


@pytest.mark.engine
def test_an_oci_image_with_zstd_layers_is_mended_where_it_is_and_serves(
    built: Built,
    registry: str,
    features: np.ndarray,
    direct: np.ndarray,
    forget: Callable[..., None],
) -> None:
    place = f"{registry}/{NAME}:zstd"
    options = ("--format", "oci", "--dest-tls-verify=false", "--dest-compress-format", "zstd")
    docker("copy", *options, f"docker-archive:{built.archive}", f"docker://{place}", program="skopeo")
    assert raw_manifest(place)["mediaType"] == OCI_MANIFEST
    said = convert(f"docker://{place}", f"docker://{place}")
    assert "layer 0: zstd" in said
    judge(place)
    docker("pull", place)
    forget(place)
    assert np.array_equal(from_csv(ask_alone(place, to_csv(features))), direct)


@pytest.mark.engine
def test_what_podman_pushes_is_mended_by_its_manifest_alone(
    registry: str, tmp_path: Path, forget: Callable[..., None]
) -> None:
    place = f"{registry}/{NAME}-of-podman:1"
    made = image(BlobStore(tmp_path / "blobs"), [[file(str(tmp_path).strip("/"), os.urandom(1000))]])
    write_layout(made, tmp_path / "layout", "x")
    convert(f"oci:{tmp_path}/layout:x", f"containers-storage:{NAME}:to-push")
    forget(f"{NAME}:to-push", "podman")
    docker("push", "--tls-verify=false", "--format", "oci", f"{NAME}:to-push", f"docker://{place}", program="podman")
    assert raw_manifest(place).get("mediaType", OCI_MANIFEST) == OCI_MANIFEST
    said = convert(f"docker://{place}", f"docker://{place}")
    assert "Docker's schema 2" in said
    assert "layer" not in said
    assert "nothing to do" in convert(f"docker://{place}", f"docker://{place}")
    judge(place)


@pytest.mark.engine
@pytest.mark.docker_26
def test_what_buildkit_pushes_loses_its_index_and_attestation(
    built: Built, registry: str, docker_26: Environ, tmp_path: Path, forget: Callable[..., None]
) -> None:
    place = f"{registry}/{NAME}:from-buildkit"
    convert(built.layout, f"docker-daemon:{NAME}:below", docker_26)
    forget(f"{NAME}:below", environ=docker_26)
    (tmp_path / "Dockerfile").write_text(f"FROM {NAME}:below\nCOPY Dockerfile /opt/program/added\n")
    docker("buildx", "build", "--tag", place, tmp_path, environ=docker_26)
    forget(place, environ=docker_26)
    docker("push", place, environ=docker_26)
    assert raw_manifest(place)["mediaType"] == OCI_INDEX
    said = convert(f"docker://{place}", f"docker://{place}")
    assert "1 attestation -> the linux/amd64 image alone" in said
    judge(place)
    found = argosy("image", "diff", built.layout, f"docker://{place}", "--json")
    assert [change["path"] for change in json.loads(found.stdout)["files"]] == ["opt/program/added"]
