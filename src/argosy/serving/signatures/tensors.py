"""Arrays that a model takes -> how a body becomes them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from argosy.errors import DecodeError
from argosy.serving.inputs.annotation import InputSpec
from argosy.serving.inputs.definitions import Schema
from argosy.serving.inputs.kind import InputKind
from argosy.serving.inputs.signature import ModelSignature, TensorSpec
from argosy.serving.signatures.cells import by_name, fit, require_range, to_dtype, unwrapped

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EXACT_FLOAT: Final = float(2**53)
_TYPES: Final[Mapping[str, str]] = {"f": "number", "c": "number", "i": "integer", "u": "integer", "b": "boolean"}


def of_tensors(signature: ModelSignature, tensors: Sequence[TensorSpec]) -> InputSpec:
    """What a model with these arrays takes, of which there is at least one.

    One array of numbers takes the fast way of arrays; what that does not understand, or what comes with names, and
    several arrays or texts, take the way of cells by name.
    """
    example = signature.example if signature.example is not None else _zeros(tensors)
    only = tensors[0]
    if len(tensors) > 1 or only.dtype in ("str", "bool"):
        convert = partial(_named_arrays, tensors, is_row_wise=signature.row_wise is True)
        return InputSpec(InputKind.TENSORS, False, convert, _schema_of(tensors), example=example)
    named = partial(_named_array, only, signature.features)
    schema = _schema_of_one(only, signature.features)
    return InputSpec(InputKind.ARRAY, False, _conversion(only), schema, named=named, example=example)


def answers(outputs: Sequence[TensorSpec]) -> Schema:
    """JSON Schema of what a model with these outputs is answered with; {} when they are not known."""
    if not outputs:
        return {}
    schemas = {output.name: _nested(output.shape, _item(output.dtype, is_answer=True)) for output in outputs}
    if len(outputs) == 1:
        return next(iter(schemas.values()))
    return {"type": "object", "properties": schemas, "required": list(schemas)}


def is_free(signature: ModelSignature) -> bool:
    """Whether a dimension beside the rows may have any length, so that an example of zeros may be too small."""
    tensors = [tensor for tensor in _tuple(signature.inputs) if isinstance(tensor, TensorSpec)]
    return any(None in tensor.shape[1:] for tensor in tensors)


def _tuple(inputs: object) -> tuple[object, ...]:
    return inputs if isinstance(inputs, tuple) else ()


def _conversion(tensor: TensorSpec) -> Callable[[object, bool], object]:
    """From what a codec makes of rows of numbers to the very array."""
    import numpy as np

    target, shape = np.dtype(tensor.dtype), tensor.shape
    is_flat = len(shape) == 2 and shape[0] is None
    width = shape[1] if is_flat else None
    is_real = target.kind == "f"

    def convert(value: object, is_text: bool) -> object:
        assert isinstance(value, np.ndarray)
        is_table = is_flat and value.ndim == 2 and (width is None or value.shape[1] == width)
        if is_table and is_real and value.dtype.kind in "fiu":
            return value if value.dtype == target and value.flags.c_contiguous else _cast(value, target, tensor)
        if value.dtype.kind == "f" and not is_real and np.abs(value).max(initial=0.0) >= _EXACT_FLOAT:
            raise DecodeError("a whole number is too large to be read as a real one", want="less than 2**53")
        return fit(to_dtype(value, tensor.dtype, _place(tensor), is_text=False), shape, _place(tensor))

    return convert


def _cast(value: "NDArray[Any]", target: Any, tensor: TensorSpec) -> "NDArray[Any]":  # Any: numpy's dtypes
    import numpy as np

    with np.errstate(over="ignore"):
        cast = np.asarray(value, dtype=target, order="C")
    require_range(value, cast, _place(tensor))
    return cast


def _named_array(tensor: TensorSpec, features: Sequence[str], value: object, is_text: bool) -> "NDArray[Any] | None":
    """The only array, out of a body that names it or its columns; None when the body has no names.

    Raises:
        DecodeError: A column is missing, or a cell is no number.
    """
    import numpy as np

    place = _place(tensor)
    inner = unwrapped(value, (tensor.name, *features))
    first = inner[0] if isinstance(inner, list) and inner else inner
    if not isinstance(first, dict):
        if is_text or (inner is value and not tensor.dtype.startswith(("int", "uint"))):
            return None
        return fit(to_dtype(inner, tensor.dtype, place, is_text=False), tensor.shape, place)  # as they were written
    if features and (tensor.name not in first or tensor.name in features):
        columns = by_name(value, features)
        arrays = [to_dtype(columns[name], tensor.dtype, f"`{name}`", is_text=is_text) for name in features]
        if len({array.shape for array in arrays}) != 1 or arrays[0].ndim > 1:
            raise DecodeError("the columns differ in length")
        return fit(np.stack(arrays, axis=-1), tensor.shape, place)
    if tensor.name not in first and (is_text or any(isinstance(cells, np.ndarray) for cells in first.values())):
        return None  # a table whose columns have names that the model has not
    cells = by_name(value, (tensor.name,))[tensor.name]
    return fit(to_dtype(cells, tensor.dtype, place, is_text=is_text), tensor.shape, place)


def _named_arrays(
    tensors: Sequence[TensorSpec], value: object, is_text: bool, *, is_row_wise: bool
) -> "dict[str, NDArray[Any]]":  # Any: each has a dtype of its own
    """All arrays by name.

    Raises:
        DecodeError: One is missing, has other values or another shape, or they differ in rows.
    """
    found = by_name(value, [tensor.name for tensor in tensors])
    arrays = {}
    for tensor in tensors:
        place = _place(tensor)
        arrays[tensor.name] = fit(
            to_dtype(found[tensor.name], tensor.dtype, place, is_text=is_text), tensor.shape, place
        )
    if is_row_wise and len({array.shape[:1] for array in arrays.values()}) > 1:
        rows = ", ".join(f"`{name}` {array.shape[0]}" for name, array in arrays.items())
        raise DecodeError("the inputs differ in rows", got=rows)
    return arrays


def _place(tensor: TensorSpec) -> str:
    return f"input `{tensor.name}`"


def _zeros(tensors: Sequence[TensorSpec]) -> object:
    """One row of nothing, as a client would send it."""
    cells = {tensor.name: _zero(tensor.shape, tensor.dtype) for tensor in tensors}
    return cells if len(tensors) > 1 or tensors[0].dtype in ("str", "bool") else next(iter(cells.values()))


def _zero(shape: Sequence[int | None], dtype: str) -> object:
    if not shape:
        return {"str": "", "bool": False}.get(dtype, 0)
    return [_zero(shape[1:], dtype) for _ in range(1 if shape[0] is None else shape[0])]


def _schema_of(tensors: Sequence[TensorSpec]) -> Schema:
    columns = {tensor.name: _nested(tensor.shape, _item(tensor.dtype)) for tensor in tensors}
    row = {tensor.name: _nested(tensor.shape[1:], _item(tensor.dtype)) for tensor in tensors}
    names = [tensor.name for tensor in tensors]
    columnar: Schema = {"type": "object", "properties": columns, "required": names}
    rows: Schema = {"type": "array", "items": {"type": "object", "properties": row, "required": names}}
    wrapped: Schema = {"type": "object", "properties": {"instances": rows}, "required": ["instances"]}
    inputs: Schema = {"type": "object", "properties": {"inputs": columnar}, "required": ["inputs"]}
    if len(tensors) == 1:
        plain = columns[names[0]]
    else:
        cells: Schema = {"type": "array", "prefixItems": list(row.values()), "minItems": len(row), "maxItems": len(row)}
        plain = {"type": "array", "items": cells, "description": "rows without names, a cell for each input"}
    return {"description": _described(tensors), "anyOf": [columnar, rows, wrapped, inputs, plain]}


def _schema_of_one(tensor: TensorSpec, features: Sequence[str]) -> Schema:
    item = _item(tensor.dtype)
    rows = _nested(tensor.shape, item)
    forms: list[Schema] = [rows]
    if len(tensor.shape) > 1:
        forms.append({**_nested(tensor.shape[1:], item), "description": "one row"})
    record: Schema = {"type": "object", "properties": dict.fromkeys(features, item), "required": list(features)}
    forms.append(
        {"type": "array", "items": record} if features else
        {"type": "object", "properties": {tensor.name: rows}, "required": [tensor.name]}
    )  # fmt: skip
    forms.append({"type": "object", "properties": {"instances": {"type": "array"}}, "required": ["instances"]})
    return {"description": _described([tensor]), "anyOf": forms}


def _nested(shape: Sequence[int | None], item: Schema) -> Schema:
    if not shape:
        return item
    length = {} if shape[0] is None else {"minItems": shape[0], "maxItems": shape[0]}
    return {"type": "array", "items": _nested(shape[1:], item), **length}


def _item(dtype: str, *, is_answer: bool = False) -> Schema:
    if dtype == "str":
        return {"type": "string"}
    import numpy as np

    kind = np.dtype(dtype).kind
    name = _TYPES.get(kind, "number")
    return {"type": [name, "null"]} if kind in "fc" else {"type": name}


def _described(tensors: Sequence[TensorSpec]) -> str:
    """What a person reads of the inputs."""
    told = [f"`{t.name}` {t.dtype} ({', '.join('any' if n is None else str(n) for n in t.shape)})" for t in tensors]
    return ", ".join(told)
