import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from argosy import project
from argosy.image import download
from argosy.image.blobs import BlobStore
from argosy.project import Project
from tests.image.web import PackageIndex, serving, uv_environment


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts that follow each other at once."""
    monkeypatch.setattr(download, "FIRST_PAUSE_S", 0.001)


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "cache" / "blobs")


@dataclass(frozen=True)
class Shop:
    """A project, and an index on loopback that sells what it needs."""

    index: PackageIndex
    url: str
    root: Path
    environ: dict[str, str]
    cache_dir: Path
    said: list[str]

    def project(self, requirements: str | None = None, **image: Any) -> Project:
        """Write the project's files and load it."""
        self.root.mkdir(exist_ok=True)
        lines = ["[model]", 'predictor = "predictor:Model"', "[image]"]
        if requirements is not None:
            (self.root / "requirements.txt").write_text(requirements)
            lines.append('dependencies = "requirements.txt"')
        environment = image.pop("environment", {})
        lines += [f"{name} = {json.dumps(value)}" for name, value in image.items()]
        lines += ["[image.environment]", *(f"{name} = {json.dumps(value)}" for name, value in environment.items())]
        (self.root / "argosy.toml").write_text("\n".join(lines))
        if not (self.root / "predictor.py").exists():
            (self.root / "predictor.py").write_text("class Model: ...\n")
        return project.load(self.root)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    index = PackageIndex()
    index.add_server()
    with serving(index) as url:
        yield Shop(index, url, tmp_path / "project", uv_environment(url, tmp_path), tmp_path / "cache", [])
