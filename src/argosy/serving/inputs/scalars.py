"""JSON's single values, and what is written as one: each a check, a conversion and a JSON Schema."""

import base64
import binascii
import datetime
import decimal
import enum
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from argosy.errors import LoadError
from argosy.serving.inputs.definitions import Definitions, Schema
from argosy.serving.inputs.mismatch import MismatchError, kind_of

_BASE64: Final = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
_UUID: Final = "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"
_DECIMAL: Final = r"^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?$"
_JSON_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value.

    Attributes:
        want: What it is, as an error says it.
        own_schema: Its JSON Schema.
        from_json: The value of a parsed JSON value; ValueError when it is none.
        from_text: The value of a cell; ValueError when it is none.
        exact: The type whose every instance is a value as it stands, so that it needs no conversion; else None.
    """

    want: str
    own_schema: Mapping[str, object]
    from_json: Callable[[object], object] = field(repr=False)
    from_text: Callable[[str], object] = field(repr=False)
    exact: type | None = None

    def convert(self, value: object, is_text: bool) -> object:
        """The value as annotated.

        Raises:
            MismatchError: It is none.
        """
        if type(value) is self.exact:
            return value
        try:
            return self.from_text(value) if is_text and isinstance(value, str) else self.from_json(value)
        except (ValueError, ArithmeticError):
            raise MismatchError(kind_of(value, is_text), self.want) from None

    def schema(self, definitions: Definitions) -> Schema:
        """Its JSON Schema."""
        return dict(self.own_schema)


def one_of(values: Sequence[object], results: Sequence[object]) -> Scalar:
    """One of some JSON values: a `Literal` or an `Enum`.

    Args:
        values: Strings, numbers, booleans, None.
        results: What the predictor gets for each.

    Raises:
        LoadError: A value is none that JSON has.
    """
    if not all(value is None or isinstance(value, str | int | float) for value in values):
        raise LoadError("an `Enum` or `Literal` has a value that JSON has not")
    known = {_key(value): result for value, result in zip(values, results, strict=True)}
    texts = {_cell(value): result for value, result in zip(values, results, strict=True)}

    def from_json(value: object) -> object:
        if not (value is None or isinstance(value, str | int | float)) or _key(value) not in known:
            raise ValueError
        return known[_key(value)]

    def from_text(text: str) -> object:
        if text in texts:
            return texts[text]
        for scalar in (INTEGER, NUMBER, BOOLEAN):
            try:
                return from_json(scalar.from_text(text))
            except (ValueError, ArithmeticError):
                continue
        raise ValueError

    unique = [_json_value(value) for value in {_key(value): value for value in values}.values()]
    return Scalar("one of its allowed values", {"enum": unique}, from_json, from_text)


def enumeration(members: type[enum.Enum]) -> Scalar:
    """A member of an `Enum`, by its value."""
    return one_of([member.value for member in members], list(members))


def _key(value: object) -> tuple[bool, object]:
    """JSON's equality: 1 is 1.0, true is not 1."""
    return isinstance(value, bool), value


def _json_value(value: object) -> object:
    """The value without a subclass of str or int around it."""
    for plain in (bool, int, float, str):
        if isinstance(value, plain):
            return plain(value)
    return value


def _cell(value: object) -> str:
    return (
        {None: "", True: "true", False: "false"}.get(value, str(value)) if value in (None, True, False) else str(value)
    )


def _refuse(value: object) -> object:
    raise ValueError


def _anything(value: object) -> object:
    return value


def _number_or_text(text: str) -> object:
    return float(text) if _JSON_NUMBER.fullmatch(text) else text


def _null(value: object) -> None:
    if value is not None:
        raise ValueError


def _empty(text: str) -> None:
    if text:
        raise ValueError


def _boolean(text: str) -> bool:
    lower = text.strip().lower()
    if lower not in ("true", "false", "1", "0"):
        raise ValueError
    return lower in ("true", "1")


def _integer(value: object) -> int:
    if isinstance(value, bool):
        raise ValueError
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and value.is_integer():  # JSON Schema 2020-12, 6.1.1: 1.0 is an integer
        return int(value)
    raise ValueError


def _integer_cell(text: str) -> int:
    if "_" in text:  # Python's own notation, nobody else's
        raise ValueError
    try:
        return int(text)
    except ValueError:
        return _integer(float(text))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    return float(value)


def _number_cell(text: str) -> float:
    if "_" in text:
        raise ValueError
    return float(text)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _octets(value: object) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if not re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", _text(value)):
        raise ValueError
    try:
        return base64.b64decode(_text(value), validate=True)
    except binascii.Error:
        raise ValueError from None


def _matching(pattern: str, make: Callable[[str], object]) -> Callable[[object], object]:
    compiled = re.compile(pattern.removeprefix("^").removesuffix("$"))

    def convert(value: object) -> object:
        text = _text(value)
        if not compiled.fullmatch(text):
            raise ValueError
        return make(text)

    return convert


def _decimal(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return decimal.Decimal(repr(value))
    return _decimal_text(value)


_decimal_text: Final = _matching(_DECIMAL, decimal.Decimal)
_uuid: Final = _matching(_UUID, uuid.UUID)


def _moment(value: object) -> object:
    return datetime.datetime.fromisoformat(_text(value).strip().upper())


def _day(value: object) -> object:
    return datetime.date.fromisoformat(_text(value).strip())


def _time(value: object) -> object:
    return datetime.time.fromisoformat(_text(value).strip().upper())


ANYTHING: Final = Scalar("anything", {}, _anything, _number_or_text)
"""A cell of it that JSON would call a number is one."""
NULL: Final = Scalar("null", {"type": "null"}, _null, _empty)
BOOLEAN: Final = Scalar("boolean", {"type": "boolean"}, _refuse, _boolean, bool)
INTEGER: Final = Scalar("integer", {"type": "integer"}, _integer, _integer_cell, int)
NUMBER: Final = Scalar("number", {"type": "number"}, _number, _number_cell, float)
STRING: Final = Scalar("string", {"type": "string"}, _text, _text, str)
OCTETS: Final = Scalar(
    "base64 text", {"type": "string", "contentEncoding": "base64", "pattern": _BASE64}, _octets, _octets, bytes
)

SCALARS: Final[Mapping[object, Scalar]] = {
    object: ANYTHING,
    None: NULL,
    type(None): NULL,
    bool: BOOLEAN,
    int: INTEGER,
    float: NUMBER,
    str: STRING,
    bytes: OCTETS,
    datetime.datetime: Scalar(
        "an ISO 8601 date and time",
        {"type": "string", "format": "date-time"},
        _moment,
        _moment,
        datetime.datetime,
    ),
    datetime.date: Scalar("an ISO 8601 date", {"type": "string", "format": "date"}, _day, _day, datetime.date),
    datetime.time: Scalar("an ISO 8601 time", {"type": "string", "format": "time"}, _time, _time, datetime.time),
    uuid.UUID: Scalar("a UUID", {"type": "string", "format": "uuid", "pattern": _UUID}, _uuid, _uuid, uuid.UUID),
    decimal.Decimal: Scalar(
        "a decimal number",
        {"anyOf": [{"type": "number"}, {"type": "string", "pattern": _DECIMAL}]},
        _decimal,
        _decimal,
        decimal.Decimal,
    ),
}
"""What is annotated -> how it is read. Times are ISO 8601 as the standard library reads it, a UUID has its hyphens.

Arrow's tables hold some of these themselves: they are taken as they are.
"""
