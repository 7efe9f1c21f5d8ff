from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.image import download
from argosy.image.blobs import BlobStore
from argosy.registry.transports import Access
from tests.image.web import serving
from tests.registry.memory import MemoryRegistry


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts that follow each other at once."""
    monkeypatch.setattr(download, "FIRST_PAUSE_S", 0.001)


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "source" / "blobs")


@pytest.fixture
def access(tmp_path: Path) -> Access:
    return Access(tmp_path / "docker", {}, tmp_path / "cache")


@pytest.fixture
def memory() -> Iterator[MemoryRegistry]:
    found = MemoryRegistry()
    with serving(found) as url:
        found.url = url
        yield found
