import io
import zipfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from scipy import sparse

from argosy.errors import DecodeError, NotAcceptableError
from argosy.serving.codecs import forms, npy
from argosy.serving.inputs.kind import InputKind
from tests.serving.codecs.bodies import content_type, find

NPY, NPZ = "application/x-npy", "application/x-npz"
dtypes = st.sampled_from(["<f8", ">f8", "<f4", "<f2", "<i8", "<i2", "|u1", "|b1", "<c16", "|S3", "<U2"])


def decode(name: str, body: bytes, kind: InputKind = InputKind.ARRAY) -> Any:
    return find(name).decode(body, kind, content_type(name))


def saved(array: Any, version: tuple[int, int] | None = None) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), version)
    return file.getvalue()


def any_array(dtype: str) -> st.SearchStrategy[NDArray[Any]]:
    elements = {"alphabet": "ab"} if dtype[1] == "U" else None
    return arrays.arrays(dtype, arrays.array_shapes(min_dims=0), elements=elements)


@given(dtypes.flatmap(any_array), st.booleans())
def test_arrays_are_read_as_numpy_reads_them(array: NDArray[Any], is_fortran: bool) -> None:
    if is_fortran:
        array = np.asfortranarray(array)
    body = saved(array)
    assert npy.write_array(array) == body
    decoded = decode(NPY, body)
    np.testing.assert_array_equal(decoded, array, strict=True)
    np.testing.assert_array_equal(decoded, np.load(io.BytesIO(body)), strict=True)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.filterwarnings("ignore:Stored array")
def test_every_version_of_the_header_is_read(version: tuple[int, int]) -> None:
    np.testing.assert_array_equal(decode(NPY, saved([[1, 2]], version)), [[1, 2]])


def test_a_pickle_is_never_read() -> None:
    file = io.BytesIO()
    np.save(file, np.array([{"a": 1}], dtype=object))
    with pytest.raises(DecodeError, match="not a npy file of numbers"):
        decode(NPY, file.getvalue())
    with pytest.raises(DecodeError, match="not a npy file of numbers"):
        decode(NPY, saved(np.zeros(2, dtype=[("a", "f8")])))


def test_a_shape_that_the_body_cannot_hold_is_refused_before_room_is_made_for_it() -> None:
    body = saved(np.zeros(10)).replace(b"(10,), }" + b" " * 10, f"({10**11},), }}".encode())
    with pytest.raises(DecodeError, match="shorter than its header says"):
        decode(NPY, body)


def test_an_empty_array_is_refused() -> None:
    with pytest.raises(DecodeError, match="empty"):
        decode(NPY, saved(np.zeros((0, 4))))


def test_what_is_not_unicode_is_refused() -> None:
    with pytest.raises(DecodeError, match="not Unicode"):
        decode(NPY, saved(np.array(["ab"])).replace(b"a\0\0\0", b"\xff\xff\xff\xff"))


@pytest.mark.parametrize("prediction", ["text", {"a": 1}, None, [object()], b"bytes"])
def test_what_is_no_array_is_not_acceptable(prediction: object) -> None:
    with pytest.raises(NotAcceptableError):
        find(NPY).encode(prediction)


def test_named_arrays_come_back_by_their_names() -> None:
    body = bytes(find(NPZ).encode({"a": np.ones((2, 2)), "b": [1, 2]}))
    assert set(np.load(io.BytesIO(body))) == {"a", "b"}
    decoded = decode(NPZ, body, InputKind.ARRAYS)
    assert {name: array.tolist() for name, array in decoded.items()} == {"a": [[1, 1], [1, 1]], "b": [1, 2]}
    with pytest.raises(DecodeError, match="several arrays"):
        decode(NPZ, body)


@pytest.mark.parametrize("is_compressed", [True, False])
def test_one_array_is_what_numpy_saved(is_compressed: bool) -> None:
    file = io.BytesIO()
    (np.savez_compressed if is_compressed else np.savez)(file, np.eye(3))
    np.testing.assert_array_equal(decode(NPZ, file.getvalue()), np.eye(3))


@pytest.mark.parametrize("layout", ["csr", "csc", "coo"])
@pytest.mark.parametrize("is_compressed", [True, False])
def test_sparse_matrices_are_what_scipy_saved(layout: str, is_compressed: bool) -> None:
    dense = np.array([[0, 1.5, 0], [2, 0, 0], [0, 0, 0], [0, 0, 3]])
    file = io.BytesIO()
    sparse.save_npz(file, sparse.csr_matrix(dense).asformat(layout), compressed=is_compressed)
    decoded = decode(NPZ, file.getvalue(), InputKind.SPARSE)
    assert isinstance(decoded, sparse.csr_matrix)
    np.testing.assert_array_equal(decoded.toarray(), dense)
    np.testing.assert_array_equal(decode(NPZ, file.getvalue()), dense)
    again = sparse.load_npz(io.BytesIO(bytes(find(NPZ).encode(decoded))))
    np.testing.assert_array_equal(again.toarray(), dense)


@pytest.mark.parametrize(
    "spoil",
    [
        {"indices": np.array([9])},
        {"indices": np.array([-1])},
        {"indptr": np.array([0, 2])},
        {"indptr": np.array([0, -1, 1])},
        {"shape": np.array([10**12, 3])},
        {"shape": np.array([1])},
        {"format": np.array(b"dia")},
        {"data": np.array([1 + 2j])},
    ],
)
def test_a_broken_sparse_matrix_is_refused(spoil: dict[str, NDArray[Any]]) -> None:
    whole = {
        "indices": np.array([1]),
        "indptr": np.array([0, 1, 1]),
        "format": np.array(b"csr"),
        "shape": np.array([2, 3]),
        "data": np.array([1.5]),
    }
    assert decode(NPZ, bytes(find(NPZ).encode(whole)), InputKind.ARRAY).tolist() == [[0, 1.5, 0], [0, 0, 0]]
    with pytest.raises(DecodeError):
        decode(NPZ, bytes(find(NPZ).encode(whole | spoil)))


def test_a_zip_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", saved(np.zeros(1_000_000)))
    monkeypatch.setattr(npy, "INFLATED_BYTES", 1_000_000)
    monkeypatch.setattr(forms, "INFLATED_BYTES", 1_000_000)
    with pytest.raises(DecodeError, match="would be too large"):
        decode(NPZ, file.getvalue())


def test_too_many_arrays_are_refused() -> None:
    with pytest.raises(DecodeError, match="too many"):
        decode(NPZ, bytes(find(NPZ).encode({str(n): [1] for n in range(300)})))


def test_other_compressions_are_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.npy", saved([1]))
    with pytest.raises(DecodeError, match="not a npz"):
        decode(NPZ, file.getvalue())
