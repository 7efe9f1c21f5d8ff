"""Which status each media type is answered with, whatever is wrong with the request: the table, and bodies for it."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from tests.serving.bodies import GOOD, SECRET

MAX_BODY_MB: Final = 1
CONDITIONS: Final = (
    "good", "malformed", "empty", "truncated", "wrong charset", "huge", "unsupported Accept",
)  # fmt: skip
UNTYPED: Final = "Untyped"
TYPED: Final = {
    "application/json": "TakesArray",
    "text/csv": "TakesArray",
    "application/jsonlines": "TakesArray",
    "application/x-ndjson": "TakesArray",
    "application/x-npy": "TakesArray",
    "application/x-npz": "TakesArrays",
    "application/x-recordio-protobuf": "TakesArray",
    "application/x-parquet": "TakesFrame",
    "application/vnd.apache.arrow.stream": "TakesFrame",
    "text/libsvm": "TakesArray",
    "text/plain": "TakesText",
    "application/octet-stream": "TakesBytes",
    "image/png": "TakesImage",
    "image/jpeg": "TakesImage",
    "multipart/form-data": "TakesRecord",
}
"""Media type -> the predictor (`predictors/matrix.py`) whose annotation it is read for."""

_USUAL: Final = (200, 400, 400, 400, 200, 413, 406)
"""A binary type has no charset: one that is given is passed over."""
_TEXT: Final = (200, 400, 400, 400, 415, 413, 406)
"""A text has the charset that its parameter names, which must be known."""
STATUSES: Final = {
    "application/json": _TEXT,
    "text/csv": _TEXT,
    "application/jsonlines": _TEXT,
    "application/x-ndjson": _TEXT,
    "application/x-npy": _USUAL,
    "application/x-npz": _USUAL,
    "application/x-recordio-protobuf": _USUAL,
    "application/x-parquet": _USUAL,
    "application/vnd.apache.arrow.stream": _USUAL,
    "text/libsvm": _TEXT,
    "text/plain": (200, 400, 200, 400, 415, 413, 406),  # no text at all is a text
    "application/octet-stream": (200, 200, 200, 200, 200, 413, 406),  # any bytes are right
    "image/png": _USUAL,
    "image/jpeg": _USUAL,
    "multipart/form-data": _USUAL,
}
"""Media type -> the status for each of `CONDITIONS`, in their order."""
EXCEPTIONS: Final = {
    ("text/csv", "truncated", UNTYPED): 200,  # without a type, rows may be of different lengths
}
"""(media type, condition, predictor) -> another status than the table's."""

_MALFORMED: Final = {
    "application/json": b'[[1, "31337", nothing]]',
    "text/csv": b'1,2,"31337\n',
    "application/jsonlines": b"[1, 2]\n[31337, nothing]\n",
    "application/x-ndjson": b"[1, 2]\n[31337, nothing]\n",
    "text/libsvm": b"1 1:1.5 31337\n",
    "text/plain": b"31337 \xff\xfe",
    "application/octet-stream": b"31337 \xff\xfe",
    "multipart/form-data": b"31337: no boundary in here\r\n",
}
"""Where garbage says less than a body that is nearly right."""


class Case(NamedTuple):
    """One request of the matrix and the status that it gets."""

    media_type: str
    condition: str
    predictor: str
    content_type: str
    accept: str
    body: bytes
    status: int


def cases() -> Iterator[Case]:
    """Every media type in every condition, for a typed and for an untyped predictor."""
    for content_type, make in GOOD.items():
        media_type = content_type.partition(";")[0]
        for condition, status in zip(CONDITIONS, STATUSES[media_type], strict=True):
            body = _body(media_type, condition, make())
            sent = f"{content_type}; charset=klingon" if condition == "wrong charset" else content_type
            accept = "video/mp4" if condition == "unsupported Accept" else "application/json"
            for predictor in (UNTYPED, TYPED[media_type]):
                wanted = EXCEPTIONS.get((media_type, condition, predictor), status)
                yield Case(media_type, condition, predictor, sent, accept, body, wanted)


def _body(media_type: str, condition: str, good: bytes) -> bytes:
    match condition:
        case "malformed":
            return _MALFORMED.get(media_type, f"{SECRET} is nothing of the kind".encode())
        case "empty":
            return b""
        case "truncated":
            return _truncated(media_type, good)
        case "huge":
            return good + SECRET.encode() * (MAX_BODY_MB * 2**20 // len(SECRET))
    return good


def _truncated(media_type: str, good: bytes) -> bytes:
    """Cut where the bytes that are left cannot be whole: within a row, a number's pair, a character."""
    if media_type == "text/plain":
        return good[: good.index("ø".encode()) + 1]
    cuts = {"text/csv": b",", "text/libsvm": b":", "application/jsonlines": b",", "application/x-ndjson": b","}
    if media_type in cuts:
        return good[: good.rindex(cuts[media_type]) + (media_type == "text/libsvm")]
    return good[: 3 * len(good) // 4]


assert set(STATUSES) == set(TYPED) == {content_type.partition(";")[0] for content_type in GOOD}
