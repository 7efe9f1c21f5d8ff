"""What a predictor may ask about the invocation that it answers, and say about its answer beside the prediction."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, cast

import orjson

from argosy import contract

_LIMIT: Final = 1024
"""Characters of custom attributes (API_runtime_InvokeEndpoint, read 2026-11-22)."""
_MOST_UNITS: Final = 2**53
"""Beyond it a double skips whole numbers."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer: `predict` or `encode` returns one when it has chosen the media type itself.

    Attributes:
        body: The body, sent as it is.
        content_type: Its media type.
    """

    body: bytes
    content_type: str = "application/octet-stream"


@dataclass(slots=True)
class Session:
    """A stateful session: every invocation of it comes to the same model process.

    Attributes:
        id: The session ID, as the client sends it.
        state: The predictor's own; gone when the session is closed or expires, or the process ends.
    """

    id: str
    state: dict[str, Any] = field(default_factory=dict)


class InvocationContext:
    """One invocation as the predictor may see it; `current_invocation` gives it.

    Attributes:
        content_type: Content-Type header field, empty when it was not sent.
        accept: Accept header field, empty when it was not sent.
        inference_id: X-Amzn-SageMaker-Inference-Id, empty when it was not sent.
        custom_attributes: X-Amzn-SageMaker-Custom-Attributes, empty when it was not sent.
        adapter: Name of the adapter that is asked for, empty when none is.
        query: Query string of a conversation's WebSocket, undecoded; empty for all other invocations.
        session: The stateful session, or None.
    """

    inference_id = ""
    custom_attributes = ""
    adapter = ""
    query = ""
    session: Session | None = None
    _attributes = ""
    _units: dict[str, float] | None = None

    def __init__(self, content_type: str, accept: str) -> None:
        # The rest are defaults of the class: one of these is made for each invocation, and few have any of it.
        self.content_type = content_type
        self.accept = accept

    def reply_custom_attributes(self, text: str) -> None:
        """Send custom attributes with the answer; SageMaker never repeats the client's by itself.

        They go with a refusal too, and with a 500 of what the predictor raises after it has set them.

        Raises:
            ValueError: More than 1,024 characters, or not visible US-ASCII.
        """
        if len(text) > _LIMIT or not text.isascii() or not text.isprintable():
            raise ValueError(f"custom attributes: want at most {_LIMIT} visible US-ASCII characters")
        self._attributes = text

    def meter(self, units: float, dimension: str = "inference.count") -> None:
        """Add to the units that a Marketplace buyer pays for this invocation; sent with 2xx answers only.

        Args:
            units: Units of this call; several calls add up.
            dimension: The pricing dimension; one invocation has one.

        Raises:
            ValueError: Negative units, more than a double counts exactly, a second dimension, or one that is no name.
        """
        if not (dimension.isascii() and dimension.isprintable() and 0 < len(dimension) <= _LIMIT):
            raise ValueError(f"metered units: want a dimension of 1 to {_LIMIT} visible US-ASCII characters")
        metered = self._units if self._units is not None else {}
        if metered and dimension not in metered:
            raise ValueError("metered units: one invocation has one dimension")
        total = metered.get(dimension, 0.0) + float(units)
        if not (units >= 0 and total <= _MOST_UNITS):
            raise ValueError("metered units: want 0 or more, and at most 2**53 together")
        metered[dimension] = total
        self._units = metered

    @property
    def metered_units(self) -> float:
        """What `meter` has added up so far."""
        return sum(self._units.values()) if self._units else 0

    def header_fields(self, status: int) -> bytes:
        r"""The header fields that go with the answer, each as `\r\nname: value`.

        Source:
            Marketplace seller guide, machine-learning-pricing (read 2026-11-22): only 2XX answers are charged.
        """
        if not self._attributes and not self._units:
            return b""
        told = b""
        if self._attributes:
            told += f"\r\n{contract.HEADER_CUSTOM_ATTRIBUTES}: {self._attributes}".encode()
        if self._units and 200 <= status < 300:
            ((dimension, units),) = self._units.items()
            whole = int(units) if units == int(units) else units
            metering = orjson.dumps({"Dimension": dimension, "ConsumedUnits": whole})
            told += b"\r\n%b: %b" % (contract.HEADER_METERING.encode(), metering)
        return told


class SeveralAtOnceError(BaseException):
    """The predictor asks about one invocation while it answers several at once.

    Not an `Exception`, so that a predictor's own `except` lets it through: the pipeline then asks again for each alone.
    """


class Merged:
    """Several invocations that one call of `predict` answers.

    Args:
        build: Makes their contexts, called only when one is asked for: most predictors never do.
        counts: Rows of each.
    """

    __slots__ = ("_build", "contexts", "counts")

    def __init__(self, build: Callable[[], list[InvocationContext]], counts: Sequence[int]) -> None:
        self._build = build
        self.contexts: list[InvocationContext] | None = None
        self.counts = counts

    def ask(self) -> list[InvocationContext]:
        """The contexts of all of them, in the order of their rows."""
        if self.contexts is None:
            self.contexts = self._build()
        return self.contexts


_CURRENT: ContextVar[InvocationContext | Merged | None] = ContextVar("argosy-invocation", default=None)


def current_invocation() -> InvocationContext:
    """The invocation that the calling predictor answers.

    A predictor that asks is never given several invocations at once: the first time it does, what was merged is
    predicted again one by one, and nothing is merged from then on.

    Raises:
        LookupError: Called outside `predict`, `decode` and `encode`.
    """
    found = _CURRENT.get()
    if isinstance(found, InvocationContext):
        return found
    if found is None:
        raise LookupError("no invocation is being answered here")
    raise SeveralAtOnceError


def meter(units: float | Sequence[float], dimension: str = "inference.count") -> None:
    """Add to the units that buyers pay for what is being predicted.

    Args:
        units: For the whole invocation; or one number a row of what `predict` was given, so that rows of several
            invocations can be predicted at once and each is charged for its own.
        dimension: The pricing dimension.

    Raises:
        ValueError: Another number of units than rows.
        LookupError: Called outside `predict`.
    """
    found = _CURRENT.get()
    if not hasattr(units, "__len__"):
        current_invocation().meter(float(units), dimension)  # a number of any library
        return
    each = cast("Sequence[float]", units)
    if not isinstance(found, Merged):
        current_invocation().meter(float(sum(each)), dimension)
        return
    if len(each) != sum(found.counts):
        raise ValueError(f"metered units: got {len(each)}, want {sum(found.counts)}, one a row")
    position = 0
    for context, count in zip(found.ask(), found.counts, strict=True):
        context.meter(float(sum(each[position : position + count])), dimension)
        position += count


def enter(current: InvocationContext | Merged | None) -> None:
    """From here on, in this thread or task, this is what is being answered."""
    _CURRENT.set(current)
