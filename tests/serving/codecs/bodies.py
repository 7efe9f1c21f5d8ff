"""A good body of every media type that there is a codec for."""

import io
from functools import cache

import numpy as np
import pandas
import pyarrow
from PIL import Image
from scipy import sparse

from argosy.media_type import MediaType, parse
from argosy.serving import codecs
from argosy.serving.codecs import Codec

BOUNDARY = "b0undary"
ROWS = np.array([[1.5, 2.0, -3.0], [4.0, 5.25, 6.0]])
FRAME = pandas.DataFrame({"age": [30, 41], "score": [0.5, 0.75], "name": ["Ann", "Bob"]})
FORM = (
    b'--b0undary\r\nContent-Disposition: form-data; name="age"\r\n\r\n30\r\n'
    b'--b0undary\r\nContent-Disposition: form-data; name="rows"; filename="rows.csv"\r\n'
    b"Content-Type: text/csv\r\n\r\n1,2\n3,4\n\r\n--b0undary--\r\n"
)


def find(name: str) -> Codec:
    codec = codecs.find(name)
    assert codec is not None
    return codec


def content_type(name: str) -> MediaType:
    if name == "multipart/form-data":
        name += f"; boundary={BOUNDARY}"
    parsed = parse(name)
    assert parsed is not None
    return parsed


@cache
def good(name: str) -> tuple[bytes, ...]:
    """Some bodies that the codec of the media type takes."""
    encode = find(name).encode
    match name:
        case "application/json":
            return (
                b"[[1.5, 2], [3, null]]",
                b'{"instances": [{"features": [1, 2]}, {"features": [3, 4]}]}',
                b'{"instances": [{"data": {"features": {"keys": [1, 7], "shape": [9], "values": [1, 2]}}}]}',
                b'[{"age": 30, "name": "Ann"}, {"age": 41}]',
                b'{"a": [1, 2], "b": [3, 4]}',
            )
        case "text/csv":
            return (b"1.5,2\n3,4\n", b'a,b\r\n1,"x ""y"""\r\n,3\r\n')
        case "text/plain" | "application/octet-stream":
            return (b"words",)
        case "multipart/form-data":
            return (FORM,)
        case "image/*" | "application/x-image" | "image/png" | "image/jpeg":
            file = io.BytesIO()
            Image.new("RGB", (5, 4), "red").save(file, "JPEG" if name == "image/jpeg" else "GIF")
            return (bytes(find("image/png").encode(np.full((4, 5, 3), 7, np.uint8))), file.getvalue())
        case "application/x-npz":
            matrix = sparse.csr_matrix(ROWS)
            return (bytes(encode(ROWS)), bytes(encode(matrix)), bytes(encode({"a": ROWS, "b": np.arange(3)})))
        case "application/x-recordio-protobuf" | "text/libsvm" | "text/x-libsvm":
            return (bytes(encode(ROWS)), bytes(encode(sparse.csr_matrix([[0, 1.5], [0, 0]]))))
        case "application/x-parquet" | "application/vnd.apache.arrow.stream":
            coded = pyarrow.table({"name": pyarrow.array(["Ann", "Bob"]).dictionary_encode(), "x": [[1], [2, 3]]})
            return (bytes(encode(ROWS)), bytes(encode(FRAME)), bytes(encode(coded)))
        case _:
            return (bytes(encode(ROWS)),)
