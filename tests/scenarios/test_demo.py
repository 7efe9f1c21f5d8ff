"""`scripts/demo`, the README's first command: no container engine is called, and nothing is left behind."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import children, command_line, is_alive
from tests.scenarios.running import ROOT

PR_SET_CHILD_SUBREAPER = 36


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """An environment in which every container engine fails, and tells that it was called."""
    for engine in ("docker", "podman"):
        (tmp_path / engine).write_text(f"#!/bin/sh\ntouch {tmp_path}/called\nexit 1\n")
        (tmp_path / engine).chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "DOCKER_HOST": "unix:///nowhere"}


@pytest.fixture(autouse=True)
def _orphans() -> Iterator[None]:
    """Whatever a demo leaves behind becomes a child of this process, and is found here."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = set(children(os.getpid()))
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    yield
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    deadline = time.monotonic() + 5
    while (left := living_since(before)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def living_since(before: set[int]) -> list[str]:
    """The command lines of the children of this process that were none before."""
    return [command_line(pid) for pid in children(os.getpid()) if pid not in before and is_alive(pid)]


@pytest.mark.slow
def test_the_demo_walks_the_whole_road(surroundings: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run([ROOT / "scripts/demo"], env=surroundings, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "99.1% right" in done.stdout
    assert done.stdout.count("largest difference to predict_proba: 0\n") == 3
    assert "sha256:" in done.stdout
    assert "argosy simulate endpoint oci:.cache/demo/image:latest" in done.stdout
    assert not (tmp_path / "called").exists()


@pytest.mark.slow
def test_ctrl_c_stops_everything_that_the_demo_started(surroundings: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        demo = subprocess.Popen(
            [ROOT / "scripts/demo"], env=surroundings, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
    deadline = time.monotonic() + 200
    while "$ argosy simulate transform" not in log.read_text():
        assert demo.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    os.killpg(demo.pid, signal.SIGINT)
    assert demo.wait(60) == 130, log.read_text()
