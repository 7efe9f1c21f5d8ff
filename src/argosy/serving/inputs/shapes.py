"""What holds other values: lists, tuples, mappings, alternatives, records; each converts and has a JSON Schema."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from argosy.errors import DecodeError
from argosy.serving.inputs.definitions import Definitions, Schema
from argosy.serving.inputs.mismatch import MismatchError, kind_of
from argosy.serving.inputs.scalars import ANYTHING, INTEGER, NULL, NUMBER, STRING


class Shape(Protocol):
    """One node of the tree that an annotation becomes, once, when the predictor is loaded."""

    @property
    def want(self) -> str:
        """What it is, as an error says it."""

    @property
    def exact(self) -> type | None:
        """The type whose every instance is a value as it stands, or None."""

    def convert(self, value: object, is_text: bool) -> object:
        """The value as annotated.

        Args:
            value: JSON-like.
            is_text: Whether single values may still be text, as cells of CSV are.

        Raises:
            MismatchError: It is none.
        """

    def schema(self, definitions: Definitions) -> Schema:
        """Its JSON Schema; named parts go into the definitions."""


class ListShape:
    """An array, each item of one shape."""

    want: Final = "array"
    exact: Final = None

    def __init__(self, item: Shape) -> None:
        self.item = item

    def convert(self, value: object, is_text: bool) -> object:
        """A list; the very same one when no item needs a conversion."""
        if type(value) is not list:
            raise MismatchError(kind_of(value, is_text), self.want)
        exact = self.item.exact
        if exact is not None:
            kinds = set(map(type, value))
            if kinds <= {exact}:
                return value
            if exact is float and not is_text and kinds <= {float, int}:
                return self._floats(value)
        elif self.item is ANYTHING and not is_text:
            return value
        convert = self.item.convert
        done: list[object] = []
        try:
            for entry in value:
                done.append(convert(entry, is_text))
        except MismatchError as mismatch:
            mismatch.path.append(len(done))
            raise
        return done

    def _floats(self, value: list[float]) -> list[float]:
        try:
            return list(map(float, value))
        except OverflowError:
            position = next(i for i, entry in enumerate(value) if abs(entry) > 1.7976931348623157e308)
            mismatch = MismatchError("integer", NUMBER.want)
            mismatch.path.append(position)
            raise mismatch from None

    def schema(self, definitions: Definitions) -> Schema:
        """An array."""
        item = self.item.schema(definitions)
        return {"type": "array", "items": item} if item else {"type": "array"}


class TupleShape:
    """An array of a fixed length, each position of its own shape."""

    want: Final = "array"
    exact: Final = None

    def __init__(self, items: Sequence[Shape]) -> None:
        self.items = tuple(items)

    def convert(self, value: object, is_text: bool) -> object:
        """A tuple."""
        if type(value) is not list:
            raise MismatchError(kind_of(value, is_text), self.want)
        if len(value) != len(self.items):
            raise MismatchError(f"{len(value)} entries", f"{len(self.items)} entries")
        done: list[object] = []
        try:
            for item, entry in zip(self.items, value, strict=True):
                done.append(item.convert(entry, is_text))
        except MismatchError as mismatch:
            mismatch.path.append(len(done))
            raise
        return tuple(done)

    def schema(self, definitions: Definitions) -> Schema:
        """An array of exactly that length."""
        length = len(self.items)
        items = [item.schema(definitions) for item in self.items]
        return {"type": "array", **({"prefixItems": items} if items else {}), "minItems": length, "maxItems": length}


class MappingShape:
    """An object with any keys, each value of one shape; errors name the position of a key, never the key."""

    want: Final = "object"
    exact: Final = None

    def __init__(self, item: Shape) -> None:
        self.item = item

    def convert(self, value: object, is_text: bool) -> object:
        """A dict; the very same one when no value needs a conversion."""
        if type(value) is not dict:
            raise MismatchError(kind_of(value, is_text), self.want)
        if not is_text and (self.item is ANYTHING or set(map(type, value.values())) <= {self.item.exact}):
            return value
        done: dict[str, object] = {}
        try:
            for key, entry in value.items():
                done[key] = self.item.convert(entry, is_text)
        except MismatchError as mismatch:
            mismatch.path.append(len(done))
            raise
        return done

    def schema(self, definitions: Definitions) -> Schema:
        """An object."""
        item = self.item.schema(definitions)
        return {"type": "object", "additionalProperties": item} if item else {"type": "object"}


class UnionShape:
    """One of several shapes: the one that is exactly the value's type, else the first that takes it.

    Among cells, an empty one is null if null is allowed, and text stays text only if it is nothing else.
    """

    exact: Final = None

    def __init__(self, members: Sequence[Shape]) -> None:
        self.members = tuple(sorted(members, key=lambda member: member is NUMBER))  # an integer stays one if it may
        rank = {id(NULL): -2, id(INTEGER): -1, id(STRING): 1}
        self._for_text = tuple(sorted(self.members, key=lambda member: rank.get(id(member), 0)))
        self._exact = frozenset(member.exact for member in self.members if member.exact is not None)

    @property
    def want(self) -> str:
        """All of them."""
        return " or ".join(dict.fromkeys(member.want for member in self.members))

    def convert(self, value: object, is_text: bool) -> object:
        """What the first member that takes it makes of it."""
        if not is_text and type(value) in self._exact:
            return value
        deepest: MismatchError | None = None
        for member in self._for_text if is_text else self.members:
            try:
                return member.convert(value, is_text)
            except MismatchError as mismatch:
                if mismatch.path and (deepest is None or len(mismatch.path) > len(deepest.path)):
                    deepest = mismatch
        raise deepest or MismatchError(kind_of(value, is_text), self.want)

    def schema(self, definitions: Definitions) -> Schema:
        """Any of them."""
        return {"anyOf": [member.schema(definitions) for member in self.members]}


class Field(NamedTuple):
    """One field of a record, in the order of declaration."""

    name: str
    shape: Shape
    is_required: bool
    default: Schema
    """`{"default": value}` for the schema, or empty."""


class RecordShape:
    """An object with known fields: a dataclass or a `TypedDict`. Other fields are ignored.

    Among cells, a row without names gives the fields by position, and an empty cell that its field cannot take
    counts as not given.

    Args:
        owner: The class.
        build: Makes the value of the fields given.
    """

    want: Final = "object"
    exact: Final = None

    def __init__(self, owner: type, build: Callable[..., object]) -> None:
        self.owner = owner
        self.fields: tuple[Field, ...] = ()
        """Set right after, because a field may be the class itself."""
        self._build = build

    @property
    def names(self) -> list[str]:
        """The names of its fields, in their order."""
        return [field.name for field in self.fields]

    def convert(self, value: object, is_text: bool) -> object:
        """An object of the class."""
        if type(value) is not dict:
            if not (is_text and type(value) is list):
                raise MismatchError(kind_of(value, is_text), self.want)
            value = by_position(value, self.names)
        given: dict[str, object] = {}
        for name, shape, is_required, _ in self.fields:
            if name not in value:
                if is_required:
                    missing = MismatchError("nothing", shape.want, "a field is missing")
                    missing.path.append(name)
                    raise missing
                continue
            try:
                given[name] = shape.convert(value[name], is_text)
            except MismatchError as mismatch:
                if is_text and value[name] == "" and not is_required:
                    continue
                mismatch.path.append(name)
                raise
        return self._made(given)

    def _made(self, given: dict[str, object]) -> object:
        try:
            return self._build(**given)
        except DecodeError as error:
            raise MismatchError(error.got, error.want, error.what) from None
        except (ValueError, TypeError, AssertionError) as error:
            what = f"`{self.owner.__name__}` refuses the record with `{type(error).__name__}`"
            raise MismatchError(None, None, what) from error

    def schema(self, definitions: Definitions) -> Schema:
        """A reference to its definition."""
        return definitions.reference(self.owner, lambda: self._written(definitions))

    def _written(self, definitions: Definitions) -> Schema:
        required = [field.name for field in self.fields if field.is_required]
        return {
            "title": self.owner.__name__,
            "type": "object",
            "properties": {field.name: field.shape.schema(definitions) | field.default for field in self.fields},
            **({"required": required} if required else {}),
        }


def by_position(row: list[object], names: Sequence[str]) -> dict[str, object]:
    """A row of cells as fields.

    Raises:
        MismatchError: More or fewer cells than fields.
    """
    if len(row) != len(names):
        raise MismatchError(f"{len(row)} cells", f"{len(names)} cells, one a field")
    return dict(zip(names, row, strict=True))
