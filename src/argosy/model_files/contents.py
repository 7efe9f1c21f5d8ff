"""Bounded reads of files that nobody vouches for: their beginning, their JSON, members of an archive."""

import mmap
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from argosy.errors import ProjectError

HEAD_BYTES: Final = 4096
MEMBER_BYTES: Final = 64 * 2**20
"""The most of an archive's member that is unpacked: what says what a model is, is far smaller."""
_MOST_MEMBERS: Final = 100_000
_BROKEN: Final = (
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    RuntimeError,
    TypeError,
    UnicodeDecodeError,
    ValueError,
    msgspec.DecodeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
_Read = TypeVar("_Read")


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Whatever a damaged file leads to becomes one sentence.

    Args:
        path: The file.
        kind: What it should be.

    Raises:
        ProjectError: The file is damaged, or cannot be read.
    """
    try:
        yield
    except _BROKEN as error:
        raise ProjectError(
            f"a saved model is damaged: it is no whole {kind}",
            got=" ".join(str(error).split())[:200] or type(error).__name__,
            where=path,
            hint="save or copy it once more",
        ) from error
    except OSError as error:
        raise ProjectError("a saved model cannot be read", got=error.strerror, where=path) from error


def head(path: Path, size: int = HEAD_BYTES) -> bytes:
    """The first bytes of a file."""
    with path.open("rb") as file:
        return file.read(size)


def mapped(path: Path) -> memoryview:
    """The whole file, without reading more of it than is looked at."""
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b"")


def json_file(path: Path, kind: type[_Read]) -> _Read:
    """A JSON file as a struct that names what is wanted of it; the rest is skipped."""
    return msgspec.json.decode(mapped(path), type=kind)


def members(path: Path) -> dict[str, int]:
    """The files in a zip archive and their sizes; none when it is no such archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            listed = archive.infolist()
    except _BROKEN:
        return {}
    return {member.filename: member.file_size for member in listed[:_MOST_MEMBERS]}


def member(path: Path, name: str, limit: int = MEMBER_BYTES) -> bytes:
    """A file in a zip archive, up to so many bytes of it.

    Raises:
        ValueError: It is larger, or packed in a way that may take any amount of memory.
    """
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"`{name}` is neither stored nor deflated")
        with archive.open(name) as stream:
            content = stream.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"`{name}` has more than {limit:,} bytes")
    return content
