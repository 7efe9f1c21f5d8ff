"""What libraries say while they load: on stderr, notes for their own developers, in no form that a log could use."""

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from typing import Final

_STDERR: Final = 2
_LONGEST: Final = 300
"""Characters of what an exception says that are told."""
_END: Final = b"\0"
"""Told to the filter when the import is over: a program that the import left running may hold the pipe open."""
_NOTICE: Final = re.compile(rb"[IW]\d{4} \d\d:\d\d:\d\d|[IW]0000 \d\d:\d\d:\d+|WARNING: All log messages before absl::")
"""How a line of Abseil's log begins: severity, month and day, time. Before `absl::InitializeLog` has been called, which
TensorFlow leaves to programs, no variable silences them, and the time has other digits.

Source:
    abseil/abseil-cpp: absl/log/internal/log_format.cc (read 2026-11-23); seen with TensorFlow 2.21.0.
"""


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Drop what is written to stderr meanwhile, by C and C++ too.

    What matters of it is in the exception that the library raises. Not beside other threads that write there.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


@contextlib.contextmanager
def without_notices() -> Iterator[None]:
    """Leave information and warnings of Abseil's log out of stderr; errors, and what is no such line, go through.

    A process of its own reads along, so that what a library says before it aborts is told, too.
    """
    sys.stderr.flush()
    read, write = os.pipe()
    reader = os.fork()
    if reader == 0:
        os.close(write)
        _filter(read)
        os._exit(0)
    os.close(read)
    stderr = os.dup(_STDERR)
    os.dup2(write, _STDERR, inheritable=True)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(stderr, _STDERR, inheritable=True)
        os.close(stderr)
        os.write(write, _END)
        os.close(write)
        os.waitpid(reader, 0)


def _filter(read: int) -> None:
    """Copy lines to stderr until the end is told, or nobody is left to write."""
    rest = b""
    while piece := os.read(read, 65_536):
        told, is_end, _ = piece.partition(_END)
        *lines, rest = (rest + told).split(b"\n")
        kept = b"".join(line + b"\n" for line in lines if not _NOTICE.match(line))
        if is_end:
            kept += b"" if _NOTICE.match(rest) else rest
        if kept:
            os.write(_STDERR, kept)
        if is_end:
            return
    if rest:
        os.write(_STDERR, rest)


def one_line(error: BaseException) -> str:
    r"""What an exception says, in one line of a length that can be read.

    >>> one_line(ValueError("no\n  such layer"))
    'ValueError: no such layer'
    """
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:_LONGEST]}{'…' if len(text) > _LONGEST else ''}"
