"""decode -> predict -> encode: one invocation, as a model process answers it."""

from collections.abc import AsyncIterator, Awaitable, Iterator
from time import perf_counter
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, Final, NamedTuple

from argosy.errors import InvocationError, NotAcceptableError, OutOfMemoryError, PredictError
from argosy.serving import answers, log
from argosy.serving.context import InvocationContext, Reply, Session, enter
from argosy.serving.frames import Timings
from argosy.serving.model import content_coding, rows
from argosy.serving.model.negotiation import UNDECODED, Encoders, Negotiator, Route
from argosy.serving.predictor import Predictor
from argosy.serving.signatures.description import describe

_LONGEST_TYPE: Final = 1024
"""Characters of a Content-Type (API_runtime_InvokeEndpoint, read 2026-11-22)."""
_REMEMBERED: Final = 512
_CONCURRENT: Final = (GeneratorType, AsyncGeneratorType, CoroutineType)


class Answer(NamedTuple):
    r"""Status, head (Content-Type, then `\r\nname: value` for further header fields) and body of one answer."""

    status: int
    head: bytes
    body: bytes | memoryview


class Work(NamedTuple):
    """An invocation that is decoded and not yet predicted.

    Attributes:
        value: What `predict` is given.
        is_single: Whether it was one item, to come back as one.
        route: Its media types.
        context: What the predictor may ask.
        gzip: Whether the answer may be compressed.
    """

    value: object
    is_single: bool
    route: Route
    context: InvocationContext
    gzip: bool


class Later(NamedTuple):
    """A prediction that takes its time: parts of a stream, or an awaitable."""

    work: Work
    prediction: Iterator[object] | AsyncIterator[object] | Awaitable[object]


class Pipeline:
    """One loaded predictor and the media types around it.

    Args:
        predictor: Loaded.
        content_types: Media types that are taken and given, or None for what the annotation of `predict` can take.
        max_body_bytes: What a compressed body may inflate to.

    Raises:
        LoadError: The annotation cannot be decoded to, or a media type has no codec.
    """

    def __init__(
        self, predictor: Predictor, content_types: tuple[str, ...] | None, max_body_bytes: int = 100 * 2**20
    ) -> None:
        self.spec, self.output, row_wise, self.excused = describe(predictor)
        self.predict = predictor.predict
        self._own_encode = getattr(predictor, "encode", None)
        self.negotiator = Negotiator(
            self.spec,
            content_types,
            getattr(predictor, "decode", None),
            takes_any_accept=self._own_encode is not None or getattr(predictor, "takes_any_accept", False),
        )
        self.is_row_wise = row_wise is not False
        self.says_row_wise = row_wise is True
        self._has_rows = self.spec.is_list or hasattr(predictor, "decode") or self.spec.kind not in UNDECODED
        self.proven_rows = 0
        self._max_body_bytes = max_body_bytes
        self.sessions: dict[str, Session] = {}
        self._plain_routes: dict[bytes, Route] = {}
        self.decoding = self.predicting = self.encoding = self.metered = 0.0
        self.rows = 0

    @property
    def has_own_encode(self) -> bool:
        """Whether the predictor encodes its predictions itself."""
        return self._own_encode is not None

    def plain_route(self, fields: bytes) -> Route:
        """The route of an invocation that says nothing but Content-Type and Accept.

        Raises:
            UnsupportedMediaTypeError: Nobody decodes the Content-Type.
            NotAcceptableError: Nobody encodes what Accept allows.
        """
        route = self._plain_routes.get(fields)
        if route is None:
            route = self.negotiator.find(*fields.decode("latin-1").split("\n"))
            self._remember(fields, route)
        return route

    def take_timings(self) -> Timings:
        """What was measured since the last call."""
        told = Timings(self.rows, self.decoding, self.predicting, self.encoding, self.metered)
        self.decoding = self.predicting = self.encoding = self.metered = 0.0
        self.rows = 0
        return told

    def answer(self, fields: bytes, body: bytes | memoryview) -> Answer | Later:
        """Answer one invocation alone; a failure is an answer too."""
        work = self.open(fields, body)
        if isinstance(work, Answer):
            return work
        start = perf_counter()
        try:
            prediction: object = self.predict(work.value)
        except InvocationError as error:
            return refusal(error, work.context)
        except (Exception, SystemExit) as error:
            return refusal(raised(error, work.context.inference_id), work.context)
        finally:
            self.predicting += perf_counter() - start
        if isinstance(prediction, _CONCURRENT):
            return Later(work, prediction)
        return self.close(work, prediction)

    def open(self, fields: bytes, body: bytes | memoryview) -> Work | Answer:
        """Decode one invocation, or refuse it."""
        start = perf_counter()
        route = self._plain_routes.get(fields)
        context = InvocationContext("", "") if route is None else InvocationContext(route.content_type, route.accept)
        gzip = False
        try:
            if route is None:
                route, body, gzip = self._find_route(context, fields, body)
            enter(context)
            value, is_single = route.decode(body)
            return Work(value, is_single, route, context, gzip)
        except InvocationError as error:
            return refusal(error, context)
        except (Exception, SystemExit) as error:
            return refusal(raised(error, context.inference_id), context)
        finally:
            self.decoding += perf_counter() - start

    def close(self, work: Work, prediction: Any) -> Answer:
        """Encode a prediction."""
        start = perf_counter()
        found = rows.count(work.value) if self._has_rows else None
        self.rows += 1 if found is None else found
        if self.is_row_wise and found is not None:
            if rows.count(prediction) == found:
                self.proven_rows = found
            else:
                self.is_row_wise = False  # it gives something else than a row for each row: never join any
        if work.is_single and isinstance(prediction, list | tuple) and len(prediction) == 1:
            prediction = prediction[0]
        try:
            return self.encode(prediction, work.route, work.context, work.gzip)
        except InvocationError as error:
            return refusal(error, work.context)
        finally:
            self.encoding += perf_counter() - start

    def encode(self, prediction: object, route: Route, context: InvocationContext, gzip: bool) -> Answer:
        """A prediction as the answer.

        Raises:
            NotAcceptableError: No codec that Accept allows has a form for it.
            PredictError: The prediction is broken, or the predictor's own `encode` is.
        """
        reply = prediction
        if self._own_encode is not None and not isinstance(prediction, Reply):
            try:
                reply = self._own_encode(prediction, route.accept)
            except InvocationError:
                raise
            except (Exception, SystemExit) as error:
                raise raised(error, context.inference_id) from error
            if isinstance(reply, bytes | str) and route.encoders:
                content_type = route.encoders[0][0].decode()
                reply = Reply(reply if isinstance(reply, bytes) else reply.encode(), content_type)
        if isinstance(reply, Reply):
            head = _header_value(reply.content_type)
            body = _reply_body(reply)
        else:
            head, body = _encoded(reply, route.encoders, context.inference_id)
        told = context.header_fields(200)
        if told:
            head += told
            self.metered += context.metered_units
        if gzip and len(body) >= content_coding.WORTH_IT:
            return Answer(
                200, head + b"\r\ncontent-encoding: gzip\r\nvary: accept-encoding", content_coding.deflate(body)
            )
        return Answer(200, head, body)

    def _find_route(
        self, context: InvocationContext, fields: bytes, body: bytes | memoryview
    ) -> tuple[Route, bytes | memoryview, bool]:
        """The route, the body without its coding, and whether the answer may be compressed; fills the context."""
        context.content_type, context.accept, *more = fields.decode("latin-1").split("\n")
        coding, accepted_coding = self._take_fields(context, more)
        if coding:
            body = content_coding.inflate(body, coding, self._max_body_bytes)
        route = self.negotiator.find(context.content_type, context.accept)
        if not more:
            self._remember(fields, route)
        return route, body, bool(accepted_coding) and content_coding.wants_gzip(accepted_coding)

    def _remember(self, fields: bytes, route: Route) -> None:
        if len(self._plain_routes) >= _REMEMBERED:
            self._plain_routes.clear()
        self._plain_routes[fields] = route

    def _take_fields(self, context: InvocationContext, more: list[str]) -> tuple[str, str]:
        """Put the rarer fields into the context, and give Content-Encoding and Accept-Encoding."""
        found = {line[:1]: line[1:] for line in more}
        context.inference_id = found.get("I", "")
        context.custom_attributes = found.get("C", "")
        context.adapter = found.get("A", "")
        if "S" in found:
            context.session = self.sessions.setdefault(found["S"], Session(found["S"]))
        return found.get("E", ""), found.get("Z", "")


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether an exception says that there is no memory, by Python's own class or by the name that torch gives its."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"


