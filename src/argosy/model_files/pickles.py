"""Pickles, looked at by their opcodes: nothing is unpickled here.

Source: Python's pickletools; joblib 1.6, joblib/compressor.py (read 2026-11-23).
"""

import bz2
import io
import lzma
import pickletools
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from argosy.model_files.contents import head

_MOST_BYTES: Final = 256 * 2**20
_MOST_OPCODES: Final = 2_000_000
_TEXTS: Final = ("SHORT_BINUNICODE", "BINUNICODE", "UNICODE")


def _gzip() -> Any:
    return zlib.decompressobj(wbits=47)  # zlib or gzip, told apart by the header


def _xz() -> Any:
    return lzma.LZMADecompressor(memlimit=_MOST_BYTES)


_COMPRESSED: Final[dict[bytes, Callable[[], Any]]] = {
    b"\x78": _gzip,
    b"\x1f\x8b": _gzip,
    b"BZ": bz2.BZ2Decompressor,
    b"\xfd7zXZ": _xz,
    b"\x5d\x00": _xz,
}


def content(path: Path) -> bytes | None:
    """The beginning of a pickle, unpacked as joblib packs it; None when the file is something else."""
    begin = head(path, 8)
    unpack = next((make for magic, make in _COMPRESSED.items() if begin.startswith(magic)), None)
    if unpack is None and not _is_pickle(begin):
        return None
    with path.open("rb") as file:
        found = file.read(_MOST_BYTES) if unpack is None else _unpacked(file, unpack())
    return found if _is_pickle(found[:2]) else None


def _is_pickle(begin: bytes) -> bool:
    return len(begin) > 1 and begin[0] == 0x80 and 2 <= begin[1] <= 5


def _unpacked(file: IO[bytes], unpacker: Any) -> bytes:
    found = bytearray()
    try:
        for part in _parts(file, unpacker):
            found += part
            if len(found) > _MOST_BYTES:
                break
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
        return bytes(found)
    return bytes(found)


def _parts(file: IO[bytes], unpacker: Any) -> Iterator[bytes]:
    """What a stream unpacks to, a megabyte at a time."""
    while not unpacker.eof and (packed := file.read(2**16)):
        while packed and not unpacker.eof:
            part = unpacker.decompress(packed, 2**20)
            packed = getattr(unpacker, "unconsumed_tail", b"")
            if not part and not packed:
                break
            yield part
            if not hasattr(unpacker, "unconsumed_tail"):
                while not unpacker.needs_input and not unpacker.eof:
                    yield unpacker.decompress(b"", 2**20)


def modules(pickled: bytes) -> Iterator[str]:
    """The outermost names of the modules that unpickling would import, as far as opcodes can be followed.

    joblib writes arrays between the opcodes, where following ends; what an estimator is made of was named before.
    """
    texts: list[str] = []
    memory: list[str | None] = []
    last = None
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(io.BytesIO(pickled))):
            if count > _MOST_OPCODES:
                return
            if opcode.name == "GLOBAL":
                yield str(argument).partition(" ")[0].partition(".")[0]
            elif opcode.name == "STACK_GLOBAL" and len(texts) > 1:
                yield texts[-2].partition(".")[0]
            elif opcode.name in _TEXTS:
                last = str(argument)
                texts = [*texts[-1:], last]
                continue
            elif opcode.name == "MEMOIZE":
                memory.append(last)
            elif opcode.name in ("BINGET", "LONG_BINGET") and int(argument or 0) < len(memory):
                texts = [*texts[-1:], memory[int(argument or 0)] or ""]
            last = None
    except Exception:  # whatever the bytes are, no more opcodes of them can be followed
        return
