"""Accepted asynchronous invocations that have no result yet, in a folder that survives the simulator.

One file an invocation: a line of JSON, then the body that came with the request, if one did. It is written before the
client gets its 202 and removed when the result is whole and its notification delivered. A second file says how the
invocation is about to end; it is written before the result gets its key. So whoever finds both after a sudden end
knows by the object's ETag whether the result was there in time, and nothing becomes visible twice. A file that cannot
be read is set aside, and keeps nobody from the others.

The methods block; asynchronous callers put them on a thread.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from argosy.errors import StorageError
from argosy.simulator.health import Report
from argosy.simulator.runtime.async_request import AsyncInvocation
from argosy.simulator.runtime.notification import Notification

_ACCEPTED: Final = ".invocation"
_OUTCOME: Final = ".outcome"
_PARTIAL: Final = ".partial"
_DAMAGED: Final = ".damaged"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation is about to end.

    Attributes:
        location: The object that it ends with; None when a failure has no place to go.
        etag_before: Of the object that had the key before; None when there was none.
        notification: What its topic is told; None when nobody is.
    """

    location: str | None
    etag_before: str | None
    notification: Notification | None


@dataclass(frozen=True, slots=True)
class Entry:
    """An invocation in the folder.

    Attributes:
        invocation: What was accepted.
        outcome: How it was about to end; None when it was not.
    """

    invocation: AsyncInvocation
    outcome: Outcome | None


class Spool:
    """The folder; there is one below it for each endpoint.

    Args:
        folder: Made when it is needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, invocation: AsyncInvocation, body: bytes) -> None:
        """Keep an invocation; it is on the disk when this returns.

        Raises:
            StorageError: It could not be kept.
        """
        self._write(self._path(invocation, _ACCEPTED), msgspec.json.encode(invocation) + b"\n" + body)

    def settle(self, invocation: AsyncInvocation, outcome: Outcome) -> None:
        """Keep how an invocation is about to end; on the disk when this returns.

        Raises:
            StorageError: It could not be kept.
        """
        self._write(self._path(invocation, _OUTCOME), msgspec.json.encode(outcome))

    def body(self, invocation: AsyncInvocation) -> BinaryIO:
        """The body that came with the request, ready to be read.

        Raises:
            StorageError: It cannot be read.
        """
        path = self._path(invocation, _ACCEPTED)
        try:
            file = path.open("rb")
            file.readline()
        except OSError as error:
            raise StorageError("an accepted invocation cannot be read", got=error, where=path) from error
        return file

    def body_bytes(self, invocation: AsyncInvocation) -> int:
        """How long that body is.

        Raises:
            StorageError: It cannot be read.
        """
        with self.body(invocation) as file:
            start = file.tell()
            return file.seek(0, os.SEEK_END) - start

    def entries(self, endpoint: str, report: Report) -> Iterator[Entry]:
        """What is kept for an endpoint, in the order in which it came; what a sudden end left half done is removed.

        A file that cannot be read gets `.damaged` behind its name. Without its second file an invocation is done again.

        Args:
            endpoint: Its name.
            report: Takes a line for each damaged file.

        Raises:
            StorageError: The folder cannot be read.
        """
        folder = self._folder / endpoint
        try:
            paths = sorted(folder.iterdir()) if folder.is_dir() else []
            whole = {path.stem for path in paths if path.suffix == _ACCEPTED}
            for path in paths:
                if path.suffix == _DAMAGED:
                    continue
                if path.suffix == _PARTIAL or path.stem not in whole:
                    path.unlink(missing_ok=True)
                elif path.suffix == _ACCEPTED:
                    entry = self._entry(path, report)
                    if entry is not None:
                        yield entry
        except OSError as error:
            raise StorageError("the accepted invocations cannot be read", got=error, where=folder) from error

    def remove(self, invocation: AsyncInvocation) -> None:
        """Forget an invocation: first that it was accepted, so that nobody takes it for one that has to be done.

        Raises:
            StorageError: A file cannot be removed.
        """
        for suffix in (_ACCEPTED, _OUTCOME):
            path = self._path(invocation, suffix)
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise StorageError("an invocation that has ended is still kept", got=error, where=path) from error
        with suppress(OSError):  # others are there, mostly
            (self._folder / invocation.endpoint).rmdir()

    def clear(self, endpoint: str) -> None:
        """Forget all that is kept for an endpoint, whatever it is.

        Raises:
            StorageError: A file cannot be removed.
        """
        folder = self._folder / endpoint
        try:
            for path in folder.iterdir() if folder.is_dir() else ():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError("the accepted invocations cannot be removed", got=error, where=folder) from error
        with suppress(OSError):  # none was ever accepted
            folder.rmdir()

    def _path(self, invocation: AsyncInvocation, suffix: str) -> Path:
        return self._folder / invocation.endpoint / f"{invocation.id}{suffix}"

    def _entry(self, path: Path, report: Report) -> Entry | None:
        try:
            with path.open("rb") as file:
                invocation = msgspec.json.decode(file.readline(), type=AsyncInvocation)
            if self._path(invocation, _ACCEPTED) != path:
                raise ValueError(f"the invocation {invocation.id} of {invocation.endpoint}")
        except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
            _set_aside(path, "is lost", error, report)
            return None
        outcome = path.with_suffix(_OUTCOME)
        try:
            return Entry(invocation, msgspec.json.decode(outcome.read_bytes(), type=Outcome))
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            _set_aside(outcome, "is done again", error, report)
        return Entry(invocation, None)

    def _write(self, path: Path, content: bytes) -> None:
        partial = path.with_suffix(_PARTIAL)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(path)
            _sync(path.parent)
        except OSError as error:
            with suppress(OSError):  # what has no room leaves none taken
                partial.unlink(missing_ok=True)
            raise StorageError("an invocation cannot be kept", got=error, where=path) from error


def _set_aside(path: Path, consequence: str, error: Exception, report: Report) -> None:
    """Take a file that cannot be read out of the way, as far as the file system lets."""
    aside = path.with_name(path.name + _DAMAGED)
    report(f"{path}: an accepted invocation {consequence}, its file cannot be read and becomes {aside.name}: {error}")
    try:
        path.rename(aside)
    except OSError as refusal:
        report(f"{path}: it cannot be renamed and stays: {refusal}")


def _sync(folder: Path) -> None:
    """Have the folder's names on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
