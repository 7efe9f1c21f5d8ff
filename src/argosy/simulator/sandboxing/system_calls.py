"""Refuses a sandbox's program the system calls that lead out of it, with a filter that the kernel keeps for good.

A user namespace of its own would give a program all capabilities there: with a mount namespace too it could mount the
control groups and lift its own limits. So namespaces, mounts and what else needs an administrator are refused, and with
them the parts of the kernel that know no namespaces: keys, BPF, io_uring, perf events, sockets to the hypervisor.
Whatever is not refused is allowed: an engine's filter, which lists what is allowed, is the stricter one.

Source:
    Linux kernel documentation, userspace-api/seccomp_filter; seccomp(2), clone(2); include/uapi/linux/{filter,seccomp,
    audit}.h; numbers: asm/unistd_64.h of x86-64 and asm-generic/unistd.h; what Docker refuses and why:
    https://docs.docker.com/engine/security/seccomp/ (read 2026-11-23).
"""

import ctypes
import errno
import os
import struct
from dataclasses import dataclass
from typing import Final

_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # in struct seccomp_data; both architectures are little-endian
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_X32: Final = 0x40000000  # set in the numbers of x86-64's other set of system calls
_AF_VSOCK: Final = 40
_CLONE_NEW: Final = 0x7E020000  # every CLONE_NEW* that clone(2) knows
# The same everywhere: io_uring_setup, _enter, _register; open_tree, move_mount, fsopen, fsconfig, fsmount, fspick;
# mount_setattr, quotactl_fd, open_tree_attr.
_SINCE_2019: Final = (*range(425, 434), 442, 443, 467)
_CLONE3: Final = 435


@dataclass(frozen=True, slots=True)
class _Architecture:
    """Numbers of system calls.

    Attributes:
        audit: The architecture's own, `AUDIT_ARCH_*`.
        refused: Those that fail with EPERM, beside `_SINCE_2019`.
        clone: Fails with EPERM when it is to make a namespace.
        socket: Fails with EPERM for the hypervisor's family.
    """

    audit: int
    refused: tuple[int, ...]
    clone: int
    socket: int


_ARCHITECTURES: Final = {
    "x86_64": _Architecture(
        0xC000003E,
        (
            *(272, 308),  # unshare, setns
            *(155, 165, 166),  # pivot_root, mount, umount2
            *(248, 249, 250),  # add_key, request_key, keyctl
            *(298, 300, 321, 323),  # perf_event_open, fanotify_init, bpf, userfaultfd
            *(303, 304, 212),  # name_to_handle_at, open_by_handle_at, lookup_dcookie
            *(174, 175, 176, 178, 313),  # create_module, init_module, delete_module, query_module, finit_module
            *(169, 246, 320),  # reboot, kexec_load, kexec_file_load
            *(163, 167, 168, 179, 103),  # acct, swapon, swapoff, quotactl, syslog
            *(164, 227, 305),  # settimeofday, clock_settime, clock_adjtime
            *(172, 173),  # iopl, ioperm
        ),
        clone=56,
        socket=41,
    ),
    "aarch64": _Architecture(
        0xC00000B7,
        (
            *(97, 268),  # unshare, setns
            *(41, 40, 39),  # pivot_root, mount, umount2
            *(217, 218, 219),  # add_key, request_key, keyctl
            *(241, 262, 280, 282),  # perf_event_open, fanotify_init, bpf, userfaultfd
            *(264, 265, 18),  # name_to_handle_at, open_by_handle_at, lookup_dcookie
            *(105, 106, 273),  # init_module, delete_module, finit_module
            *(142, 104, 294),  # reboot, kexec_load, kexec_file_load
            *(89, 224, 225, 60, 116),  # acct, swapon, swapoff, quotactl, syslog
            *(170, 112, 266),  # settimeofday, clock_settime, clock_adjtime
        ),
        clone=220,
        socket=198,
    ),
}

_libc = ctypes.CDLL(None, use_errno=True)


def refuse() -> None:
    """Put the filter on this process and all that it starts; it must have given up gaining privileges.

    Raises:
        OSError: The kernel has no filters, or nothing is known of this machine's architecture.
    """
    code = filter_of(os.uname().machine)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer)))
    if _libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, program, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)}: prctl", "system call filter")


def filter_of(machine: str) -> bytes:
    """The filter for an architecture as `uname -m` names it: struct sock_filter, one after the other.

    What is called in another architecture's way (32 bits, x32) is not there (ENOSYS). Neither is clone3, whose flags a
    filter cannot see: C libraries then fall back on clone.

    Raises:
        OSError: Nothing is known of the architecture.
    """
    if (numbers := _ARCHITECTURES.get(machine)) is None:
        raise OSError(errno.ENOSYS, "no system call filter for this architecture", machine)
    absent, forbidden = (_RETURN, 0, 0, _FAIL | errno.ENOSYS), (_RETURN, 0, 0, _FAIL | errno.EPERM)
    allowed, first_argument = (_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, _FIRST_ARGUMENT)
    steps = [(_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, numbers.audit), absent]
    steps += [(_LOAD, 0, 0, _NUMBER), (_AT_LEAST, 0, 1, _X32), absent]
    for number in (*numbers.refused, *_SINCE_2019):
        steps += [(_EQUAL, 0, 1, number), forbidden]
    steps += [(_EQUAL, 0, 1, _CLONE3), absent]
    steps += [(_EQUAL, 0, 4, numbers.clone), first_argument, (_ANY_BIT, 0, 1, _CLONE_NEW), forbidden, allowed]
    steps += [(_EQUAL, 0, 4, numbers.socket), first_argument, (_EQUAL, 0, 1, _AF_VSOCK), forbidden, allowed]
    return b"".join(struct.pack("@HBBI", *step) for step in (*steps, allowed))
