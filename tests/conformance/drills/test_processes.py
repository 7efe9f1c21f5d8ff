import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.conformance.drills import processes
from argosy.conformance.drills.processes import MemoryWatch, Process
from argosy.simulator.containers.process import Command, ProcessContainer, free_port

FAMILY = """
import os, signal, time
if os.fork() == 0:
    if os.fork() == 0:
        held = bytearray(b"x") * 40_000_000
    print("there", flush=True)
    time.sleep(600)
print("there", flush=True)
time.sleep(600)
"""


@pytest.fixture
def family(tmp_path: Path) -> Iterator[ProcessContainer]:
    """A first process, its child, and a grandchild that has taken memory."""
    container = ProcessContainer(Command("family", (sys.executable, "-c", FAMILY), {}, tmp_path, free_port()))
    container.start()
    deadline = time.monotonic() + 20
    while container.logs().count("there") < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield container
    container.remove()


def test_the_processes_of_a_container_are_seen_parents_first(family: ProcessContainer) -> None:
    first, child, grandchild = processes.of(family)
    assert first.number == family.first_process
    assert (child.parent, grandchild.parent) == (first.number, child.number)
    assert "python" in first.name
    assert grandchild.memory_bytes > 40_000_000 > child.memory_bytes > 0
    assert processes.memory(family) > grandchild.memory_bytes


def test_a_killed_process_is_gone(family: ProcessContainer) -> None:
    victim = processes.worker_of(processes.of(family))
    assert victim is not None
    assert processes.kill(victim)
    assert len(processes.of(family)) == 2


def test_a_container_that_has_ended_has_no_processes(family: ProcessContainer) -> None:
    family.kill()
    assert family.wait(20) == 128 + signal.SIGKILL
    assert family.first_process == 0
    assert processes.of(family) == ()
    assert processes.memory(family) == 0


def test_the_peak_of_memory_is_seen(family: ProcessContainer) -> None:
    with MemoryWatch(family) as watch:
        pass
    assert watch.peak_bytes > 40_000_000


@pytest.mark.parametrize(
    ("family_tree", "worker"),
    [
        ((), None),
        ((Process(1, 0, "python", 100),), None),
        ((Process(1, 0, "sh", 1), Process(2, 1, "python", 50)), 2),
        ((Process(1, 0, "m", 9), Process(2, 1, "tracker", 5), Process(3, 1, "t", 99), Process(4, 3, "w", 50)), 4),
    ],
)
def test_the_worker_is_the_largest_process_without_children(
    family_tree: tuple[Process, ...], worker: int | None
) -> None:
    found = processes.worker_of(family_tree)
    assert (found.number if found else None) == worker


def test_a_shell_and_its_server_are_a_line() -> None:
    shell, server = Process(1, 0, "sh", 1), Process(2, 1, "python", 50)
    assert processes.is_line((shell, server))
    assert processes.is_line((shell, server, Process(3, 2, "worker", 9)))
    assert not processes.is_line((shell, server, Process(3, 1, "nginx", 9)))
