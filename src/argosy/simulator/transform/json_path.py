"""The part of JSONPath that SageMaker knows: `$`, `.name`, `*`, `['a','b']`, `[0,-1]` and `[1:4]`.

No engine has the service's semantics: which characters it takes, that a bracket holds one range and nothing else, that
a range may include its end. JSON is decoded along the path and nowhere else, so every number stays as it was written.

Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html, "Supported JSONPath
    operators"; texts of errors: https://github.com/aws/aws-sdk/issues/184 and
    https://github.com/aws/sagemaker-python-sdk/issues/1112 (read 2026-11-23).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeVar

import msgspec

from argosy.errors import TransformError, UsageError

Item = TypeVar("Item")

_OPERATORS: Final = ("$", "[", "]", "*", ".", " ", ",", ":", "-")
_STEP: Final = re.compile(r"\.?\[([^\]]*)\]|\.(\*)|\.([^.\[\]*$',: ]+)|(\*)")
_RANGE: Final = re.compile(r"(-?\d+)?\s*:\s*(-?\d+)?")
_INDEX: Final = re.compile(r"-?\d+")
_QUOTED: Final = re.compile(r"'([^']*)'")


class SliceEnd(StrEnum):
    """Whether the end of a slice belongs to it."""

    INCLUSIVE = "inclusive"
    EXCLUSIVE = "exclusive"


@dataclass(frozen=True, slots=True)
class Names:
    """`.name` or `['a','b']`."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Indexes:
    """`[1]` or `[0,-1]`."""

    indexes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """`[1:4]`, either end may be left out."""

    start: int | None
    end: int | None

    def of(self, items: Sequence[Item], slice_end: SliceEnd) -> Sequence[Item]:
        """The items in it; what lies outside is no error.

        >>> Slice(1, 4).of("abcdef", SliceEnd.INCLUSIVE), Slice(1, 4).of("abcdef", SliceEnd.EXCLUSIVE)
        ('bcde', 'bcd')
        """
        end = self.end
        if end is not None and slice_end is SliceEnd.INCLUSIVE:
            end = None if end == -1 else end + 1
        return items[self.start : end]


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`*`."""


Step = Names | Indexes | Slice | Wildcard


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A parsed path.

    Attributes:
        text: As it was written.
        steps: From the root on.
    """

    text: str
    steps: tuple[Step, ...]

    @property
    def has_closed_slice(self) -> bool:
        """Whether what it selects depends on whether a slice's end belongs to it."""
        return any(isinstance(step, Slice) and step.end is not None for step in self.steps)

    def of_row(self, row: Sequence[Item], slice_end: SliceEnd) -> Sequence[Item]:
        """The selected fields of a row of CSV.

        Raises:
            TransformError: The path is not one of indexes, or an index is outside the row.
        """
        if not self.steps:
            return row
        step = self.steps[0]
        if len(self.steps) > 1 or isinstance(step, Names):
            raise self._invalid("only index based paths can be applied to CSV")
        if isinstance(step, Indexes):
            return [_item(row, index, self.text) for index in step.indexes]
        return step.of(row, slice_end) if isinstance(step, Slice) else row

    def of_json(self, document: msgspec.Raw, slice_end: SliceEnd) -> msgspec.Raw:
        """The selected part of a JSON document; several parts as an array, several members as an object.

        Raises:
            TransformError: It is not there.
            msgspec.DecodeError: It is not JSON.
        """
        return self._select(document, self.steps, slice_end)

    def _select(self, value: msgspec.Raw, steps: tuple[Step, ...], slice_end: SliceEnd) -> msgspec.Raw:
        if not steps:
            return value
        step, rest = steps[0], steps[1:]
        if isinstance(step, Names):
            return self._members(value, step.names, rest, slice_end)
        items = self._items(value, step)
        if isinstance(step, Indexes):
            chosen: Sequence[msgspec.Raw] = [_item(items, index, self.text) for index in step.indexes]
            if len(chosen) == 1:
                return self._select(chosen[0], rest, slice_end)
        else:
            chosen = step.of(items, slice_end) if isinstance(step, Slice) else items
        return _encoded([self._select(item, rest, slice_end) for item in chosen])

    def _members(
        self, value: msgspec.Raw, names: tuple[str, ...], rest: tuple[Step, ...], slice_end: SliceEnd
    ) -> msgspec.Raw:
        if not _is(value, b"{"):
            raise self._nothing(names[0])
        members = msgspec.json.decode(value, type=dict[str, msgspec.Raw])
        if len(names) == 1:
            if names[0] not in members:
                raise self._nothing(names[0])
            return self._select(members[names[0]], rest, slice_end)
        found = {name: self._select(members[name], rest, slice_end) for name in names if name in members}
        return _encoded(list(found.values()) if rest else found)

    def _items(self, value: msgspec.Raw, step: Indexes | Slice | Wildcard) -> list[msgspec.Raw]:
        if _is(value, b"["):
            return msgspec.json.decode(value, type=list[msgspec.Raw])
        if isinstance(step, Wildcard) and _is(value, b"{"):
            return list(msgspec.json.decode(value, type=dict[str, msgspec.Raw]).values())
        raise TransformError(f"No results for JsonPath: {self.text}: the value is no array")

    def _nothing(self, name: str) -> TransformError:
        return TransformError(f"No results for JsonPath: {self.text}: there is no `{name}`")

    def _invalid(self, reason: str) -> TransformError:
        return TransformError(f"Invalid JsonPath: {self.text}: {reason}")


