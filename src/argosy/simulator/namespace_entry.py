"""Turns a process in fresh mount and PID namespaces into a container's first process. Run as a script, by its path.

`unshare --mount --pid --fork … python namespace_entry.py`, with the order as JSON on stdin: see `unpacked.Order`.
Standard library alone, since no other can be relied on here.

Theory of operation: the unpacked image is the lower half of an overlay whose upper half is in memory, so a run changes
nothing of it. What is bound from this machine is opened before `chroot` and mounted through `/proc/self/fd` after it:
every path is then resolved inside the image, and a link in it cannot lead a mount or a write out of it.
"""

import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

SETUP_FAILED = 125  # as `docker run` ends when it could not make the container
NOT_EXECUTABLE = 126
NOT_FOUND = 127

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT, _MS_BIND = 1, 2, 4, 8, 32, 4096
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"}
_HOSTS = b"127.0.0.1\tlocalhost model.aws.local\n::1\tlocalhost\n"
_RESOLVER = b"nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> NoReturn:
    """Set up and become the container's program; exit codes are those of `docker run`."""
    order: dict[str, Any] = json.load(sys.stdin)
    try:
        _set_up(order)
    except OSError as error:
        _end(f"the container cannot be set up: {error}", SETUP_FAILED)
    if order["is_probe"]:
        os._exit(0)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    arguments = order["arguments"]
    try:
        os.execvpe(arguments[0], arguments, order["environment"])
    except FileNotFoundError:
        _end(f'exec: "{arguments[0]}": executable file not found in $PATH', NOT_FOUND)
    except OSError as error:
        _end(f'exec: "{arguments[0]}": {error.strerror}', NOT_EXECUTABLE)


def _set_up(order: dict[str, Any]) -> None:
    os.umask(0o022)
    root = _overlay(order["root"], order["scratch"], order["is_rootless"])
    sources = {name: os.open(f"/dev/{name}", os.O_PATH) for name in _DEVICES}
    model = os.open(order["model_dir"], os.O_PATH) if order["model_dir"] else None
    system = os.open("/sys", os.O_PATH)
    os.chroot(root)
    os.chdir("/")
    _fresh_folder("proc")
    _mount("proc", "/proc", "proc")
    _devices(sources)
    _system(system)
    if model is not None:
        Path("/opt/ml/model").mkdir(parents=True, exist_ok=True)
        _bind_read_only(model, "/opt/ml/model")
    for path, text in (("/etc/hosts", _HOSTS), ("/etc/resolv.conf", _RESOLVER)):
        Path("/etc").mkdir(parents=True, exist_ok=True)
        Path(path).unlink(missing_ok=True)
        Path(path).write_bytes(text)
    Path(order["folder"]).mkdir(parents=True, exist_ok=True)
    if order["is_read_only"]:
        Path("/tmp").mkdir(parents=True, exist_ok=True)
        _mount("tmpfs", "/tmp", "tmpfs", data="mode=1777")
        _mount(None, "/", None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY)
    os.chdir(order["folder"])
    descriptor = os.open("/dev/null", os.O_RDONLY)
    os.dup2(descriptor, 0)
    os.closerange(3, 1024)
    if order["user"] and order["is_rootless"]:
        sys.stderr.write(f"USER {order['user']} is not heeded: a user namespace has no user but root\n")
    elif order["user"]:
        _become(order["user"])


def _overlay(lower: str, scratch: str, is_rootless: bool) -> str:
    """Mount the image with an upper half in memory; returns where."""
    _mount("tmpfs", scratch, "tmpfs", data="mode=755")
    upper, work, root = (f"{scratch}/{name}" for name in ("upper", "work", "root"))
    for folder in (upper, work, root):
        Path(folder).mkdir()
    escaped = lower.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")
    data = f"lowerdir={escaped},upperdir={upper},workdir={work}" + (",userxattr" if is_rootless else "")
    _mount("overlay", root, "overlay", data=data)
    Path(root).chmod(0o755)
    return root


def _devices(sources: dict[str, int]) -> None:
    _fresh_folder("dev")
    _mount("tmpfs", "/dev", "tmpfs", _MS_NOSUID, "mode=755")
    for name, descriptor in sources.items():
        Path(f"/dev/{name}").touch()
        _mount(f"/proc/self/fd/{descriptor}", f"/dev/{name}", None, _MS_BIND)
    for name, target in _LINKS.items():
        Path(f"/dev/{name}").symlink_to(target)
    Path("/dev/shm").mkdir()
    _mount("tmpfs", "/dev/shm", "tmpfs", _MS_NOSUID | _MS_NODEV, f"mode=1777,size={64 * 2**20}")


def _system(descriptor: int) -> None:
    """/sys as far as this machine lets it be seen: a user namespace may not bind a mount with others below it."""
    _fresh_folder("sys")
    try:
        _bind_read_only(descriptor, "/sys")
    except OSError:
        return


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
    if _libc.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3]) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)}: mount {kind or 'bind'}", target)


def _end(message: str, code: int) -> NoReturn:
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
