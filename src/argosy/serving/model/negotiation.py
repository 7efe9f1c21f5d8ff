"""Content-Type and Accept -> who decodes and who may encode; found once, then remembered."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from argosy import media_type
from argosy.errors import DecodeError, LoadError, NotAcceptableError, UnsupportedMediaTypeError
from argosy.media_type import MediaType
from argosy.serving import codecs
from argosy.serving.codecs import Codec, FormCodec, RowsCodec, RowsEncoder
from argosy.serving.codecs.octets import OctetsCodec
from argosy.serving.codecs.text import to_text
from argosy.serving.inputs.annotation import InputSpec
from argosy.serving.inputs.kind import InputKind
from argosy.serving.model import streaming

_REMEMBERED: Final = 512
UNDECODED: Final = (InputKind.BYTES, InputKind.VIEW, InputKind.TEXT)
"""Kinds for which every media type will do."""

_COLUMNAR: Final = frozenset({"application/vnd.apache.arrow.stream", "application/x-parquet"})
"""What has names for its columns, always."""

Decode = Callable[[bytes | memoryview], tuple[object, bool]]
Named = Callable[[object, bool], object | None]
Encoders = tuple[tuple[bytes, Codec], ...]
DecodeRows = Callable[[Sequence[bytes | memoryview]], tuple[object, list[int]] | None]
EncodeRows = Callable[[object, Sequence[int]], list[bytes] | None]


class Route(NamedTuple):
    """What a Content-Type and an Accept header field lead to.

    Attributes:
        decode: Body -> what `predict` is given, and whether it was one item that is to come back as one.
        decode_rows: Many bodies -> all their rows and the rows of each; None when there is no such short way.
        encode_rows: A prediction and the rows of each -> as many bodies, by the first of `encoders`; None when there is
            no such short way, or it has none for this prediction.
        encoders: Media types of the answer and their codecs, best first; none when Accept allows only a stream's.
        has_rows: Whether what is decoded consists of rows that may be joined with others'.
        accept: The Accept header field.
        content_type: The Content-Type header field.
    """

    decode: Decode
    decode_rows: DecodeRows | None
    encode_rows: EncodeRows | None
    encoders: Encoders
    has_rows: bool
    accept: str
    content_type: str


class Negotiator:
    """The media types of one predictor.

    Args:
        spec: What `predict` is given.
        content_types: Media types that are taken and given, or None for what codecs can make of `spec`.
        decode: The predictor's own `decode`, or None.
        takes_any_accept: Whether the predictor reads Accept itself, and may know types that no codec knows.

    Raises:
        LoadError: A media type has no codec for the predictor's inputs.
    """

    def __init__(
        self,
        spec: InputSpec,
        content_types: tuple[str, ...] | None,
        decode: Callable[[bytes, str], object] | None,
        *,
        takes_any_accept: bool = False,
    ) -> None:
        self._spec = spec
        self._own_decode = decode
        self._takes_any_accept = takes_any_accept
        is_undecoded = decode is not None or spec.kind in UNDECODED
        self._takes_any = content_types is None and is_undecoded
        self.content_types = content_types or (codecs.names() if is_undecoded else codecs.readable(spec.kind))
        if not is_undecoded:
            _require_codecs(self.content_types, spec.kind)
        self._routes: dict[tuple[str, str], Route] = {}

    def find(self, content_type: str, accept: str) -> Route:
        """The way of an invocation with these header fields.

        Raises:
            UnsupportedMediaTypeError: Nobody decodes the Content-Type.
            NotAcceptableError: Nobody encodes what Accept allows.
        """
        return self._routes.get((content_type, accept)) or self._find(content_type, accept)

    def _find(self, content_type: str, accept: str) -> Route:
        parsed = media_type.parse(content_type or self.content_types[0])
        if parsed is None or not (self._takes_any or codecs.covers(self.content_types, parsed.essence)):
            raise UnsupportedMediaTypeError(
                "unsupported Content-Type",
                got=f"`{shown(content_type)}`",
                want="one of " + ", ".join(f"`{name}`" for name in self.content_types),
            )
        offered = self._offered(parsed.essence)
        chosen = media_type.rank(accept or None, offered)
        # What a stream can be sent as is seen when there is one: only then is it known that there is one.
        if not chosen and not self._takes_any_accept and not streaming.allows(accept):
            raise NotAcceptableError(
                "nothing to answer with that Accept allows",
                got=f"`{shown(accept)}`",
                want="one of " + ", ".join(f"`{name}`" for name in offered),
            )
        encoders = tuple((name.encode(), codecs.find(name) or OctetsCodec()) for name in chosen)
        decode, decode_rows = self._decoders(content_type, parsed)
        has_rows = self._spec.is_list or not _may_be_image(parsed)  # the first dimension of an image is no row
        best = encoders[0][1] if encoders else None
        encode_rows = best.encode_rows if isinstance(best, RowsEncoder) else None
        route = Route(decode, decode_rows, encode_rows, encoders, has_rows, accept, content_type)
        if len(self._routes) >= _REMEMBERED:
            self._routes.clear()
        self._routes[content_type, accept] = route
        return route

    def _decoders(self, content_type: str, parsed: MediaType) -> tuple[Decode, DecodeRows | None]:
        kind, convert, is_list = self._spec.kind, self._spec.convert, self._spec.is_list
        own = self._own_decode
        if own is not None:
            return lambda body: (own(bytes(body), content_type), False), None
        codec = codecs.find(parsed.essence) or OctetsCodec()
        form = self._spec.form
        take: Callable[[bytes | memoryview], object]
        if form is not None and isinstance(codec, FormCodec):
            take = lambda body: codec.decode_form(body, parsed, form)  # noqa: E731 - chosen once
        elif kind in codec.kinds or kind not in UNDECODED:
            take = lambda body: codec.decode(body, kind, parsed)  # noqa: E731 - chosen once
        elif kind is not InputKind.TEXT:
            take = bytes if kind is InputKind.BYTES else _viewed
        else:
            take = lambda body: to_text(body, parsed)  # noqa: E731 - chosen once
        unwrap = None if codec.cells_are_text else self._spec.unwrap

        def decode_converted(body: bytes | memoryview) -> tuple[object, bool]:
            value = take(body) if unwrap is None else unwrap(take(body))
            if convert is None:
                return value, False
            return convert(value, codec.cells_are_text), is_list and not isinstance(value, list)

        decode: Decode = decode_converted
        if self._spec.named is not None and InputKind.TENSORS in codec.kinds:
            decode = _with_names(decode, codec, parsed, self._spec.named)

        if kind in UNDECODED and convert is None:
            return lambda body: (take(body), False), None

        if not isinstance(codec, RowsCodec) or kind is not InputKind.ARRAY:
            return decode, None
        rows = codec.decode_rows
        if convert is None:
            return decode, lambda bodies: rows(bodies, parsed)

        def decode_rows(bodies: Sequence[bytes | memoryview]) -> tuple[object, list[int]] | None:
            found = rows(bodies, parsed)
            try:
                return found and (convert(found[0], codec.cells_are_text), found[1])
            except DecodeError:
                return None  # whose body it is shows when each is decoded alone

        return decode, decode_rows

    def _offered(self, asked_in: str) -> tuple[str, ...]:
        """What may be answered with: the type of the question first, so that CSV in means CSV out."""
        writable = codecs.writable()
        is_unknown = not codecs.covers(codecs.names(), asked_in)
        is_own = self._takes_any and not asked_in.startswith("multipart/")  # its boundary is not the answer's
        is_answerable = asked_in in writable or is_unknown or is_own
        preferred = (asked_in,) if is_answerable else ()
        told = () if self._takes_any else self.content_types
        return tuple(dict.fromkeys((*preferred, *(name for name in told if name in writable), *writable)))


def _with_names(decode: Decode, codec: Codec, parsed: MediaType, named: Named) -> Decode:
    """Decode rows of numbers the short way, and what says by name which cell is which by its names.

    Where names are certain to be there they are heeded first: columns in another order would read as numbers, too.
    """

    def by_name(body: bytes | memoryview) -> object | None:
        return named(codec.decode(body, InputKind.TENSORS, parsed), codec.cells_are_text)

    def decode_or_name(body: bytes | memoryview) -> tuple[object, bool]:
        try:
            return decode(body)
        except DecodeError:
            found = by_name(body)
            if found is None:
                raise
            return found, False

    def name_or_decode(body: bytes | memoryview) -> tuple[object, bool]:
        found = by_name(body)
        return decode(body) if found is None else (found, False)

    is_named = parsed.parameter("header") == "present" or parsed.essence in _COLUMNAR
    return name_or_decode if is_named else decode_or_name


def _may_be_image(parsed: MediaType) -> bool:
    return parsed.type in ("image", "multipart") or parsed.essence == "application/x-image"


def _viewed(body: bytes | memoryview) -> memoryview:
    return body if isinstance(body, memoryview) else memoryview(body)


def _require_codecs(content_types: tuple[str, ...], kind: InputKind) -> None:
    able = codecs.readable(kind)
    for name in content_types:
        if not codecs.covers(able, name):
            raise LoadError(
                f"`{name}` cannot be decoded to `{kind}`, which `predict` asks for",
                want="one of " + ", ".join(f"`{n}`" for n in able),
                hint="annotate the argument of `predict` with `bytes` and decode it yourself",
            )


def shown(field: str) -> str:
    """A header field as an error may repeat it: short and printable."""
    return "".join(c if c.isprintable() else "?" for c in field[:100])
