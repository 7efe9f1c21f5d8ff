"""What of an object is split and sent: its bytes as they are, unpacked, or filtered.

What is made of an object on the way is made once, as far as it is asked for, and kept in a nameless file, so that a
mini-batch can be read again when it is sent again.
"""

import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from argosy import contract
from argosy.errors import TransformError

LONGEST_RECORD_BYTES: Final = contract.megabytes(int(contract.BATCH_PAYLOAD_MB.value))
"""What is held of an object or an answer where its records are changed: one of them, up to the largest payload.

UNSURE: what SageMaker does with a longer record, as a job without a payload limit can have it; here its object fails.
"""
_BLOCK_BYTES: Final = 2**18
_GZIP_WINDOW: Final = 31


class Readable(Protocol):
    """Bytes that are read once from the beginning, and at any place as far as they were."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """With 0 and 2: the size of the whole."""

    def at(self, start: int, length: int) -> bytes:
        """Up to `length` bytes from `start` on, as far as they were read; from any thread."""

    def close(self) -> None:
        """Give up what it holds."""


class Plain:
    """An object as it is stored.

    Args:
        stream: Its file; closed with this.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._stamp = self._look()

    @property
    def is_unchanged(self) -> bool:
        """Whether the file is as it was when it was opened; one that another has replaced is."""
        return self._look() == self._stamp

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        return self._stream.read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """As of a file."""
        return self._stream.seek(offset, whence)

    def at(self, start: int, length: int) -> bytes:
        """Up to `length` bytes from `start` on."""
        return os.pread(self._stream.fileno(), length, start)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _look(self) -> tuple[int, int]:
        facts = os.fstat(self._stream.fileno())
        return facts.st_size, facts.st_mtime_ns


class Made:
    """Bytes that are made while they are read.

    Args:
        parts: Makes them; runs on the thread that reads.
        scratch: The folder of the nameless file.
    """

    def __init__(self, parts: Iterator[bytes], scratch: Path) -> None:
        self._parts = parts
        self._file = tempfile.TemporaryFile(dir=scratch, buffering=0)  # noqa: SIM115 - closed by `close`
        self._size = 0
        self._position = 0

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        while self._position == self._size and self._make():
            pass
        found = self.at(self._position, size)
        self._position += len(found)
        return found

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """The size of the whole, all of which is made.

        Raises:
            TransformError: What is made of is broken.
        """
        if (offset, whence) != (0, os.SEEK_END):
            raise ValueError("only the end can be sought")
        while self._make():
            pass
        return self._size

    def at(self, start: int, length: int) -> bytes:
        """Up to `length` bytes from `start` on, as far as they are made."""
        return os.pread(self._file.fileno(), length, start)

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def _make(self) -> bool:
        part = next(self._parts, None)
        if part is None:
            return False
        self._file.seek(self._size)
        self._size += self._file.write(part)
        return True


def gunzip(packed: Readable) -> Iterator[bytes]:
    """The content of a gzip file, all its members (RFC 1952, section 2.2), block by block.

    Raises:
        TransformError: It is no gzip file, is damaged, or is cut.
    """
    unpacker = zlib.decompressobj(_GZIP_WINDOW)
    is_within = False
    while block := packed.read(_BLOCK_BYTES):
        while is_within or block.strip(b"\0"):  # zeros behind the last member fill up a disk's or a tape's block
            is_within = True
            try:
                yield from _unpacked(unpacker, block)
            except zlib.error as error:
                raise TransformError("the object cannot be unpacked", got=error, want="gzip") from error
            if not unpacker.eof:
                break
            block = unpacker.unused_data
            unpacker, is_within = zlib.decompressobj(_GZIP_WINDOW), False
    if is_within:
        raise TransformError("the object cannot be unpacked", got="a gzip file that is cut", want="all of it")


def lines_of(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """The lines of what is read, each without its end, without empty ones.

    Args:
        read: Takes a number of bytes and gives at most that many; none at the end.

    Raises:
        TransformError: A line is longer than `LONGEST_RECORD_BYTES`.
    """
    rest: list[bytes] = []
    length = 0
    while block := read(_BLOCK_BYTES):
        first, *more = block.split(b"\n")
        rest.append(first)
        length += len(first)
        for part in more:
            line = b"".join(rest).removesuffix(b"\r")
            rest, length = [part], len(part)
            if line:
                yield line
        _check_length(length)
    line = b"".join(rest).removesuffix(b"\r")
    if line:
        yield line


def whole_of(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """All of what is read, as one record.

    Args:
        read: As above.

    Raises:
        TransformError: It is longer than `LONGEST_RECORD_BYTES`.
    """
    parts: list[bytes] = []
    length = 0
    while block := read(_BLOCK_BYTES):
        parts.append(block)
        length += len(block)
        _check_length(length)
    yield b"".join(parts)


def _check_length(length: int) -> None:
    if length > LONGEST_RECORD_BYTES:
        raise TransformError(
            "a record is too long to be filtered, joined or numbered", want=f"at most {LONGEST_RECORD_BYTES} bytes"
        )


def follower(content: Readable) -> Callable[[int], bytes]:
    """Reads again from the beginning what another reads first."""
    position = 0

    def read(size: int) -> bytes:
        nonlocal position
        found = content.at(position, size)
        position += len(found)
        return found

    return read


def _unpacked(unpacker: "zlib._Decompress", block: bytes) -> Iterator[bytes]:
    """What a block adds to a member, in parts of bounded size."""
    while not unpacker.eof:
        part = unpacker.decompress(block, _BLOCK_BYTES)
        block = unpacker.unconsumed_tail
        if part:
            yield part
        if not block and len(part) < _BLOCK_BYTES:
            return
