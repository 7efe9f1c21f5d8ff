"""What steps gave, kept beside the project: safe to delete, since AWS is asked first what is there."""

import fcntl
import os
import shlex
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from argosy.errors import PlanError

FOLDER: Final = ".argosy"
"""Where the state of a project is, in its folder."""

_VERSION: Final = 1


class _File(msgspec.Struct):
    version: int
    steps: dict[str, dict[str, str]]


class Journal:
    """The file of one kind of plan.

    Args:
        path: `.argosy/NAME.json`; it and its folder need not be there.

    Raises:
        PlanError: The file is there, and makes no sense.
        OSError: It may not be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._steps = _read(path)
        self._writing = threading.Lock()

    @property
    def outputs(self) -> Mapping[str, Mapping[str, str]]:
        """What each step gave last."""
        return self._steps

    def note(self, key: str, outputs: Mapping[str, str]) -> None:
        """Keep what a step gave, beside what it gave before; on the disk when this returns.

        Raises:
            OSError: The disk is full, or the folder may not be written to.
        """
        with self._writing:
            self._steps[key] = {**self._steps.get(key, {}), **outputs}
            self._write()

    def forget(self, keys: Iterable[str]) -> None:
        """Keep nothing more of some steps.

        Raises:
            OSError: As for `note`.
        """
        with self._writing:
            for key in keys:
                self._steps.pop(key, None)
            self._write()

    @contextmanager
    def held(self) -> Iterator[None]:
        """For one process at a time: reads what another has noted meanwhile, and tries whether it can write.

        Raises:
            PlanError: Another process has it, or the file cannot be read.
            OSError: It cannot be written: better found out before AWS is called than after.
        """
        make_folder(self._path.parent)
        with (self._path.parent / f"{self._path.stem}.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise PlanError(
                    "another run is under way", where=self._path, hint="wait until it has ended, or end it"
                ) from None
            with self._writing:
                self._steps = _read(self._path)
                self._write()
            yield

    def _write(self) -> None:
        """Aside and moved into place, each on the disk before the next: the file is the old one or the new one."""
        make_folder(self._path.parent)
        aside = self._path.with_suffix(f".{os.getpid()}.partial")
        try:
            with aside.open("wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(_File(_VERSION, self._steps)), indent=2) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self._path)
        except OSError:
            aside.unlink(missing_ok=True)
            raise
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def make_folder(folder: Path) -> None:
    """The folder of a project's state, with a file that keeps it out of git."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignored = folder / ".gitignore"
    if not ignored.exists():
        ignored.write_text("*\n")


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File)
    except FileNotFoundError:
        return {}
    except msgspec.MsgspecError as error:
        raise _unreadable(path, error) from error
    if found.version != _VERSION:
        raise _unreadable(path, f"version {found.version}")
    return found.steps


def _unreadable(path: Path, got: object) -> PlanError:
    return PlanError(
        "the state of earlier runs cannot be read, and is not needed: AWS is asked what is there",
        got=got,
        where=path,
        hint=f"rm {shlex.quote(str(path))}",
    )
