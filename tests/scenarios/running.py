"""Starts our own commands and waits for what they say, with a deadline."""

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples/breast-cancer"
ARGOSY = [sys.executable, "-m", "argosy"]


def argosy(*arguments: object, timeout_s: float = 240, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a verb to its end."""
    return subprocess.run(
        [*ARGOSY, *map(str, arguments)],
        capture_output=True, text=True, timeout=timeout_s, env={**os.environ, **environ},
    )  # fmt: skip


@dataclass
class Running:
    """A verb that runs until it is told to stop; what it says is in `log`."""

    process: subprocess.Popen[bytes]
    path: Path

    @property
    def log(self) -> str:
        """What it wrote to stdout and stderr so far."""
        return self.path.read_text(errors="replace")

    def await_true(self, is_true: Callable[[], bool], timeout_s: float = 120) -> None:
        """Wait until something holds; fails with the log when the process ends before or time is up."""
        deadline = time.monotonic() + timeout_s
        while not is_true():
            if self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}:\n{self.log}")
            if time.monotonic() > deadline:
                raise AssertionError(f"not in {timeout_s} s:\n{self.log}")
            time.sleep(0.02)

    def stop(self) -> int:
        """Ctrl-C; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@contextlib.contextmanager
def running(log: Path, *arguments: object) -> Iterator[Running]:
    """A verb that is stopped at the end, whatever happened."""
    with log.open("wb") as file:
        process = subprocess.Popen([*ARGOSY, *map(str, arguments)], stdout=file, stderr=subprocess.STDOUT)
    try:
        yield Running(process, log)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def status(url: str) -> int:
    """The HTTP status of a GET, 0 when nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            code: int = answer.status
            return code
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
