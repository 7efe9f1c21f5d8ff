"""What a sandbox's program may not ask of the kernel; the filter of the other architecture is run by hand."""

import errno
import struct

import pytest

from argosy.simulator.sandboxing.system_calls import filter_of
from tests.simulator.containers.conftest import RunScript

ALLOWED, FAILS = 0x7FFF0000, 0x00050000
NEW_USER, THREAD = 0x10000000, 0x3D0F00
X86_64, AARCH64, I386 = 0xC000003E, 0xC00000B7, 0x40000003

TRY = """
import ctypes, errno, os, platform, socket, threading
libc = ctypes.CDLL(None, use_errno=True)
clone, keyctl = {"x86_64": (56, 250), "aarch64": (220, 219)}[platform.machine()]
def tried(name, result):
    print(name, errno.errorcode[ctypes.get_errno()] if result == -1 else "done")
tried("unshare", libc.unshare(0x10000000 | 0x20000 | 0x02000000))
child = libc.syscall(clone, 0x10000000 | 17, 0, 0, 0, 0)
if child == 0:
    os._exit(0)
tried("clone", child)
tried("clone3", libc.syscall(435, None, 0))
tried("setns", libc.setns(-1, 0))
tried("keyctl", libc.syscall(keyctl, 0, -3, 1))
tried("io_uring_setup", libc.syscall(425, 1, None))
tried("fsopen", libc.syscall(430, b"tmpfs", 0))
try:
    socket.socket(40, socket.SOCK_STREAM)
    print("vsock done")
except OSError as error:
    print("vsock", errno.errorcode[error.errno])
thread = threading.Thread(target=print, args=("thread works",))
thread.start(); thread.join()
print("fork works", os.waitstatus_to_exitcode(os.system("exit 3")))
"""
LIFT = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x10000000 | 0x20000 | 0x02000000) == 0:
    for name, text in (("setgroups", "deny"), ("uid_map", "0 0 1"), ("gid_map", "0 0 1")):
        open(f"/proc/self/{name}", "w").write(text)
    os.makedirs("/tmp/groups")
    for kind, option in ((b"cgroup", b"memory"), (b"cgroup2", None)):
        libc.mount(kind, b"/tmp/groups", kind, 0, option)
        for file, text in (("memsw.limit_in_bytes", "-1"), ("limit_in_bytes", "-1"), ("max", "max")):
            try:
                open(f"/tmp/groups/memory.{file}", "w").write(text)
            except OSError:
                pass
print("tried", flush=True)
held = b"x" * (256 * 2**20)
print("lifted", flush=True)
"""


def test_a_program_gets_no_namespace_and_nothing_that_knows_none(run_script: RunScript) -> None:
    container = run_script(TRY, is_watched=False)
    assert container.wait(20) == 0, container.logs()
    assert dict(line.split(" ", 1) for line in container.logs().splitlines()) == {
        **dict.fromkeys(("unshare", "clone", "setns", "keyctl", "io_uring_setup", "fsopen", "vsock"), "EPERM"),
        "clone3": "ENOSYS",
        "thread": "works",
        "fork": "works 3",
    }


def test_a_container_cannot_lift_its_own_memory_limit(run_script: RunScript) -> None:
    container = run_script(LIFT, memory_bytes=128 * 2**20, is_watched=False)
    assert container.wait(20) not in (0, None)
    assert container.logs().startswith("tried\n")
    assert "lifted" not in container.logs()


def judged(code: bytes, number: int, audit: int, first_argument: int = 0) -> int:
    """What the kernel would do: the filter's own machine, as far as filters here use it."""
    data = struct.pack("<iIQ6Q", number, audit, 0, first_argument, 0, 0, 0, 0, 0)
    steps = list(struct.iter_unpack("<HBBI", code))
    place = held = 0
    while True:
        operation, if_true, if_false, value = steps[place]
        place += 1
        if operation == 0x06:
            return int(value)
        if operation == 0x20:
            (held,) = struct.unpack_from("<I", data, value)
        else:
            is_true = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[operation]
            place += if_true if is_true else if_false


@pytest.mark.parametrize(
    ("machine", "audit", "clone", "calls"),
    [
        ("x86_64", X86_64, 56, {"mount": 165, "unshare": 272, "setns": 308, "keyctl": 250, "bpf": 321}),
        ("aarch64", AARCH64, 220, {"mount": 40, "unshare": 97, "setns": 268, "keyctl": 219, "bpf": 280}),
    ],
)
def test_the_filter_of_each_architecture(machine: str, audit: int, clone: int, calls: dict[str, int]) -> None:
    code = filter_of(machine)
    assert {name: judged(code, number, audit) for name, number in calls.items()} == dict.fromkeys(
        calls, FAILS | errno.EPERM
    )
    assert judged(code, clone, audit, THREAD) == ALLOWED
    assert judged(code, clone, audit, THREAD | NEW_USER) == FAILS | errno.EPERM
    assert judged(code, 435, audit) == FAILS | errno.ENOSYS
    assert judged(code, 63, audit) == ALLOWED  # uname, read
    other = {X86_64: AARCH64, AARCH64: X86_64}[audit]
    assert judged(code, 63, other) == judged(code, 63, I386) == FAILS | errno.ENOSYS
    assert judged(code, 0x40000000 | 63, audit) == FAILS | errno.ENOSYS


def test_an_architecture_that_nothing_is_known_of_is_refused() -> None:
    with pytest.raises(OSError, match="riscv64"):
        filter_of("riscv64")
