"""A transform job's input and output folders: objects with their keys, and results that appear only when whole."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from argosy.errors import UsageError

OUT_SUFFIX = ".out"


@dataclass(frozen=True, slots=True)
class InputObject:
    """One object of the input.

    Attributes:
        key: Its path relative to the input, with slashes; printable.
        path: The file.
        size: In bytes.
        output: Where its result goes: the key with `.out` under the output folder.
    """

    key: str
    path: Path
    size: int
    output: Path


def input_objects(source: Path, output: Path, report: Callable[[str], None]) -> list[InputObject]:
    """The objects of an input folder and all its sub folders, or of a single file, in the order of S3's listings.

    Args:
        source: A folder or a file.
        output: The folder of the results; not inside `source`, lest results become input.
        report: Takes a sentence for everything in the input folder that is no object: links to folders, links to
            nothing, pipes and the like.

    Raises:
        UsageError: There is no input, the output lies in it, or the output can be no folder.
    """
    existing = next((path for path in (output, *output.parents) if os.path.lexists(path)), output)
    if os.path.lexists(existing) and not existing.is_dir():
        raise UsageError("the output is not a folder", got=f"`{existing}`", want="a folder, or a name that is free")
    if source.is_file():
        files = [source]
        source = source.parent
    elif source.is_dir():
        if output.resolve().is_relative_to(source.resolve()):
            raise UsageError("the output folder lies in the input folder", got=f"`{output}` in `{source}`")
        files = sorted(_files(source, report), key=lambda path: os.fsencode(path.relative_to(source).as_posix()))
    else:
        raise UsageError("the input is not there", got=f"`{source}`", want="a folder, or a file")
    if not files:
        raise UsageError("the input folder holds no file", got=f"`{source}`")
    found = []
    for path in files:
        key = path.relative_to(source)
        printable = os.fsencode(key.as_posix()).decode(errors="replace")
        target = output / key.with_name(key.name + OUT_SUFFIX)
        found.append(InputObject(printable, path, path.stat().st_size, target))
    return found


def _files(folder: Path, report: Callable[[str], None]) -> list[Path]:
    """All files below a folder, links to files included; tells what else is there."""
    found = []

    def unreadable(error: OSError) -> None:
        raise UsageError("a folder of the input cannot be read", got=error) from error

    for parent, folders, names in os.walk(folder, onerror=unreadable):
        for name in sorted([*names, *folders]):
            path = Path(parent) / name
            if path.is_file():
                found.append(path)
            elif path.is_symlink() or not path.is_dir():
                report(f"{path}: {_kind(path)}, not transformed: an object is a file")
    return found


def _kind(path: Path) -> str:
    """What is there that is no object."""
    if not path.is_symlink():
        return "a pipe" if stat.S_ISFIFO(path.lstat().st_mode) else "a socket or device"
    if not path.exists():
        return "a link to nothing"
    return "a link to a folder" if path.is_dir() else "a link to what is no file"


class OutputFile:
    """A result under way: written beside its final name, and renamed when it is whole.

    Args:
        target: The final name; its folder is made.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._aside = target.with_name(f".{target.name}.partial")
        target.parent.mkdir(parents=True, exist_ok=True)
        self.stream: BinaryIO = self._aside.open("wb")

    def finish(self) -> None:
        """Give it its name."""
        self.stream.close()
        self._aside.replace(self._target)

    def discard(self) -> None:
        """Leave nothing of it; an earlier job's result stays, as it does in S3."""
        self.stream.close()
        self._aside.unlink(missing_ok=True)
