"""An annotation -> the tree of shapes that validates JSON-like values and writes their JSON Schema."""

import collections.abc
import dataclasses
import enum
import inspect
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, Final, Literal, NotRequired, Required

from argosy.errors import LoadError
from argosy.serving.inputs.definitions import Schema
from argosy.serving.inputs.foreign import is_model, is_struct, model_shape, struct_shape
from argosy.serving.inputs.scalars import ANYTHING, SCALARS, enumeration, one_of
from argosy.serving.inputs.shapes import Field, ListShape, MappingShape, RecordShape, Shape, TupleShape, UnionShape

LISTS: Final = frozenset({list, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection})
MAPPINGS: Final = frozenset({dict, collections.abc.Mapping, collections.abc.MutableMapping})


def plain(annotation: Any) -> Any:
    """The annotation without what says nothing about the values: `Annotated`, `NewType`, a named alias."""
    while True:
        if typing.get_origin(annotation) is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        else:
            return annotation


def members_of(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, or the annotation alone."""
    annotation = plain(annotation)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return tuple(plain(member) for member in typing.get_args(annotation))
    return (annotation,)


class Builder:
    """Builds shapes; one a predictor, because a class may hold itself.

    Args:
        is_output: Whether schemas of pydantic are to say what is written, not what is read.
    """

    def __init__(self, *, is_output: bool = False) -> None:
        self._is_output = is_output
        self._records: dict[type, RecordShape] = {}

    def shape(self, annotation: Any, where: str | None = None) -> Shape:
        """The shape of an annotation.

        Args:
            annotation: Resolved: a class or a form of `typing`, no string.
            where: `Class.field`, for the error.

        Raises:
            LoadError: No JSON-like value can become that.
        """
        members = members_of(annotation)
        if len(members) > 1:
            return UnionShape([self.shape(member, where) for member in members])
        annotation = members[0]
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if annotation is Any:
            return ANYTHING
        if isinstance(annotation, collections.abc.Hashable) and annotation in SCALARS:
            return SCALARS[annotation]
        if origin is Literal:
            plain_values = [value.value if isinstance(value, enum.Enum) else value for value in arguments]
            return one_of(plain_values, arguments)
        if origin in MAPPINGS or annotation in MAPPINGS:
            return self._mapping(arguments, annotation, where)
        if origin in LISTS or annotation in LISTS:
            return ListShape(self.shape(arguments[0], where) if arguments else ANYTHING)
        if origin is tuple or annotation is tuple:
            return self._tuple(arguments, where)
        return self._class(annotation, where)

    def _mapping(self, arguments: tuple[Any, ...], annotation: Any, where: str | None) -> Shape:
        if not arguments:
            return MappingShape(ANYTHING)
        if plain(arguments[0]) not in (str, Any, object):
            raise refusal(annotation, where)
        return MappingShape(self.shape(arguments[1], where))

    def _tuple(self, arguments: tuple[Any, ...], where: str | None) -> Shape:
        if not arguments:
            return ListShape(ANYTHING)
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return ListShape(self.shape(arguments[0], where))
        return TupleShape([self.shape(argument, where) for argument in arguments])

    def _class(self, annotation: Any, where: str | None) -> Shape:
        if not isinstance(annotation, type):
            raise refusal(annotation, where)
        if is_struct(annotation):
            return struct_shape(annotation)
        if is_model(annotation):
            return model_shape(annotation, is_output=self._is_output)
        if issubclass(annotation, enum.Enum):
            return enumeration(annotation)
        if annotation in self._records:
            return self._records[annotation]
        if _is_typed_dict(annotation):
            return self._record(annotation, dict)
        if dataclasses.is_dataclass(annotation):
            return self._record(annotation, annotation)
        raise refusal(annotation, where)

    def _record(self, owner: type, build: Any) -> RecordShape:
        record = self._records[owner] = RecordShape(owner, build)
        try:
            hints = typing.get_type_hints(owner, include_extras=True)
        except NameError as error:
            raise LoadError("an annotation names what is not imported", got=error, where=owner.__name__) from error
        read = _dataclass_fields if dataclasses.is_dataclass(owner) else _typed_dict_fields
        record.fields = tuple(
            Field(name, self.shape(hint, f"{owner.__name__}.{name}"), is_required, default)
            for name, hint, is_required, default in read(owner, hints)
        )
        return record


def _is_typed_dict(annotation: type) -> bool:
    """Whether it is a `TypedDict`, of `typing` or of `typing_extensions`."""
    return (
        issubclass(annotation, dict) and hasattr(annotation, "__required_keys__") and hasattr(annotation, "__total__")
    )


def _typed_dict_fields(owner: Any, hints: Mapping[str, Any]) -> list[tuple[str, Any, bool, Schema]]:
    """Name, annotation, whether it is required; `Required` and `NotRequired` as the resolved annotation says.

    `__required_keys__` alone is wrong where annotations are strings (Python 3.11 to 3.13).
    """
    fields: list[tuple[str, Any, bool, Schema]] = []
    for name, hint in hints.items():
        is_required = name in owner.__required_keys__
        origin = typing.get_origin(hint)
        while origin in (Required, NotRequired) or getattr(origin, "_name", None) == "ReadOnly":
            is_required = is_required if origin not in (Required, NotRequired) else origin is Required
            hint = typing.get_args(hint)[0]
            origin = typing.get_origin(hint)
        fields.append((name, hint, is_required, {}))
    return fields


def _dataclass_fields(owner: Any, hints: Mapping[str, Any]) -> list[tuple[str, Any, bool, Schema]]:
    """Name, annotation, whether it is required, default: of what the constructor takes, in the order of declaration."""
    parameters = inspect.signature(owner).parameters
    fields: list[tuple[str, Any, bool, Schema]] = []
    for name in owner.__dataclass_fields__:
        if name in parameters and name in hints:
            hint = hints[name]
            hint = hint.type if isinstance(hint, dataclasses.InitVar) else hint
            default = parameters[name].default
            fields.append((name, hint, default is inspect.Parameter.empty, _default(default)))
    return fields


def _default(value: object) -> Schema:
    """A default that JSON can say; whole numbers up to the 64 bits that every parser reads."""
    value = value.value if isinstance(value, enum.Enum) else value
    is_number = isinstance(value, int | float) and math.isfinite(value) and abs(value) < 2**63
    return {"default": value} if value is None or isinstance(value, str) or is_number else {}


def refusal(annotation: object, where: str | None = None) -> LoadError:
    """The error of an annotation that nothing can be decoded to; lists what can."""
    return LoadError(
        "`predict` has an annotation that no codec decodes to",
        got=f"`{inspect.formatannotation(annotation)}`",
        want="`np.ndarray`, `dict[str, np.ndarray]`, `scipy.sparse.csr_matrix`, `pandas.DataFrame`, `pyarrow.Table`, "
        "`PIL.Image.Image`, `str`, `bytes`, `list`, `dict`, `Any`; a dataclass, `TypedDict`, "
        "msgspec `Struct`, pydantic model, or a list of these; or what JSON has: numbers, strings, `Literal`, `Enum`, "
        "`Optional`, `Union`",
        where=where and f"`{where}`",
    )
