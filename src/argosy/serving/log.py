"""One JSON line on stdout for each event worth telling, and never a body.

What an exception of the predictor's says while it serves may quote one: of that at most `SHORT` characters are told,
unless `tell_messages` was told otherwise. Where it was raised is always told.

Every line is written at once by a write of its own, past all buffers, so that a process that is killed has lost none,
and lines of several threads and processes do not mix. A line that cannot be written (stdout closed, disk full) is
dropped and counted: no log is worth an answer. A reader that stops reading makes a model process wait, as any print
would; the front calls `never_block` and hands its lines to a thread, which drops and counts what the reader does not
take.
"""

import atexit
import json
import os
import select
import stat
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import orjson

Messages = Literal["short", "whole", "none"]
"""How much of what an exception says is told."""
SHORT: Final = 200
"""Characters of it."""
_STDOUT: Final = 1
_LONGEST_LINE: Final = 16_384
"""Docker's log drivers cut longer lines in pieces, which are no JSON.

Source:
    moby/moby issues 34887 and 35644 (read 2026-11-22): 16 KiB, the buffer of daemon/logger/copier.go.
"""
_WAITING_BYTES: Final = 1 << 20
"""Lines that wait for the reader of the log, all together."""
_FLUSH_S: Final = 1.0
"""How long the end of the front waits for the reader of the log."""
_PATIENCE_MS: Final = 1000
"""How long a write waits when somebody else made stdout non-blocking."""
_MOST_TOLD: Final = 16
"""Exceptions of one story: those that it was raised from, and those of a group."""
_CAUSED: Final = "\nThe above exception was the direct cause of the following exception:\n\n"
_MEANWHILE: Final = "\nDuring handling of the above exception, another exception occurred:\n\n"
_messages: Messages = "short"


def event(name: str, **fields: object) -> None:
    """Write one line: time, event, fields."""
    now = time.time()
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    _outlet.put(_composed({"time": f"{at}.{int(now * 1000) % 1000:03d}Z", "event": name, **fields}))


def failure(name: str, error: BaseException, **fields: object) -> None:
    """Write one line with the whole traceback of an error that no request has part in, as when a model is loaded."""
    text = _text(error)
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    event(name, error=said, traceback="".join(traceback.format_exception(error)), **fields)


def raised(name: str, error: BaseException, **fields: object) -> None:
    """Write one line about an exception of the predictor's while it serves: type, places, and what may be told of it.

    The same goes for those that it was raised from. Nothing of it goes into an answer.
    """
    event(name, error=_said(error), traceback="".join(_story(error, set())), **fields)


def tell_messages(choice: Messages) -> None:
    """From now on `raised` tells so much of what an exception says."""
    global _messages
    _messages = choice


@dataclass(frozen=True, slots=True)
class Invoked:
    """What the log tells of one invocation; times in seconds, None where it did not come so far.

    Attributes:
        inference_id: As the client sent it, or empty.
        status: HTTP status of the answer.
        bytes_in: Length of the body.
        bytes_out: Length of the answer's body.
        total: From arrival to answer.
        queue: From arrival to hand-over.
        decode: Decoding of the whole batch.
        predict: The call that the invocation was part of.
        encode: Encoding of the whole batch.
        rows: Rows of the batch.
        batch_size: Invocations of the batch.
    """

    inference_id: str
    status: int
    bytes_in: int
    bytes_out: int
    total: float
    queue: float | None = None
    decode: float | None = None
    predict: float | None = None
    encode: float | None = None
    rows: int | None = None
    batch_size: int | None = None


def invocation(told: Invoked, **fields: object) -> None:
    """Write the line of one invocation: `ms` holds its stages in milliseconds, `fields` are the caller's own."""
    stages = {
        "queue": told.queue,
        "decode": told.decode,
        "predict": told.predict,
        "encode": told.encode,
        "total": told.total,
    }
    batch = {"rows": told.rows, "batch_size": told.batch_size}
    event(
        "invocation",
        **{
            **fields,
            "inference_id": told.inference_id,
            "status": told.status,
            "ms": {stage: round(seconds * 1000, 3) for stage, seconds in stages.items() if seconds is not None},
            **{name: count for name, count in batch.items() if count is not None},
            "bytes_in": told.bytes_in,
            "bytes_out": told.bytes_out,
        },
    )


def line(whole: bytes) -> None:
    """Write a line that somebody else made, newline included: metrics in a format of their own."""
    _outlet.put(whole)


def dropped() -> int:
    """How many lines of this process could not be written so far."""
    return _outlet.dropped


