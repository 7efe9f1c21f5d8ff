"""Bytes <-> Python objects, one file a media type; this table is all that finds them."""

import importlib
from functools import cache
from typing import Final, Protocol

from argosy.media_type import MediaType
from argosy.serving.inputs.kind import InputKind


class Codec(Protocol):
    """Decodes and encodes one media type."""

    media_type: str
    kinds: frozenset[InputKind]
    """What it can decode to, `TEXT` and `BYTES` apart: those need no codec."""

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


CODECS: Final = {
    "application/json": "argosy.serving.codecs.json:JsonCodec",
    "text/csv": "argosy.serving.codecs.csv:CsvCodec",
    "text/plain": "argosy.serving.codecs.plain:PlainCodec",
    "application/octet-stream": "argosy.serving.codecs.octets:OctetsCodec",
}
"""Media type -> the class that speaks it; the order is the server's own preference."""


@cache
def find(essence: str) -> Codec | None:
    """The codec of a media type, imported on first use; None when there is none."""
    path = CODECS.get(essence)
    if path is None:
        return None
    module, _, name = path.partition(":")
    codec: Codec = getattr(importlib.import_module(module), name)()
    return codec
