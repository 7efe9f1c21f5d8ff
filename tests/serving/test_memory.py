"""How much memory is left, and for how many processes that is enough."""

import mmap
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.serving import memory

KB = 1024
MEMINFO = """\
MemTotal:       8000 kB
MemFree:         100 kB
MemAvailable:   5000 kB
Active(anon):      7 kB
HugePages_Total:   0
"""


@given(st.integers(0, 2**40), st.integers(0, 2**42), st.integers(1, 256))
def test_as_many_processes_as_fit_and_never_none(private: int, available: int, at_most: int) -> None:
    workers = memory.workers_by_memory(private, available, at_most)
    assert 1 <= workers <= at_most
    assert (workers - 1) * private <= available
    if workers < at_most:
        assert workers * private > available * 0.89 - private or private == 0


@pytest.mark.parametrize(("available", "workers"), [(0, 1), (1999, 1), (2300, 2), (4500, 3), (100_000, 8)])
def test_a_tenth_stays_free(available: int, workers: int) -> None:
    assert memory.workers_by_memory(2000, available, 8) == workers


@pytest.mark.parametrize(
    ("files", "available"),
    [
        ({}, None),
        ({"proc/meminfo": MEMINFO}, 5000 * KB),
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "0::/\n",
                "sys/fs/cgroup/memory.max": "max\n",
                "sys/fs/cgroup/memory.current": "4096\n",
            },
            5000 * KB,
        ),
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/b/memory.max": "1000000\n",
                "sys/fs/cgroup/a/b/memory.current": "700000\n",
                "sys/fs/cgroup/a/b/memory.stat": "anon 9\nactive_file 100000\ninactive_file 200000\nshmem 5\n",
                "sys/fs/cgroup/a/memory.max": "2000000\n",
                "sys/fs/cgroup/a/memory.current": "1500000\n",
            },
            500_000,
        ),
        (
            {
                "proc/meminfo": MEMINFO,
                "proc/self/cgroup": "9:memory:/docker/f00\n0::/\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "1000000\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "900000\n",
                "sys/fs/cgroup/memory/memory.stat": "active_file 1\ntotal_active_file 100000\ntotal_inactive_file 0\n",
            },
            200_000,
        ),
        (
            {
                "proc/self/cgroup": "9:memory:/\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "1000\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": "5000\n",
            },
            0,
        ),
    ],
)
def test_what_is_left_is_the_least_of_all_limits(
    tmp_path: Path, files: Mapping[str, str], available: int | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory.available_bytes(tmp_path) == available


def test_this_machine_tells_what_is_left() -> None:
    available = memory.available_bytes()
    assert available
    assert 0 < available < 2**50


def test_private_is_what_a_process_wrote_and_shares_with_nobody() -> None:
    program = """
import mmap, os
from argosy.serving import memory
print(memory.private_bytes(os.getpid()))
pages = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE)
pages.write(b"x" * (64 << 20))
print(memory.private_bytes(os.getpid()), flush=True)
told, tell = os.pipe()
if os.fork() == 0:  # shares every page of it, until it reads that the other has counted
    os.close(tell)
    os.read(told, 1)
    os._exit(0)
print(memory.private_bytes(os.getpid()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=True)
    before, written, shared = map(int, done.stdout.split())
    assert written - before > (64 << 20) * 0.9
    assert shared < 32 << 20


def test_without_a_rollup_pages_that_are_not_of_files_count(tmp_path: Path) -> None:
    (tmp_path / "proc/7").mkdir(parents=True)
    (tmp_path / "proc/7/statm").write_text("900 500 200 1 0 300 0\n")
    assert memory.private_bytes(7, tmp_path) == 300 * mmap.PAGESIZE


def test_a_process_that_is_gone_has_nothing(tmp_path: Path) -> None:
    assert memory.private_bytes(7, tmp_path) is None
    assert memory.resident_bytes([7], tmp_path) == 0


def test_resident_memory_is_added_up() -> None:
    once = memory.resident_bytes([os.getpid()])
    assert once > 1 << 20
    assert memory.resident_bytes([os.getpid(), os.getpid()]) >= once * 1.9


@pytest.mark.parametrize(
    ("files", "killed"),
    [
        ({}, 0),
        ({"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.events": "low 0\noom 3\noom_kill 2\n"}, 2),
        (
            {
                "proc/self/cgroup": "8:memory:/\n",
                "sys/fs/cgroup/memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n",
            },
            4,
        ),
    ],
    ids=["nobody counts", "version 2", "version 1"],
)
def test_what_the_kernel_killed_for_want_of_memory(files: Mapping[str, str], killed: int, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory.killed(tmp_path) == killed
