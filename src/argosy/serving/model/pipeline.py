"""decode -> predict -> encode: one invocation, as a model process answers it."""

from collections.abc import Callable
from typing import Final, NamedTuple

from argosy import media_type
from argosy.errors import (
    InvocationError,
    LoadError,
    NotAcceptableError,
    PredictError,
    UnsupportedMediaTypeError,
)
from argosy.media_type import MediaType
from argosy.serving import answers, codecs, log
from argosy.serving.codecs import Codec
from argosy.serving.codecs.octets import OctetsCodec
from argosy.serving.codecs.text import to_text
from argosy.serving.inputs.annotation import input_kind
from argosy.serving.inputs.kind import InputKind
from argosy.serving.predictor import Predictor

_REMEMBERED_ROUTES: Final = 512


class Answer(NamedTuple):
    """Status, Content-Type and body of one answer."""

    status: int
    content_type: bytes
    body: bytes | memoryview


class _Route(NamedTuple):
    """What a pair of Content-Type and Accept leads to."""

    decode: Callable[[bytes | memoryview], object]
    encoders: tuple[tuple[bytes, Codec], ...]


class Pipeline:
    """One loaded predictor and the media types around it.

    Args:
        predictor: Loaded.
        content_types: Media types that are taken and given, or None for what the annotation of `predict` can take.

    Raises:
        LoadError: The annotation cannot be decoded to, or a media type has no codec.
    """

    def __init__(self, predictor: Predictor, content_types: tuple[str, ...] | None) -> None:
        self._predict = predictor.predict
        self.kind = input_kind(predictor.predict)
        self._takes_any = content_types is None and self.kind in (InputKind.BYTES, InputKind.TEXT)
        self.content_types = content_types or self._default_types()
        if self.kind not in (InputKind.BYTES, InputKind.TEXT):
            self._require_codecs()
        self._routes: dict[tuple[str, str], _Route] = {}

    def answer(self, content_type: str, accept: str, inference_id: str, body: bytes | memoryview) -> Answer:
        """Answer one invocation; every failure is an answer too.

        Args:
            content_type: The header field, empty when it was not sent.
            accept: The header field, empty when it was not sent.
            inference_id: Repeated in the body and the log line of an error.
            body: The request's body.
        """
        try:
            route = self._routes.get((content_type, accept)) or self._find_route(content_type, accept)
            inputs = route.decode(body)
            return self._encode(self._call(inputs, inference_id), route.encoders, inference_id)
        except InvocationError as error:
            status, text = answers.error_answer(error, inference_id)
            return Answer(status, answers.CONTENT_TYPE, text)

    def _call(self, inputs: object, inference_id: str) -> object:
        try:
            return self._predict(inputs)
        except InvocationError:
            raise
        except (Exception, SystemExit) as error:
            log.failure("predictor-raised", error, inference_id=inference_id)
            raise PredictError(f"the predictor raised `{type(error).__name__}`") from error

    def _encode(self, prediction: object, encoders: tuple[tuple[bytes, Codec], ...], inference_id: str) -> Answer:
        refusal: NotAcceptableError | None = None
        for content_type, codec in encoders:
            try:
                return Answer(200, content_type, codec.encode(prediction))
            except NotAcceptableError as error:
                refusal = refusal or error
            except PredictError as error:
                log.failure("encode-failed", error, inference_id=inference_id)
                raise
            except Exception as error:
                log.failure("encode-failed", error, inference_id=inference_id)
                raise PredictError(f"the prediction, a `{type(prediction).__name__}`, cannot be encoded") from error
        raise refusal or NotAcceptableError("no codec for the prediction")

    def _find_route(self, content_type: str, accept: str) -> _Route:
        parsed = media_type.parse(content_type or self.content_types[0])
        if parsed is None or not (self._takes_any or parsed.essence in self.content_types):
            raise UnsupportedMediaTypeError(
                "unsupported Content-Type",
                got=f"`{_shown(content_type)}`",
                want="one of " + ", ".join(f"`{name}`" for name in self.content_types),
            )
        offered = self._offered(parsed.essence)
        chosen = media_type.rank(accept or None, offered)
        if not chosen:
            raise NotAcceptableError(
                "nothing to answer with that Accept allows",
                got=f"`{_shown(accept)}`",
                want="one of " + ", ".join(f"`{name}`" for name in offered),
            )
        encoders = tuple((name.encode(), codecs.find(name) or OctetsCodec()) for name in chosen)
        route = _Route(self._decoder(parsed), encoders)
        if len(self._routes) >= _REMEMBERED_ROUTES:
            self._routes.clear()
        self._routes[content_type, accept] = route
        return route

    def _decoder(self, content_type: MediaType) -> Callable[[bytes | memoryview], object]:
        kind = self.kind
        if kind is InputKind.BYTES:
            return bytes
        if kind is InputKind.TEXT:
            return lambda body: to_text(body, content_type)
        decode = (codecs.find(content_type.essence) or OctetsCodec()).decode
        return lambda body: decode(body, kind, content_type)

    def _offered(self, asked_in: str) -> tuple[str, ...]:
        """What may be answered with: the type of the question first, so that CSV in means CSV out."""
        known = self.content_types if not self._takes_any else tuple(codecs.CODECS)
        others = tuple(name for name in known if name != asked_in)
        return (asked_in, *others, *(name for name in codecs.CODECS if name not in (asked_in, *others)))

    def _default_types(self) -> tuple[str, ...]:
        names = tuple(codecs.CODECS)
        if self.kind in (InputKind.BYTES, InputKind.TEXT):
            return names
        return tuple(name for name in names if (codec := codecs.find(name)) and self.kind in codec.kinds)

    def _require_codecs(self) -> None:
        for name in self.content_types:
            codec = codecs.find(name)
            if codec is None or self.kind not in codec.kinds:
                able = [n for n in codecs.CODECS if (c := codecs.find(n)) and self.kind in c.kinds]
                raise LoadError(
                    f"`{name}` cannot be decoded to `{self.kind}`, which `predict` asks for",
                    want="one of " + ", ".join(f"`{n}`" for n in able),
                    hint="annotate the argument of `predict` with `bytes` and decode it yourself",
                )


def _shown(field: str) -> str:
    """A header field as an error may repeat it: short and printable."""
    return "".join(c if c.isprintable() else "?" for c in field[:100])
