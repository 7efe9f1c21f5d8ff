"""The version of scikit-learn that wrote a file, read without loading it: nothing in the file is run.

Every estimator keeps it in its state, as `_sklearn_version` (`BaseEstimator.__getstate__`, scikit-learn 1.9, read
2026-11-23). A skops file has that state as JSON. In a pickle it is a string behind a string; joblib lays raw arrays
between the opcodes, so that nothing can walk them, and the two are looked for in the bytes.
"""

import bz2
import lzma
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol
from zipfile import BadZipFile, ZipFile

_CHUNK_BYTES: Final = 1 << 20
_LONGEST_BYTES: Final = 200
"""More than what is looked for is long."""
_IN_SCHEMA: Final = re.compile(rb'"_sklearn_version":\s*\{[^{}]*?"content":\s*"\\"([^"\\]+)\\""')
_IN_PICKLE: Final = re.compile(
    rb"_sklearn_version"
    rb"(?:\x94|q.|r.{4})?"  # MEMOIZE, BINPUT, LONG_BINPUT
    rb"(?:\x95.{8})?"  # FRAME
    rb"(?:\x8c(?P<short>.)|X(?P<long>.{4}))"  # SHORT_BINUNICODE, BINUNICODE: the length, then the text
    rb"(?P<text>\d[0-9A-Za-z.+]*)",
    re.DOTALL,
)


class _Decompressor(Protocol):
    def decompress(self, data: bytes, /) -> bytes: ...


def recorded(path: Path) -> frozenset[str]:
    """The versions of scikit-learn that wrote a file: of a skops file all, of a pickle the first that it names.

    Empty for what is neither, is damaged, or has none.
    """
    try:
        with path.open("rb") as file:
            if file.read(4) != b"PK\x03\x04":
                return _in_pickle(path)
        with ZipFile(path) as archive:
            return frozenset(found.decode() for found in _IN_SCHEMA.findall(archive.read("schema.json")))
    except (BadZipFile, KeyError, EOFError, OSError, UnicodeDecodeError, zlib.error, lzma.LZMAError):
        return frozenset()  # loading it says what is wrong


def release(version: str) -> str:
    """What has to be the same for a file to mean the same: `1.9` of `1.9.1`.

    >>> release("1.10.dev0"), release("0.24.2")
    ('1.10', '0.24')
    """
    return ".".join(version.split(".")[:2])


def _in_pickle(path: Path) -> frozenset[str]:
    window = b""
    for chunk in _plain(path):
        window += chunk
        if found := _IN_PICKLE.search(window):
            length = int.from_bytes(found["short"] or found["long"], "little")
            if length <= len(found["text"]):
                return frozenset({found["text"][:length].decode()})
        window = window[-_LONGEST_BYTES:]
    return frozenset()


def _plain(path: Path) -> Iterator[bytes]:
    """The bytes of a file, unpacked where joblib has compressed it."""
    with path.open("rb") as file:
        start = file.read(6)
        file.seek(0)
        unpack = _decompressor(start)
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk if unpack is None else unpack.decompress(chunk)


def _decompressor(start: bytes) -> _Decompressor | None:
    if start[:2] in (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b"):
        return zlib.decompressobj(wbits=47)  # 32 + 15: zlib or gzip, by the header
    if start[:3] == b"BZh":
        return bz2.BZ2Decompressor()
    if start[:6] == b"\xfd7zXZ\x00" or start[:3] == b"\x5d\x00\x00":
        return lzma.LZMADecompressor()
    return None
