"""Sandboxes whose image is this machine's own root, so that this Python runs in them."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.containers.sandbox import SandboxContainer

STAND_IN = Path(__file__).parents[1] / "stand_in.py"
RunScript = Callable[..., SandboxContainer]


@pytest.fixture(params=["as root", "in a user namespace"])
def rights(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "in a user namespace":
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return str(request.param)


@pytest.fixture
def run_script() -> Iterator[RunScript]:
    """Runs a Python script in a sandbox; keywords are those of `Launch`."""
    made: list[SandboxContainer] = []

    def run(script: str, *arguments: str, **launch: Any) -> SandboxContainer:
        entrypoint = [sys.executable, "-u", "-c", script, *arguments]
        made.append(SandboxContainer(Path("/"), {"Entrypoint": entrypoint}, "script", Launch(**launch)))
        made[-1].start()
        return made[-1]

    yield run
    for container in made:
        container.remove()


@pytest.fixture
def serve_stand_in(run_script: RunScript) -> RunScript:
    """Runs the stand-in in a sandbox, at a port."""

    def serve(port: int = 8080, address: str = "0.0.0.0", **launch: Any) -> SandboxContainer:
        script = (
            f"import sys; sys.argv = ['stand_in', '{port}']; sys.path.insert(0, '{STAND_IN.parent}')\n"
            f"source = open('{STAND_IN}').read().replace('\"0.0.0.0\"', repr('{address}'))\n"
            "exec(compile(source, 'stand_in.py', 'exec'))\n"
        )
        environment = {"STAND_IN_ANY": "1", "SAGEMAKER_BIND_TO_PORT": str(port)}
        return run_script(script, environment=environment, **launch)

    return serve


def await_log(container: Container, text: str, timeout_s: float = 20.0) -> str:
    deadline = time.monotonic() + timeout_s
    while text not in (log := container.logs()):
        assert time.monotonic() < deadline, log
        time.sleep(0.01)
    return log
