"""Frames of AWS's event streams (`application/vnd.amazon.eventstream`), encoded and decoded.

A message is a prelude (total length, length of the headers, CRC-32 of both), headers, a payload and the CRC-32 of all
that. Numbers are big-endian.

Source:
    botocore/eventstream.py and https://smithy.io/2.0/aws/amazon-eventstream.html (read 2026-11-23).
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"
LONGEST_HEADERS: Final = 128 * 1024
LONGEST_PAYLOAD: Final = 24 * 1024 * 1024

_PRELUDE: Final = struct.Struct("!III")
_CRC: Final = struct.Struct("!I")
_FRAMING: Final = _PRELUDE.size + _CRC.size
_STRING: Final = 7
_FIXED_SIZES: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_COUNTED: Final = (6, _STRING)

HeaderValue = str | bytes
"""A string, or the bytes of a value of any other type: its type is in no use here."""


class FramingError(Exception):
    """What came is no event stream: a length or a checksum is wrong."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        headers: By name, in the order in which they came.
        payload: The rest.
    """

    headers: Mapping[str, HeaderValue]
    payload: bytes

    def text(self, name: str) -> str | None:
        """A header's value if it is there and a string."""
        value = self.headers.get(name)
        return value if isinstance(value, str) else None


def encode(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message whose headers are strings.

    Args:
        headers: Names of at most 255 bytes, values of at most 32,767.
        payload: At most `LONGEST_PAYLOAD` long.
    """
    parts = []
    for name, value in headers.items():
        key, text = name.encode(), value.encode()
        parts.append(struct.pack(f"!B{len(key)}sBH", len(key), key, _STRING, len(text)) + text)
    block = b"".join(parts)
    lengths = struct.pack("!II", _FRAMING + len(block) + len(payload), len(block))
    message = lengths + _CRC.pack(zlib.crc32(lengths)) + block + payload
    return message + _CRC.pack(zlib.crc32(message))


class Decoder:
    """Takes the bytes of a stream as they come and gives the messages that are whole."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def is_between_messages(self) -> bool:
        """Whether nothing of a message has come that is not whole."""
        return not self._buffer

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that end in these bytes.

        Raises:
            FramingError: This is no event stream.
        """
        self._buffer += data
        while (message := self._take()) is not None:
            yield message

    def _take(self) -> Message | None:
        if len(self._buffer) < _PRELUDE.size:
            return None
        total, header_bytes, checksum = _PRELUDE.unpack_from(self._buffer)
        if zlib.crc32(self._buffer[:8]) != checksum:
            raise FramingError("the checksum of a message's prelude is wrong")
        payload_bytes = total - _FRAMING - header_bytes
        if header_bytes > LONGEST_HEADERS or not 0 <= payload_bytes <= LONGEST_PAYLOAD:
            raise FramingError(f"a message of {total} bytes with {header_bytes} bytes of headers")
        if len(self._buffer) < total:
            return None
        frame = bytes(self._buffer[:total])
        del self._buffer[:total]
        if zlib.crc32(frame[:-4]) != _CRC.unpack_from(frame, total - 4)[0]:
            raise FramingError("the checksum of a message is wrong")
        start = _PRELUDE.size + header_bytes
        return Message(_headers(frame[_PRELUDE.size : start]), frame[start:-4])


def _headers(block: bytes) -> dict[str, HeaderValue]:
    found: dict[str, HeaderValue] = {}
    at = 0
    try:
        while at < len(block):
            end = at + 1 + block[at]
            name, kind = block[at + 1 : end].decode(), block[end]
            at = end + 1
            if kind in _COUNTED:
                (size,) = struct.unpack_from("!H", block, at)
                at += 2
            else:
                size = _FIXED_SIZES[kind]
            value = block[at : at + size]
            at += size
            if at > len(block):
                raise FramingError("a header is longer than the headers are")
            found[name] = value.decode() if kind == _STRING else value
    except (IndexError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise FramingError("the headers of a message cannot be read") from error
    return found
