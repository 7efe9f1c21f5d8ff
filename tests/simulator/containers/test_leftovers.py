"""A simulator that is killed in the middle of anything leaves nothing behind."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from argosy import engine as engines
from argosy.simulator.containers import leftovers, limits
from argosy.simulator.containers.container import Launch
from argosy.simulator.containers.engine_container import EngineContainer
from argosy.simulator.containers.leftovers import LABEL, Owner, parse, this_process
from tests.processes import await_end, descendants
from tests.simulator import stand_in_image

SIMULATOR = """
import sys, os, threading, time
from pathlib import Path
from argosy import engine as engines
from argosy.simulator.containers.container import Launch, stop
from argosy.simulator.containers.engine_container import EngineContainer
from argosy.simulator.containers.leftovers import this_process
from argosy.simulator.containers.process import Command, ProcessContainer, free_port
from argosy.simulator.containers.sandbox import SandboxContainer
kind, moment = sys.argv[1:]
script = "import signal, time; signal.signal(15, signal.SIG_IGN); print('runs', flush=True); time.sleep(600)"
arguments = (sys.executable, "-c", script)
if kind == "process":
    container = ProcessContainer(Command("c", arguments, {}, Path("/"), free_port(), is_watched=True))
elif kind == "sandbox":
    launch = Launch(memory_bytes=2**28, cpus=1)
    container = SandboxContainer(Path("/"), {"Entrypoint": list(arguments)}, "c", launch)
else:
    environment = {"STAND_IN_MODE": "deaf"}
    container = EngineContainer(engines.find(kind, os.environ), "argosy-test/stand-in:1", "c", Launch(environment))
print(this_process().mark, flush=True)
if moment == "start":
    threading.Thread(target=container.start, daemon=True).start()
    time.sleep(float(sys.stdin.readline()))
    print("now", flush=True)
else:
    container.start()
    while "s" not in container.logs():
        assert container.exit_code() is None
        time.sleep(0.01)
    if moment == "stop":
        threading.Thread(target=stop, args=(container,), daemon=True).start()
    print("now", flush=True)
time.sleep(600)
"""
MOMENTS = ("start", "running", "stop")


def kill_in(moment: str, kind: str, folder: Path, delay_s: float = 0.0) -> str:
    """Kill a simulator with -9; returns the mark of what it has made. What it was the parent of has ended."""
    command = [sys.executable, "-c", SIMULATOR, kind, moment]
    environment = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        mark = process.stdout.readline().strip()
        process.stdin.write(f"{delay_s}\n")
        process.stdin.flush()
        assert process.stdout.readline() == "now\n"
        below = descendants(process.pid)
        process.kill()
    await_end(below)
    return mark


def await_nothing(found: Callable[[], list[object]]) -> None:
    deadline = time.monotonic() + 60
    while left := found():
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def left_here(folder: Path, mark: str) -> list[object]:
    """Folders, control groups and mounts."""
    groups = [group for group in limits.groups() if mark in group.name]
    mounts = [line for line in Path("/proc/self/mounts").read_text().splitlines() if mark in line]
    return [*folder.iterdir(), *groups, *mounts]


@pytest.mark.parametrize("kind", ["process", "sandbox"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_nothing_is_left_on_this_machine(kind: str, moment: str, tmp_path: Path) -> None:
    for delay_s in (0.0, 0.02, 0.08) if moment == "start" else (0.0,):
        mark = kill_in(moment, kind, tmp_path, delay_s)
        await_nothing(partial(left_here, tmp_path, mark))


@pytest.mark.engine
@pytest.mark.parametrize(("kind", "moment"), [*(("docker", moment) for moment in MOMENTS), ("podman", "running")])
def test_nothing_is_left_in_an_engine(
    kind: str, moment: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    engine = engines.find(kind, os.environ)
    if not engine.has_image(stand_in_image.IMAGE):
        engine.load(stand_in_image.build(tmp_path_factory.mktemp("image")))
    mark = kill_in(moment, kind, tmp_path, delay_s=0.1)
    await_nothing(
        lambda: [
            *(name for listed in ("container", "network") for name in engine.labelled(listed, LABEL) if mark in name),
            *tmp_path.iterdir(),
        ]
    )


@pytest.mark.engine
def test_the_next_start_removes_what_the_dead_have_left(tmp_path: Path) -> None:
    engine = engines.find("docker", os.environ)
    dead = replace(this_process(), started=1)
    container = EngineContainer(engine, stand_in_image.FOUNDATION, "never started", Launch())
    name = container.container.replace(this_process().mark, dead.mark)
    engine.create_network(name, {LABEL: name}, ())
    leftovers.remove_from(engine, leftovers.is_of_the_dead)
    assert name not in engine.labelled("network", LABEL)


def test_the_next_start_removes_folders_and_processes_of_the_dead(tmp_path: Path) -> None:
    here = this_process()
    of_the_dead = tmp_path / f"argosy-container-{replace(here, started=1).mark}-x"
    of_the_living = tmp_path / f"argosy-container-{here.mark}-x"
    of_a_stranger = tmp_path / "argosy-container-notes-x"
    for folder in (of_the_dead, of_the_living, of_a_stranger):
        folder.mkdir()
    with (of_the_dead / "log").open("wb") as log:
        process = subprocess.Popen(["sleep", "600"], stdout=log, start_new_session=True)
    leftovers.remove_here(tmp_path, leftovers.is_of_the_dead)
    assert process.wait(20) == -9
    assert sorted(tmp_path.iterdir()) == sorted([of_the_living, of_a_stranger])


def test_a_mark_tells_the_living_from_the_dead_and_leaves_strangers_alone() -> None:
    here = this_process()
    assert parse(here.mark) == here
    assert not here.is_gone()
    assert replace(here, started=here.started + 1).is_gone()
    assert replace(here, boot="0" * 8).is_gone()
    assert not replace(here, machine="0" * 8, boot="0" * 8, started=1).is_gone()
    assert not replace(here, namespace=1, started=1).is_gone()


@pytest.mark.parametrize("text", ["", "1.2.3", "x", "1.2.3.g.h", "1.2.3.aa.bb-"])
def test_what_is_no_mark_has_no_owner(text: str) -> None:
    assert parse(text) is None
    assert not leftovers.is_of_the_dead(text)


def test_an_ended_process_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        owner = replace(this_process(), pid=process.pid, started=leftovers._started(process.pid))
        assert not owner.is_gone()
        assert isinstance(parse(owner.mark), Owner)
    assert owner.is_gone()
