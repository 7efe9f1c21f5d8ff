"""Sees what a container tries to reach: lookups of names, and connections that lead nowhere.

Runs in the container's network namespace, outside of its other namespaces. Standard library alone: see `supervisor.py`.

A lookup is answered at once with "the server failed", as by a resolver that has no way out itself; whoever asked is
found by the query's port while it waits for the answer. A connection that is never answered stays in the kernel's
table as SYN-SENT until its owner gives up; the table is read five times a second. One that fails within that time is
missed here. What Python does, `python_audit.py` sees too, and with the line.

Source:
    RFC 1035 sections 4.1.1 and 4.1.2; proc_net_tcp of the kernel's documentation (read 2026-11-23).
"""

import json
import os
import select
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argosy.simulator.containers.relay import Loop

RESOLVER: Final = "127.0.0.53"
LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
_LISTEN: Final = "0A"
_SYN_SENT: Final = "02"
_DNS_PORT: Final = 53
_SERVER_FAILURE: Final = 0x8182  # an answer, recursion was wanted, and it failed for now
_HEADER: Final = struct.Struct("!HHHHHH")
_QUESTION_END: Final = 4  # type and class
_LONGEST_NAME: Final = 255
_TABLES: Final = ("tcp", "tcp6", "udp", "udp6")
_V4_MAPPED: Final = "0000000000000000FFFF0000"


@dataclass(frozen=True, slots=True)
class Row:
    """One socket of a table in `/proc/net`.

    Attributes:
        local: Address and port that it has.
        remote: Address and port that it is, or wants to be, connected to.
        state: In hexadecimal, as the kernel writes it.
        inode: Its number, as in `/proc/PID/fd`; 0 when nobody holds it.
    """

    local: tuple[str, int]
    remote: tuple[str, int]
    state: str
    inode: int


def sockets(table: str, folder: Path = Path("/proc/self/net"), state: str = "") -> Iterator[Row]:
    """The rows of a table (`tcp`, `udp6`, …) of a network namespace; none where there is no such table.

    Args:
        table: Its name.
        folder: Where the tables are.
        state: Of the rows that are wanted; empty means all. A busy machine has ten thousands of connections that are
            over and wait, and to read their addresses takes long.
    """
    try:
        lines = (folder / table).read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return
    for line in lines:
        fields = line.split()
        if state and fields[3] != state:
            continue
        yield Row(_address(fields[1]), _address(fields[2]), fields[3], int(fields[9]))


def listening(port: int, folder: Path = Path("/proc/self/net")) -> frozenset[str]:
    """The addresses at which a TCP port is listened on, in a network namespace."""
    rows = (row for table in ("tcp", "tcp6") for row in sockets(table, folder, _LISTEN))
    return frozenset(row.local[0] for row in rows if row.local[1] == port)


class NetworkWatch:
    """Writes a line to a file for every attempt.

    Args:
        loop: Runs it.
        path: The file; lines are JSON objects as `attempt.py` reads them.
    """

    def __init__(self, loop: Loop, path: str) -> None:
        self._path = path
        self._seen: set[tuple[int, tuple[str, int]]] = set()
        self._resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._resolver.bind((RESOLVER, _DNS_PORT))
        loop.watch(self._resolver.fileno(), select.EPOLLIN, self._answer)

    def look(self) -> None:
        """Read the tables for connections on their way."""
        waiting = {
            (row.inode, row.remote)
            for table in _TABLES
            for row in sockets(table)
            if row.inode and _leads_out(row, table)
        }
        for inode, (host, port) in waiting - self._seen:
            self._tell("connect", host, port, inode)
        self._seen = waiting

    def _answer(self, _events: int) -> None:
        with suppress(BlockingIOError):
            while True:
                query, client = self._resolver.recvfrom(4096)
                name, end = _question(query)
                if not name:
                    continue
                if not name.endswith(".arpa"):
                    self._tell("lookup", name, 0, _inode_of(client))
                head = _HEADER.pack(int.from_bytes(query[:2]), _SERVER_FAILURE, 1, 0, 0, 0)
                with suppress(OSError):
                    self._resolver.sendto(head + query[_HEADER.size : end], client)

    def _tell(self, kind: str, host: str, port: int, inode: int) -> None:
        line = json.dumps({"kind": kind, "host": host, "port": port, "process": _owner(inode), "line": ""})
        with suppress(OSError), Path(self._path).open("a", encoding="ascii") as file:
            file.write(line + "\n")


def _leads_out(row: Row, table: str) -> bool:
    """Whether it is a connection that nobody answers, or a datagram socket that is bent on a far host."""
    host, port = row.remote
    if host.startswith("127.") or host in ("0.0.0.0", "::", "::1") or host == row.local[0]:
        return False
    return row.state == _SYN_SENT if table.startswith("tcp") else port > 0


def _question(query: bytes) -> tuple[str, int]:
    """The name that is asked for, and where the question ends; an empty name when it is no plain query."""
    labels: list[str] = []
    place = _HEADER.size
    while place < len(query) and query[place]:
        length = query[place]
        if length > 63 or place > _LONGEST_NAME + _HEADER.size:
            return "", 0
        labels.append(query[place + 1 : place + 1 + length].decode("ascii", "replace"))
        place += 1 + length
    end = place + 1 + _QUESTION_END
    return (".".join(labels).lower(), end) if end <= len(query) else ("", 0)


def _inode_of(client: tuple[str, int]) -> int:
    """The socket that a datagram came from."""
    for table in ("udp", "udp6"):
        for row in sockets(table):
            if row.local[1] == client[1] and row.inode:
                return row.inode
    return 0


def _owner(inode: int) -> str:
    """The name of the process of this network namespace that holds a socket; empty when there is none any more."""
    wanted = f"socket:[{inode}]"
    namespace = Path("/proc/self/ns/net").readlink()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int(process.name) == os.getpid() or (process / "ns/net").readlink() != namespace:
                continue
            if any(_target(found) == wanted for found in (process / "fd").iterdir()):
                return (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
    return ""


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def _address(text: str) -> tuple[str, int]:
    """Address and port of a table's field: words of 32 bits in this machine's order."""
    address, _, port = text.partition(":")
    if address.startswith(_V4_MAPPED):
        address = address.removeprefix(_V4_MAPPED)
    words = [struct.pack("=I", int(address[place : place + 8], 16)) for place in range(0, len(address), 8)]
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return socket.inet_ntop(family, b"".join(words)), int(port, 16)
