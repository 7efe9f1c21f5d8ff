"""A .deb file: an ar archive with the files of the package as a compressed tar.

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
_DECOMPRESSORS: Final[dict[str, Callable[[IO[bytes]], IO[bytes]]]] = {
    "data.tar.xz": lzma.open,
    "data.tar.gz": gzip_reader,
}


@contextmanager
def opened(path: Path) -> Iterator[tarfile.TarFile]:
    """The files of a package as a stream of tar members.

    Raises:
        ImageError: Not a .deb, or compressed with something else than xz or gzip.
    """
    with path.open("rb") as file:
        name, size = _seek_files(file, path)
        content = io.BufferedReader(FileSlice(file, file.tell(), size), 1 << 20)
        try:
            if name not in _DECOMPRESSORS:
                raise ImageError("a Debian package is compressed with something unknown", got=f"`{name}`", where=path)
            with _DECOMPRESSORS[name](content) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
                yield archive
        except (*BROKEN_ARCHIVE, lzma.LZMAError) as error:
            raise ImageError("a Debian package is broken", got=error, where=path) from error


def _seek_files(file: BinaryIO, path: Path) -> tuple[str, int]:
    """Go to the `data.tar` member, the last one, and return its name and size."""
    if file.read(len(_MAGIC)) != _MAGIC:
        raise ImageError("not a Debian package", where=path)
    while header := file.read(_HEADER):
        name = header[:16].decode("ascii", "replace").strip().rstrip("/")
        size = int(header[48:58])
        if name.startswith("data.tar"):
            return name, size
        file.seek(size + size % 2, 1)
    raise ImageError("a Debian package has no files", where=path)
