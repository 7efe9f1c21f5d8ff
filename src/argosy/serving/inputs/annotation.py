"""The annotations of `predict` -> what its inputs are, and what its answers are.

`arrays.py` knows the types of other libraries, `records.py` everything that JSON can say.
"""

import collections.abc
import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from argosy.errors import LoadError
from argosy.serving.inputs import arrays, form_fields, instances
from argosy.serving.inputs.definitions import Definitions
from argosy.serving.inputs.foreign import ForeignShape
from argosy.serving.inputs.kind import FieldKinds, InputKind
from argosy.serving.inputs.mismatch import MismatchError, kind_of
from argosy.serving.inputs.records import LISTS, MAPPINGS, Builder, members_of, plain
from argosy.serving.inputs.scalars import ANYTHING, OCTETS, STRING, Scalar
from argosy.serving.inputs.shapes import ListShape, MappingShape, RecordShape, Shape, TupleShape, UnionShape

_WHOLE: Final[Mapping[object, InputKind]] = {
    str: InputKind.TEXT,
    bytes: InputKind.BYTES,
    memoryview: InputKind.VIEW,
    Any: InputKind.ANY,
    object: InputKind.ANY,
    inspect.Parameter.empty: InputKind.ANY,
}
"""What is handed over as it comes."""
_STREAMS: Final = frozenset(
    {
        collections.abc.Iterator,
        collections.abc.Generator,
        collections.abc.AsyncIterator,
        collections.abc.AsyncIterable,
        collections.abc.AsyncGenerator,
    }
)
_ONE_RECORD_HINT: Final = "a predictor that takes several at a time annotates its argument with `list[...]`"


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What `predict` takes.

    Attributes:
        kind: What codecs are asked for.
        is_list: Whether it takes a list of records, texts, byte strings or images. A body that holds one item becomes
            a list of one, and the answer is then its only item, not a list.
        convert: From what the codec gave, and whether its single values may be text, to what `predict` gets; always
            a list when `is_list`. Raises DecodeError, naming row and field. None: as decoded.
        schema: JSON Schema 2020-12 of a JSON body, self-contained.
        unwrap: From a value that is not text to what is in SageMaker's `{"instances": ...}`, unless that object is
            what `predict` takes. Raises DecodeError. None: as it is.
        is_nested: Whether it takes a list of lists, which are rows.
        form: What the fields of a form are wanted as, or that its only part is wanted as text. None: as `kind` says.
        named: From a body that says by name which cell is which, and whether its cells may be text, to what `predict`
            gets; None when the body has no names. Raises DecodeError.
        example: What a client could send as JSON, None where nobody knows.
    """

    kind: InputKind
    is_list: bool
    convert: Callable[[object, bool], object] | None
    schema: Mapping[str, object]
    unwrap: instances.Unwrap | None = None
    is_nested: bool = False
    form: FieldKinds | InputKind | None = None
    named: Callable[[object, bool], object | None] | None = None
    example: object | None = None


def read(predict: Callable[..., object]) -> InputSpec:
    """What the annotation of a bound `predict`'s only required argument asks for.

    Raises:
        LoadError: It takes another number of arguments, or its annotation names what nothing can be decoded to.
    """
    return of_annotation(_annotation(predict))


def of_annotation(annotation: Any) -> InputSpec:
    """What an annotation asks for, without strings in it.

    Raises:
        LoadError: It names what nothing can be decoded to.
    """
    annotation = _one_member(annotation)
    whole = _WHOLE.get(annotation) if isinstance(annotation, collections.abc.Hashable) else None
    if whole is not None:
        return InputSpec(whole, False, None, {})
    kind = arrays.array_kind(annotation)
    if kind is not None:
        return InputSpec(kind, False, arrays.array_conversion(annotation), arrays.SCHEMAS.get(kind, {}))
    origin, arguments = typing.get_origin(annotation), tuple(map(plain, typing.get_args(annotation)))
    if origin in MAPPINGS and arguments[0] is str and arrays.array_kind(arguments[1]) is InputKind.ARRAY:
        return InputSpec(InputKind.ARRAYS, False, None, arrays.SCHEMAS[InputKind.ARRAYS])
    if origin in LISTS and (arguments[0] is bytes or arrays.array_kind(arguments[0]) is InputKind.IMAGE):
        kind = InputKind.BYTES if arguments[0] is bytes else InputKind.IMAGE
        return InputSpec(kind, True, _listed, {})
    return _of_shape(Builder().shape(annotation))


def output_schema(predict: Callable[..., object]) -> Mapping[str, object]:
    """JSON Schema of what `predict` returns, or yields; {} when its annotation does not say."""
    try:
        annotation = _resolved(inspect.signature(predict).return_annotation, predict)
    except LoadError:
        return {}
    annotation = plain(annotation)
    if typing.get_origin(annotation) in _STREAMS and typing.get_args(annotation):
        annotation = plain(typing.get_args(annotation)[0])
    if annotation in (inspect.Signature.empty, bytes):
        return {}
    kind = arrays.array_kind(annotation)
    if kind is not None:
        return arrays.ANSWERS.get(kind, {})
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in MAPPINGS and arrays.array_kind(arguments[1]) is InputKind.ARRAY:
        return arrays.ANSWERS[InputKind.ARRAYS]
    definitions = Definitions()
    try:
        return definitions.close(Builder(is_output=True).shape(annotation).schema(definitions))
    except LoadError:
        return {}


def _annotation(predict: Callable[..., object]) -> Any:
    """The argument's annotation; that of the answer may name what is imported for type checkers only."""
    signature = inspect.signature(predict)
    arguments = list(signature.parameters.values())
    required = [a for a in arguments if a.default is a.empty and a.kind not in (a.VAR_POSITIONAL, a.VAR_KEYWORD)]
    if not arguments or len(required) > 1:
        raise LoadError("`predict` has the wrong arguments", got=f"`{signature}`", want="one argument beside `self`")
    return plain(_resolved(arguments[0].annotation, predict))


