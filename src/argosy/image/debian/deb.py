"""A .deb file: an ar archive of two compressed tars, one with what dpkg has to know, one with the package's files.

Source: deb(5) (read 2026-11-22).
"""

import io
import lzma
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Final

from argosy.errors import ImageError
from argosy.image.layer_stream import FileSlice
from argosy.model_archive import BROKEN_ARCHIVE, gzip_reader

_MAGIC: Final = b"!<arch>\n"
_HEADER: Final = 60
_LARGEST_CONTROL: Final = 16 * 2**20
_DECOMPRESSORS: Final[dict[str, Callable[[IO[bytes]], IO[bytes]]]] = {"xz": lzma.open, "gz": gzip_reader}


def control(path: Path) -> dict[str, bytes]:
    """What dpkg has to know of a package, by name: `control`, `md5sums`, `postinst` and the like.

    Raises:
        ImageError: Not a .deb, or compressed with something else than xz or gzip.
    """
    found: dict[str, bytes] = {}
    with _archive(path, "control") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.size <= _LARGEST_CONTROL else None
            if content is not None:
                found[member.name.removeprefix("./")] = content.read()
    if "control" not in found:
        raise ImageError("a Debian package does not say what it is", got=", ".join(sorted(found)), where=path)
    return found


@contextmanager
def opened(path: Path) -> Iterator[tarfile.TarFile]:
    """The files of a package as a stream of tar members.

    Raises:
        ImageError: Not a .deb, or compressed with something else than xz or gzip.
    """
    with _archive(path, "data") as archive:
        yield archive


@contextmanager
def _archive(path: Path, part: str) -> Iterator[tarfile.TarFile]:
    with path.open("rb") as file:
        name, size = _seek(file, part, path)
        content = io.BufferedReader(FileSlice(file, file.tell(), size), 1 << 20)
        kind = name.rpartition(".")[2]
        try:
            if kind not in _DECOMPRESSORS:
                raise ImageError(
                    "a Debian package is compressed with something that is not read here",
                    got=f"`{name}`",
                    want="xz, as Debian packs, or gzip",
                    where=path,
                    hint="let apt install it: argosy build --engine docker",
                )
            with _DECOMPRESSORS[kind](content) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
                yield archive
        except (*BROKEN_ARCHIVE, lzma.LZMAError) as error:
            raise ImageError("a Debian package is broken", got=error, where=path) from error


def _seek(file: BinaryIO, part: str, path: Path) -> tuple[str, int]:
    """Go to the member `control.tar.*` or `data.tar.*`, and return its name and size."""
    if file.read(len(_MAGIC)) != _MAGIC:
        raise ImageError("not a Debian package", where=path)
    while len(header := file.read(_HEADER)) == _HEADER:
        name = header[:16].decode("ascii", "replace").strip().rstrip("/")
        length = header[48:58].strip()
        if not length.isdigit():
            break
        size = int(length)
        if name.startswith(f"{part}.tar"):
            return name, size
        file.seek(size + size % 2, 1)
    raise ImageError("a Debian package has no files", got=f"no `{part}.tar`", where=path)
