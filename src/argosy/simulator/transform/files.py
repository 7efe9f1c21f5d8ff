"""A transform job's input and output folders: objects with their keys, and results that appear only when whole."""

import os
from collections.abc import Iterator
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


def input_objects(source: Path, output: Path) -> list[InputObject]:
    """The objects of an input folder and all its sub folders, or of a single file, in the order of S3's listings.

    Args:
        source: A folder or a file.
        output: The folder of the results; not inside `source`, lest results become input.

    Raises:
        UsageError: There is no input, or the output lies in it.
    """
    if source.is_file():
        files = [source]
        source = source.parent
    elif source.is_dir():
        if output.resolve().is_relative_to(source.resolve()):
            raise UsageError("the output folder lies in the input folder", got=f"`{output}` in `{source}`")
        files = sorted(_files(source), key=lambda path: os.fsencode(path.relative_to(source).as_posix()))
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


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent) / name
            if path.is_file():
                yield path


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
