"""The process above a sandbox's first process: the only way between its network namespace and this machine.

It is started in the new network namespace, in all others it is this machine's. It makes the network, starts the
container's first process in namespaces of its own, relays the port, answers lookups, and ends as that process ends.
For a container of an engine it only watches, until the container has ended or it is killed.

Its order comes as JSON on stdin: see `sandboxing/order.py`. Standard library alone, since `program.isolated` starts it.

The network is the loopback interface with a second address, from which the platform calls, so that a server that
listens on 127.0.0.1 alone is not reached, as on SageMaker. All other addresses are routed into the interface, where
nobody takes them: a connection hangs, as behind a firewall. UNSURE: whether it hangs or fails at once on SageMaker.

Source:
    netdevice(7) and rtnetlink's predecessor SIOCADDRT in ip(7) (Linux man-pages, read 2026-11-23).
"""

import ctypes
import fcntl
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

from argosy.simulator.containers.network_watch import LOOPBACK, NetworkWatch, listening
from argosy.simulator.containers.relay import Loop, Relay
from argosy.simulator.sandboxing import namespace_entry

PLATFORM: Final = "169.254.255.131"
"""The address that the container is called at: the Host of transform jobs, see `connection.TRANSFORM_JOB`."""
WRITTEN: Final = 200
"""The supervisor's file descriptor of the folder with all that the container wrote to its file system."""

_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWIPC, _CLONE_NEWPID = 0x20000, 0x4000000, 0x8000000, 0x20000000
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK, _SIOCADDRT = 0x8914, 0x8916, 0x891C, 0x890B
_UP: Final = 0x1 | 0x40  # IFF_UP, IFF_RUNNING
_ROUTE: Final = struct.Struct("@L16s16s16sHhLLhhhPLLH")  # struct rtentry
_ROUTE_UP: Final = 1
_OPENING_S: Final = 0.005
_LOOK_S: Final = 0.2
_PR_SET_PDEATHSIG: Final = 1

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> NoReturn:
    """Carry out the order on stdin; exit codes are the container's, as `docker run` has them."""
    order: dict[str, Any] = json.load(sys.stdin)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    loop = Loop()
    try:
        # Who was to be joined may have ended, and its number be another's: then this is no container's network.
        if network_namespace() == order["outer_network"]:
            raise OSError("its network is this machine's own")
        if order["makes_network"]:
            _make_network()
        _route_into_loopback()
        watch = NetworkWatch(loop, order["attempts"]) if order["attempts"] else None
        child = _start(order) if order["entry"] else None
    except OSError as error:
        sys.stderr.write(f"the container cannot be set up: {error}\n")
        sys.stderr.flush()
        os._exit(namespace_entry.SETUP_FAILED)
    _serve(loop, watch, child, order)


def network_namespace() -> str:
    """What the kernel calls the network namespace of this process."""
    return str(Path("/proc/self/ns/net").readlink())


def _serve(loop: Loop, watch: NetworkWatch | None, child: int | None, order: dict[str, Any]) -> NoReturn:
    """Turn until the container or whoever started it has ended."""
    relay = None
    if order["listener"] is not None:
        _raise_file_limit()
        relay = Relay(loop, socket.socket(fileno=order["listener"]), (PLATFORM, order["port"]))
    if child is not None:
        loop.watch(os.pidfd_open(child), select.EPOLLIN, lambda _events: _end_as(child))
    if order["watched_process"]:
        loop.watch(os.pidfd_open(order["watched_process"]), select.EPOLLIN, lambda _events: os._exit(0))
    looked = 0.0
    while True:
        loop.turn(_OPENING_S if relay and not relay.is_open else _LOOK_S)
        if relay and not relay.is_open and listening(order["port"]) - LOOPBACK:
            relay.open()
        if time.monotonic() - looked >= _LOOK_S:
            looked = time.monotonic()
            if watch:
                watch.look()
            if relay and relay.is_open and not listening(order["port"]):
                relay.close()


def _start(order: dict[str, Any]) -> int:
    """Fork the container's first process; returns its number out here."""
    _check(_libc.unshare(_CLONE_NEWPID), "unshare")
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child:
        theirs.close()
        with ours:
            _keep_written(ours)
        return child
    try:
        _check(_libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0), "prctl")
        for name in order["cgroups"]:
            (Path(name) / "cgroup.procs").write_bytes(b"0")
        if order["memory_limit"]:
            resource.setrlimit(resource.RLIMIT_DATA, (order["memory_limit"], order["memory_limit"]))
        if order["processors"]:
            os.sched_setaffinity(0, order["processors"])
        _check(_libc.unshare(_CLONE_NEWNS | _CLONE_NEWUTS | _CLONE_NEWIPC), "unshare")
        socket.sethostname(order["entry"]["hostname"])
        # Signals as every program finds them.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    except OSError as error:
        namespace_entry.end(f"the container cannot be set up: {error}", namespace_entry.SETUP_FAILED)
    namespace_entry.enter(order["entry"], theirs)


def _keep_written(channel: socket.socket) -> None:
    """Keep the folder that the container's first process sends, which is in no other mount namespace; it may end."""
    _, found, _, _ = socket.recv_fds(channel, 1, 1)
    for descriptor in found:
        os.dup2(descriptor, WRITTEN, inheritable=False)
        os.close(descriptor)


def _end_as(child: int) -> NoReturn:
    """End with the exit code of the container's first process."""
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(128 - code if code < 0 else code)


def _make_network() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _UP))
        second = b"lo:1"
        fcntl.ioctl(control, _SIOCSIFADDR, struct.pack("16s16s", second, _socket_address(PLATFORM)))
        fcntl.ioctl(control, _SIOCSIFNETMASK, struct.pack("16s16s", second, _socket_address("255.255.255.255")))


def _route_into_loopback() -> None:
    """A default route that leads nowhere, where there is none."""
    nowhere = _socket_address("0.0.0.0")
    device = ctypes.create_string_buffer(b"lo")
    route = _ROUTE.pack(*(0, nowhere, nowhere, nowhere, _ROUTE_UP, 0, 0, 0, 0, 0, 0, ctypes.addressof(device), 0, 0, 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control, suppress(FileExistsError):
        fcntl.ioctl(control, _SIOCADDRT, route)


def _socket_address(address: str) -> bytes:
    return struct.pack("@H2x4s8x", socket.AF_INET, socket.inet_aton(address))


def _raise_file_limit() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _check(result: int, call: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)}: {call}")
