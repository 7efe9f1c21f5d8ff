"""application/x-npy and application/x-npz: numpy's own files, never a pickle.

Source:
    numpy.lib.format, versions 1.0 to 3.0 of the header (numpy 2.4 documentation, read 2026-11-22).
"""

import ast
import io
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from argosy.errors import DecodeError, NotAcceptableError, PredictError
from argosy.media_type import MediaType
from argosy.serving.codecs.forms import (
    ARRAY_KINDS,
    INFLATED_BYTES,
    SparseRows,
    from_array,
    from_records,
    from_sparse,
    require_room,
)
from argosy.serving.inputs.kind import InputKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MAGIC: Final = b"\x93NUMPY"
_HEADER_BYTES: Final = 10_000  # numpy's own limit (`max_header_size`): the header is Python source
_DTYPE: Final = re.compile(r"[<>=|]?(?:b1|[iu][1248]|f(?:2|4|8|16)|c(?:8|16|32)|[SU][0-9]{1,9})")
_MEMBERS: Final = 256
_DIRECTORY_ENTRY: Final = b"PK\x01\x02"
_NATIVE: Final = frozenset("bifu")


class _Header(NamedTuple):
    """What stands before the numbers."""

    dtype: "np.dtype[Any]"  # Any: the body says which
    shape: tuple[int, ...]
    is_fortran: bool
    offset: int
    cells: int


class NpyCodec:
    """One array both ways, with whatever dtype and shape it has; decoded arrays are read-only views of the body."""

    media_type = "application/x-npy"
    kinds = ARRAY_KINDS | {InputKind.TENSORS}
    cells_are_text = False

    def decode(self, body: bytes | memoryview, kind: InputKind, content_type: MediaType) -> object:
        """The array: numbers, booleans, or strings of fixed length.

        Raises:
            DecodeError: Not a npy file, cut short, or of a dtype that would need a pickle.
        """
        array = read_array(body)
        return array if kind is InputKind.TENSORS else from_array(array, kind)

    def decode_rows(
        self, bodies: Sequence[bytes | memoryview], content_type: MediaType
    ) -> "tuple[NDArray[Any], list[int]] | None":  # Any: the dtype of the bodies
        """All rows of arrays of two dimensions, one dtype and one width; None when one is not like the others."""
        import numpy as np

        alike = _alike(bodies)
        if alike is not None:
            return alike
        first = None
        parts: list[bytes | memoryview] = []
        counts: list[int] = []
        for body in bodies:
            header = _find_header(body)
            if header is None or len(header.shape) != 2 or header.is_fortran:
                return None
            first = first or header
            size = header.cells * header.dtype.itemsize
            if header.dtype != first.dtype or header.shape[1] != first.shape[1]:
                return None
            if not size or len(body) < header.offset + size:
                return None
            parts.append(memoryview(body)[header.offset : header.offset + size])
            counts.append(header.shape[0])
        if first is None:
            return None
        return np.frombuffer(b"".join(parts), first.dtype).reshape(sum(counts), first.shape[1]), counts

    def encode(self, prediction: object) -> bytes | memoryview:
        """The prediction as one array, version 1.0.

        Raises:
            NotAcceptableError: It is no array of numbers, booleans or strings.
        """
        return write_array(_to_array(prediction, self.media_type))


class NpzCodec:
    """Named arrays both ways; also what `scipy.sparse.save_npz` writes."""

    media_type = "application/x-npz"
    kinds = ARRAY_KINDS | {InputKind.ARRAYS, InputKind.DICT, InputKind.TENSORS}
    cells_are_text = False

    def decode(self, body: bytes | memoryview, kind: InputKind, content_type: MediaType) -> object:
        """The arrays by name; the only one of them, or the sparse matrix, where the predictor wants one thing.

        Raises:
            DecodeError: Not a zip file of npy files, larger than `INFLATED_BYTES` when inflated, or not one thing.
        """
        arrays = _members(body)
        is_sparse = "format" in arrays and "shape" in arrays and "data" in arrays
        if kind in (InputKind.ARRAYS, InputKind.DICT, InputKind.TENSORS) or (kind is InputKind.ANY and not is_sparse):
            return arrays
        if is_sparse:
            return from_sparse(_sparse_rows(arrays), kind)
        if len(arrays) == 1:
            return from_array(next(iter(arrays.values())), kind)
        if kind in (InputKind.FRAME, InputKind.TABLE) and all(a.ndim == 1 for a in arrays.values()):
            return from_records({name: a.tolist() for name, a in arrays.items()}, kind)
        raise DecodeError("the body holds several arrays", got=len(arrays), want="one")

    def encode(self, prediction: Any) -> bytes | memoryview:  # Any: told apart by what it can do
        """A dict of arrays by their names, a sparse matrix as scipy saves it, any other array as `arr_0`.

        Raises:
            NotAcceptableError: Something in it is no array of numbers, booleans or strings.
        """
        file = io.BytesIO()
        if type(prediction).__module__.startswith("scipy.") and hasattr(prediction, "tocsr"):
            from scipy.sparse import save_npz

            save_npz(file, prediction.tocsr(), compressed=False)
            return file.getvalue()
        arrays = prediction if isinstance(prediction, dict) else {"arr_0": prediction}
        with zipfile.ZipFile(file, "w") as archive:
            for name, value in arrays.items():
                member = zipfile.ZipInfo(f"{name}.npy")
                archive.writestr(member, write_array(_to_array(value, self.media_type)))
        return file.getvalue()


