"""SageMaker's built-in JSON shapes where `predict` takes records or lists: `{"instances": ...}` is taken off.

An annotation that takes that very object, a record with a field `instances`, gets it as it is.
"""

from collections.abc import Callable

from argosy.errors import DecodeError
from argosy.serving.codecs.forms import SparseRows, from_sparse
from argosy.serving.codecs.shapes import WRAPPER, instances_of, unwrap_each
from argosy.serving.inputs.definitions import Schema
from argosy.serving.inputs.foreign import ForeignShape
from argosy.serving.inputs.kind import InputKind
from argosy.serving.inputs.shapes import MappingShape, RecordShape, Shape, UnionShape

Unwrap = Callable[[object], object]


def of_items(item: Shape) -> Unwrap | None:
    """How a list of items is found in a JSON value; None when an item may be that object itself."""
    if _has_field(item):
        return None
    return _of_mappings if _is_mapping(item) else instances_of


def of_rows(value: object) -> object:
    """The rows in a JSON value, those of `{"features": [...]}` and of its deeper and sparse forms as lists.

    Raises:
        DecodeError: Some are sparse and others are not, or a sparse one is broken or too large; names the instance.
    """
    value = instances_of(value)
    if not (isinstance(value, list) and value and isinstance(value[0], dict)):
        return value
    try:
        rows = unwrap_each(value)
    except ImportError:  # numpy's, which a predictor that takes lists can do without
        raise DecodeError("sparse instances are not taken here", want="dense ones") from None
    return from_sparse(rows, InputKind.LIST) if isinstance(rows, SparseRows) else rows


def of_one_row(value: object) -> object:
    """The same where `predict` takes the numbers of one thing: the features of the only instance.

    Raises:
        DecodeError: As `of_rows`.
    """
    value = instances_of(value)
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        rows = of_rows(value)
        return rows[0] if isinstance(rows, list) and isinstance(rows[0], list) else rows
    return value


def schema(rows: Schema) -> Schema:
    """JSON Schema of the object around rows."""
    return {
        "type": "object",
        "properties": {WRAPPER: rows, "configuration": {}},
        "required": [WRAPPER],
        "additionalProperties": False,
    }


def _of_mappings(value: object) -> object:
    """A mapping takes any key, so `{"instances": ...}` is one too, unless it holds a list of objects."""
    found = instances_of(value)
    is_wrapped = isinstance(found, list) and bool(found) and all(isinstance(record, dict) for record in found)
    return found if is_wrapped else value


def _has_field(shape: Shape) -> bool:
    if isinstance(shape, UnionShape):
        return any(map(_has_field, shape.members))
    return isinstance(shape, RecordShape | ForeignShape) and WRAPPER in shape.names


def _is_mapping(shape: Shape) -> bool:
    if isinstance(shape, UnionShape):
        return any(map(_is_mapping, shape.members))
    return isinstance(shape, MappingShape)