def _resolved(annotation: Any, predict: Callable[..., object]) -> Any:
    """The annotation without strings, neither around it nor inside."""
    if annotation is inspect.Parameter.empty:
        return annotation

    def holder() -> None: ...

    holder.__annotations__ = {"it": annotation}
    function = inspect.unwrap(getattr(predict, "__func__", predict))
    try:
        return typing.get_type_hints(holder, getattr(function, "__globals__", {}), include_extras=True)["it"]
    except (NameError, AttributeError) as error:
        raise LoadError("the annotation of `predict` names what is not imported", got=error) from error
    except (TypeError, SyntaxError) as error:
        raise LoadError("the annotation of `predict` is none", got=f"`{annotation}`") from error


def _one_member(annotation: Any) -> Any:
    """`X | None` as X where X is no JSON value: a body is never none of it."""
    members = [member for member in members_of(annotation) if member is not type(None)]
    if len(members) == 1 and arrays.array_kind(members[0]) is not None:
        return members[0]
    return annotation


def _of_shape(shape: Shape) -> InputSpec:
    """How a body that is JSON-like is asked for and converted."""
    definitions = Definitions()
    own = shape.schema(definitions)
    if isinstance(shape, ListShape) and _is_item(shape.item):
        unwrap = instances.of_items(shape.item)
        wrapped = [] if unwrap is None else [instances.schema(own)]
        schema = definitions.close({"anyOf": [shape.item.schema(definitions), own, *wrapped]})
        form = InputKind.TEXT if shape.item is STRING else form_fields.of_shape(shape.item)
        convert = functools.partial(_convert_list, shape)
        return InputSpec(InputKind.RECORDS, True, convert, schema, unwrap=unwrap, form=form)
    spec = InputSpec(InputKind.RECORDS, False, functools.partial(_convert, shape), definitions.close(own))
    spec = replace(spec, form=form_fields.of_shape(shape))
    if isinstance(shape, ListShape):
        spec = replace(spec, kind=InputKind.LIST, schema=definitions.close({"anyOf": [own, instances.schema(own)]}))
        if shape.item is ANYTHING:
            return replace(spec, convert=None)
        if _is_cell(shape.item):
            return replace(spec, unwrap=instances.of_one_row)
        return replace(spec, unwrap=instances.of_rows, is_nested=isinstance(shape.item, ListShape | TupleShape))
    if isinstance(shape, RecordShape | ForeignShape | UnionShape):
        return replace(spec, unwrap=instances.of_items(shape))
    if isinstance(shape, MappingShape):
        return replace(spec, kind=InputKind.DICT, convert=None if shape.item is ANYTHING else spec.convert)
    return spec


