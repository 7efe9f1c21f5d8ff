"""One streamed answer, from the predictor's generator to the wire."""

import threading
from collections.abc import Callable

from argosy.errors import InvocationError
from argosy.serving.frames import InvocationItem
from argosy.serving.model import streaming
from argosy.serving.model.pipeline import Answer, Pipeline, Work, raised, refusal
from argosy.serving.model.streaming import Framing
from argosy.serving.model.wire import Wire, checked


class StreamWriter:
    """Writes the parts of one answer, one after the other; the first chooses the form.

    Args:
        wire: Where to.
        item: The invocation.
        work: The same, decoded.
        pipeline: Its timings are sent with an answer that is sent whole.
    """

    def __init__(self, wire: Wire, item: InvocationItem, work: Work, pipeline: Pipeline) -> None:
        self._wire = wire
        self._item = item
        self._work = work
        self._pipeline = pipeline
        self._framing: Framing | None = None
        self._gathered: list[object] = []
        self.is_cancelled = False
        self.on_cancel: Callable[[], object] = lambda: None
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    @property
    def number(self) -> int:
        """The invocation's number on the wire."""
        return self._item.number

    def write(self, part: object) -> None:
        """Send a part.

        Raises:
            InvocationError: It has no form that Accept allows, or no frame can carry it.
        """
        if self._framing is None:
            framing = streaming.framing(self._work.route.accept, part)
            if framing.is_gathered:
                self._gathered.append(part)
            else:
                first = checked(framing.write(part))
                head = framing.content_type + self._told()
                self._framing = framing  # from here on the answer has begun, whatever happens
                self._wire.begin(self.number, 200, head, first)
            self._framing = framing
        elif self._framing.is_gathered:
            self._gathered.append(part)
        else:
            self._wire.part(self.number, checked(self._framing.write(part)))

    def end(self) -> None:
        """All parts are written, or nobody waits for them."""
        if self.is_cancelled and (self._framing is None or self._framing.is_gathered):
            self._wire.leave(self.number)
            return
        framing = self._framing or streaming.framing_of_none(self._work.route.accept)
        if not framing.is_gathered and self._framing is not None:
            self._wire.end(self.number)
            return
        body = streaming.gathered(self._gathered) if framing.is_gathered else b""
        self._answer(Answer(200, framing.content_type + self._told(), body))

    def fail(self, error: BaseException) -> None:
        """The predictor raised: an answer with its status as long as nothing was sent, else a visible end."""
        context = self._work.context
        told = error if isinstance(error, InvocationError) else raised(error, context.inference_id)
        if self._framing is None or self._framing.is_gathered:
            self._answer(refusal(told, context))
        else:
            self._wire.break_off(self.number, self._framing.write_error(told))

    def cancel(self) -> None:
        """The client went away: what is awaited is interrupted where it waits, a generator after its next part."""
        self.is_cancelled = True
        self.may_go_on.set()
        self.on_cancel()

    def _told(self) -> bytes:
        """The header fields that the predictor has asked for; what it metered counts from here on."""
        units = self._work.context.metered_units
        if units:
            self._wire.tell({"event": "metered", "units": units})
        return self._work.context.header_fields(200)

    def _answer(self, answer: Answer) -> None:
        self._wire.answer(self._item, answer, self._pipeline.take_timings())
