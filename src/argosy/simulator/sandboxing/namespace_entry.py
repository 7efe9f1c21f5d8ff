"""Turns a process in fresh mount and PID namespaces into a container's first process.

Called by `containers/supervisor.py` in the process that it forks, with a part of its order: see `order.Entry`.
Standard library alone, since no other can be relied on here.

Theory of operation: the unpacked image is the lower half of an overlay whose upper half is in memory, so a run changes
nothing of it. What is bound from this machine is opened before `pivot_root` and mounted through `/proc/self/fd` after
it: every path is then resolved inside the image, and a link in it cannot lead a mount or a write out of it. Then this
machine's own tree is unmounted, so that there is nothing left to escape to, and the image's program gets fewer
capabilities than Docker gives and can gain no other: `system_calls.py` refuses what would give it some.
"""

import ctypes
import os
import signal
import socket
import stat
import sys
from pathlib import Path
from typing import Any, NoReturn

from argosy.simulator.sandboxing import system_calls

SETUP_FAILED = 125  # as `docker run` ends when it could not make the container
NOT_EXECUTABLE = 126
NOT_FOUND = 127

_MNT_DETACH = 2
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT, _MS_BIND, _MS_REC = 1, 2, 4, 8, 32, 4096, 16384
_MS_PRIVATE = 1 << 18
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}
_HOSTS = "127.0.0.1\tlocalhost model.aws.local\n::1\tlocalhost\n{address}\t{hostname}\n"
# What Docker hides or protects of /proc: its files obey user 0 whatever the capabilities.
_READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
_HIDDEN = (
    *("/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/scsi", "/proc/sched_debug"),
    *("/proc/timer_list", "/proc/timer_stats", "/sys/firmware"),
)

# Numbers of linux/capability.h: what Docker grants, without MKNOD and NET_RAW, which it fences in by other means.
_CHOWN, _DAC_OVERRIDE, _FOWNER, _FSETID, _KILL, _SETGID, _SETUID, _SETPCAP = 0, 1, 3, 4, 5, 6, 7, 8
_NET_BIND_SERVICE, _SYS_CHROOT, _AUDIT_WRITE, _SETFCAP = 10, 18, 29, 31
_CAPABILITIES = (
    *(_CHOWN, _DAC_OVERRIDE, _FOWNER, _FSETID, _KILL, _SETGID, _SETUID, _SETPCAP),
    *(_NET_BIND_SERVICE, _SYS_CHROOT, _AUDIT_WRITE, _SETFCAP),
)
_CAPABILITY_VERSION_3 = 0x20080522
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 24, 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4

_libc = ctypes.CDLL(None, use_errno=True)


def enter(order: dict[str, Any], channel: socket.socket) -> NoReturn:
    """Set up and become the container's program; exit codes are those of `docker run`.

    Args:
        order: See `Entry`.
        channel: The folder with all that the container will have written is sent there.
    """
    sys.meta_path.clear()  # nothing is imported from here on: Python's library would be looked for in the image
    try:
        _set_up(order, channel)
    except OSError as error:
        end(f"the container cannot be set up: {error}", SETUP_FAILED)
    if order["is_probe"]:
        os._exit(0)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    arguments = order["arguments"]
    try:
        os.execvpe(arguments[0], arguments, order["environment"])
    except FileNotFoundError:
        end(f'exec: "{arguments[0]}": executable file not found in $PATH', NOT_FOUND)
    except OSError as error:
        end(f'exec: "{arguments[0]}": {error.strerror}', NOT_EXECUTABLE)