@lru_cache(maxsize=64)
def parse(text: str) -> JsonPath:
    """A path.

    Raises:
        TransformError: It is none, in the service's words where they are known.

    >>> parse("$['id','SageMakerOutput']").steps
    (Names(names=('id', 'SageMakerOutput')),)
    """
    if not text.startswith("$"):
        raise TransformError(f"Invalid JsonPath: {text}: it does not start with $")
    steps: list[Step] = []
    position = 1
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            raise TransformError(f"Invalid JsonPath: {text}: not understood from `{text[position:]}` on")
        position = found.end()
        bracket, _, name, _ = found.groups()
        if bracket is not None:
            steps.append(_bracket(text, bracket))
        else:
            steps.append(Wildcard() if name is None else Names((name,)))
    return JsonPath(text, tuple(steps))


def check_operators(field: str, path: str, media_type: str, *, names: bool) -> None:
    """Refuse a character that the service does not take when a job is created.

    Args:
        field: `InputFilter` or `OutputFilter`.
        path: The path.
        media_type: Of the records.
        names: Whether names may be in it. UNSURE: the list of operators for CSV; here it is JSON's without the quote.

    Raises:
        UsageError: With the service's sentence.
    """
    operators = (*_OPERATORS, "'") if names else _OPERATORS
    for character in path:
        known = character in operators or (
            character.isascii() and (character.isalnum() if names else character.isdigit())
        )
        if not known:
            listed = ", ".join(f"'{operator}'" for operator in operators)
            raise UsageError(
                f'Invalid {field}: "{path}". Unexpected "{character}" in JsonPath. '
                f'Supported operators for "{media_type}" are [{listed}]'
            )


def _bracket(text: str, inside: str) -> Step:
    parts = [part.strip() for part in inside.split(",")]
    if parts == ["*"]:
        return Wildcard()
    if any(":" in part for part in parts) and not inside.lstrip().startswith("'"):
        found = _RANGE.fullmatch(parts[0])
        if len(parts) > 1 or found is None:
            raise TransformError(
                f"Invalid JsonPath: {text}: only single range filters of format (eg: [1:5]) are supported. "
                f"Format [{inside}] is not supported"
            )
        start, end = (None if part is None else int(part) for part in found.groups())
        return Slice(start, end)
    if all(_INDEX.fullmatch(part) for part in parts):
        return Indexes(tuple(map(int, parts)))
    names = [_QUOTED.fullmatch(part) for part in parts]
    if all(names):
        return Names(tuple(name[1] for name in names if name))
    raise TransformError(f"Invalid JsonPath: {text}: format [{inside}] is not supported")


def _item(items: Sequence[Item], index: int, path: str) -> Item:
    if not -len(items) <= index < len(items):
        raise TransformError(f"No results for JsonPath: {path}: index {index} is outside of {len(items)} elements")
    return items[index]


def _is(value: msgspec.Raw, opening: bytes) -> bool:
    return bytes(value).lstrip()[:1] == opening


def _encoded(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
