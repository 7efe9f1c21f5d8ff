"""The frames that records lie in: RecordIO and TFRecord.

Sources: https://mxnet.apache.org/versions/1.9.1/architecture/note_data_loading ("RecordIO") and dmlc-core's
`recordio.h` for parts of a record; https://www.tensorflow.org/tutorials/load_data/tfrecord ("TFRecords format details")
(read 2026-11-23).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

import google_crc32c

from argosy.errors import TransformError

JOINT: Final = struct.pack("<I", 0xCED7230A)
"""RecordIO's magic number. A record that contains it is written in parts that are divided there."""

_BLOCK_BYTES: Final = 2**20
_WORDS: Final = struct.Struct("<II")
_TF_HEAD: Final = struct.Struct("<QI")
_CHECKSUM: Final = struct.Struct("<I")
_LENGTH_BITS: Final = 29
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""


@dataclass(frozen=True, slots=True)
class Record:
    """Where a record lies.

    Attributes:
        start: First byte of its frame.
        end: Behind the last byte of its frame, padding and checksums included.
        pieces: Start and length of its content; of RecordIO several, between which the magic number belongs.
    """

    start: int
    end: int
    pieces: tuple[tuple[int, int], ...]


def record_io(stream: _Readable) -> Iterator[Record]:
    """The records of a RecordIO object.

    Each part has the magic number, three bits that say which part of its record it is, its length, and zeros up to the
    next multiple of four bytes.

    Raises:
        TransformError: It is not RecordIO, or ends within a record.
    """
    reader = _Reader(stream)
    number = start = 0
    pieces: list[tuple[int, int]] = []
    while head := reader.head(_WORDS.size, number):
        magic, word = _WORDS.unpack(head)
        flag, length = word >> _LENGTH_BITS, word & (1 << _LENGTH_BITS) - 1
        if magic != int.from_bytes(JOINT, "little"):
            raise _broken("RecordIO", number, "its magic number is missing")
        if flag > _LAST or (flag in (_WHOLE, _FIRST)) != (not pieces):
            raise _broken("RecordIO", number, "its parts are not in order")
        pieces.append((reader.position, length))
        reader.skip(length + -length % 4, number)
        if flag in (_WHOLE, _LAST):
            yield Record(start, reader.position, tuple(pieces))
            number, start, pieces = number + 1, reader.position, []
    if pieces:
        raise _broken("RecordIO", number, "the object ends between its parts")


def tf_records(stream: _Readable) -> Iterator[Record]:
    """The records of a TFRecord object, both checksums compared.

    Raises:
        TransformError: It is not TFRecord, is damaged, or ends within a record.
    """
    reader = _Reader(stream)
    number = 0
    while True:
        start = reader.position
        head = reader.head(_TF_HEAD.size, number)
        if not head:
            return
        length, checksum = _TF_HEAD.unpack(head)
        if checksum != masked_crc32c(google_crc32c.value(head[:8])):
            raise _broken("TFRecord", number, "the checksum of its length is wrong")
        content = reader.position
        found = 0
        for block in reader.blocks(length, number):
            found = google_crc32c.extend(found, block)
        (checksum,) = _CHECKSUM.unpack(reader.exactly(_CHECKSUM.size, number))
        if checksum != masked_crc32c(found):
            raise _broken("TFRecord", number, "the checksum of its content is wrong")
        yield Record(start, reader.position, ((content, length),))
        number += 1


def masked_crc32c(value: int) -> int:
    """A CRC-32C as TFRecord stores it.

    >>> hex(masked_crc32c(0))
    '0xa282ead8'
    """
    return ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF


class _Reader:
    """Reads a stream in blocks and knows where it is."""

    def __init__(self, stream: _Readable) -> None:
        self._stream = stream
        self._block = b""
        self._offset = 0
        self.position = 0

    def head(self, size: int, number: int) -> bytes:
        """The next `size` bytes, or none at the end of the object."""
        return b"" if not self._is_filled() else self.exactly(size, number)

    def exactly(self, size: int, number: int) -> bytes:
        """The next `size` bytes of a record."""
        end = self._offset + size
        if end <= len(self._block):
            found = self._block[self._offset : end]
            self._offset = end
            self.position += size
            return found
        return b"".join(self.blocks(size, number))

    def skip(self, size: int, number: int) -> None:
        """Pass over `size` bytes of a record."""
        for _ in self.blocks(size, number):
            pass

    def blocks(self, size: int, number: int) -> Iterator[bytes]:
        """The next `size` bytes of a record, block by block."""
        while size:
            if not self._is_filled():
                raise TransformError(f"record {number} is cut: the object ends in it")
            block = self._block[self._offset : self._offset + size]
            self._offset += len(block)
            self.position += len(block)
            size -= len(block)
            yield block

    def _is_filled(self) -> bool:
        if self._offset == len(self._block):
            self._block, self._offset = self._stream.read(_BLOCK_BYTES), 0
        return bool(self._block)


def _broken(form: str, number: int, fault: str) -> TransformError:
    return TransformError(f"record {number} is no {form}: {fault}")
