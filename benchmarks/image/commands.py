"""Programs that are run: how long they take, what they print, how much memory all their processes have at once."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.processes import descendants

_SAMPLE_S: Final = 0.01


class FailedError(Exception):
    """A program failed; the message is the end of what it printed."""


def say(text: str) -> None:
    """Progress, for who waits."""
    print(text, file=sys.stderr, flush=True)


def run(argv: Sequence[str], environ: Mapping[str, str] | None = None, folder: Path | None = None) -> str:
    """What a program prints to its standard output.

    Raises:
        FailedError: It is not there, or its exit code is not 0.
    """
    try:
        done = subprocess.run(argv, env=environ, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise FailedError(str(error)) from error
    if done.returncode != 0:
        raise FailedError(f"{' '.join(argv[:4])}: {(done.stderr.strip() or done.stdout.strip())[-500:]}")
    return done.stdout.strip()


def seconds(*commands: Sequence[str], environ: Mapping[str, str] | None = None) -> float:
    """How long programs take, one after the other, from their start to their end.

    Raises:
        FailedError: One fails.
    """
    started = time.perf_counter()
    for argv in commands:
        run(argv, environ)
    return time.perf_counter() - started


def peak_mb(argv: Sequence[str], environ: Mapping[str, str]) -> float:
    """The most memory in MiB (RSS) that a program and all that it starts have at once, looked at 100 times a second.

    Raises:
        FailedError: It fails.
    """
    with subprocess.Popen(argv, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        said: list[bytes] = []
        reader = threading.Thread(target=lambda stream: said.extend(stream), args=(process.stderr,))
        reader.start()
        most = 0
        while process.poll() is None:
            most = max(most, sum(map(_rss_bytes, {process.pid} | descendants(process.pid))))
            time.sleep(_SAMPLE_S)
        reader.join()
    if process.returncode != 0:
        raise FailedError(b"".join(said)[-500:].decode(errors="replace"))
    return most / 2**20


def _rss_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (FileNotFoundError, ProcessLookupError):
        return 0
