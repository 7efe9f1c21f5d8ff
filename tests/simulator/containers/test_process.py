import socket
import sys
import time
from pathlib import Path

import httpx
import pytest

from argosy.errors import ContainerError
from argosy.simulator.containers.container import Container, log_tail, stop
from argosy.simulator.containers.process import Command, ProcessContainer, free_port, is_free
from tests.processes import is_alive
from tests.simulator.conftest import MakeContainer, await_answer
from tests.simulator.containers.conftest import await_log


def run(script: str, folder: Path, **environment: str) -> ProcessContainer:
    return ProcessContainer(Command("script", (sys.executable, "-c", script), environment, folder, free_port()))


def test_a_process_is_a_container(stand_in: MakeContainer) -> None:
    container: Container = stand_in()
    assert container.exit_code() is None
    container.start()
    await_answer(container.url)
    assert httpx.get(f"{container.url}/ping").status_code == 200
    stopped = stop(container)
    assert (stopped.exit_code, stopped.killed) == (0, False)
    assert container.exit_code() == 0
    assert "stand-in starts" in container.logs()


def test_a_deaf_container_is_killed_after_the_grace_period(running: MakeContainer) -> None:
    container = running(mode="deaf")
    stopped = stop(container, grace_s=0.3)
    assert stopped.killed
    assert stopped.exit_code == 137
    assert stopped.seconds >= 0.3


def test_nothing_is_inherited_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "geheim")
    container = run("import os; print(sorted(os.environ))", tmp_path, GIVEN="1", LC_CTYPE="C.UTF-8")
    container.start()
    assert container.wait(20) == 0
    assert container.logs() == "['GIVEN', 'LC_CTYPE']\n"
    container.remove()


ALLOCATING = """
import mmap, os, sys, time
shared = mmap.mmap(-1, 32 * 2**20)
shared.write(b"x" * len(shared))
if os.fork() == 0:
    own = b"x" * (64 * 2**20)
    assert shared[0] == 120 and shared[:] != own
    print("ready", flush=True)
time.sleep(600)
"""


def test_the_memory_of_all_processes_is_seen_and_what_they_share_counts_once(tmp_path: Path) -> None:
    container = run(ALLOCATING, tmp_path)
    assert container.memory_bytes() is None
    container.start()
    await_log(container, "ready")
    taken = container.memory_bytes()
    container.remove()
    assert taken is not None
    assert 96 * 2**20 < taken < 124 * 2**20
    assert container.memory_bytes() is None


def test_remove_ends_children_too_and_leaves_no_file(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys, time\n"
        "if os.fork() == 0:\n"
        "    signal.signal(15, signal.SIG_IGN); print(os.getpid(), flush=True); time.sleep(600)\n"
        "time.sleep(600)\n"
    )
    removed: list[str] = []
    port = free_port()
    container = ProcessContainer(
        Command("forking", (sys.executable, "-c", script), {}, tmp_path, port), on_remove=lambda: removed.append("once")
    )
    container.start()
    deadline = time.monotonic() + 20
    while not container.logs() and time.monotonic() < deadline:
        time.sleep(0.01)
    child = int(container.logs())
    container.remove()
    container.remove()
    assert removed == ["once"]
    assert container.logs() == f"{child}\n"
    assert not is_alive(child)


def test_remove_before_start_does_nothing(stand_in: MakeContainer) -> None:
    stand_in().remove()


def test_a_process_that_has_ended_is_started_again_in_the_same_log(tmp_path: Path) -> None:
    container = run("print('here', flush=True)", tmp_path)
    assert container.can_restart
    with pytest.raises(ContainerError, match="never started"):
        container.restart()
    container.start()
    assert container.wait(20) == 0
    container.restart()
    assert container.wait(20) == 0
    assert container.logs() == "here\nhere\n"
    assert not container.written() and not container.processes()
    container.remove()


def test_a_taken_port_is_told_before_the_start(stand_in: MakeContainer) -> None:
    container = stand_in()
    with (
        socket.create_server(("127.0.0.1", int(container.url.rpartition(":")[2]))),
        pytest.raises(ContainerError, match="is taken"),
    ):
        container.start()


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    container = ProcessContainer(Command("my-image", ("/nowhere/serve",), {}, tmp_path, free_port()))
    with pytest.raises(ContainerError, match=r"my-image.*/nowhere/serve"):
        container.start()
    container.remove()


def test_the_log_tail_shows_the_last_lines(tmp_path: Path) -> None:
    container = run("print(*range(100), sep='\\n')", tmp_path)
    container.start()
    container.wait(20)
    assert log_tail(container, lines=2) == "The container's log ends with:\n    98\n    99"
    container.remove()


def test_a_silent_container_is_told_so(tmp_path: Path) -> None:
    assert "nothing" in log_tail(run("", tmp_path))


def test_a_free_port_is_free() -> None:
    assert is_free(free_port())


def test_fault_7_a_container_may_write_as_much_as_it_likes_to_both_streams(tmp_path: Path) -> None:
    container = run("import sys\nfor s in (sys.stderr, sys.stdout): s.write('x' * 300_000)", tmp_path)
    container.start()
    assert container.wait(20) == 0
    assert len(container.logs()) == 600_000
    container.remove()
