"""application/x-recordio-protobuf: SageMaker's own records, dense and sparse, read and written without protobuf.

A body is records, each `magic, length, protobuf message, padding to 4 bytes`. The message is `aialgs.data.Record`.

Source:
    record.proto and serializer_utils.py of the SageMaker Python SDK, version 2 (sagemaker-contract.md section 6, read
    2026-11-22); wire types of protobuf.dev/programming-guides/encoding (read 2026-11-22).
"""

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from argosy.errors import DecodeError, NotAcceptableError
from argosy.media_type import MediaType
from argosy.serving.codecs.forms import ARRAY_KINDS, SparseRows, from_array, from_sparse
from argosy.serving.inputs.kind import InputKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MAGIC: Final = 0xCED7230A
_FEATURES, _LABEL = 1, 2  # fields of Record
_KEY, _VALUE = 1, 2  # fields of an entry of a map
_VALUES, _KEYS, _SHAPE = 1, 2, 3  # fields of every tensor
_TENSORS: Final = {2: "<f4", 3: "<f8", 7: "<i4"}  # fields of Value -> dtype of its tensor
_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5  # wire types
_FEATURE: Final = b"values"


class _Tensor(NamedTuple):
    values: "NDArray[Any]"  # Any: one of three dtypes
    keys: "NDArray[np.int64]"
    shape: tuple[int, ...]

    @property
    def is_sparse(self) -> bool:
        """Whether the values are only those that are not zero."""
        return len(self.keys) > 0 or (len(self.values) == 0 and self.shape != (0,))


class RecordioCodec:
    """RecordIO-protobuf both ways; a record's feature `values`, or the only one that it has, is a row."""

    media_type = "application/x-recordio-protobuf"
    kinds = ARRAY_KINDS
    cells_are_text = False

    def decode(self, body: bytes | memoryview, kind: InputKind, content_type: MediaType) -> object:
        """Dense records as an array of shape (records, ...), sparse ones as a `csr_matrix`, or what the kind says.

        The dtype is float32, float64 or int32 as in the tensors, float64 where they differ.

        Raises:
            DecodeError: The framing or a message is broken, or the records do not have one shape; names the record.
        """
        tensors = []
        for number, message in enumerate(_records(memoryview(body).cast("B")), start=1):
            try:
                tensors.append(_feature(message))
            except DecodeError as error:
                raise DecodeError(error.what, got=error.got, want=error.want, where=f"record {number}") from None
            if tensors[-1].shape != tensors[0].shape:
                raise DecodeError("the record has another shape than the first", where=f"record {number}")
        if not tensors:
            raise DecodeError("the body has no records", got=f"{len(body)} bytes")
        if any(tensor.is_sparse for tensor in tensors):
            return from_sparse(_sparse_rows(tensors), kind)
        return from_array(_stacked([tensor.values for tensor in tensors]).reshape(-1, *tensors[0].shape), kind)

    def encode(self, prediction: Any) -> bytes | memoryview:  # Any: told apart by what it can do
        """One record for each row, in the feature `values`; for each dict of numbers one with them as labels.

        int32 where whole numbers fit, else float64; float32 stays float32. Built-in algorithms answer with labels,
        such as `score`, for each record; `{"predictions": [...]}` is unwrapped.

        Raises:
            NotAcceptableError: The prediction is no table of numbers.
        """
        if isinstance(prediction, bytes | bytearray | memoryview):
            return bytes(prediction)
        if isinstance(prediction, dict) and list(prediction) == ["predictions"]:
            prediction = prediction["predictions"]
        if isinstance(prediction, list) and prediction and all(isinstance(record, dict) for record in prediction):
            messages = [
                b"".join(
                    _entry(_LABEL, str(name).encode(), _tensor(_numbers([value]))) for name, value in record.items()
                )
                for record in prediction
            ]
        elif type(prediction).__module__.startswith("scipy.") and hasattr(prediction, "tocsr"):
            messages = _sparse_messages(prediction.tocsr())
        else:
            rows = _numbers(prediction)
            rows = rows.reshape(-1, 1) if rows.ndim < 2 else rows
            shape = rows.shape[1:] if rows.ndim > 2 else ()
            messages = [_entry(_FEATURES, _FEATURE, _tensor(row.reshape(-1), shape=shape)) for row in rows]
        return b"".join(map(_frame, messages))


