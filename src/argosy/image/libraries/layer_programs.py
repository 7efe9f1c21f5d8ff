"""One layer -> its programs and the names that matter to the loader, read once and remembered by the layer's digest."""

import struct
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Final, cast

import msgspec

from argosy.image.image import Image
from argosy.image.layer import cache_key
from argosy.image.libraries.elf import HEAD, BrokenProgramError, Program, is_program, read_program
from argosy.image.observation import Collected, Sink, observe
from argosy.model_archive import written_aside

LOADER_CACHE: Final = "etc/ld.so.cache"

_FORMAT: Final = 2
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

    Raises:
        ImageError: The layer is broken.
    """
    try:
        return msgspec.json.decode(_remembered(image.diff_ids[index], cache_dir).read_bytes(), type=list[LayerName])
    except (FileNotFoundError, ValueError):
        pass
    observer = ProgramObserver(cache_dir)
    observe(image, index, [observer])
    return observer.names


class ProgramObserver:
    """Notes the names of one layer that the loader may meet, and remembers them.

    Memory stays flat: large programs lie in a temporary file while their headers are read.

    Args:
        cache_dir: The user's cache folder; None remembers nothing.
    """

    def __init__(self, cache_dir: Path | None = None) -> None:
        self.names: list[LayerName] = []
        self._cache_dir = cache_dir
        self._left_out: set[str] = set()

    def begin(self, member: tarfile.TarInfo) -> Sink | None:
        """Note what is no file; of a file its bytes tell what it is."""
        kind = member.type.decode("latin-1")
        if member.isfile():
            return _File(self, member)
        if member.islnk() and _plain(member.linkname) in self._left_out:
            self.note_plain(member)
        else:
            self.names.append(LayerName(member.name, kind, member.linkname))
        return None

    def note_plain(self, member: tarfile.TarInfo) -> None:
        """Note a file that is no program, where one of a lower layer may have its name."""
        if ".so" in PurePosixPath(member.name).name or member.mode & 0o111 or _is_whiteout(member.name):
            self.names.append(LayerName(member.name, tarfile.REGTYPE.decode()))
        else:
            self._left_out.add(_plain(member.name))

    def finish(self, digest: str, diff_id: str) -> None:
        """Remember the names by the layer's diff ID."""
        if self._cache_dir is None:
            return
        with written_aside(_remembered(diff_id, self._cache_dir)) as aside:
            aside.write_bytes(msgspec.json.encode(self.names))


class _File:
    """A file that goes by: kept when its first bytes are a program's."""

    def __init__(self, observer: ProgramObserver, member: tarfile.TarInfo) -> None:
        self._observer = observer
        self._member = member
        self._head = b""
        self._program: Collected | None = None

    def write(self, chunk: bytes, /) -> None:
        if self._program is not None:
            self._program.write(chunk)
        elif len(self._head) < HEAD:
            self._head += chunk
            self._program = self._begun()

    def close(self) -> None:
        if self._program is None:
            self._observer.note_plain(self._member)
        else:
            self._program.close()

    def _begun(self) -> Collected | None:
        if _plain(self._member.name) == LOADER_CACHE:
            collected = Collected(self._note_listed, _CACHE_LIMIT)
        elif is_program(self._head):
            collected = Collected(self._note_program)
        else:
            return None
        collected.write(self._head)
        return collected

    def _note_listed(self, content: IO[bytes]) -> None:
        listed = tuple(loader_cache(content.read()))
        self._observer.names.append(LayerName(self._member.name, tarfile.REGTYPE.decode(), listed=listed))

    def _note_program(self, content: IO[bytes]) -> None:
        name, kind = self._member.name, tarfile.REGTYPE.decode()
        try:
            found = LayerName(name, kind, program=read_program(cast("BinaryIO", content)))
        except BrokenProgramError as error:
            found = LayerName(name, kind, broken=str(error))
        self._observer.names.append(found)


def _remembered(diff_id: str, cache_dir: Path) -> Path:
    return cache_dir / "programs" / cache_key("programs", _FORMAT, diff_id)


def _plain(path: str) -> str:
    return path.removeprefix("./").strip("/")


def _is_whiteout(path: str) -> bool:
    return PurePosixPath(path).name.startswith(".wh.")


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
