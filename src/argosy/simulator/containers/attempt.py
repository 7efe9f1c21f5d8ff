"""What a container tried to reach: a host's address, or a connection to it, which it gets neither of on SageMaker.

`network_watch.py` and `python_audit.py` write a line of JSON for each into a file, from below and from inside; here
they become values. What comes from inside is a stranger's, and is read with care.
"""

import json
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = "/run/argosy-watch"
"""Where a container finds the audit hook, as `sitecustomize` on Python's path, and the file that it writes to."""

_HOOK: Final = Path(__file__).with_name("python_audit.py")
_MOST: Final = 200
_MOST_BYTES: Final = 2**20
_LONGEST: Final = 300
_FOLLOW_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to reach the network.

    Attributes:
        host: A name, or an address.
        process: The name of the process; empty where it is not known.
        port: 0 when the host's address was only looked up.
        line: `FILE:LINE` of the Python code, in the container's own paths; empty where it is not known.
    """

    host: str
    process: str
    port: int = 0
    line: str = ""

    def __str__(self) -> str:
        what = f"tried to connect to {self.host}:{self.port}" if self.port else f"looked up {self.host}"
        who = ", ".join(filter(None, (self.process, self.line)))
        return f"the container {what}{f' ({who})' if who else ''}; there is no network for it on SageMaker"


OnAttempt = Callable[[Attempt], None]
"""Is told of an attempt once, on a thread of its own."""


class AttemptLog:
    """The attempts of one container.

    Args:
        folder: A new folder is made in it; what is in there is seen by the container at `FOLDER`.
        on_attempt: Told of each, from `follow` to `close`.
    """

    def __init__(self, folder: Path, on_attempt: OnAttempt | None = None) -> None:
        self.folder = folder / "watch"
        self.file = self.folder / "attempts"
        self.folder.mkdir(mode=0o755)
        self.folder.chmod(0o755)
        shutil.copyfile(_HOOK, self.folder / "sitecustomize.py")
        (self.folder / "sitecustomize.py").chmod(0o644)
        self.file.touch()
        self.file.chmod(0o666)
        self._on_attempt = on_attempt
        self._place = 0
        self._found: dict[tuple[str, str], Attempt] = {}
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self) -> None:
        """Tell of attempts as they come."""
        if self._on_attempt is not None:
            self._thread = threading.Thread(target=self._follow, name="argosy-attempts", daemon=True)
            self._thread.start()

    def attempts(self) -> tuple[Attempt, ...]:
        """All so far, one for each host and process."""
        with self._lock:
            self._read()
            return tuple(self._found.values())

    def close(self) -> None:
        """Tell of what came last; no more after that."""
        self._is_over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.attempts()

    def _follow(self) -> None:
        told = 0
        is_last = False
        while not is_last:
            is_last = self._is_over.wait(_FOLLOW_S)
            found = self.attempts()
            for attempt in found[told:]:
                if self._on_attempt is not None:
                    self._on_attempt(attempt)
            told = len(found)

    def _read(self) -> None:
        """Whole lines that are new; a flood of them is not read to its end."""
        if self._place >= _MOST_BYTES or len(self._found) >= _MOST:
            return
        try:
            with self.file.open("rb") as file:
                file.seek(self._place)
                new = file.read(_MOST_BYTES - self._place)
        except OSError:
            return
        whole, newline, _ = new.rpartition(b"\n")
        self._place += len(whole) + len(newline)
        for line in whole.splitlines():
            attempt = parse(line)
            if attempt is None or (not attempt.process and any(host == attempt.host for host, _ in self._found)):
                continue  # whose it was could not be seen any more: most likely one that told of it itself
            self._found.setdefault((attempt.host, attempt.process), attempt)


def parse(line: bytes) -> Attempt | None:
    """The attempt that a line tells of, None when it is none.

    >>> parse(b'{"host": "pypi.org", "port": 443, "process": "python3", "line": "/app/serve.py:3"}')
    Attempt(host='pypi.org', process='python3', port=443, line='/app/serve.py:3')
    """
    try:
        found = json.loads(line)
        if not isinstance(found, Mapping):
            return None
        host, process, written = (_text(found.get(name)) for name in ("host", "process", "line"))
        port = found.get("port")
    except (ValueError, RecursionError):
        return None
    if not host:
        return None
    return Attempt(
        host.lower().rstrip("."), process, port if isinstance(port, int) and 0 < port < 65536 else 0, written
    )


def _text(value: object) -> str:
    """What may be shown of a stranger's string."""
    return "".join(sign if sign.isprintable() else "?" for sign in value[:_LONGEST]) if isinstance(value, str) else ""
