"""What the toolkit takes from the environment."""

import os
import subprocess
import sys
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


READ = """
from argosy.cli import environment
from argosy.errors import UsageError
try:
    found = environment.read()
    print(found.cache_dir, found.docker_config)
except UsageError as error:
    print(error.hint)
"""


def test_a_user_without_a_home_is_told_what_to_do() -> None:
    environ = {name: value for name, value in os.environ.items() if name != "HOME"}

    def read(**more: str) -> str:
        # The user 54321 is in no /etc/passwd; in a namespace of its own, anybody may be that user.
        command = ["unshare", "--user", "--map-user=54321", sys.executable, "-c", READ]
        return subprocess.run(command, capture_output=True, text=True, check=True, env={**environ, **more}).stdout

    assert read() == "export ARGOSY_CACHE_DIR=/tmp/argosy-cache\n"
    assert read(ARGOSY_CACHE_DIR="/a") == "/a /.docker\n"
    assert read(XDG_CACHE_HOME="/x", DOCKER_CONFIG="/d") == "/x/argosy /d\n"
