"""Tells which line of a container's Python looked up a host or connected to one; a copy of this is its `sitecustomize`.

Runs in the container, in whatever Python that has (3.8 and later: earlier ones have no audit events), first of all.
It adds a hook, takes itself off the path, and runs the image's own `sitecustomize`. The hook changes nothing: it
writes a line to the file beside this one, and lets everything happen. What does not go through Python's own `socket`
(uvloop, gRPC, other languages) is seen by `network_watch.py` alone.

Source:
    PEP 578; docs.python.org, "Audit events table" and `site` (read 2026-11-23).
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib takes 10 ms to import
_FILE = _HERE + "/attempts"
_LIBRARY = os.path.dirname(os.__file__)  # noqa: PTH120 - as above
_INSTALLED = ("site-packages", "dist-packages")
_LOOKUPS = ("socket.getaddrinfo", "socket.gethostbyname")
_CONNECTIONS = ("socket.connect", "socket.sendto", "socket.sendmsg")
_MOST = 1000

_seen = set()  # type: set[tuple[str, int, str]]


def hook(event: str, args: "tuple[object, ...]") -> None:
    """Write down a lookup or a connection; whatever goes wrong here is nobody's concern."""
    if event not in _LOOKUPS and event not in _CONNECTIONS:
        return
    try:
        if event in _LOOKUPS:
            _tell(args[0], 0)
        elif isinstance(args[1], tuple):
            _tell(args[1][0], args[1][1])
    except Exception:
        return


def _tell(host: object, port: int) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if not isinstance(name, str) or _is_here(name) or (not port and _is_address(name)):
        return
    line = _line()
    if len(_seen) >= _MOST or (name, port, line) in _seen:
        return
    _seen.add((name, port, line))
    told = f'{{"host": {_quoted(name)}, "port": {port}, "process": {_quoted(_process())}, "line": {_quoted(line)}}}\n'
    descriptor = os.open(_FILE, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(descriptor, told.encode("ascii"))
    finally:
        os.close(descriptor)


def _quoted(text: str) -> str:
    """As JSON, whose module the program may not want."""
    return (
        '"'
        + "".join(sign if " " <= sign <= "~" and sign not in '"\\' else f"\\u{ord(sign):04x}" for sign in text)
        + '"'
    )


def _is_here(host: str) -> bool:
    """Whether it leads nowhere out of the container: loopback, any address, or a name of the container's own."""
    if host in ("", "0.0.0.0", "::", "::1", "localhost", "<broadcast>") or host.startswith("127."):
        return True
    with open("/etc/hosts", encoding="utf-8", errors="replace") as hosts:  # noqa: PTH123 - as above
        return any(host in row.split("#")[0].split() for row in hosts)


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def _line() -> str:
    """The innermost line of the program's own; else of a package that is installed; else of Python's library."""
    found = ["", "", ""]
    frame = sys._getframe(3)
    while True:
        file, number = frame.f_code.co_filename, frame.f_lineno
        installed = any(name in file for name in _INSTALLED)
        rank = 1 if installed else 2 if file.startswith((_LIBRARY, "<frozen")) else 0
        found[rank] = found[rank] or f"{file}:{number}"
        if found[0] or frame.f_back is None:
            break
        frame = frame.f_back
    return found[0] or found[1] or found[2]


def _process() -> str:
    try:
        with open("/proc/self/comm", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - as above
            return file.read().strip()
    except OSError:
        return (sys.executable or "python").rpartition("/")[2]


def _start() -> None:
    """Add the hook, and make room for the image's own `sitecustomize`."""
    if hasattr(sys, "addaudithook"):
        sys.addaudithook(hook)
    own = sys.modules.pop("sitecustomize")
    sys.path[:] = [folder for folder in sys.path if folder != _HERE]
    try:
        import sitecustomize  # type: ignore[import-not-found]  # noqa: F401 - the image's, if it has one
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
        sys.modules["sitecustomize"] = own


if __name__ == "sitecustomize":
    _start()