def read_array(body: bytes | memoryview) -> "NDArray[Any]":  # Any: the body says which dtype
    """The array of a npy file, a read-only view of its bytes.

    Raises:
        DecodeError: Not a npy file, cut short, or of a dtype that would need a pickle.
    """
    import numpy as np

    header = _find_header(body)
    if header is None:
        raise DecodeError("the body is not a npy file of numbers, booleans or fixed strings", got=f"{len(body)} bytes")
    size = header.cells * header.dtype.itemsize
    if len(body) - header.offset < size:
        want = f"{header.offset + size} bytes" if size < 2**63 else "less"
        raise DecodeError("the body is shorter than its header says", got=f"{len(body)} bytes", want=want)
    if size == 0:
        raise DecodeError("the array is empty", got=f"{len(header.shape)} dimensions")
    flat = np.frombuffer(body, header.dtype, header.cells, header.offset)
    array = flat.reshape(header.shape, order="F" if header.is_fortran else "C")
    if array.flags.writeable:  # shared memory that is written to again
        array.flags.writeable = False
    if header.dtype.kind == "U" and not _is_text(array):
        raise DecodeError("a string of the array is not Unicode")
    return array


def _is_text(array: "NDArray[Any]") -> bool:  # Any: strings of one of two byte orders
    """Whether every character is one: Python takes the numbers for granted, and fails late where they are none."""
    import numpy as np

    points = np.frombuffer(array.tobytes(), array.dtype.byteorder.replace("|", "=") + "u4")
    return bool(((points < 0xD800) | ((points > 0xDFFF) & (points < 0x110000))).all())


def write_array(array: "NDArray[Any]") -> bytes:  # Any: whatever dtype the prediction has
    """A npy file, version 1.0, row-major or column-major as the array is."""
    is_fortran = array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous
    return _header_bytes(array.dtype.str, array.shape, is_fortran) + array.tobytes("F" if is_fortran else "C")


@lru_cache(maxsize=256)
def _header_bytes(descr: str, shape: tuple[int, ...], is_fortran: bool) -> bytes:
    text = f"{{'descr': {descr!r}, 'fortran_order': {is_fortran}, 'shape': {shape!r}, }}"
    padded = text + " " * (-(len(_MAGIC) + 4 + len(text) + 1) % 64) + "\n"
    return _MAGIC + b"\x01\x00" + len(padded).to_bytes(2, "little") + padded.encode()


def _alike(bodies: Sequence[bytes | memoryview]) -> "tuple[NDArray[Any], list[int]] | None":  # Any: as above
    """All rows when the bodies have one header and one length, as they mostly have: nothing is done body by body."""
    import numpy as np

    header = _find_header(bodies[0])
    length = len(bodies[0])
    if header is None or len(header.shape) != 2 or header.is_fortran or len(set(map(len, bodies))) != 1:
        return None
    end = header.offset + header.cells * header.dtype.itemsize
    if not header.offset < end <= length:
        return None
    octets = np.frombuffer(b"".join(bodies), np.uint8).reshape(len(bodies), length)
    if (octets[:, : header.offset] != octets[0, : header.offset]).any():
        return None
    rows = np.ascontiguousarray(octets[:, header.offset : end]).view(header.dtype).reshape(-1, header.shape[1])
    rows.flags.writeable = False  # as `decode` gives it
    return rows, [header.shape[0]] * len(bodies)


def _find_header(body: bytes | memoryview) -> _Header | None:
    start = bytes(body[:12])
    if start[:6] != _MAGIC or len(start) < 12 or start[6] not in (1, 2, 3):
        return None
    field = 2 if start[6] == 1 else 4
    end = 8 + field + int.from_bytes(start[8 : 8 + field], "little")
    if end > _HEADER_BYTES or end > len(body):
        return None
    return _read_header(bytes(body[:end]), 8 + field)