def end(message: str, code: int) -> NoReturn:
    """Say why on stderr, and exit."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()
    os._exit(code)


def _set_up(order: dict[str, Any], channel: socket.socket) -> None:
    os.umask(0o022)
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    root = _overlay(order, channel)
    sources = {name: os.open(f"/dev/{name}", os.O_PATH) for name in _DEVICES}
    mounts = [(os.open(source, os.O_PATH), target, is_written) for source, target, is_written in order["mounts"]]
    system = os.open("/sys", os.O_PATH)
    machine = os.open("/", os.O_PATH | os.O_DIRECTORY)
    os.chdir(root)
    _check(_libc.pivot_root(b".", b"."), "pivot_root", root)
    os.chdir("/")
    _fresh_folder("proc")
    _mount("proc", "/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    _devices(sources)
    _system(system)
    _protect()
    for descriptor, target, is_written in mounts:
        _bind(descriptor, target, is_written)
    os.fchdir(machine)
    _check(_libc.umount2(b".", _MNT_DETACH), "umount", "/")
    os.chdir("/")
    hosts = _HOSTS.format(address=order["address"], hostname=order["hostname"])
    for path, text in (("/etc/hosts", hosts), ("/etc/hostname", order["hostname"] + "\n")):
        _write(path, text)
    _write("/etc/resolv.conf", f"nameserver {order['resolver']}\noptions timeout:1 attempts:1\n")
    Path(order["folder"]).mkdir(parents=True, exist_ok=True)
    if order["is_read_only"]:
        Path("/tmp").mkdir(parents=True, exist_ok=True)
        _mount("tmpfs", "/tmp", "tmpfs", data="mode=1777")
        _mount(None, "/", None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY)
    os.chdir(order["folder"])
    descriptor = os.open("/dev/null", os.O_RDONLY)
    os.dup2(descriptor, 0)
    last = max(int(path.name) for path in Path("/proc/self/fd").iterdir())  # whatever the limit of open files is
    os.closerange(3, last + 1)
    _drop_capabilities()
    if order["user"] and order["is_rootless"]:
        sys.stderr.write(f"USER {order['user']} is not heeded: a user namespace has no user but root\n")
    elif order["user"]:
        _become(order["user"])
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl", "no_new_privs")
    # After the user, whose change takes it back.
    _check(_libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0), "prctl", "pdeathsig")
    system_calls.refuse()


def _write(path: str, text: str) -> None:
    """A file of the container's own, whatever the image has there."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).unlink(missing_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def _overlay(order: dict[str, Any], channel: socket.socket) -> str:
    """Mount the image with an upper half in memory, as large as its disk may be; returns where.

    The upper half is sent to the supervisor, which cannot see it otherwise.
    """
    lower, scratch, is_rootless = order["root"], order["scratch"], order["is_rootless"]
    size = f",size={order['disk_bytes']}" if order["disk_bytes"] else ""
    _mount("tmpfs", scratch, "tmpfs", data=f"mode=755{size}")
    upper, work, root = (f"{scratch}/{name}" for name in ("upper", "work", "root"))
    for folder in (upper, work, root):
        Path(folder).mkdir()
    descriptor = os.open(upper, os.O_RDONLY | os.O_DIRECTORY)
    rights = descriptor.to_bytes(4, sys.byteorder)  # `socket.send_fds` would import, which is refused by now
    channel.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
    os.close(descriptor)
    escaped = lower.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")
    data = f"lowerdir={escaped},upperdir={upper},workdir={work}" + (",userxattr" if is_rootless else "")
    _mount("overlay", root, "overlay", _MS_NODEV, data)
    Path(root).chmod(0o755)
    return root


def _devices(sources: dict[str, int]) -> None:
    _fresh_folder("dev")
    _mount("tmpfs", "/dev", "tmpfs", _MS_NOSUID, "mode=755")
    for name, descriptor in sources.items():
        _device(f"/dev/{name}", descriptor)
    for name, target in _LINKS.items():
        Path(f"/dev/{name}").symlink_to(target)
    Path("/dev/shm").mkdir()
    _mount("tmpfs", "/dev/shm", "tmpfs", _MS_NOSUID | _MS_NODEV, f"mode=1777,size={64 * 2**20}")


