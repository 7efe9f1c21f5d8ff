"""What the toolkit takes from the environment."""

from pathlib import Path

import pytest

from argosy.cli import environment


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("ARGOSY_CACHE_DIR", "XDG_CACHE_HOME", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_the_usual_places(tmp_path: Path) -> None:
    found = environment.read()
    assert found.cache_dir == tmp_path / ".cache/argosy"
    assert found.docker_config == tmp_path / ".docker"


def test_variables_move_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    monkeypatch.setenv("DOCKER_CONFIG", "/d")
    assert environment.read().cache_dir == Path("/x/argosy")
    assert environment.read().docker_config == Path("/d")
    monkeypatch.setenv("ARGOSY_CACHE_DIR", "/a")
    assert environment.read().cache_dir == Path("/a")


def test_an_empty_variable_counts_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("ARGOSY_CACHE_DIR", "")
    assert environment.read().cache_dir == tmp_path / ".cache/argosy"