def _records(body: memoryview) -> Iterator[memoryview]:
    position = number = 0
    while position < len(body):
        number += 1
        place = f"record {number}, byte {position}"
        if len(body) - position < 8:
            raise DecodeError("the body ends within the head of a record", where=place)
        magic, length = struct.unpack_from("<II", body, position)
        if magic != _MAGIC:
            raise DecodeError("not the magic number of RecordIO", where=place)
        if length >> 29:  # MXNet's continuation flag, which SageMaker's writer leaves 0
            raise DecodeError("the record is longer than 2**29 bytes, or in parts", where=place)
        if len(body) - position - 8 < length:
            raise DecodeError("the body ends within a record", where=place)
        yield body[position + 8 : position + 8 + length]
        position += 8 + length + -length % 4


def _feature(message: memoryview) -> _Tensor:
    found: dict[bytes, memoryview] = {}
    for field, value in _fields(message):
        if field == _FEATURES and isinstance(value, memoryview):
            entry = dict(_fields(value))
            key, held = entry.get(_KEY, memoryview(b"")), entry.get(_VALUE)
            if isinstance(key, memoryview) and isinstance(held, memoryview):
                found[bytes(key)] = held
    if len(found) != 1 and _FEATURE not in found:
        raise DecodeError("the record has no feature `values`", got=f"{len(found)} features")
    value = found.get(_FEATURE) or next(iter(found.values()))
    for field, tensor in _fields(value):
        if field in _TENSORS and isinstance(tensor, memoryview):
            return _read_tensor(tensor, _TENSORS[field])
    raise DecodeError("the feature has no numbers", want="a float32, float64 or int32 tensor")


