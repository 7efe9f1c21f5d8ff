"""Every model process has its share, and no two fight over one."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.serving import placement
from argosy.serving.placement import THREAD_VARIABLES, place

CPUS = st.sets(st.integers(0, 500), min_size=1, max_size=200)
GPUS = st.lists(st.integers(0, 15).map(str), unique=True, max_size=16)


@given(st.integers(1, 250), CPUS, GPUS)
def test_slices_are_disjoint_and_cover_as_long_as_there_are_enough(
    workers: int, cpus: set[int], gpus: list[str]
) -> None:
    placements = [place(number, workers, cpus, gpus) for number in range(workers)]
    assert all(placed.threads >= 1 and placed.cpus and placed.cpus <= cpus for placed in placements)
    if workers <= len(cpus):
        assert sum(len(placed.cpus) for placed in placements) == len(cpus)
        assert frozenset().union(*(placed.cpus for placed in placements)) == cpus
        assert sum(placed.threads for placed in placements) <= len(cpus)
        assert all(placed.threads <= len(placed.cpus) <= placed.threads + 1 for placed in placements)
    else:
        assert {len(placed.cpus) for placed in placements} == {1}
        used = [sum(placed.cpus == {cpu} for placed in placements) for cpu in cpus]
        assert max(used) - min(used) <= 1


@given(st.integers(2, 40), GPUS)
def test_gpus_are_divided_or_dealt(workers: int, gpus: list[str]) -> None:
    told = [place(number, workers, {0}, gpus).environment.get("CUDA_VISIBLE_DEVICES") for number in range(workers)]
    if not gpus:
        assert set(told) == {None}
    elif workers <= len(gpus):
        assert ",".join(str(each) for each in told).split(",") == gpus
    else:
        assert told == [gpus[number % len(gpus)] for number in range(workers)]


def test_a_single_process_keeps_all_gpus() -> None:
    assert place(0, 1, {0, 1}, ["0", "1"]).environment == {}


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, dict.fromkeys(THREAD_VARIABLES, "3")),
        ({"OMP_NUM_THREADS": "7"}, {name: "7" for name in THREAD_VARIABLES if name != "OMP_NUM_THREADS"}),
        ({"OMP_NUM_THREADS": "5,2"}, {name: "5" for name in THREAD_VARIABLES if name != "OMP_NUM_THREADS"}),
        ({"OMP_NUM_THREADS": "many"}, {name: "3" for name in THREAD_VARIABLES if name != "OMP_NUM_THREADS"}),
        ({"MKL_NUM_THREADS": "1"}, {name: "3" for name in THREAD_VARIABLES if name != "MKL_NUM_THREADS"}),
    ],
)
def test_the_users_own_setting_wins(environ: Mapping[str, str], told: Mapping[str, str]) -> None:
    assert placement.thread_variables(3, environ) == told


@pytest.mark.parametrize(
    ("quota", "usable"), [(None, (2, 3, 5)), (8.0, (2, 3, 5)), (2.0, (2, 3)), (1.9, (2,)), (0.1, (2,))]
)
def test_a_quota_counts_whole_processors(quota: float | None, usable: tuple[int, ...]) -> None:
    assert placement.usable_cpus({5, 3, 2}, quota) == usable


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "250000 100000\n"}, 2.5),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/b/cpu.max": "400000 100000\n",
                "sys/fs/cgroup/a/cpu.max": "150000 100000\n",
            },
            1.5,
        ),
        (
            {
                "proc/self/cgroup": "4:cpu,cpuacct:/docker/f00\n1:name=systemd:/docker/f00\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            0.5,
        ),
        (
            {
                "proc/self/cgroup": "4:cpu:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            None,
        ),
    ],
)
def test_the_quota_of_either_version_of_control_groups_is_read(
    tmp_path: Path, files: Mapping[str, str], quota: float | None
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert placement.cpu_quota(tmp_path) == quota


@pytest.mark.parametrize(
    ("environ", "gpus"),
    [
        ({}, ("0", "1", "2")),
        ({"CUDA_VISIBLE_DEVICES": "3, GPU-8932f937"}, ("3", "GPU-8932f937")),
        ({"CUDA_VISIBLE_DEVICES": "1,-1,0"}, ("1",)),
        ({"CUDA_VISIBLE_DEVICES": ""}, ()),
    ],
)
def test_gpus_are_those_listed_or_those_with_a_device_file(
    tmp_path: Path, environ: Mapping[str, str], gpus: tuple[str, ...]
) -> None:
    (tmp_path / "dev").mkdir()
    for name in ("nvidia0", "nvidia3", "nvidia10", "nvidiactl", "nvidia-uvm"):
        (tmp_path / "dev" / name).touch()
    assert placement.own_gpus(environ, tmp_path) == gpus


def test_own_processors_are_among_those_that_the_process_may_run_on() -> None:
    cpus = placement.own_cpus()
    assert cpus
    assert set(cpus) <= os.sched_getaffinity(0)


def test_a_real_library_makes_no_more_threads_than_it_was_told() -> None:
    cpus = placement.own_cpus()
    alone = placement.thread_variables(placement.threads_each(len(cpus), len(cpus)), {})
    program = (
        "import os, numpy; numpy.ones((300, 300)) @ numpy.ones((300, 300)); print(len(os.listdir('/proc/self/task')))"
    )
    done = subprocess.run([sys.executable, "-c", program], env=alone, capture_output=True, timeout=60, check=True)
    assert int(done.stdout) == 1
