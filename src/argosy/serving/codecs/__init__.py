"""Bytes <-> Python objects, one file a media type; this table is all that finds them."""

import importlib
import importlib.util
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from argosy import media_type
from argosy.errors import LoadError
from argosy.media_type import MediaType
from argosy.serving.inputs.kind import FieldKinds, InputKind

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Codec(Protocol):
    """Decodes and encodes one media type. A class of one's own inherits from this one and is handed to `register`."""

    media_type: str
    kinds: frozenset[InputKind] = frozenset({InputKind.ANY})
    """What it can decode to. `TEXT`, `BYTES` and `VIEW` need no codec: they are here if not the whole body is meant."""
    cells_are_text: bool = False
    """Whether numbers in `RECORDS` arrive as text, as in CSV: then the type of the field says what they are."""

    def decode(self, body: bytes | memoryview, kind: InputKind, content_type: MediaType) -> object:
        """The body as the predictor wants it.

        Raises:
            DecodeError: The body is not what its Content-Type says; names the place, never the content.
        """

    def encode(self, prediction: object) -> bytes | memoryview:
        """What the predictor returned, as bytes.

        Raises:
            NotAcceptableError: This media type has no way to say it.
            PredictError: It could say it, but the prediction is broken.
        """


@runtime_checkable
class RowsCodec(Protocol):
    """A codec that reads many small bodies in one go: the fast path of batching, for `InputKind.ARRAY` only."""

    def decode_rows(
        self, bodies: Sequence[bytes | memoryview], content_type: MediaType
    ) -> "tuple[NDArray[Any], list[int]] | None":  # Any: float64 from text, the body's own dtype from npy
        """All rows in one array and the number of rows of each body, exactly as `decode` gives them one by one.

        None when any body is in some way odd: the caller then decodes one by one, and `decode` finds the fault.
        """


@runtime_checkable
class RowsEncoder(Protocol):
    """A codec that writes the answers of many invocations in one go: the way back of the fast path of batching."""

    def encode_rows(self, prediction: object, counts: Sequence[int]) -> list[bytes] | None:
        """The prediction cut into as many rows as `counts` says, each piece exactly as `encode` writes it.

        None when the prediction is no plain array of numbers: the caller then encodes piece by piece.
        """


@runtime_checkable
class FormCodec(Protocol):
    """A codec of bodies that consist of named parts, each of a media type of its own."""

    def decode_form(self, body: bytes | memoryview, content_type: MediaType, wanted: FieldKinds | InputKind) -> object:
        """The parts by name, each as wanted; or, for a kind, the only part as that."""


_TABLE: Final = {
    "application/json": ("json:JsonCodec", None),
    "text/csv": ("csv:CsvCodec", None),
    "application/jsonlines": ("json:JsonLinesCodec", None),
    "application/x-ndjson": ("json:JsonLinesCodec", None),
    "application/x-npy": ("npy:NpyCodec", "numpy"),
    "application/x-npz": ("npy:NpzCodec", "numpy"),
    "application/x-recordio-protobuf": ("recordio:RecordioCodec", "numpy"),
    "application/x-parquet": ("arrow:ParquetCodec", "pyarrow"),
    "application/vnd.apache.arrow.stream": ("arrow:ArrowCodec", "pyarrow"),
    "text/libsvm": ("libsvm:LibsvmCodec", "numpy"),
    "text/x-libsvm": ("libsvm:LibsvmCodec", "numpy"),
    "text/plain": ("text:PlainCodec", None),
    "application/octet-stream": ("octets:OctetsCodec", None),
    "image/png": ("image:PngCodec", "PIL"),
    "image/jpeg": ("image:JpegCodec", "PIL"),
    "image/*": ("image:ImageCodec", "PIL"),
    "application/x-image": ("image:ImageCodec", "PIL"),
    "multipart/form-data": ("multipart:MultipartCodec", None),
}
_READ_ONLY: Final = frozenset({"image/*", "application/x-image", "multipart/form-data"})
_registered: Final[dict[str, Codec]] = {}

CODECS: Final = {
    name: f"argosy.serving.codecs.{path}"
    for name, (path, library) in _TABLE.items()
    if library is None or importlib.util.find_spec(library) is not None
}
"""Media type or family (`image/*`) -> the class that speaks it, those alone whose library is installed."""


def register(codec: Codec) -> None:
    """Add a codec, or put it in the place of a built-in one; call it where the predictor's module is imported.

    It is the first choice among answers when Accept leaves the choice open, and several answers fit equally.

    >>> class Reversed(Codec):
    ...     media_type = "text/x-reversed"
    ...     kinds = frozenset({InputKind.ANY, InputKind.LIST})
    ...     def decode(self, body, kind, content_type):
    ...         words = bytes(body).decode("utf-8", "replace")[::-1].split()
    ...         return words if kind is InputKind.LIST else " ".join(words)
    ...     def encode(self, prediction):
    ...         return str(prediction)[::-1].encode()
    >>> register(Reversed())
    >>> find("text/x-reversed").decode(b"olleh", InputKind.ANY, MediaType("text", "x-reversed"))
    'hello'

    Raises:
        LoadError: It lacks what a codec has, or its media type is none.
    """
    missing = [n for n in ("media_type", "kinds", "cells_are_text", "decode", "encode") if not hasattr(codec, n)]
    if missing:
        raise LoadError(
            f"`{type(codec).__name__}` is not a codec",
            got="no " + ", ".join(f"`{name}`" for name in missing),
            hint="let the class inherit from `argosy.serving.codecs.Codec`",
        )
    parsed = media_type.parse(codec.media_type)
    if parsed is None or parsed.parameters or parsed.type == "*":
        raise LoadError("a codec has no media type", got=f"`{codec.media_type}`", want="`type/subtype` or `type/*`")
    _registered[parsed.essence] = codec
    find.cache_clear()


@cache
def find(essence: str) -> Codec | None:
    """The codec of a media type, or of the family that it is in, imported on first use; None when there is none."""
    if essence in _registered:
        return _registered[essence]
    path = CODECS.get(essence)
    if path is not None:
        module, _, name = path.partition(":")
        codec: Codec = getattr(importlib.import_module(module), name)()
        return codec
    family = f"{essence.partition('/')[0]}/*"
    return find(family) if family != essence else None


def names() -> tuple[str, ...]:
    """All media types and families that have a codec here, in the server's own order of preference."""
    return (*_registered, *(name for name in CODECS if name not in _registered))


def readable(kind: InputKind) -> tuple[str, ...]:
    """The media types and families that can be decoded to `kind`."""
    if kind in (InputKind.TEXT, InputKind.BYTES, InputKind.VIEW):
        return names()
    return tuple(name for name in names() if (codec := find(name)) and kind in codec.kinds)


def writable() -> tuple[str, ...]:
    """The media types that an answer can have; families are not among them."""
    return tuple(n for n in names() if not n.endswith("/*") and (n in _registered or n not in _READ_ONLY))


def covers(offered: Sequence[str], essence: str) -> bool:
    """Whether media types, families among them, have `type/subtype` in them.

    >>> covers(("image/*", "text/csv"), "image/webp")
    True
    """
    return essence in offered or f"{essence.partition('/')[0]}/*" in offered
