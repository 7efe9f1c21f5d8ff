"""The breast-cancer example, built once for all scenarios, and what its model says directly."""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from tests.scenarios.running import EXAMPLE, ROOT, argosy

NAME = "argosy-scenario/breast-cancer:latest"
NEWER = "argosy-scenario/newer-python:13"
ALONE = ("--network", "none", "--read-only", "--tmpfs", "/tmp")
INVOKE = """
import sys, urllib.request
body = sys.stdin.buffer.read()
request = urllib.request.Request("http://127.0.0.1:8080/invocations", body, {"Content-Type": "text/csv"})
sys.stdout.buffer.write(urllib.request.urlopen(request).read())
"""
Environ = Mapping[str, str]
PING = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/ping', timeout=2)"


@dataclass(frozen=True)
class Built:
    """One image in two places, and what `argosy build` said."""

    digest: str
    layout: str
    archive: Path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    layout, archive = f"oci:{folder}/image:latest", folder / "image.tar"
    done = argosy(
        "build", EXAMPLE, "--base", "debian", "--output", layout, "--output", f"docker-archive:{archive}:{NAME}"
    )
    assert done.returncode == 0, done.stderr
    return Built(done.stdout.strip(), layout, archive)


@pytest.fixture(scope="session")
def loaded(built: Built) -> Iterator[str]:
    """The name of the image after `docker load`."""
    docker("load", "--input", built.archive)
    yield NAME
    docker("rmi", "--force", NAME)


@pytest.fixture(scope="session")
def newer_python() -> Iterator[str]:
    """An image with another Debian and another Python than the stand-in for `python:3.11-slim`."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    packed = cache / "argosy/tests/newer-python.tar"
    packed.parent.mkdir(parents=True, exist_ok=True)
    if not packed.exists():
        subprocess.run([ROOT / "tests/engine/make-newer-python", packed], check=True, timeout=240, capture_output=True)
    docker("import", "--change", "ENV PATH=/usr/bin:/bin", packed, NEWER)
    yield NEWER
    docker("rmi", "--force", NEWER)


@pytest.fixture(scope="session")
def features() -> np.ndarray:
    loaded_features: np.ndarray = load_breast_cancer(return_X_y=True)[0]
    return loaded_features


@pytest.fixture(scope="session")
def model() -> Any:  # scikit-learn has no types
    return joblib.load(EXAMPLE / "model/model.joblib")


@pytest.fixture(scope="session")
def direct(model: Any, features: np.ndarray) -> np.ndarray:
    """What `predict_proba` says of all cases, called directly."""
    probabilities: np.ndarray = model.predict_proba(features)
    return probabilities


def docker(
    *arguments: object, body: bytes | None = None, program: str = "docker", environ: Environ | None = None
) -> str:
    """A command of the real engine, or of another one; fails with what it said."""
    done = subprocess.run(
        [program, *map(str, arguments)],
        input=body, capture_output=True, timeout=240, env={**os.environ, **(environ or {})},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def ask_alone(reference: str, body: bytes, program: str = "docker", environ: Environ | None = None) -> str:
    """What a container with no network and a read-only disk answers; it has to end well when it is stopped."""

    def call(*arguments: object, body: bytes | None = None) -> str:
        return docker(*arguments, body=body, program=program, environ=environ)

    container = call("run", "--detach", *ALONE, reference, "serve").strip()
    try:
        python = ("exec", "--interactive", container, "/opt/venv/bin/python", "-c")
        ping = [program, *python, PING]
        deadline = time.monotonic() + 60
        while subprocess.run(ping, capture_output=True, env={**os.environ, **(environ or {})}).returncode != 0:
            assert time.monotonic() < deadline, call("logs", container)
            time.sleep(0.05)
        answer = call(*python, INVOKE, body=body)
        call("stop", "--time", "30", container)
        assert call("inspect", "--format", "{{.State.ExitCode}}", container).strip() == "0"
        return answer
    finally:
        call("rm", "--force", container)


def to_csv(features: np.ndarray) -> bytes:
    """Rows as CSV; every number comes back from its text as itself."""
    return "".join(",".join(map(repr, row)) + "\n" for row in features.tolist()).encode()


def from_csv(text: str | bytes) -> np.ndarray:
    """The numbers of a CSV, each as its text says it."""
    lines = (text.decode() if isinstance(text, bytes) else text).splitlines()
    return np.array([[float(cell) for cell in line.split(",")] for line in lines])
