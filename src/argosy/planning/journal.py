"""What steps gave, kept beside the project: safe to delete, since AWS is asked first what is there."""

import fcntl
import os
from collections.abc import Iterator, Mapping
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
        PlanError: The file is there, and cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._steps: dict[str, dict[str, str]] = {}
        try:
            found = msgspec.json.decode(path.read_bytes(), type=_File)
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError) as error:
            raise _unreadable(path, error) from error
        if found.version != _VERSION:
            raise _unreadable(path, f"version {found.version}")
        self._steps = found.steps

    @property
    def outputs(self) -> Mapping[str, Mapping[str, str]]:
        """What each step gave last."""
        return self._steps

    def note(self, key: str, outputs: Mapping[str, str]) -> None:
        """Keep what a step gave, beside what it gave before; on the disk when this returns."""
        self._steps[key] = {**self._steps.get(key, {}), **outputs}
        self._write()

    def forget(self, keys: Iterator[str] | tuple[str, ...]) -> None:
        """Keep nothing more of some steps."""
        for key in keys:
            self._steps.pop(key, None)
        self._write()

    @contextmanager
    def held(self) -> Iterator[None]:
        """For one process at a time.

        Raises:
            PlanError: Another process has it.
        """
        make_folder(self._path.parent)
        with (self._path.parent / f"{self._path.stem}.lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise PlanError(
                    "another run is under way", where=self._path, hint="wait until it has ended, or end it"
                ) from None
            yield

    def _write(self) -> None:
        make_folder(self._path.parent)
        aside = self._path.with_suffix(f".{os.getpid()}.partial")
        aside.write_bytes(msgspec.json.format(msgspec.json.encode(_File(_VERSION, self._steps)), indent=2) + b"\n")
        aside.replace(self._path)


def make_folder(folder: Path) -> None:
    """The folder of a project's state, with a file that keeps it out of git."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ignored = folder / ".gitignore"
    if not ignored.exists():
        ignored.write_text("*\n")


def _unreadable(path: Path, got: object) -> PlanError:
    return PlanError("the state of earlier runs cannot be read", got=got, where=path, hint=f"rm {path}  (it is safe)")
