"""The log of a program: a file of which the end is kept, so that no container fills this machine's disk or memory.

The program writes straight into the file, and is never held up. What is oldest is given back to the file system as a
hole in the file: nothing that is written meanwhile is lost. Where there are no holes the file is begun anew, for which
the program must have it open for appending.

Source:
    fallocate(2), "Deallocating file space" (Linux man-pages, read 2026-11-23).
"""

import ctypes
import os
import threading
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 64 * 2**20
"""The file is cut down to half of this when there is more in it."""

KEPT_BYTES: Final = 2**20
"""What can still be read when the file is gone."""

_CUT: Final = f"[the log is cut here: at most its last {MOST_BYTES // 2**20} MB are kept]\n"
_LOOK_S: Final = 0.1
_BLOCK: Final = 4096
_KEEP_SIZE, _PUNCH_HOLE = 1, 2

_libc: Final = ctypes.CDLL(None, use_errno=True)


class Log:
    """What one program writes.

    Args:
        file: Is made, and belongs to whoever made its folder.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._open = file.open("w+b", buffering=0)
        self._dropped = 0
        self._is_cut = False
        self._kept = ""
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="argosy-log", daemon=True)
        self._thread.start()

    def text(self, last_bytes: int | None = None) -> str:
        """What was written, or the last of it; after `close` at most `KEPT_BYTES`."""
        with self._lock:
            if self._open.closed:
                return self._kept if last_bytes is None else self._kept[-last_bytes:]
            return self._read(last_bytes)

    def close(self) -> None:
        """Keep the end, and let the file go; the second call does nothing."""
        self._is_over.set()
        self._thread.join()
        with self._lock:
            if not self._open.closed:
                self._kept = self._read(KEPT_BYTES)
                self._open.close()

    def _read(self, last_bytes: int | None) -> str:
        size = os.fstat(self._open.fileno()).st_size
        start = max(self._dropped, size - (MOST_BYTES if last_bytes is None else last_bytes), 0)
        written = os.pread(self._open.fileno(), max(0, size - start), start).decode(errors="replace")
        is_from_the_first = last_bytes is None or start == self._dropped
        return _CUT + written.partition("\n")[2] if is_from_the_first and (self._is_cut or start > 0) else written

    def _follow(self) -> None:
        while not self._is_over.wait(_LOOK_S):
            with self._lock:
                self._cut()

    def _cut(self) -> None:
        size = os.fstat(self._open.fileno()).st_size
        self._dropped = min(self._dropped, size)  # the program may have begun the file anew itself
        if size - self._dropped <= MOST_BYTES:
            return
        dropped = (size - MOST_BYTES // 2) // _BLOCK * _BLOCK
        if _make_hole(self._open.fileno(), dropped):
            self._dropped = dropped
        else:
            self._open.truncate(0)
            self._dropped = 0
        self._is_cut = True


def _make_hole(descriptor: int, size: int) -> bool:
    """Give back the file's beginning; whether the system and the file system know how."""
    if not hasattr(_libc, "fallocate"):
        return False
    arguments = (ctypes.c_int64(0), ctypes.c_int64(size))
    return bool(_libc.fallocate(descriptor, _KEEP_SIZE | _PUNCH_HOLE, *arguments) == 0)
