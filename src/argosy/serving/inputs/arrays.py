"""Annotations of arrays and of other libraries' types, recognised by name: no library is imported to look."""

import typing
from collections.abc import Callable, Mapping
from typing import Any, Final

from argosy.errors import DecodeError
from argosy.serving.inputs.definitions import Schema
from argosy.serving.inputs.kind import InputKind

_KINDS: Final[Mapping[str, InputKind]] = {
    "numpy.ndarray": InputKind.ARRAY,
    "scipy.sparse.csr_matrix": InputKind.SPARSE,
    "scipy.sparse.csr_array": InputKind.SPARSE,
    "pandas.DataFrame": InputKind.FRAME,
    "pyarrow.Table": InputKind.TABLE,
    "PIL.Image": InputKind.IMAGE,
}
_NUMBERS: Final[Schema] = {"type": "array", "items": {"type": ["number", "null", "array"]}}
_COLUMNS_OR_RECORDS: Final[Schema] = {
    "anyOf": [
        {"type": "array", "items": {"type": ["object", "array"]}, "description": "one record a row"},
        {"type": "object", "description": "columns by name, or records under `instances`"},
    ]
}
SCHEMAS: Final[Mapping[InputKind, Schema]] = {
    InputKind.ARRAY: {
        "description": "rows of numbers, null for a missing one; a flat list is one row",
        "anyOf": [
            _NUMBERS,
            {"type": "object", "properties": {"instances": {"type": "array"}}, "required": ["instances"]},
        ],
    },
    InputKind.ARRAYS: {
        "description": "arrays of numbers by name",
        "type": "object",
        "additionalProperties": _NUMBERS,
    },
    InputKind.SPARSE: {
        "description": "rows of numbers, dense, or sparse in SageMaker's form",
        "type": ["array", "object"],
    },
    InputKind.FRAME: _COLUMNS_OR_RECORDS,
    InputKind.TABLE: _COLUMNS_OR_RECORDS,
}
"""What a JSON body of each kind is, as far as a schema can say it."""
ANSWERS: Final[Mapping[InputKind, Schema]] = {
    InputKind.ARRAY: {"type": "array", "items": {"type": ["number", "boolean", "string", "null", "array"]}},
    InputKind.ARRAYS: {"type": "object", "additionalProperties": {"type": ["array", "number", "string", "boolean"]}},
    InputKind.SPARSE: {"type": "array"},
    InputKind.FRAME: {"type": ["array", "object"]},
    InputKind.TABLE: {"type": ["array", "object"]},
}
"""The same for what the predictor returns."""


def array_kind(annotation: Any) -> InputKind | None:
    """The kind of a class of numpy, scipy, pandas, pyarrow or Pillow, parametrised or not; None for any other."""
    origin = typing.get_origin(annotation) or annotation
    if not isinstance(origin, type):
        return None
    library = origin.__module__.partition(".")[0]
    library = "scipy.sparse" if origin.__module__.startswith("scipy.sparse") else library
    return _KINDS.get(f"{library}.{origin.__qualname__}")


def array_conversion(annotation: Any) -> Callable[[object, bool], object] | None:
    """From what the codec gives to the very class or dtype annotated; None where they cannot differ.

    `NDArray[np.float32]` and `csr_array` say more than the kind does.
    """
    kind = array_kind(annotation)
    if kind is InputKind.SPARSE:
        owner = annotation
        return lambda value, is_text: value if isinstance(value, owner) else owner(value)
    dtype = _dtype(annotation) if kind is InputKind.ARRAY else None
    return None if dtype is None else _cast(dtype)


def _dtype(annotation: Any) -> Any:
    """The dtype of `NDArray[np.float32]`; None when it names none or a family of them."""
    for argument in typing.get_args(annotation)[1:]:
        for scalar in typing.get_args(argument):
            if isinstance(scalar, type) and scalar.__module__ == "numpy" and _is_concrete(scalar):
                return scalar
    return None


def _is_concrete(scalar: type) -> bool:
    """Whether it is a number's or a boolean's dtype itself, not a family as `np.floating` is."""
    import numpy as np

    families = (np.number, np.integer, np.signedinteger, np.unsignedinteger, np.inexact, np.floating)
    return issubclass(scalar, np.number | np.bool_) and scalar not in (*families, np.complexfloating)


def _cast(dtype: Any) -> Callable[[object, bool], object]:
    import numpy as np

    target = np.dtype(dtype)

    def convert(value: object, is_text: bool) -> object:
        if not isinstance(value, np.ndarray) or value.dtype == target:
            return value
        try:
            with np.errstate(all="ignore"):
                cast = value.astype(target)
                is_exact = target.kind in "fc" or bool((cast == value).all())
        except (ValueError, TypeError):
            is_exact = False
        if not is_exact:
            raise DecodeError(
                "the array does not fit the predictor's dtype", got=f"`{value.dtype}`", want=f"`{target}`"
            )
        return cast

    return convert
