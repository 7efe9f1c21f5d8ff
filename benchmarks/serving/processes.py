"""A server under measurement: started on one processor in a session of its own, asked what it costs, ended whole."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.processes import descendants, is_alive

SERVER_CPU: Final = 0
LOAD_CPU: Final = 1
_PRIORITY: Final = -15
_ASKED_EVERY_S: Final = 0.01
"""Between two questions whether a server serves. Each takes 0.2 ms of the one processor that the server has."""
_START_S: Final = 120.0
_STOP_S: Final = 10.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class NotStartedError(Exception):
    """A server did not come up; the message is the end of what it printed."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How a server is started.

    Attributes:
        command: Its command line.
        environ: Its whole environment.
        folder: Its working directory.
        port: TCP port on 127.0.0.1 that it will listen on.
        ready: Path that answers 200 when it serves.
        cpus: Processors that it is held to.
    """

    command: Sequence[str]
    environ: Mapping[str, str]
    folder: Path
    port: int
    ready: str = "/ping"
    cpus: tuple[int, ...] = (SERVER_CPU,)


@dataclass(slots=True)
class Running:
    """A server that serves; `start_s` is the time from its start to its first 200."""

    pid: int
    port: int
    start_s: float

    def tree(self) -> set[int]:
        """All its processes."""
        return _tree(self.pid)

    def cpu_s(self) -> float:
        """Processor seconds of all processes that live now and of the children they have waited for."""
        return sum(_cpu_s(pid) for pid in self.tree())

    def pss_mb(self) -> float:
        """Memory in MiB: each process's proportional share of what it shares with others."""
        return sum(_pss_kb(pid) for pid in self.tree()) / 1024


@contextmanager
def running(launch: Launch) -> Iterator[Running]:
    """Start, wait until it serves, end everything that it started.

    Raises:
        NotStartedError: It ended, or was not ready within two minutes.
    """
    with tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        server = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, launch.cpus)), *launch.command],
            env=dict(launch.environ),
            cwd=launch.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            prefer(server.pid)
            while status(launch.port, launch.ready) != 200:
                if server.poll() is not None or time.perf_counter() - started > _START_S:
                    log.seek(0)
                    raise NotStartedError(log.read()[-3000:].decode(errors="replace"))
                time.sleep(_ASKED_EVERY_S)
            yield Running(server.pid, launch.port, time.perf_counter() - started)
        finally:
            _end(server)


def prefer(pid: int) -> None:
    """Let a session run before whatever else the machine does, where that is allowed; all servers get the same.

    The scheduler weighs sessions against each other (`sched(7)`, autogroup), so within a server nothing changes.
    """
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(_PRIORITY))
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, _PRIORITY)


def free_port() -> int:
    """A port with two free ones after it: some servers want more than one."""
    for port in range(18100, 19000, 10):
        with contextlib.suppress(OSError):
            for wanted in (port, port + 1, port + 2):
                socket.create_server(("127.0.0.1", wanted)).close()
            return port
    raise OSError("no free ports from 18100 to 19000")


def status(port: int, path: str, timeout_s: float = 1.0, body: bytes = b"") -> int:
    """The status of a GET, or of a POST of some CSV; 0 when nobody answers."""
    head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    if body:
        head += f"Content-Type: text/csv\r\nContent-Length: {len(body)}\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout_s) as connection:
            connection.sendall(f"{head}\r\n".encode() + body)
            answer = connection.recv(64)
    except OSError:
        return 0
    return int(answer[9:12]) if answer[9:12].isdigit() else 0


def _end(server: "subprocess.Popen[bytes]") -> None:
    """SIGTERM to the server; what is left of its tree and its session after ten seconds is killed."""
    tree = _tree(server.pid)
    server.terminate()
    deadline = time.monotonic() + _STOP_S
    while time.monotonic() < deadline and any(is_alive(pid) for pid in tree):
        server.poll()
        time.sleep(0.02)
    for pid in tree:
        if is_alive(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def _tree(pid: int) -> set[int]:
    """A server's processes: those below it, and those of its session whose parent has left."""
    session = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(ProcessLookupError):
                if os.getsid(int(folder.name)) == pid:
                    session.add(int(folder.name))
    return session | {pid} | descendants(pid)


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
