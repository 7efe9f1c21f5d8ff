import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy import sparse

from argosy.errors import DecodeError, NotAcceptableError
from argosy.serving.codecs.recordio import RecordioCodec
from argosy.serving.inputs.kind import InputKind
from tests.serving.codecs.bodies import content_type

RECORDIO = content_type("application/x-recordio-protobuf")
codec = RecordioCodec()


def decode(body: bytes, kind: InputKind = InputKind.ARRAY) -> Any:
    return codec.decode(body, kind, RECORDIO)


def framed(message: bytes) -> bytes:
    return struct.pack("<II", 0xCED7230A, len(message)) + message + b"\0" * (-len(message) % 4)


# by hand from record.proto: features (1) { key (1) "values", value (2) { tensor { values (1), keys (2), shape (3) } } }
DENSE = framed(b"\x0a\x16\x0a\x06values\x12\x0c\x12\x0a\x0a\x08" + struct.pack("<ff", 1.5, -2))
WHOLE = framed(b"\x0a\x19\x0a\x06values\x12\x0f\x3a\x0d\x0a\x0b\x07" + b"\xff" * 9 + b"\x01")
SPARSE = framed(
    b"\x0a\x1e\x0a\x06values\x12\x14\x1a\x12\x0a\x08" + struct.pack("<d", 2.5) + b"\x12\x02\xac\x02\x1a\x02\xd0\x0f"
)
LABELS = framed(b"\x12\x15\x0a\x05score\x12\x0c\x1a\x0a\x0a\x08" + struct.pack("<d", 0.5))


def test_golden_bytes_of_dense_records() -> None:
    assert codec.encode(np.array([[1.5, -2]], dtype=np.float32)) == DENSE
    assert codec.encode(np.array([[7, -1]])) == WHOLE
    assert decode(DENSE).tolist() == [[1.5, -2]]
    assert decode(DENSE).dtype == np.float32
    assert decode(WHOLE).tolist() == [[7, -1]]
    assert decode(WHOLE).dtype == np.int32


def test_golden_bytes_of_sparse_records() -> None:
    row = sparse.csr_matrix(([2.5], ([0], [300])), shape=(1, 2000))
    assert codec.encode(row) == SPARSE
    decoded = decode(SPARSE, InputKind.SPARSE)
    assert decoded.shape == (1, 2000)
    assert decoded[0, 300] == 2.5
    assert decode(SPARSE).sum() == 2.5


def test_unknown_fields_are_passed_over() -> None:
    labelled = framed(LABELS[8:31] + b"\x1a\x03abc" + DENSE[8:])
    assert decode(labelled).tolist() == [[1.5, -2]]


def test_numbers_that_are_not_packed_are_read_too() -> None:
    numbers = b"\x0d" + struct.pack("<f", 1.5) + b"\x0d" + struct.pack("<f", 2)
    one_by_one = framed(b"\x0a\x16\x0a\x06values\x12\x0c\x12\x0a" + numbers)
    assert decode(one_by_one).tolist() == [[1.5, 2]]


@given(
    st.sampled_from([np.float32, np.float64, np.int32]).flatmap(
        lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=2, max_dims=3, max_side=5))
    )
)
def test_arrays_come_back_as_they_went(array: NDArray[Any]) -> None:
    np.testing.assert_array_equal(decode(bytes(codec.encode(array))), array, strict=True)


@given(arrays.arrays(np.float64, (3, 200), elements=st.just(0.0) | st.floats(allow_nan=False), fill=st.just(0.0)))
def test_sparse_rows_come_back_as_they_went(dense: NDArray[np.float64]) -> None:
    decoded = decode(bytes(codec.encode(sparse.csr_matrix(dense))), InputKind.SPARSE)
    np.testing.assert_array_equal(decoded.toarray(), dense)


def test_records_of_different_types_are_float64() -> None:
    assert decode(DENSE + WHOLE).tolist() == [[1.5, -2], [7, -1]]
    assert decode(DENSE + WHOLE).dtype == np.float64


def test_predictions_by_name_are_labels() -> None:
    assert codec.encode({"predictions": [{"score": 0.5}]}) == LABELS
    assert codec.encode([{"score": 0.5}] * 2) == LABELS * 2


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "no records"),
        (b"\x0a\x23", "head of a record"),
        (b"\0" * 8, "magic number"),
        (DENSE[:-1], "ends within a record"),
        (DENSE + DENSE[:12], "record 2, byte"),
        (struct.pack("<II", 0xCED7230A, 1 << 29), "in parts"),
        (framed(b""), "no feature `values`"),
        (framed(b"\x0a\x04\x0a\x00\x12\x00"), "no numbers"),
        (framed(b"\x0b"), "not a protobuf message"),
        (framed(b"\xff" * 11), "cut short"),
        (DENSE + framed(DENSE[8:].replace(b"\x0a\x08", b"\x0a\x04")), "cut short|not a protobuf|beyond"),
        (DENSE + bytes(codec.encode(np.ones((1, 3)))), "another shape than the first"),
    ],
)
def test_broken_records_are_refused_with_their_place(body: bytes, sentence: str) -> None:
    with pytest.raises(DecodeError, match=sentence):
        decode(body)


@pytest.mark.parametrize("prediction", ["text", [[1, 2], [3]], [1 + 2j], [["a"]]])
def test_what_is_no_table_of_numbers_is_not_acceptable(prediction: object) -> None:
    with pytest.raises(NotAcceptableError):
        codec.encode(prediction)
