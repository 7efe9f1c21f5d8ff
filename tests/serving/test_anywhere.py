"""The server where the platform puts it: as PID 1, root or a random user, nothing writable but `/tmp`, no network."""

import ctypes
import fcntl
import json
import os
import shlex
import signal
import socket
import struct
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from argosy import contract
from tests.processes import children
from tests.serving.server_process import ServerProcess, running, wait_until

ROOT = Path(__file__).parent.parent.parent
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1
LARGE = 30_000_000

pytestmark = pytest.mark.engine  # as root: namespaces, and a user that is not this one


def platform(uid: int) -> list[str]:
    """Becomes a command in namespaces as SageMaker's: what it needs of this machine can be read, `/tmp` written."""
    needed = [str(path.resolve()) for path in (ROOT, Path(sys.prefix), Path(sys.base_prefix))]
    aside = [f"mkdir /mnt/{i} && mount --bind {shlex.quote(path)} /mnt/{i}" for i, path in enumerate(needed)]
    back = [
        f"mkdir -p {shlex.quote(path)} && mount --bind -o ro /mnt/{i} {shlex.quote(path)}"
        for i, path in enumerate(needed)
    ]
    script = "\n".join([
        "set -e; umask 022",
        "mount -t tmpfs -o mode=755,size=1m aside /mnt",
        *aside,
        "mount -t tmpfs -o mode=755,size=1m home /root",  # which nobody but root may enter
        "mount -t tmpfs -o mode=1777,size=64m tmp /tmp",
        *back,
        "mount -t tmpfs -o mode=1777,size=64m shm /dev/shm",
        "umount -l /mnt/*; umount /mnt",
        "for place in / /root; do mount -o remount,bind,ro $place; done",
        'cd /; exec "$@"',
    ])  # fmt: skip
    user = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs"] if uid else []
    apart = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]
    return [*apart, "sh", "-c", script, "sh", *user]


@contextmanager
def inside(server: ServerProcess) -> Iterator[ThreadPoolExecutor]:
    """A thread that stands in the server's own network, as the platform does; there is nothing else in it."""

    def enter() -> None:
        with Path(f"/proc/{first_process(server)}/ns/net").open() as network:
            assert ctypes.CDLL(None, use_errno=True).setns(network.fileno(), CLONE_NEWNET) == 0
        with socket.socket() as any_socket:
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))

    wait_until(lambda: first_process(server), 10)
    with ThreadPoolExecutor(1, initializer=enter) as thread:
        yield thread


def first_process(server: ServerProcess) -> int:
    """PID 1 of the server's namespace, by its number in ours; 0 before it is there."""
    return next(iter(children(server.popen.pid)), 0)


@pytest.mark.parametrize("uid", [0, 54_321], ids=["root", "a random user"])
def test_it_serves_wherever_the_platform_puts_it(tmp_path: Path, uid: int) -> None:
    told = {"ARGOSY_HOST": "", "ARGOSY_WORKERS": "2"}
    with (
        running("placed:Placed", tmp_path / "log", wait=False, under=platform(uid), **told) as server,
        inside(server) as thread,
    ):
        thread.submit(server.wait_ready).result()
        found = json.loads(thread.submit(server.invoke, {"do": "look"}).result().body)
        assert found == {"uid": uid, "writable": ["/tmp"], "networks": ["lo"], "shm_mb": 64, "pid_1": "serve"}
        large = thread.submit(server.invoke, {"do": "answer", "bytes": LARGE, "more": "x" * LARGE}).result()
        assert (large.status, len(large.body)) == (200, LARGE + 2)
        reply = thread.submit(server.invoke, {"do": "exit"}).result()
        assert (reply.status, reply.error["code"]) == (500, "predict")
        assert thread.submit(server.invoke, {"do": "orphan"}).result().status == 200
        assert len(children(first_process(server))) == 2  # the template, and now the orphan
        wait_until(lambda: len(children(first_process(server))) == 1, 10)  # which has ended and is reaped
        assert thread.submit(server.ping).result() == 200
        os.kill(first_process(server), signal.SIGTERM)
        assert server.popen.wait(contract.STOP_GRACE.value) == 0, server.log
