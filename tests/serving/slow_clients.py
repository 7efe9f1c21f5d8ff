"""Thousands of clients that never come to the end of their request."""

import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager

WANTED = 10_000
RESERVE = 1_000
"""File descriptors that the test and the server need for everything else."""
_HEAD = b"POST /invocations HTTP/1.1\r\nHost: model.aws.local:8080\r\n"
_LARGE = b"Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n["


@contextmanager
def many_files() -> Iterator[int]:
    """As many file descriptors as this process, and those it starts, may have; yields how many clients that allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield min(WANTED, hard - RESERVE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class SlowClients:
    """Half of them send a head field by field, half a large body byte by byte; the server may hang up on them."""

    def __init__(self, port: int, count: int) -> None:
        self._open: list[tuple[socket.socket, bytes]] = []
        for number in range(count):
            connection = socket.create_connection(("127.0.0.1", port), timeout=20)
            is_head = number % 2 == 0
            connection.sendall(_HEAD if is_head else _HEAD + _LARGE)
            self._open.append((connection, b"X-Slow: 1\r\n" if is_head else b"1,"))

    def __len__(self) -> int:
        return len(self._open)

    def drip(self) -> None:
        """A little more from each of them."""
        still = []
        for connection, piece in self._open:
            try:
                connection.sendall(piece)
                still.append((connection, piece))
            except ConnectionError:
                connection.close()
        self._open = still

    def close(self) -> None:
        """They all hang up."""
        for connection, _ in self._open:
            connection.close()
        self._open.clear()
