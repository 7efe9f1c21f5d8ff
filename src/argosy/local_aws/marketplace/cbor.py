"""CBOR as Smithy's RPC v2 uses it: numbers, texts, bytes, lists, maps, times, true, false and null.

Newer SDKs speak it to `marketplace-agreement`, older ones JSON.

Source:
    RFC 8949, sections 3 and 3.4.2; https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
    (read 2026-11-23). Items of indefinite length are read, since SDKs write them, and never written.
"""

import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG, _SIMPLE = range(8)
_FALSE, _TRUE, _NULL, _UNDEFINED, _HALF, _SINGLE, _DOUBLE = 20, 21, 22, 23, 25, 26, 27
_INDEFINITE: Final = 31
_BREAK: Final = 0xFF
_EPOCH: Final = 1
_SHORT: Final = 24
_DEPTH: Final = 64

_WIDTHS: Final = {24: ">B", 25: ">H", 26: ">I", 27: ">Q"}


class MalformedError(ValueError):
    """Bytes that are no CBOR, or none of the kind that is used here."""


def encode(value: Any) -> bytes:
    """A value as CBOR; a `datetime` becomes the tagged time that clients expect.

    Args:
        value: Of JSON's types, bytes or `datetime`; Any: it is nested.
    """
    parts: list[bytes] = []
    _write(value, parts.append)
    return b"".join(parts)


def decode(encoded: bytes) -> Any:
    """The value that some CBOR holds, times as seconds since 1970; Any: whatever a client sent.

    Raises:
        MalformedError: It is not well-formed.
    """
    reader = _Reader(encoded)
    value = reader.item(0)
    if reader.place != len(encoded):
        raise MalformedError("bytes follow the value")
    return value


def _write(value: Any, put: Callable[[bytes], object]) -> None:
    if value is None or isinstance(value, bool):
        put(bytes([_SIMPLE << 5 | (_NULL if value is None else _TRUE if value else _FALSE)]))
    elif isinstance(value, int):
        put(_head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value))
    elif isinstance(value, float):
        put(struct.pack(">Bd", _SIMPLE << 5 | _DOUBLE, value))
    elif isinstance(value, datetime):
        put(_head(_TAG, _EPOCH))
        _write(value.astimezone(UTC).timestamp(), put)
    elif isinstance(value, bytes):
        put(_head(_BYTES, len(value)) + value)
    elif isinstance(value, str):
        text = value.encode()
        put(_head(_TEXT, len(text)) + text)
    elif isinstance(value, Mapping):
        put(_head(_MAP, len(value)))
        for name, member in value.items():
            _write(name, put)
            _write(member, put)
    else:
        put(_head(_LIST, len(value)))
        for member in value:
            _write(member, put)


def _head(kind: int, number: int) -> bytes:
    if number < _SHORT:
        return bytes([kind << 5 | number])
    for short, form in _WIDTHS.items():
        if number < 1 << 8 * struct.calcsize(form):
            return bytes([kind << 5 | short]) + struct.pack(form, number)
    raise MalformedError("a number of more than 64 bits")


class _Reader:
    """Reads one item after the other.

    Args:
        encoded: All bytes.
    """

    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded
        self.place = 0

    def item(self, depth: int) -> Any:
        """The next item; Any: of whatever kind it is."""
        if depth > _DEPTH:
            raise MalformedError("nested too deeply")
        first = self._take(1)[0]
        kind, short = first >> 5, first & 31
        if kind == _SIMPLE:
            return self._simple(short)
        if kind in (_UNSIGNED, _NEGATIVE):
            number = self._number(short)
            return number if kind == _UNSIGNED else -1 - number
        if kind in (_BYTES, _TEXT):
            content = self._content(kind, short, depth)
            return content if kind == _BYTES else _text(content)
        if kind == _LIST:
            return self._list(short, depth)
        if kind == _MAP:
            return self._map(short, depth)
        self._number(short)  # a tag says of a number that it is a time, which the members' names say already
        return self.item(depth + 1)

    def _simple(self, short: int) -> Any:
        if short in (_FALSE, _TRUE):
            return short == _TRUE
        if short in (_NULL, _UNDEFINED):
            return None
        for marked, form in ((_HALF, ">e"), (_SINGLE, ">f"), (_DOUBLE, ">d")):
            if short == marked:
                return struct.unpack(form, self._take(struct.calcsize(form)))[0]
        raise MalformedError(f"the simple value {short}")

    def _content(self, kind: int, short: int, depth: int) -> bytes:
        if short != _INDEFINITE:
            return self._take(self._number(short))
        parts = []
        while not self._at_break():
            first = self._take(1)[0]
            if first >> 5 != kind or first & 31 == _INDEFINITE:
                raise MalformedError("a part of another kind in a text")
            parts.append(self._content(kind, first & 31, depth + 1))
        return b"".join(parts)

    def _list(self, short: int, depth: int) -> list[Any]:
        if short != _INDEFINITE:
            return [self.item(depth + 1) for _ in range(self._number(short))]
        members = []
        while not self._at_break():
            members.append(self.item(depth + 1))
        return members

    def _map(self, short: int, depth: int) -> dict[str, Any]:
        left = None if short == _INDEFINITE else self._number(short)
        members: dict[str, Any] = {}
        while left != 0 and not (left is None and self._at_break()):
            name = self.item(depth + 1)
            if not isinstance(name, str):
                raise MalformedError("a member whose name is no text")
            members[name] = self.item(depth + 1)
            left = None if left is None else left - 1
        return members

    def _number(self, short: int) -> int:
        if short < _SHORT:
            return short
        form = _WIDTHS.get(short)
        if form is None:
            raise MalformedError(f"the length {short}")
        number: int = struct.unpack(form, self._take(struct.calcsize(form)))[0]
        return number

    def _at_break(self) -> bool:
        if self._encoded[self.place : self.place + 1] != bytes([_BREAK]):
            return False
        self.place += 1
        return True

    def _take(self, length: int) -> bytes:
        taken = self._encoded[self.place : self.place + length]
        if len(taken) < length:
            raise MalformedError("the end comes too early")
        self.place += length
        return taken


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise MalformedError("a text that is no UTF-8") from None