@lru_cache(maxsize=256)
def _read_header(start: bytes, text_at: int) -> _Header | None:
    """The header, remembered: the same client sends the same one again and again."""
    import numpy as np

    try:
        fields = ast.literal_eval(start[text_at:].decode("utf-8" if start[6] == 3 else "latin-1").strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if not isinstance(fields, dict) or fields.keys() != {"descr", "fortran_order", "shape"}:
        return None
    descr, is_fortran, shape = fields["descr"], fields["fortran_order"], fields["shape"]
    if not isinstance(descr, str) or not _DTYPE.fullmatch(descr) or not isinstance(is_fortran, bool):
        return None
    if not isinstance(shape, tuple) or len(shape) > 32 or not all(type(n) is int and n >= 0 for n in shape):
        return None
    try:
        dtype = np.dtype(descr)
    except (TypeError, ValueError):
        return None
    return _Header(dtype, shape, is_fortran, len(start), math.prod(shape))


def _to_array(prediction: Any, media_type: str) -> "NDArray[Any]":  # Any: told apart by what it can do
    import numpy as np

    if isinstance(prediction, str | bytes | dict | None):
        raise NotAcceptableError(
            "the prediction is not an array", got=f"`{media_type}` in Accept", want="application/json"
        )
    if type(prediction).__module__.startswith("scipy.") and hasattr(prediction, "toarray"):
        prediction = prediction.toarray()
    try:
        array = np.asarray(prediction)
    except (ValueError, TypeError) as error:
        raise PredictError("the prediction is not an array") from error
    if array.dtype.kind not in "biufcSU":
        raise NotAcceptableError(
            "the prediction is not an array of numbers", got=f"`{media_type}` in Accept", want="application/json"
        )
    return array


def _members(body: bytes | memoryview) -> "dict[str, NDArray[Any]]":  # Any: the body says which dtype
    arrays = {}
    left = INFLATED_BYTES
    if bytes(body).count(_DIRECTORY_ENTRY) > _MEMBERS:  # before zipfile makes an object of each
        raise DecodeError("the body has too many arrays", want=f"at most {_MEMBERS}")
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            members = archive.infolist()
            if not 0 < len(members) <= _MEMBERS:
                raise DecodeError("the body has too many or no arrays", got=len(members), want=f"1 to {_MEMBERS}")
            for number, member in enumerate(members, start=1):
                require_room(member.file_size + INFLATED_BYTES - left, "the arrays, inflated,")
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise zipfile.BadZipFile
                with archive.open(member) as file:  # the sizes in the directory may lie: count what comes
                    content = file.read(left + 1)
                left -= len(content)
                require_room(INFLATED_BYTES - left, "the arrays, inflated,")
                arrays[member.filename.removesuffix(".npy")] = _member(content, number)
    except DecodeError:
        raise
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError):
        raise DecodeError("the body is not a npz file", got=f"{len(body)} bytes") from None
    return arrays


def _member(content: bytes, number: int) -> "NDArray[Any]":  # Any: the body says which dtype
    try:
        return read_array(content)
    except DecodeError as error:
        raise DecodeError(error.what, got=error.got, want=error.want, where=f"array {number}") from None


def _sparse_rows(arrays: "dict[str, NDArray[Any]]") -> SparseRows:  # Any: the body says which dtype
    """What `scipy.sparse.save_npz` wrote, format csr, csc or coo; checked, because scipy trusts its indexes."""
    import numpy as np

    shape, cells = arrays["shape"], arrays["data"]
    layout = arrays["format"].tobytes().replace(b"\0", b"")
    if shape.shape != (2,) or shape.dtype.kind not in "iu" or cells.ndim != 1 or cells.dtype.kind not in _NATIVE:
        raise DecodeError("the body is not a sparse matrix of numbers")
    rows, columns = (int(n) for n in shape)
    names = {b"csr": ("indices", "indptr"), b"csc": ("indices", "indptr"), b"coo": ("col", "row")}.get(layout)
    if names is None or any(name not in arrays for name in names):
        raise DecodeError("the sparse matrix has an unknown layout", want="csr, csc or coo")
    inner, outer = (arrays[name] for name in names)
    if any(a.ndim != 1 or a.dtype.kind not in "iu" for a in (inner, outer)) or len(inner) != len(cells):
        raise DecodeError("the sparse matrix has not as many indexes as values")
    inner, outer = inner.astype(np.int64), outer.astype(np.int64)
    if layout != b"coo":
        size = rows if layout == b"csr" else columns
        if len(outer) != size + 1 or outer[0] != 0 or outer[-1] != len(inner) or (np.diff(outer) < 0).any():
            raise DecodeError("the sparse matrix has broken row pointers")
        outer = np.repeat(np.arange(size), np.diff(outer))
    row, column = (inner, outer) if layout == b"csc" else (outer, inner)
    return SparseRows.from_cells(row, column, cells, (rows, columns))
