"""Wheels: which of several fits the image best, and whether its compiled files do."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Final

from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from argosy.errors import ImageError, ResolutionError
from argosy.image.dependencies.target import NEWEST_GLIBC_MINOR, tags

_CHUNK: Final = 1 << 20
_ELF: Final = b"\x7fELF"
_X86_64: Final = 62
_HEAD: Final = 20  # bytes of an ELF header up to `e_machine` and with it
_GLIBC: Final = re.compile(rb"\0GLIBC_2\.(\d{1,3})(?:\.\d+)?(?=\0)")
_LONGEST: Final = len(b"\0GLIBC_2.123.123\0")


@dataclass(frozen=True, slots=True)
class WheelFile:
    """A wheel that the lock names, or that was built from what it names.

    Attributes:
        distribution: Normalized name of what it installs.
        version: Its version.
        filename: As the wheel format names it, with the tags of the Pythons and platforms that it fits.
        url: Where it is downloaded; empty when it comes from this machine, and lies in the store of downloads.
        digest: `sha256:` digest.
        size: In bytes; None when the index does not tell.
    """

    distribution: str
    version: str
    filename: str
    url: str
    digest: str
    size: int | None


def choose_wheel(candidates: Sequence[WheelFile], python: str) -> WheelFile:
    """The wheel that fits the image's Python and platform best, as installers choose.

    Raises:
        ResolutionError: None fits.
    """
    ranked = [(fitness(wheel.filename, python), number) for number, wheel in enumerate(candidates)]
    best = min(((rank, number) for rank, number in ranked if rank is not None), default=None)
    if best is None:
        raise ResolutionError(
            f"no wheel of `{candidates[0].distribution}` {candidates[0].version} fits the image",
            got=", ".join(wheel.filename for wheel in candidates),
            want=f"linux/amd64, glibc 2.{NEWEST_GLIBC_MINOR} or older, Python {python}",
        )
    return candidates[best[1]]


def fitness(filename: str, python: str) -> int | None:
    """How well a wheel of this name fits the image, the better the smaller; None when it does not.

    Raises:
        ResolutionError: No wheel has such a name.
    """
    order = _ranks(python)
    try:
        named = parse_wheel_filename(filename)[3]
    except InvalidWheelFilename as error:
        raise ResolutionError("the lock names a file that is no wheel", got=f"`{filename}`") from error
    return min((order[tag] for tag in named if tag in order), default=None)


def is_pure(filename: str) -> bool:
    """Whether a wheel of this name runs on every platform."""
    return all(tag.abi == "none" and tag.platform == "any" for tag in parse_wheel_filename(filename)[3])


@contextmanager
def opened(path: Path, filename: str) -> Iterator[zipfile.ZipFile]:
    """A wheel, to be read.

    Raises:
        ImageError: It is broken.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except zipfile.BadZipFile as error:
        raise ImageError("a wheel is broken", got=error, where=filename) from error


def require_loadable(path: Path, filename: str, glibc_minor: int) -> None:
    """Refuse a wheel with a compiled file that the image's C library cannot load.

    Args:
        path: The wheel.
        filename: Its name.
        glibc_minor: `x` of the image's glibc 2.x.

    Raises:
        ResolutionError: A file is for another machine, or asks for a newer glibc.
        ImageError: The wheel is broken.

    Source: System V ABI, "ELF Header", `e_machine` (read 2026-11-22).
    """
    with opened(path, filename) as archive:
        for item in archive.infolist():
            with archive.open(item) as stream:
                head = stream.read(_HEAD)
                if not head.startswith(_ELF):
                    continue
                needed = newest_glibc(stream)
            machine = int.from_bytes(head[18:20], "little")
            where = f"{filename}: {item.filename}"
            if machine != _X86_64:
                want = f"{_X86_64} (x86-64)"
                raise ResolutionError(
                    "a compiled file is for another machine", got=f"ELF machine {machine}", want=want, where=where
                )
            if needed is not None and needed > glibc_minor:
                raise ResolutionError(
                    "a compiled file needs a newer C library than the image has",
                    got=f"glibc 2.{needed}",
                    want=f"glibc 2.{glibc_minor} or older",
                    where=where,
                    hint="build the wheel in the base image, or in a manylinux image, and name its folder in "
                    "`[image] dependencies`",
                )


def newest_glibc(stream: IO[bytes]) -> int | None:
    """The highest `x` of the symbol versions `GLIBC_2.x` that an ELF file names; None when it names none.

    A version stands in the file's string table, between two NULs. Such bytes elsewhere in the file would count, too: at
    worst a file is refused that would have been loaded.

    Source: Linux Standard Base, "Symbol Versioning" (read 2026-11-22).
    """
    newest, rest = -1, b""
    while chunk := stream.read(_CHUNK):
        rest += chunk
        newest = max([newest, *(int(number) for number in _GLIBC.findall(rest))])
        rest = rest[-_LONGEST:]
    return newest if newest >= 0 else None


@lru_cache
def _ranks(python: str) -> dict[Tag, int]:
    return {tag: number for number, tag in reversed(list(enumerate(tags(python))))}
