import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from argosy.simulator.containers.process import Command, ProcessContainer
from tests.ports import free_port

STAND_IN = Path(__file__).with_name("stand_in.py")
MakeContainer = Callable[..., ProcessContainer]


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[MakeContainer]:
    """Makes stand-in containers, not yet started; STAND_IN_* settings as keywords without the prefix."""
    made: list[ProcessContainer] = []

    def make(**settings: str) -> ProcessContainer:
        port = free_port()
        environment = {f"STAND_IN_{key.upper()}": value for key, value in settings.items()}
        environment |= {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}
        made.append(
            ProcessContainer(
                Command("stand-in", (sys.executable, str(STAND_IN), str(port)), environment, tmp_path, port)
            )
        )
        return made[-1]

    yield make
    for container in made:
        container.remove()


@pytest.fixture
def running(stand_in: MakeContainer) -> MakeContainer:
    """Makes stand-in containers that answer."""

    def make(**settings: str) -> ProcessContainer:
        container = stand_in(**settings)
        container.start()
        await_answer(container.url)
        return container

    return make


def await_answer(url: str, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            httpx.get(f"{url}/requests", timeout=2)
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
