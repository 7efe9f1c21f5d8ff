"""However much is written, the end of it is kept, and no more."""

import os
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from argosy.simulator.containers import log
from argosy.simulator.containers.container import log_tail
from argosy.simulator.containers.log import KEPT_BYTES, MOST_BYTES, Log
from argosy.simulator.containers.process import Command, ProcessContainer, free_port
from tests.simulator.containers.conftest import RunScript, await_log

LOUD = """
import sys
line = b"x" * 1023 + b"\\n"
for number in range(200):
    sys.stdout.buffer.write(line * 1024)
sys.stdout.buffer.write(b"the last line\\n")
sys.stdout.flush()
import time; time.sleep(600)
"""


@pytest.fixture
def loud(tmp_path: Path) -> Iterator[ProcessContainer]:
    container = ProcessContainer(Command("loud", (sys.executable, "-c", LOUD), {}, tmp_path, free_port()))
    container.start()
    yield container
    container.remove()


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Log]:
    made = Log(tmp_path / "log")
    yield made
    made.close()


def await_cut(read: Callable[[], str]) -> None:
    deadline = time.monotonic() + 20
    while not read().startswith("[the log is cut here: at most its last 64 MB are kept]\n"):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def await_end(container: ProcessContainer) -> None:
    deadline = time.monotonic() + 60
    while "the last line" not in container.logs(100):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_flood_does_not_stay_on_the_disk(loud: ProcessContainer) -> None:
    await_end(loud)
    await_cut(loud.logs)
    deadline = time.monotonic() + 20
    while len(kept := loud.logs()) > MOST_BYTES:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert loud._log is not None
    with loud._log.file.open("rb") as file:
        os.fsync(file.fileno())
    assert loud._log.file.stat().st_blocks * 512 <= MOST_BYTES
    assert kept.splitlines()[1].startswith("xxx")
    assert kept.endswith("x\nthe last line\n")
    assert "\0" not in kept
    assert MOST_BYTES // 4 < len(kept) <= MOST_BYTES


def test_its_tail_and_what_is_kept_of_it_take_little_memory(loud: ProcessContainer) -> None:
    await_end(loud)
    tracemalloc.start()
    try:
        tail = log_tail(loud, lines=2)
        loud.remove()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert tail.endswith("x\n    the last line")
    assert most < 8 * KEPT_BYTES
    assert len(loud.logs()) == KEPT_BYTES
    assert loud.logs(14) == "the last line\n"


def test_a_sandbox_s_log_is_kept_as_little_of(run_script: RunScript) -> None:
    container = run_script("print('x' * (3 * 2**20)); print('the last line')", is_watched=False)
    assert await_log(container, "the last line").startswith("xxx")
    assert container.logs(14) == "the last line\n"
    container.remove()
    assert len(container.logs()) == KEPT_BYTES


def test_where_a_file_has_no_holes_it_is_begun_anew(written: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_make_hole", lambda descriptor, size: False)
    with written.file.open("ab", buffering=0) as output:
        output.write(bytes(MOST_BYTES + 1))
        deadline = time.monotonic() + 20
        while written.file.stat().st_size:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        output.write(b"rest of a line\nthe last line\n")
    assert written.text().endswith("MB are kept]\nthe last line\n")


def test_a_program_may_begin_its_log_anew_itself(written: Log) -> None:
    with written.file.open("ab", buffering=0) as output:
        output.write(bytes(MOST_BYTES + 1))
        await_cut(written.text)
        os.truncate(written.file, 0)
        deadline = time.monotonic() + 20
        while "the last line" not in written.text():
            assert time.monotonic() < deadline
            output.write(b"the last line\n")
            time.sleep(0.01)


def test_a_program_that_makes_its_log_s_file_huge_is_not_read_whole(written: Log) -> None:
    os.truncate(written.file, 2**40)
    assert len(written.text()) <= MOST_BYTES + 100
    assert len(written.text(100)) <= 200