def _read_tensor(message: memoryview, dtype: str) -> _Tensor:
    import numpy as np

    packed: dict[int, bytearray] = {_VALUES: bytearray(), _KEYS: bytearray(), _SHAPE: bytearray()}
    for field, value in _fields(message):
        if field in packed:
            packed[field] += _varint(value) if isinstance(value, int) else value
    if dtype == "<i4":
        wide = _varints(packed[_VALUES])
        if len(wide) and (wide.min() < -(2**31) or wide.max() >= 2**31):
            raise DecodeError("a number is beyond 32 bits")
        values: NDArray[Any] = wide.astype(np.int32)  # Any: one of three dtypes
    else:
        if len(packed[_VALUES]) % int(dtype[2]):
            raise DecodeError("the numbers of the tensor are cut short")
        values = np.frombuffer(bytes(packed[_VALUES]), dtype)
    keys, shape = _varints(packed[_KEYS]), tuple(_varints(packed[_SHAPE]).tolist()) or (len(values),)
    cells = 1
    for length in shape:
        cells *= length
    if min(shape) < 0 or len(shape) > 32 or cells >= 2**62:
        raise DecodeError("the shape of the tensor is too large")
    if len(keys):
        if len(keys) != len(values) or keys.min() < 0 or keys.max() >= cells:
            raise DecodeError("the keys of the tensor do not fit its values and shape")
    elif len(values) not in (0, cells):
        raise DecodeError("the tensor has not as many values as its shape says", got=len(values), want=cells)
    return _Tensor(values, keys, shape)


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The fields of a message: whole numbers as such, all else as the bytes that hold it."""
    position = 0
    while position < len(message):
        tag, position = _read_varint(message, position)
        field, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            number, position = _read_varint(message, position)
            yield field, number
            continue
        if wire == _LENGTH:
            length, position = _read_varint(message, position)
        elif wire in (_EIGHT, _FOUR):
            length = 8 if wire == _EIGHT else 4
        else:
            raise DecodeError("the record is not a protobuf message")
        if length > len(message) - position:
            raise DecodeError("the protobuf message is cut short")
        yield field, message[position : position + length]
        position += length


def _read_varint(message: memoryview, position: int) -> tuple[int, int]:
    number = shift = 0
    while shift < 70 and position < len(message):
        byte = message[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number & 0xFFFFFFFFFFFFFFFF, position
        shift += 7
    raise DecodeError("the protobuf message is cut short, or has a number beyond 64 bits")


def _varints(packed: bytes | bytearray) -> "NDArray[np.int64]":
    """All varints of a packed field at once."""
    import numpy as np

    octets = np.frombuffer(bytes(packed), np.uint8)
    ends = np.flatnonzero(octets < 0x80)
    if len(octets) and (not len(ends) or ends[-1] != len(octets) - 1):
        raise DecodeError("the numbers of the tensor are cut short")
    starts = np.concatenate([np.zeros(min(1, len(ends)), np.int64), ends[:-1] + 1])
    lengths = ends - starts + 1
    if len(lengths) and lengths.max() > 10:
        raise DecodeError("a number of the tensor is beyond 64 bits")
    numbers = np.zeros(len(ends), np.uint64)
    for place in range(int(lengths.max()) if len(lengths) else 0):
        reach = lengths > place
        numbers[reach] |= (octets[starts[reach] + place] & 0x7F).astype(np.uint64) << np.uint64(7 * place)
    return numbers.view(np.int64)


def _stacked(values: "list[NDArray[Any]]") -> "NDArray[Any]":  # Any: one of three dtypes
    import numpy as np

    if len({one.dtype for one in values}) > 1:
        values = [one.astype(np.float64) for one in values]
    return np.concatenate(values)


def _sparse_rows(tensors: list[_Tensor]) -> SparseRows:
    import numpy as np

    if len(tensors[0].shape) != 1:
        raise DecodeError("a sparse record is not a row", got=f"{len(tensors[0].shape)} dimensions", want=1)
    keys = [t.keys if t.is_sparse else np.arange(len(t.values), dtype=np.int64) for t in tensors]
    starts = np.cumsum([0, *(len(one) for one in keys)], dtype=np.int64)
    return SparseRows(np.concatenate(keys), _stacked([t.values for t in tensors]), starts, tensors[0].shape[0])


def _numbers(prediction: Any) -> "NDArray[Any]":  # Any: told apart by what it can do
    """float32, float64 or int32, as the SDK's writer chooses."""
    import numpy as np

    try:
        array = np.asarray(prediction)
    except (ValueError, TypeError):
        array = np.array(None)
    if array.dtype.kind in "biu" and (not array.size or (array.min() >= -(2**31) and array.max() < 2**31)):
        return array.astype(np.int32)
    if array.dtype.kind not in "iuf":
        raise NotAcceptableError(
            "the prediction is not a table of numbers",
            got="`application/x-recordio-protobuf` in Accept",
            want="application/json",
        )
    return array.astype("<f4" if array.dtype.itemsize <= 4 and array.dtype.kind == "f" else "<f8")


def _sparse_messages(csr: Any) -> list[bytes]:  # Any: scipy has no types
    values = _numbers(csr.data)
    bounds = zip(csr.indptr[:-1].tolist(), csr.indptr[1:].tolist(), strict=True)
    return [
        _entry(_FEATURES, _FEATURE, _tensor(values[a:b], keys=csr.indices[a:b].tolist(), shape=csr.shape[1:]))
        for a, b in bounds
    ]


def _tensor(
    values: "NDArray[Any]", *, keys: list[int] | None = None, shape: tuple[int, ...] = ()
) -> bytes:  # Any: ditto
    """A Value with one tensor."""
    field = next(field for field, dtype in _TENSORS.items() if dtype == values.dtype.str)
    if values.dtype.kind == "i":
        packed = b"".join(_varint(number & 0xFFFFFFFFFFFFFFFF) for number in values.tolist())
    else:
        packed = values.tobytes()
    tensor = _delimited(_VALUES, packed) if packed else b""
    tensor += _delimited(_KEYS, b"".join(map(_varint, keys))) if keys else b""
    tensor += _delimited(_SHAPE, b"".join(map(_varint, shape))) if shape else b""
    return _delimited(field, tensor)


def _entry(field: int, key: bytes, value: bytes) -> bytes:
    """One entry of a map."""
    return _delimited(field, _delimited(_KEY, key) + _delimited(_VALUE, value))


def _delimited(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | _LENGTH) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)


def _frame(message: bytes) -> bytes:
    return struct.pack("<II", _MAGIC, len(message)) + message + b"\0" * (-len(message) % 4)
