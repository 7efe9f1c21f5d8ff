"""Which status each media type is answered with, whatever is wrong with the request: tables, and bodies for them."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from tests.serving import bodies
from tests.serving.bodies import GOOD, SECRET

MAX_BODY_MB: Final = 1
CONDITIONS: Final = (
    "good", "malformed", "empty", "truncated", "wrong charset", "huge", "unsupported Accept",
)  # fmt: skip
_ROWS: Final = frozenset(
    {"application/json", "text/csv", "application/jsonlines", "application/x-ndjson", "application/x-npy"}
    | {"application/x-npz", "application/x-recordio-protobuf", "application/x-parquet"}
    | {"application/vnd.apache.arrow.stream"}
)
_LIBSVM: Final = frozenset({"text/libsvm", "text/x-libsvm"})
_IMAGES: Final = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/tiff", "application/x-image"}
)
_FORM: Final = "multipart/form-data"
_ALL: Final = frozenset(content_type.partition(";")[0] for content_type in GOOD)
TAKES: Final[Mapping[str, frozenset[str]]] = {
    "Untyped": _ALL,
    "TakesBytes": _ALL,
    "TakesText": _ALL,
    "TakesArray": _ROWS | _LIBSVM | _IMAGES | {_FORM},
    "TakesArrays": frozenset({"application/json", "application/x-npz"}),
    "TakesSparse": _ROWS | _LIBSVM,
    "TakesFrame": _ROWS | {_FORM},
    "TakesTable": _ROWS | {_FORM},
    "TakesImage": _IMAGES | {_FORM},
    "TakesLists": _ROWS,
    "TakesDict": frozenset({"application/json", "application/x-npz", _FORM}),
    "TakesRecord": _ROWS | {_FORM},
    "TakesRecords": _ROWS | {_FORM},
}
"""Predictor (`predictors/matrix.py`) -> the media types that its annotation can be read from; any other is a 415."""

_USUAL: Final = (200, 400, 400, 400, 200, 413, 406)
"""A binary type has no charset: one that is given is passed over."""
_TEXT: Final = (200, 400, 400, 400, 415, 413, 406)
"""A text has the charset that its parameter names, which must be known."""
_BYTES: Final = (200, 200, 200, 200, 200, 413, 406)
"""Any bytes are right."""
_STATUSES: Final[Mapping[str, tuple[int, ...]]] = {
    **dict.fromkeys(_ALL, _USUAL),
    **dict.fromkeys(("application/json", "text/csv", "application/jsonlines", "application/x-ndjson"), _TEXT),
    **dict.fromkeys(_LIBSVM, _TEXT),
    "text/plain": (200, 400, 200, 400, 415, 413, 406),  # no text at all is a text
    "application/octet-stream": _BYTES,
}
"""Media type -> the status for each of `CONDITIONS`, in their order."""
_WITHOUT_NAMES: Final = ("application/x-npy", "application/x-npz", "application/x-recordio-protobuf")
_WITH_NAMES: Final = ("application/x-parquet", "application/vnd.apache.arrow.stream")
_NEVER: Final = (400, 400, 400, 400, 400, 413, 406)
_EXCEPTIONS: Final[Mapping[tuple[str, str], tuple[int, ...]]] = {
    # without a type of the rows they may be of different lengths
    **{("text/csv", predictor): (200, 400, 400, 200, 415, 413, 406) for predictor in ("Untyped", "TakesLists")},
    # an array has no names and a record needs some; a table has names and a list has none
    **{(name, predictor): _NEVER for name in _WITHOUT_NAMES for predictor in ("TakesRecord", "TakesRecords")},
    **{(name, "TakesLists"): _NEVER for name in _WITH_NAMES},
    **{(name, "TakesBytes"): _BYTES for name in _ALL - {_FORM}},
}
"""(media type, predictor) -> other statuses than the table's."""

