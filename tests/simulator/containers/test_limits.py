"""Processors and memory are limited, and who dies of that is told."""

import os
from pathlib import Path

import pytest

from argosy.simulator.containers import limits
from argosy.simulator.containers.container import ending
from argosy.simulator.containers.leftovers import marked
from argosy.simulator.containers.limits import Enforced
from tests.simulator.containers.conftest import RunScript

GREEDY = "print('starts'); kept = [bytes([n % 256]) * 2**20 for n in range(400)]; print('has it all')"
BUSY = """
import time
began, used = time.monotonic(), time.process_time()
while time.monotonic() - began < 1: pass
print("share", time.process_time() - used)
"""
MEMORY = 100 * 2**20


def test_a_container_that_takes_too_much_memory_is_killed_and_told_of(run_script: RunScript) -> None:
    container = run_script(GREEDY, memory_bytes=MEMORY)
    assert container.wait(60) == 137
    expected = "exit code 137: out of memory, the kernel killed one of its processes at its limit of 0.0977 GiB"
    assert ending(container, 137) == expected
    container.remove()
    assert ending(container, 137) == expected
    assert "has it all" not in container.logs()


def test_an_ending_of_another_kind_is_not_blamed_on_memory(run_script: RunScript) -> None:
    container = run_script("raise SystemExit(3)", memory_bytes=MEMORY, cpus=0.5)
    assert container.wait(20) == 3
    assert ending(container, 3) == "exit code 3"


def test_processors_are_limited(run_script: RunScript) -> None:
    container = run_script(BUSY, cpus=0.25)
    assert container.wait(60) == 0
    assert float(container.logs().split()[-1]) < 0.6


def test_the_disk_is_limited(run_script: RunScript) -> None:
    script = "try: open('/tmp/large', 'wb').write(bytes(9 * 2**20))\nexcept OSError as error: print(error.strerror)"
    container = run_script(script, disk_bytes=8 * 2**20)
    assert container.wait(20) == 0
    assert container.logs() == "No space left on device\n"


def test_the_groups_are_gone_afterwards(run_script: RunScript) -> None:
    container = run_script("import time; time.sleep(600)", memory_bytes=MEMORY, cpus=1)
    made = [group for group in limits.groups() if group.name.startswith(marked("container"))]
    assert made
    container.remove()
    assert not any(group.exists() for group in made)


def test_without_control_groups_each_process_is_limited_and_that_is_said(
    run_script: RunScript, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_parents", lambda controller: iter(()))
    container = run_script(GREEDY, memory_bytes=MEMORY, cpus=1)
    assert container.wait(60) == 1
    assert "MemoryError" in container.logs()
    assert "its memory is limited for each process, not for all together" in container.caveat
    assert "bound to 1 of this machine's processors" in container.caveat


def test_groups_that_cannot_be_written_to_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(limits, "_parents", lambda controller: iter((tmp_path / "file", tmp_path)))
    enforced = limits.enforce(2, MEMORY, "argosy-test-group")
    assert enforced.groups == ()
    assert enforced.data_bytes == MEMORY
    assert set(enforced.processors) <= os.sched_getaffinity(0)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


@pytest.mark.parametrize(
    ("name", "text"), [("memory.events", "low 0\noom 2\noom_kill 2\n"), ("memory.oom_control", "oom_kill 2\n")]
)
def test_kills_are_read_of_both_versions(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert Enforced((tmp_path,)).memory_kills() == 2
    assert limits.told(2, 2**33) == "out of memory, the kernel killed 2 of its processes at its limit of 8 GiB"


def test_version_2_is_written_as_the_kernel_reads_it(tmp_path: Path) -> None:
    for name in ("memory.max", "cpu.max"):
        (tmp_path / name).touch()
    assert limits._limit_memory(tmp_path, 2**30)
    assert limits._limit_cpus(tmp_path, 1.5)
    assert (tmp_path / "memory.max").read_text() == str(2**30)
    assert (tmp_path / "cpu.max").read_text() == "150000 100000"