def raised(error: BaseException, inference_id: str) -> InvocationError:
    """The error that stands for an exception of the user's code; the story goes to the log."""
    log.raised("predictor-raised", error, inference_id=inference_id)
    if is_out_of_memory(error):
        return OutOfMemoryError("the predictor ran out of memory")
    return PredictError(f"the predictor raised `{type(error).__name__}`")


def refusal(error: InvocationError, context: InvocationContext) -> Answer:
    """The answer that an error gives, with the custom attributes that the predictor has set before it."""
    status, body = answers.error_answer(error, context.inference_id)
    return Answer(status, answers.CONTENT_TYPE + context.header_fields(status), body)


def _encoded(prediction: object, encoders: Encoders, inference_id: str) -> tuple[bytes, bytes | memoryview]:
    if isinstance(prediction, (bytes, memoryview)) and encoders:
        return encoders[0][0], prediction
    refused: NotAcceptableError | None = None
    for content_type, codec in encoders:
        try:
            return content_type, codec.encode(prediction)
        except NotAcceptableError as error:
            refused = refused or error
        except PredictError as error:
            log.raised("encode-failed", error, inference_id=inference_id)
            raise
        except Exception as error:
            log.raised("encode-failed", error, inference_id=inference_id)
            raise PredictError(f"the prediction, a `{type(prediction).__name__}`, cannot be encoded") from error
    raise refused or NotAcceptableError("nothing to answer with that Accept allows")


def _reply_body(reply: Reply) -> bytes | memoryview:
    body: object = reply.body
    if not isinstance(body, bytes | bytearray | memoryview):
        raise PredictError("the body of the predictor's reply is not bytes", got=f"`{type(body).__name__}`")
    return bytes(body)


def _header_value(text: object) -> bytes:
    if not isinstance(text, str) or not text.isascii() or not text.isprintable() or len(text) > _LONGEST_TYPE:
        raise PredictError("the Content-Type of the predictor's reply is not a header field's value")
    return text.encode()
