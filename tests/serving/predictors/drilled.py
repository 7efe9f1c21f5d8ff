"""Predictors that go through the drills: each body names one thing to do to the process."""

import contextlib
import ctypes
import gc
import os
import resource
import signal
import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar

from argosy import Predictor

KEEPS_THE_LOCK = ctypes.PyDLL(None)
"""PyDLL, unlike CDLL, keeps the interpreter's lock during the call."""


class Drilled(Predictor):
    """Loads for as long as it is told to, and then does what the body says."""

    def load(self, model_dir: Path) -> None:
        time.sleep(float(os.environ.get("TEST_LOAD_SECONDS", "0")))
        match os.environ.get("TEST_CHILD"):
            case "forked" if os.fork() == 0:
                time.sleep(20)
                os._exit(0)
            case "inherits":
                os.posix_spawn("/bin/sleep", ["sleep", "20"], {})
            case "holds":
                _pass_on_everything()
                os.posix_spawn("/bin/sleep", ["sleep", "20"], {})
        if room := int(os.environ.get("TEST_ROOM_MB", "0")):
            resource.setrlimit(resource.RLIMIT_AS, (_address_space() + room * 2**20,) * 2)

    def predict(self, inputs: dict[str, Any]) -> Any:
        match inputs["do"]:
            case "hold-lock":
                KEEPS_THE_LOCK.usleep(int(inputs["seconds"] * 1e6))
            case "collect":
                return {"collected": _collect_for(inputs["seconds"])}
            case "allocate":
                bytearray(inputs["mb"] * 2**20)
            case "die-of-memory":
                held = bytearray(64 * 2**20)
                os.kill(os.getpid(), signal.SIGKILL)  # what the kernel sends when memory runs out
                return len(held)
            case "segfault":
                ctypes.string_at(0)
            case "exit":
                os._exit(3)
            case "write":
                with tempfile.NamedTemporaryFile(dir="/tmp") as file:
                    file.write(b"x" * inputs["bytes"])
                    file.flush()
            case "sleep":
                time.sleep(inputs["seconds"])
            case "answer":
                return "x" * inputs["bytes"]
        return {"pid": os.getpid()}


class Slow:
    """Garbage whose end takes a while, all of it with the interpreter's lock held."""

    seen: ClassVar[int] = 0

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        Slow.seen += 1
        KEEPS_THE_LOCK.usleep(100_000)


def _collect_for(seconds: float) -> int:
    """One garbage collection that takes so long."""
    Slow.seen = 0
    gc.disable()
    for _ in range(round(seconds / 0.1)):
        Slow()
    gc.enable()
    gc.collect()
    return Slow.seen


def _pass_on_everything() -> None:
    """What a library does whose own fork closes nothing: a child then holds all that its parent has open."""
    for fd in map(int, [found.name for found in Path("/proc/self/fd").iterdir()]):
        with contextlib.suppress(OSError):  # the folder's own
            os.set_inheritable(fd, True)


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()