_RECORD: Final = b'{"a": 1.5, "b": 2.0, "c": 31337.25}'
_ARRAYS: Final = b'{"features": [[1.5, 2.0], [31337.25, 4.0]], "offsets": [0, 1]}'
_LINES: Final = ("application/jsonlines", "application/x-ndjson")
_GOOD: Final[Mapping[tuple[str, str], bytes]] = {
    ("application/json", "TakesArrays"): _ARRAYS,
    ("application/json", "TakesDict"): _ARRAYS,
    ("application/json", "TakesRecord"): _RECORD,
    ("application/json", "TakesRecords"): b'{"instances": [' + _RECORD + b", " + _RECORD + b"]}",
    **{(name, "TakesRecord"): _RECORD + b"\n" for name in _LINES},
    **{(name, "TakesRecords"): _RECORD + b"\n" + _RECORD + b"\n" for name in _LINES},
    ("text/csv", "TakesRecord"): b"1.5,2.0,31337.25\n",
    ("application/x-parquet", "TakesRecord"): bodies.parquet(1),
    ("application/vnd.apache.arrow.stream", "TakesRecord"): bodies.arrow(1),
    **{
        (_FORM, taker): bodies.form_of("text/csv", bodies.csv()) for taker in ("TakesArray", "TakesFrame", "TakesTable")
    },
    (_FORM, "TakesImage"): bodies.form_of("image/png", bodies.png()),
    (_FORM, "TakesText"): bodies.form_of("text/plain", bodies.text()),
    (_FORM, "TakesBytes"): bodies.form_of("application/octet-stream", bodies.octets()),
    **{
        ("application/x-npz", taker): bodies.npz_alone()
        for taker in ("TakesArray", "TakesSparse", "TakesFrame", "TakesTable", "TakesLists")
    },
}
"""(media type, predictor) -> a good body, where it is another one than for most."""
_MALFORMED: Final = {
    "application/json": b'[[1, "31337", nothing]]',
    "text/csv": b'1,2,"31337\n',
    **dict.fromkeys(_LINES, b"[1, 2]\n[31337, nothing]\n"),
    **dict.fromkeys(_LIBSVM, b"1 1:1.5 31337\n"),
    "text/plain": b"31337 \xff\xfe",
    "application/octet-stream": b"31337 \xff\xfe",
    _FORM: b"31337: no boundary in here\r\n",
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

    @property
    def answer(self) -> bytes:
        """The body of a 200: of one thing where one is sent to a predictor that takes several."""
        return b"1.5" if (self.media_type, self.predictor) == (_FORM, "TakesRecords") else b"[1.5]"


def cases() -> Iterator[Case]:
    """Every media type in every condition, for each predictor that takes it; and once for each that does not."""
    for content_type, make in GOOD.items():
        media_type = content_type.partition(";")[0]
        for predictor, taken in TAKES.items():
            good = _GOOD.get((media_type, predictor), make())
            if media_type not in taken:
                yield Case(media_type, "not taken", predictor, content_type, "application/json", good, 415)
                continue
            for condition in CONDITIONS:
                body = _body(media_type, condition, good)
                sent = f"{content_type}; charset=klingon" if condition == "wrong charset" else content_type
                accept = "video/mp4" if condition == "unsupported Accept" else "application/json"
                status = _status(media_type, condition, predictor, body)
                yield Case(media_type, condition, predictor, sent, accept, body, status)


def _status(media_type: str, condition: str, predictor: str, body: bytes) -> int:
    place = CONDITIONS.index(condition)
    if predictor == "TakesText" and media_type != _FORM and _STATUSES[media_type][place] not in (413, 406):
        return 415 if condition == "wrong charset" else 200 if _is_text(body) else 400
    return _EXCEPTIONS.get((media_type, predictor), _STATUSES[media_type])[place]


def _is_text(body: bytes) -> bool:
    try:
        return bool(body.decode()) or not body
    except UnicodeDecodeError:
        return False


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
    cuts = {"text/csv": b",", **dict.fromkeys(_LIBSVM, b":"), **dict.fromkeys(_LINES, b",")}
    if media_type in cuts:
        return good[: good.rindex(cuts[media_type]) + (media_type in _LIBSVM)]
    return good[: 3 * len(good) // 4]
