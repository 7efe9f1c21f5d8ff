"""Ports for the servers that tests start."""

import itertools
import os
import random
import socket
from typing import Final

# Below Linux's ip_local_port_range (32768-60999) and macOS's: the kernel gives these to no connection and no `bind` to
# port 0 between the moment when one is chosen and the moment when the server listens there.
_FIRST: Final = 10_000
_RANGES: Final = 5
_SIZE: Final = 4_000

# Each process of a run (`pytest -n 2`: gw0, gw1) has a range of its own; where it begins in it keeps two runs apart.
_range = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _RANGES
_turn = itertools.count(random.randrange(_SIZE))


def free_port() -> int:
    """A port on which nothing listens now, at any address, and that no other test is given for a long time."""
    for turn in itertools.islice(_turn, _SIZE):
        port = _FIRST + _range * _SIZE + turn % _SIZE
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no free port from {_FIRST + _range * _SIZE} on")