def never_block() -> None:
    """From now on no call here waits for the reader of the log, and at its end the process waits a second at most.

    A regular file is still written at once: it has no reader to wait for.
    """
    global _outlet
    try:
        has_reader = not stat.S_ISREG(os.fstat(_STDOUT).st_mode)
    except OSError:
        return  # closed: there is nothing to wait for
    if has_reader and not isinstance(_outlet, _Background):
        _outlet = background = _Background()
        atexit.register(background.flush, _FLUSH_S)


class _Outlet:
    """Writes lines at once, and waits for the reader if it must."""

    def __init__(self) -> None:
        self.dropped = 0
        # Without a stdout at the start, its number soon belongs to some socket.
        self._is_open = sys.__stdout__ is not None

    def put(self, whole: bytes) -> None:
        if not (self._is_open and _write(whole)):
            self.dropped += 1


class _Background(_Outlet):
    """Takes lines at once and writes them in a thread; drops what is more than may wait."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="log", daemon=True).start()

    def put(self, whole: bytes) -> None:
        with self._changed:
            if self._waiting_bytes + len(whole) > _WAITING_BYTES:
                self.dropped += 1
                return
            self._lines.append(whole)
            self._waiting_bytes += len(whole)
            self._changed.notify_all()

    def flush(self, timeout_s: float) -> None:
        """Wait until everything is written, but not for longer than told."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting_bytes, timeout_s)

    def _run(self) -> None:
        told = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines)
                chunk = [self._lines.popleft()]
                size = len(chunk[0])
                # What is no longer than this is written whole or not at all, whoever else writes to the pipe.
                while self._lines and size + len(self._lines[0]) <= select.PIPE_BUF:
                    size += len(self._lines[0])
                    chunk.append(self._lines.popleft())
            is_written = self._is_open and _write(b"".join(chunk))
            with self._changed:
                self._waiting_bytes -= size
                self.dropped += 0 if is_written else len(chunk)
                missing, told = (self.dropped - told, self.dropped) if is_written else (0, told)
                self._changed.notify_all()
            if missing:
                event("log-lines-dropped", count=missing)


_outlet = _Outlet()


def _story(error: BaseException, told: set[int]) -> Iterator[str]:
    """As Python writes a traceback, but for the messages."""
    if len(told) >= _MOST_TOLD or id(error) in told:
        return
    told.add(id(error))
    before = error.__cause__
    if before is None and not error.__suppress_context__:
        before = error.__context__
    if before is not None:
        yield from _story(before, told)
        yield _CAUSED if error.__cause__ is not None else _MEANWHILE
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{_said(error)}\n"
    for part in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _story(part, told)


def _said(error: BaseException) -> str:
    """The type, and what may be told of the message, on one line and without what a terminal would obey."""
    name = type(error).__name__
    text = "" if _messages == "none" else _text(error)
    more = len(text) - SHORT
    if _messages == "short" and more > 0:
        text = text[:SHORT]
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    cut = f" … and {more} characters more" if _messages == "short" and more > 0 else ""
    return f"{name}: {shown}{cut}" if shown else name


def _text(error: BaseException) -> str:
    """What it says; nothing where that cannot be had: the error is the user's, and so is its text."""
    try:
        return str(error)
    except Exception:
        return ""


def _write(whole: bytes) -> bool:
    rest = memoryview(whole)
    while rest:
        try:
            rest = rest[os.write(_STDOUT, rest) :]
        except BlockingIOError:
            poll = select.poll()
            poll.register(_STDOUT, select.POLLOUT)
            if not poll.poll(_PATIENCE_MS):
                return False
        except OSError:
            return False
    return True


def _composed(told: dict[str, object]) -> bytes:
    """One line of JSON; texts that are too long lose their middle."""
    whole = _dumped(told)
    kept = _LONGEST_LINE // 2
    while len(whole) > _LONGEST_LINE and kept >= 64:
        whole = _dumped({name: _shortened(value, kept) for name, value in told.items()})
        kept //= 2
    return whole


def _dumped(told: dict[str, object]) -> bytes:
    try:
        return orjson.dumps(told, default=str, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # text that is not Unicode, as file names may be
        return json.dumps(told, default=str).encode() + b"\n"


def _shortened(value: object, kept: int) -> object:
    if not isinstance(value, str) or len(value) <= kept:
        return value
    return f"{value[: kept // 4]} … {value[-kept * 3 // 4 :]}"  # the end of a traceback is what it is about
