"""Protocol buffers, FlatBuffers and UBJSON, as far as finding a few fields needs them.

Source: protobuf.dev, "Encoding"; flatbuffers.dev, "FlatBuffers internals"; ubjson.org, "Type reference" (read
2026-11-23).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

Buffer = memoryview | bytes

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_UBJ_NUMBERS: Final = {"i": "b", "U": "B", "I": ">h", "l": ">i", "L": ">q", "d": ">f", "D": ">d", "C": "c"}
_UBJ_CONSTANTS: Final = {"Z": None, "T": True, "F": False}
_MOST_DEPTH: Final = 60
_MOST_FIELDS: Final = 2_000_000


def fields(message: Buffer) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a protocol buffers message: number, and a varint or the bytes.

    Raises:
        ValueError: It is no such message.
    """
    view, place, count = memoryview(message), 0, 0
    while place < len(view):
        count += 1
        if count > _MOST_FIELDS:
            raise ValueError(f"more than {_MOST_FIELDS:,} fields in one message")
        key, place = _varint(view, place)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise ValueError(f"no field at byte {place}")
        if wire == _VARINT:
            value, place = _varint(view, place)
            yield number, value
            continue
        if wire == _BYTES:
            size, place = _varint(view, place)
        elif wire in (_FIXED64, _FIXED32):
            size = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"no field type {wire} at byte {place}")
        if place + size > len(view):
            raise ValueError(f"a field ends behind the last of {len(view):,} bytes")
        yield number, view[place : place + size]
        place += size


def nested(message: Buffer, *numbers: int) -> Iterator[memoryview]:
    """The messages, texts or bytes behind a path of field numbers."""
    for number, value in fields(message):
        if number == numbers[0] and isinstance(value, memoryview):
            if len(numbers) == 1:
                yield value
            else:
                yield from nested(value, *numbers[1:])


def text(message: Buffer, *numbers: int) -> str:
    """The last text behind a path of field numbers; empty when there is none."""
    found = [bytes(value) for value in nested(message, *numbers)]
    return found[-1].decode() if found else ""


def whole_number(message: Buffer, number: int) -> int | None:
    """The last varint of a field, as a signed number of 64 bits; None when there is none."""
    found = [value for key, value in fields(message) if key == number and isinstance(value, int)]
    return None if not found else found[-1] - 2**64 if found[-1] >= 2**63 else found[-1]


def _varint(view: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if place >= len(view):
            raise ValueError(f"a number ends behind the last of {len(view):,} bytes")
        byte = view[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), place
    raise ValueError(f"a number of more than ten bytes before byte {place}")


@dataclass(frozen=True, slots=True)
class Table:
    """A FlatBuffers table.

    Attributes:
        content: The whole buffer.
        place: Where the table begins in it.
    """

    content: Buffer
    place: int

    @staticmethod
    def root(content: Buffer) -> "Table":
        """The outermost table of a buffer."""
        return Table(content, _unsigned(content, 0))

    def number(self, field: int, form: str, default: int = 0) -> int:
        """A number, by its place in the schema and its form as `struct` names it."""
        place = self._field(field)
        return default if place is None else int(struct.unpack_from(form, self.content, place)[0])

    def table(self, field: int) -> "Table | None":
        """A table in a field."""
        place = self._field(field)
        return None if place is None else Table(self.content, place + _unsigned(self.content, place))

    def tables(self, field: int) -> list["Table"]:
        """A vector of tables in a field."""
        start, length = self._vector(field)
        places = range(start, start + 4 * length, 4)
        return [Table(self.content, place + _unsigned(self.content, place)) for place in places]

    def numbers(self, field: int) -> list[int]:
        """A vector of 32-bit numbers in a field."""
        start, length = self._vector(field)
        return list(struct.unpack_from(f"<{length}i", self.content, start))

    def text(self, field: int) -> str:
        """A text in a field; empty when there is none."""
        start, length = self._vector(field, 1)
        return bytes(self.content[start : start + length]).decode()

    def _vector(self, field: int, width: int = 4) -> tuple[int, int]:
        place = self._field(field)
        if place is None:
            return 0, 0
        start = place + _unsigned(self.content, place)
        length = _unsigned(self.content, start)
        if start + 4 + width * length > len(self.content):
            raise ValueError(f"a vector ends behind the last of {len(self.content):,} bytes")
        return start + 4, length

    def _field(self, field: int) -> int | None:
        known = self.place - int(struct.unpack_from("<i", self.content, self.place)[0])
        if known < 0:
            raise ValueError("a table lies before the buffer")
        size = int(struct.unpack_from("<H", self.content, known)[0])
        offset = int(struct.unpack_from("<H", self.content, known + 4 + 2 * field)[0]) if 6 + 2 * field <= size else 0
        return self.place + offset if offset else None


def _unsigned(content: Buffer, place: int) -> int:
    return int(struct.unpack_from("<I", content, place)[0])


@dataclass(slots=True)
class Ubjson:
    """Reads one UBJSON value, keeping only what lies on wanted paths; arrays of numbers are skipped as a whole.

    Attributes:
        content: The buffer.
        place: Where the next byte is.
    """

    content: Buffer
    place: int = 0

    def value(self, *, depth: int = 0) -> object:
        """The next value, with numbers of typed arrays left out.

        Raises:
            ValueError: It is no UBJSON, or nested too deeply.
            struct.error: It ends too early.
        """
        marker = self._marker()
        if depth > _MOST_DEPTH:
            raise ValueError("nested too deeply")
        if marker == "{":
            return self._object(depth)
        if marker == "[":
            return self._array(depth)
        if marker in ("S", "H"):
            return self._text()
        if marker in _UBJ_CONSTANTS:
            return _UBJ_CONSTANTS[marker]
        return self._number(marker)

    def _object(self, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        while self._peek() != "}":
            name = self._text()
            found[name] = self.value(depth=depth + 1)
        self.place += 1
        return found

    def _array(self, depth: int) -> list[object]:
        if self._peek() == "$":
            self.place += 1
            kind = self._marker()
            if self._marker() != "#" or kind not in _UBJ_NUMBERS:
                raise ValueError(f"no typed array at byte {self.place}")
            self._skip(self._length() * struct.calcsize(_UBJ_NUMBERS[kind]))
            return []
        if self._peek() == "#":
            self.place += 1
            return [self.value(depth=depth + 1) for _ in range(self._length())]
        found = []
        while self._peek() != "]":
            found.append(self.value(depth=depth + 1))
        self.place += 1
        return found

    def _text(self) -> str:
        length = self._length()
        start = self.place
        self._skip(length)
        return bytes(self.content[start : self.place]).decode()

    def _length(self) -> int:
        length = self._number(self._marker())
        if not isinstance(length, int) or length < 0:
            raise ValueError(f"no length at byte {self.place}")
        return length

    def _number(self, marker: str) -> int | float:
        form = _UBJ_NUMBERS.get(marker)
        if form is None:
            raise ValueError(f"no value `{marker}` at byte {self.place}")
        value = struct.unpack_from(form, self.content, self.place)[0]
        self._skip(struct.calcsize(form))
        return float(value) if marker in "dD" else ord(value) if marker == "C" else int(value)

    def _marker(self) -> str:
        marker = self._peek()
        self.place += 1
        return marker

    def _peek(self) -> str:
        if self.place >= len(self.content):
            raise ValueError("it ends too early")
        return chr(self.content[self.place])

    def _skip(self, size: int) -> None:
        self.place += size
        if self.place > len(self.content):
            raise ValueError("it ends too early")
