"""One layer -> its programs and the names that matter to the loader, read once and remembered by the layer's digest."""

import shutil
import struct
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Final, cast

import msgspec

from argosy.image.image import Image
from argosy.image.layer import cache_key
from argosy.image.layer_stream import layer_members
from argosy.image.libraries.elf import HEAD, BrokenProgramError, Program, is_program, read_program
from argosy.model_archive import written_aside

LOADER_CACHE: Final = "etc/ld.so.cache"

_FORMAT: Final = 1
_IN_MEMORY: Final = 32 * 2**20
_CACHE_MAGIC: Final = b"glibc-ld.so.cache1.1"
_CACHE_LIMIT: Final = 16 * 2**20


class LayerName(msgspec.Struct, frozen=True, array_like=True):
    """A name in a layer that the loader may meet: a program, a link, a folder, or what hides one of a lower layer.

    Attributes:
        path: As the layer has it.
        kind: tar's type.
        link: Where a link points.
        program: What a program needs; None for everything else.
        broken: Why a program cannot be read, else empty.
        listed: What `ld.so.cache` lists, where this is that file.
    """

    path: str
    kind: str
    link: str = ""
    program: Program | None = None
    broken: str = ""
    listed: tuple[str, ...] = ()

    def member(self) -> tarfile.TarInfo:
        """The name as a tar has it."""
        member = tarfile.TarInfo(self.path)
        member.type, member.linkname = self.kind.encode(), self.link
        return member


def read_layer_programs(image: Image, index: int, cache_dir: Path) -> list[LayerName]:
    """The names of a layer that the loader may meet, in the layer's order.

    Memory stays flat: of a large program only the headers are read, from a temporary file.

    Raises:
        ImageError: The layer is broken.
    """
    remembered = cache_dir / "programs" / cache_key("programs", _FORMAT, image.diff_ids[index])
    try:
        return msgspec.json.decode(remembered.read_bytes(), type=list[LayerName])
    except (FileNotFoundError, ValueError):
        pass
    with layer_members(image, index) as archive:
        found = list(_names(archive))
    with written_aside(remembered) as aside:
        aside.write_bytes(msgspec.json.encode(found))
    return found


def _names(archive: tarfile.TarFile) -> Iterator[LayerName]:
    for member in archive:
        kind = member.type.decode("latin-1")
        if not member.isfile():
            yield LayerName(member.name, kind, member.linkname)
            continue
        content = archive.extractfile(member)
        path = PurePosixPath(member.name)
        if content is None:
            continue
        if str(path) == LOADER_CACHE:
            yield LayerName(member.name, kind, listed=tuple(loader_cache(content.read(_CACHE_LIMIT))))
            continue
        head = content.read(HEAD)
        if is_program(head):
            yield _program(member.name, kind, head, content)
        elif ".so" in path.name or member.mode & 0o111 or path.name.startswith(".wh."):
            yield LayerName(member.name, kind)


def _program(path: str, kind: str, head: bytes, content: IO[bytes]) -> LayerName:
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        file.write(head)
        shutil.copyfileobj(content, file, 1 << 20)
        try:
            return LayerName(path, kind, program=read_program(cast("BinaryIO", file)))
        except BrokenProgramError as error:
            return LayerName(path, kind, broken=str(error))


def loader_cache(content: bytes) -> Iterator[str]:
    """The paths that `ld.so.cache` lists, in its format since glibc 2.2, alone or behind the older one.

    Source: glibc's `sysdeps/generic/dl-cache.h`, `struct cache_file_new` (read 2026-11-22).
    """
    start = content.find(_CACHE_MAGIC)
    if start < 0:
        return
    try:
        count: int = struct.unpack_from("<I", content, start + len(_CACHE_MAGIC))[0]
        for number in range(count):
            value = start + struct.unpack_from("<8xI", content, start + 48 + 24 * number)[0]
            yield content[value : content.index(b"\0", value)].decode("utf-8", "replace")
    except (struct.error, ValueError):
        return  # the loader, too, goes on without a broken cache
