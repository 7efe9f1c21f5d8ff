"""Good bodies of every media type, made by the libraries that the world makes them with."""

import io
import struct
from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
from PIL import Image

BOUNDARY: Final = "drift-0123456789"
MULTIPART: Final = f"multipart/form-data; boundary={BOUNDARY}"
ROWS: Final = np.array([[1.5, 2.0, 31337.25], [4.0, 31337.5, 6.0]])
SECRET: Final = "31337"
"""In every body that can be read by people: it must not be found in any message."""
_RECORDIO_MAGIC: Final = 0xCED7230A


def json() -> bytes:
    return b"[[1.5, 2.0, 31337.25], [4.0, 31337.5, 6.0]]"


def csv() -> bytes:
    return b"1.5,2.0,31337.25\n4.0,31337.5,6.0\n"


def jsonlines() -> bytes:
    return b"[1.5, 2.0, 31337.25]\n[4.0, 31337.5, 6.0]\n"


def npy() -> bytes:
    out = io.BytesIO()
    np.save(out, ROWS)
    return out.getvalue()


def npz() -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, features=ROWS, offsets=np.arange(2))
    return out.getvalue()


def npz_alone() -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, features=ROWS)
    return out.getvalue()


def recordio() -> bytes:
    """Two dense records of three float32: `aialgs.data.Record { features: {"values": float32_tensor} }`."""
    return b"".join(_framed(_record(row.astype("<f4").tobytes())) for row in ROWS)


def _record(values: bytes) -> bytes:
    packed = _field(1, values)  # Float32Tensor.values, packed
    value = _field(2, packed)  # Value.float32_tensor
    return _field(1, _field(1, b"values") + _field(2, value))  # Record.features, a map entry


def _field(number: int, content: bytes) -> bytes:
    assert len(content) < 128  # one byte of length
    return bytes([number << 3 | 2, len(content)]) + content


def _framed(record: bytes) -> bytes:
    return struct.pack("<II", _RECORDIO_MAGIC, len(record)) + record + bytes(-len(record) % 4)


def table(rows: int = 2) -> pa.Table:
    return pa.table({"a": ROWS[:rows, 0], "b": ROWS[:rows, 1], "c": ROWS[:rows, 2]})


def parquet(rows: int = 2) -> bytes:
    out = io.BytesIO()
    pyarrow.parquet.write_table(table(rows), out)
    return out.getvalue()


def arrow(rows: int = 2) -> bytes:
    out = io.BytesIO()
    with pyarrow.ipc.new_stream(out, table(rows).schema) as writer:
        writer.write_table(table(rows))
    return out.getvalue()


def libsvm() -> bytes:
    return b"1 1:1.5 3:31337.25\n0 2:31337.5\n"


def text() -> bytes:
    return "31337 smørrebrød".encode()


def octets() -> bytes:
    return bytes(range(256))


def png() -> bytes:
    return _image("PNG")


def jpeg() -> bytes:
    return _image("JPEG")


def gif() -> bytes:
    return _image("GIF")


def webp() -> bytes:
    return _image("WEBP")


def bmp() -> bytes:
    return _image("BMP")


def tiff() -> bytes:
    return _image("TIFF")


def _image(name: str) -> bytes:
    out = io.BytesIO()
    pixels = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)
    Image.fromarray(pixels).save(out, name)
    return out.getvalue()


def multipart() -> bytes:
    """A form of three fields, the cells of one row."""
    cells = zip("abc", ROWS[0], strict=True)
    return form(*(f'Content-Disposition: form-data; name="{n}"\r\n\r\n{cell}\r\n'.encode() for n, cell in cells))


def form_of(content_type: str, content: bytes) -> bytes:
    """A form of one file."""
    head = f'Content-Disposition: form-data; name="file"; filename="a"\r\nContent-Type: {content_type}\r\n\r\n'
    return form(head.encode() + content + b"\r\n")


def form(*parts: bytes) -> bytes:
    delimiter = f"--{BOUNDARY}\r\n".encode()
    return delimiter + delimiter.join(parts) + f"--{BOUNDARY}--\r\n".encode()


GOOD: Final[dict[str, Callable[[], bytes]]] = {
    "application/json": json,
    "text/csv": csv,
    "application/jsonlines": jsonlines,
    "application/x-ndjson": jsonlines,
    "application/x-npy": npy,
    "application/x-npz": npz,
    "application/x-recordio-protobuf": recordio,
    "application/x-parquet": parquet,
    "application/vnd.apache.arrow.stream": arrow,
    "text/libsvm": libsvm,
    "text/x-libsvm": libsvm,
    "text/plain": text,
    "application/octet-stream": octets,
    "image/png": png,
    "image/jpeg": jpeg,
    "image/gif": gif,
    "image/webp": webp,
    "image/bmp": bmp,
    "image/tiff": tiff,
    "application/x-image": png,
    MULTIPART: multipart,
}
"""Content-Type -> a good body."""