def _is_item(shape: Shape) -> bool:
    """Whether a list of these is a list of things to predict for, not of the numbers of one."""
    if isinstance(shape, UnionShape):
        return any(_is_item(member) for member in shape.members)
    return shape in (STRING, OCTETS) or isinstance(shape, RecordShape | MappingShape | ForeignShape)


def _is_cell(shape: Shape) -> bool:
    """Whether it is a single value, such as a cell of a table holds."""
    return isinstance(shape, Scalar) or (isinstance(shape, UnionShape) and all(map(_is_cell, shape.members)))


def _takes_text(shape: Shape) -> bool:
    """Whether it is text or a record, as a model takes that has a short way of asking."""
    return isinstance(shape, UnionShape) and STRING in shape.members


def _are_single(rows: list[object]) -> bool:
    """Whether they are rows without names and with one cell each."""
    return all(isinstance(row, list) and len(row) == 1 for row in rows)


def _listed(value: object, is_text: bool) -> object:
    return value if isinstance(value, list) else [value]


def _convert_list(shape: ListShape, value: object, is_text: bool) -> object:
    items = value if isinstance(value, list) else [value]
    if is_text and (_is_cell(shape.item) or (_takes_text(shape.item) and _are_single(items))):
        items = _column(items)
    return _guarded(shape, items, is_text, has_rows=True)


def _convert(shape: Shape, value: object, is_text: bool) -> object:
    if isinstance(shape, RecordShape | ForeignShape) and isinstance(value, list) and (is_text or len(value) == 1):
        if len(value) != 1:
            raise MismatchError(f"{len(value)} rows", "one").to_decode_error(has_rows=True, hint=_ONE_RECORD_HINT)
        value = value[0]
    if is_text and isinstance(shape, ListShape) and _is_cell(shape.item):
        value = _column(value)
    has_rows = isinstance(shape, ListShape) and not _is_cell(shape.item)
    return _guarded(shape, value, is_text, has_rows=has_rows)


def _guarded(shape: Shape, value: object, is_text: bool, *, has_rows: bool) -> object:
    try:
        return shape.convert(value, is_text)
    except MismatchError as mismatch:
        raise mismatch.to_decode_error(has_rows=has_rows) from mismatch.__cause__
    except RecursionError:
        raise MismatchError("deeper nesting", "less").to_decode_error(has_rows=False) from None


def _column(rows: object) -> list[object]:
    """The cells of a table of one column, or of one row.

    Raises:
        DecodeError: It has more of both.
    """
    if not isinstance(rows, list):
        raise MismatchError(kind_of(rows), "rows").to_decode_error(has_rows=True)
    table = [list(row.values()) if isinstance(row, dict) else row if isinstance(row, list) else [row] for row in rows]
    if len(table) == 1:
        return list(table[0])
    for position, row in enumerate(table):
        if len(row) != 1:
            mismatch = MismatchError(f"{len(row)} cells", "1 cell")
            mismatch.path.append(position)
            raise mismatch.to_decode_error(has_rows=True)
    return [row[0] for row in table]
