"""JSON bodies that wrap rows: SageMaker's built-in shapes, read many at a time and one by one.

Source:
    "Common data formats for inference", SageMaker developer guide (sagemaker-contract.md section 6, read 2026-11-22):
    `{"instances": [{"features": [1.5, 16.0]}]}`, `{"instances": [{"data": {"features": {"values": [...]}}}]}`, sparse
    `{"keys": [26, 182], "shape": [2000], "values": [1, 1]}` in the place of `{"values": [...]}`.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from argosy.errors import DecodeError
from argosy.serving.codecs.forms import SparseRows
from argosy.serving.codecs.numbers import NUMBER_CHARACTERS, kind_of, parse_numbers, rows_and_width

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WRAPPER: Final = "instances"
_WRAPPER_NAMES: Final = frozenset({WRAPPER, "configuration"})
_INSTANCES: Final = re.compile(rb'\{[ \t\r\n]*"instances"[ \t\r\n]*:')
_FEATURES: Final = re.compile(rb'\{[ \t\r\n]*"features"[ \t\r\n]*:')
_BLANKED: Final = NUMBER_CHARACTERS + b"\r\n"
_TO_ARRAYS: Final = bytes.maketrans(b";<{}", b",   ")
_REMEMBERED_SKELETON_BYTES: Final = 4096


def instances_of(value: object) -> object:
    """The list in `{"instances": [...]}` when nothing but `configuration` is beside it; anything else as it is.

    >>> instances_of({"instances": [1, "two"], "configuration": {}}), instances_of({"instances": [1], "more": 2})
    ([1, 'two'], {'instances': [1], 'more': 2})
    """
    if isinstance(value, dict) and _WRAPPER_NAMES.issuperset(value):
        instances = value.get(WRAPPER)
        return instances if isinstance(instances, list) else value
    return value


def unwrap(value: object) -> object:
    """The rows inside `{"instances": ...}`; anything else as it is.

    Raises:
        DecodeError: Some instances are sparse and others are not, or a sparse one is broken; names the instance.
    """
    if isinstance(value, dict) and "instances" in value:
        value = value["instances"]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return unwrap_each(value)
    return value


def unwrap_each(instances: list[object]) -> object:
    """Rows of `{"features": [...]}` and `{"data": {"features": {...}}}` instances, or `SparseRows`; others as they are.

    Raises:
        DecodeError: Some instances are sparse and others are not, or a sparse one is broken; names the instance.
    """
    rows = [_features(instance) for instance in instances]
    sparse = [row for row in rows if isinstance(row, dict) and "keys" in row and "values" in row]
    if not sparse:
        return rows
    for number, row in enumerate(rows, start=1):
        if not (isinstance(row, dict) and "keys" in row and "values" in row):
            raise DecodeError(f"instance {number} is not sparse like the others", got=kind_of(row))
    return _sparse(sparse)


def _features(instance: object) -> object:
    if not isinstance(instance, dict):
        return instance
    found = instance
    if isinstance(found.get("data"), dict):
        found = found["data"]
    features = found.get("features")
    if isinstance(features, dict) and "values" in features:
        return features if "keys" in features else features["values"]
    return features if isinstance(features, list) and len(found) == 1 else instance


def _sparse(rows: "list[dict[str, object]]") -> SparseRows:
    indexes: list[int] = []
    values: list[float] = []
    lengths: list[int] = []
    width = None
    for number, row in enumerate(rows, start=1):
        keys, cells, shape = row["keys"], row["values"], row.get("shape")
        if not isinstance(keys, list) or not isinstance(cells, list) or len(keys) != len(cells):
            raise DecodeError(f"instance {number} has not as many keys as values")
        if not (isinstance(shape, list) and len(shape) == 1 and type(shape[0]) is int):
            raise DecodeError(f"instance {number} has no `shape` of one whole number")
        if width not in (None, shape[0]):
            raise DecodeError(f"instance {number} has another shape than the first")
        width = shape[0]
        if not all(type(key) is int and 0 <= key < width for key in keys):
            raise DecodeError(f"instance {number} has a key that is not an index within its shape")
        if not all(type(cell) in (int, float) for cell in cells):
            raise DecodeError(f"instance {number} has a value that is not a number")
        indexes += keys
        values += cells
        lengths.append(len(keys))
    return SparseRows.from_lists(indexes, values, lengths, width or 0)


def read_rows(bodies: Sequence[bytes | memoryview]) -> "tuple[NDArray[np.float64], list[int]] | None":
    """All rows of many JSON bodies, parsed as one text; None when any body is not a plain table of numbers.

    Plain is `[1, 2]`, `[[1, 2], [3, 4]]`, either inside `{"instances": ...}`, and rows of `{"features": [1, 2]}` there.

    The bodies are joined by `;`. Without the numbers the text is its skeleton, and that must be, body for body, the
    skeleton of a table of the same width: so no body can reach into its neighbour, and the parser only has to
    make sure that between the brackets and commas there is one number each.
    """
    if len(bodies) == 1 and b'"' not in bytes(bodies[0]):
        return _read_alone(bytes(bodies[0]))
    joined = b";" + b";".join(bodies)
    if b'"' in joined:
        joined = _without_names(joined)
    elif b"<" in joined:
        return None
    skeleton = joined.translate(None, _BLANKED)
    unit = skeleton[: len(skeleton) // len(bodies)]
    if unit * len(bodies) == skeleton:
        shapes = [_shape(unit[1:])] * len(bodies)
    else:
        shapes = [_shape(part) for part in skeleton[1:].split(b";")]
    alike = rows_and_width(shapes, len(bodies))
    if alike is None:
        return None
    counts, width = alike
    flat = parse_numbers(b"[" + joined[1:].translate(_TO_ARRAYS) + b"]")
    rows = sum(counts)
    if flat is None or flat.size != rows * width:
        return None
    return flat.reshape(rows, width), counts


def _read_alone(body: bytes) -> "tuple[NDArray[np.float64], list[int]] | None":
    shape = _shape(body.translate(None, _BLANKED))
    flat = None if shape is None else parse_numbers(body)
    if shape is None or flat is None or flat.size != shape[0] * shape[1]:
        return None
    return flat.reshape(shape), [shape[0]]


def _without_names(joined: bytes) -> bytes:
    """`{"instances":` as `<` and `{"features":` as `{`; as it is when a body has brackets like these of its own."""
    wrapper = _INSTANCES.search(joined)
    if wrapper is None or b"<" in joined:
        return joined
    shorter = joined.replace(wrapper.group(), b"<")
    features = _FEATURES.search(shorter) if b'"' in shorter else None
    count = 0
    if features is not None:
        count = shorter.count(features.group())
        shorter = shorter.replace(features.group(), b"{")
    return shorter if shorter.count(b"{") == count else joined


def _shape(skeleton: bytes) -> tuple[int, int] | None:
    return _remembered_shape(skeleton) if len(skeleton) <= _REMEMBERED_SKELETON_BYTES else _read_shape(skeleton)


def _read_shape(skeleton: bytes) -> tuple[int, int] | None:
    """Rows and columns of the table that has this skeleton, or None when it is no table."""
    opening, closing = b"[", b"]"
    if skeleton[:1] == b"<":
        if skeleton[-1:] != b"}":
            return None
        skeleton = skeleton[1:-1]
        if skeleton[:2] == b"[{":
            opening, closing = b"{[", b"]}"
    columns = len(skeleton) - 1
    if skeleton == b"[" + b"," * (columns - 1) + b"]":
        return 1, columns
    row = skeleton[1 : skeleton.find(closing) + len(closing)]
    columns = len(row) - len(opening) - len(closing) + 1
    if columns < 1 or row != opening + b"," * (columns - 1) + closing:
        return None
    rows, rest = divmod(len(skeleton) - 1, len(row) + 1)
    if rest or skeleton != b"[" + b",".join([row] * rows) + b"]":
        return None
    return rows, columns


_remembered_shape = lru_cache(maxsize=256)(_read_shape)
