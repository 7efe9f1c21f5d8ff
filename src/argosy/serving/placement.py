"""Which processors, threads and GPUs each model process gets, so that several never fight for the same.

Every numeric library makes as many threads as it sees processors; as many processes as processors then run the square
of that. So processors are divided: most libraries are told by variables, which they read when they are loaded; what
counts the processors that it may run on (joblib, `os.process_cpu_count`) is confined to a slice while the model loads.

ONNX Runtime heeds neither the mask nor `OMP_NUM_THREADS`: it counts the machine's cores and pins a thread to each, in
every process to the same ones. Since its pull request 29688 it heeds `ORT_INTRA_OP_NUM_THREADS`, and then pins nothing
(tried 2026-11-22: 1.31.1 and 1.32.0 do, 1.23.2 and 1.24.4 do not and want `SessionOptions.intra_op_num_threads`).
"""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from argosy.serving import memory

THREAD_VARIABLES: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "ORT_INTRA_OP_NUM_THREADS",
    "ORT_INTER_OP_NUM_THREADS",
)
"""How the libraries are told their number of threads: OpenMP (PyTorch, scikit-learn, XGBoost, LightGBM, Arrow),
OpenBLAS, MKL, BLIS, Apple's Accelerate, numexpr, Numba, Rust libraries (tokenizers), Polars, TensorFlow,
ONNX Runtime."""
GPU_VARIABLE: Final = "CUDA_VISIBLE_DEVICES"
_OPENMP: Final = "OMP_NUM_THREADS"
_ROOT: Final = Path("/")
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Placement:
    """What one model process gets.

    Attributes:
        cpus: Processors that it is confined to while it loads.
        threads: Threads for each of its libraries; the same for all processes.
        environment: Variables that differ from process to process, to be set before the model is loaded.
    """

    cpus: frozenset[int]
    threads: int
    environment: Mapping[str, str]


def place(number: int, workers: int, cpus: Collection[int], gpus: Sequence[str]) -> Placement:
    """The share of one model process.

    Slices of processors are disjoint as long as there are enough, so are those of GPUs; otherwise they are dealt in
    turn. A single process gets everything, and a model that spreads over several GPUs finds them all.

    Args:
        number: Which process, 0 to `workers` - 1; the one that replaces a dead one takes its number.
        workers: How many there are, at least 1.
        cpus: Processors of the server (`own_cpus`), at least one.
        gpus: GPUs of the server, as `CUDA_VISIBLE_DEVICES` names them (`own_gpus`).
    """
    environment = {GPU_VARIABLE: ",".join(_slice(number, workers, gpus))} if gpus and workers > 1 else {}
    return Placement(frozenset(_slice(number, workers, sorted(cpus))), threads_each(len(cpus), workers), environment)


def threads_each(cpus: int, workers: int) -> int:
    """How many threads each library of a process may have: in all no more than processors, and at least one each."""
    return max(1, cpus // workers)


def thread_variables(threads: int, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that tell the libraries, as far as the user has not told them.

    The user's `OMP_NUM_THREADS` goes for the others too: whoever asks for four threads does not mean OpenMP alone.

    Args:
        threads: `threads_each`.
        environ: What the user has set.
    """
    told = environ.get(_OPENMP, "").partition(",")[0].strip()
    number = told if told.isascii() and told.isdigit() and int(told) else str(threads)
    return {name: number for name in THREAD_VARIABLES if name not in environ}


def usable_cpus(allowed: Collection[int], quota: float | None) -> tuple[int, ...]:
    """As many of the allowed processors as the quota is good for, at least one.

    A part of a processor does not count: a thread more than the quota pays for stops all of them when it is used up.

    Args:
        allowed: Processors that the process may run on.
        quota: Processors' worth of time that the control group has, or None.
    """
    count = len(allowed) if quota is None else min(len(allowed), max(1, int(quota)))
    return tuple(sorted(allowed))[:count]


def own_cpus(root: Path = _ROOT) -> tuple[int, ...]:
    """The processors that this server may use; fewer than it may run on when its control group has a quota."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return usable_cpus(allowed, cpu_quota(root))


def cpu_quota(root: Path = _ROOT) -> float | None:
    """Processors' worth of time that the control group and those around it allow, or None.

    Source:
        Linux kernel documentation, admin-guide/cgroup-v2, "CPU Interface Files": `cpu.max`; scheduler/sched-bwc:
        `cpu.cfs_quota_us`, `cpu.cfs_period_us` (read 2026-11-22).
    """
    quotas = []
    for folder in memory.group_folders("cpu", root):
        words = memory.read_group(folder, "cpu.max").split() or [
            memory.read_group(folder, "cpu.cfs_quota_us"),
            memory.read_group(folder, "cpu.cfs_period_us"),
        ]
        if len(words) == 2 and all(word.isdigit() and int(word) for word in words):  # unlimited is `max`, or -1
            quotas.append(int(words[0]) / int(words[1]))
    return min(quotas, default=None)


def own_gpus(environ: Mapping[str, str], root: Path = _ROOT) -> tuple[str, ...]:
    """The GPUs that this server may use, as `CUDA_VISIBLE_DEVICES` names them.

    What the user lists there; else one number for each NVIDIA device file. `NVIDIA_VISIBLE_DEVICES` is not read: it
    tells the container runtime which of the host's device files to make, and CUDA counts what it made from 0.
    """
    told = environ.get(GPU_VARIABLE)
    if told is None:
        return tuple(str(i) for i, _ in enumerate(root.glob("dev/nvidia[0-9]*")))
    names = [name.strip() for name in told.split(",")]
    # CUDA takes the list up to the first name that is none.
    end = next((i for i, name in enumerate(names) if not name or name.startswith("-")), len(names))
    return tuple(names[:end])


def _slice(number: int, workers: int, items: Sequence[_Item]) -> Sequence[_Item]:
    if workers > len(items):
        return (items[number % len(items)],)
    return items[number * len(items) // workers : (number + 1) * len(items) // workers]
