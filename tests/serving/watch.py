"""A pinger that runs beside a test, and what it saw."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from argosy import contract
from tests.serving.server_process import ServerProcess, wait_until

EVERY_S = 0.02


class Ping(NamedTuple):
    """One health check: when it was asked, how long the answer took, and its status; 0 stands for no answer."""

    at: float
    took_s: float
    status: int


@dataclass
class Watch:
    """The health checks of one server, in order."""

    pings: list[Ping] = field(default_factory=list)

    @property
    def statuses(self) -> set[int]:
        return {ping.status for ping in self.pings}

    @property
    def late(self) -> list[Ping]:
        """Those that were not answered, or not in time."""
        return [ping for ping in self.pings if ping.took_s >= contract.PING.value or not ping.status]

    @property
    def turns(self) -> list[int]:
        """The statuses in order, repetitions left out."""
        statuses = [ping.status for ping in self.pings]
        return [now for before, now in pairwise([None, *statuses]) if now != before and now is not None]


@contextmanager
def watched(server: ServerProcess, *, ends: bool = False) -> Iterator[Watch]:
    """Ping all the time, each on a connection of its own as the platform does; each must be answered within 2 s.

    Args:
        server: Runs and accepts.
        ends: Whether it ends in between: it is then gone for the last pings, and only for those.
    """
    watch = Watch()
    stop = threading.Event()
    pinger = threading.Thread(target=_ping_until, args=(stop, server.port, watch))
    pinger.start()
    wait_until(lambda: watch.pings, 2 * contract.PING.value)
    try:
        yield watch
    finally:
        stop.set()
        pinger.join()
    if ends:
        while watch.pings and not watch.pings[-1].status:
            watch.pings.pop()
    assert watch.pings
    assert watch.late == []


def _ping_until(stop: threading.Event, port: int, watch: Watch) -> None:
    while not stop.is_set():
        at = time.monotonic()
        status = _ping(port)
        watch.pings.append(Ping(at, time.monotonic() - at, status))
        stop.wait(EVERY_S)


def _ping(port: int) -> int:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=contract.PING.value) as connection:
            connection.sendall(b"GET /ping HTTP/1.1\r\nHost: model.aws.local:8080\r\n\r\n")
            answer = connection.recv(4096)
    except OSError:
        return 0
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def heap_bytes(pid: int) -> int:
    """The memory of a process that lies in no file, what it shares with its relatives counted in proportion.

    Not its whole PSS: that also grows when a stranger ends that had the same libraries open.
    """
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss_Anon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no Pss_Anon of {pid}")


def open_files(pid: int) -> int:
    """How many file descriptors a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