def _device(path: str, descriptor: int) -> None:
    """A device file of the container's own; where none may be made, this machine's, which cannot be changed."""
    try:
        os.mknod(path, stat.S_IFCHR, os.fstat(descriptor).st_rdev)
        Path(path).chmod(0o666)
    except PermissionError:
        Path(path).touch()
        _bind_read_only(descriptor, path)  # a device is still written to: no file of its file system changes by that


def _system(descriptor: int) -> None:
    """/sys as far as this machine lets it be seen: a user namespace may not bind a mount with others below it."""
    _fresh_folder("sys")
    try:
        _bind_read_only(descriptor, "/sys")
    except OSError:
        return


def _protect() -> None:
    """/proc and /sys without what would reach this machine's kernel; what it does not have needs no protection."""
    for path in (found for found in _READ_ONLY if Path(found).exists()):
        _mount(path, path, None, _MS_BIND | _MS_REC)
        _mount(None, path, None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    null = os.open("/dev/null", os.O_PATH)
    for path in (found for found in _HIDDEN if Path(found).exists()):
        if Path(path).is_dir():
            _mount("tmpfs", path, "tmpfs", _MS_RDONLY)
        else:
            _bind_read_only(null, path)


def _drop_capabilities() -> None:
    """Keep `_CAPABILITIES` alone, now and in every program that is started from here."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_bytes())
    for number in range(last + 1):
        if number not in _CAPABILITIES:
            _check(_libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0), "prctl", f"capability {number}")
    _check(_libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "prctl", "ambient capabilities")
    kept = sum(1 << number for number in _CAPABILITIES)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    # Effective, permitted and inheritable of the numbers 0 to 31, then of 32 to 63.
    sets = (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0)
    _check(_libc.capset(header, sets), "capset", "capabilities")


def _bind(descriptor: int, target: str, is_written: bool) -> None:
    """Bind a file or folder of this machine at a path that is made for it; read-only unless it may be written to."""
    place = Path(target)
    if Path(f"/proc/self/fd/{descriptor}").is_dir():
        place.mkdir(parents=True, exist_ok=True)
    elif not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    if is_written:
        _mount(f"/proc/self/fd/{descriptor}", target, None, _MS_BIND)
    else:
        _bind_read_only(descriptor, target)


def _bind_read_only(descriptor: int, target: str) -> None:
    """Bind; then read-only, keeping the flags that a user namespace may not drop."""
    _mount(f"/proc/self/fd/{descriptor}", target, None, _MS_BIND)
    flags = os.statvfs(target).f_flag & (_MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    _mount(None, target, None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | flags)


def _fresh_folder(name: str) -> None:
    """A folder of the root, in place of whatever else is there."""
    path = Path("/", name)
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        path.unlink()
    path.mkdir(exist_ok=True)


def _become(user: str) -> None:
    """The image's `USER`: name or number, and group if given."""
    name, _, group = user.partition(":")
    uid, gid = _numbers("/etc/passwd", name)
    if group:
        gid = _numbers("/etc/group", group)[0]
    for stream in (1, 2):  # it may open them again by name, as engines let it
        os.fchown(stream, uid, gid)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def _numbers(file: str, name: str) -> tuple[int, int]:
    """ID and, in passwd, group ID of a name or number."""
    lines = Path(file).read_text(encoding="utf-8", errors="replace").splitlines() if Path(file).exists() else []
    for line in lines:
        fields = line.split(":")
        if len(fields) > 3 and name in (fields[0], fields[2]):
            return int(fields[2]), int(fields[3]) if fields[3].isdigit() else 0
    if name.isdigit():
        return int(name), 0
    raise OSError(f"user {name} is not in the image's {file}")


def _mount(source: str | None, target: str, kind: str | None, flags: int = 0, data: str | None = None) -> None:
    """mount(2); an error names the target."""
    encoded = [os.fsencode(text) if text is not None else None for text in (source, target, kind, data)]
    result = _libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3])
    _check(result, f"mount {kind or 'bind'}", target)


def _check(result: int, call: str, subject: str) -> None:
    """Raise what a call of the C library failed with."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)}: {call}", subject)
