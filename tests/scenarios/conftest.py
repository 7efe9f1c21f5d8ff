"""The breast-cancer example, built once for all scenarios, and what its model says directly."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from tests.scenarios.running import EXAMPLE, argosy

NAME = "argosy-scenario/breast-cancer:latest"


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


def docker(*arguments: object, body: bytes | None = None) -> str:
    """A command of the real engine; fails with what it said."""
    done = subprocess.run(["docker", *map(str, arguments)], input=body, capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def to_csv(features: np.ndarray) -> bytes:
    """Rows as CSV; every number comes back from its text as itself."""
    return "".join(",".join(map(repr, row)) + "\n" for row in features.tolist()).encode()


def from_csv(text: str | bytes) -> np.ndarray:
    """The numbers of a CSV, each as its text says it."""
    lines = (text.decode() if isinstance(text, bytes) else text).splitlines()
    return np.array([[float(cell) for cell in line.split(",")] for line in lines])
