"""Several invocations at once: their rows are joined, predicted in one call, and cut apart again.

Theory of operation. Rows are joined where nothing speaks against it: the predictor is row-wise, the inputs are of the
same kind, dtype and row shape, and the answer has a row for each row. Whatever goes wrong with joined rows (a refusal,
an exception, another number of rows) is asked again one by one from the bodies, so that each invocation gets exactly
the answer that it would have got alone, and only the culprit gets an error.

Nothing is joined before one invocation alone has had a row for each of its rows, and never as many rows as that one: a
predictor that gives three numbers, whatever it is given, would look row-wise to three joined rows.
"""

from collections.abc import Hashable, Sequence
from time import perf_counter
from typing import Final, NamedTuple

from argosy.errors import InvocationError
from argosy.serving import log
from argosy.serving.codecs import RowsEncoder
from argosy.serving.context import InvocationContext, Merged, SeveralAtOnceError, enter
from argosy.serving.inputs.kind import InputKind
from argosy.serving.model import rows
from argosy.serving.model.negotiation import Route
from argosy.serving.model.pipeline import Answer, Call, Later, Pipeline, Work, refusal

_JOINED: Final = (InputKind.ARRAY, InputKind.ARRAYS, InputKind.SPARSE, InputKind.FRAME, InputKind.TABLE)


class _Member(NamedTuple):
    """One invocation among others: its place in the frame, its rows, and its work when it was decoded alone."""

    number: int
    rows: int
    work: Work | None


class Joiner:
    """Answers frames of invocations through a pipeline.

    Args:
        pipeline: Answers one invocation alone.
        max_rows: Rows that one call of `predict` is given at most, unless one invocation alone has more.
    """

    def __init__(self, pipeline: Pipeline, max_rows: int) -> None:
        self._pipeline = pipeline
        self._max_rows = max_rows
        self._may_join = max_rows > 1 and (pipeline.spec.is_list or pipeline.spec.kind in _JOINED)

    @property
    def joins(self) -> bool:
        """Whether rows are joined: until the predictor turns out not to be row-wise."""
        return self._may_join and self._pipeline.is_row_wise

    def answer_all(self, calls: Sequence[Call]) -> list[Answer | Later]:
        """Answer invocations, in their order; every failure is an answer too."""
        if len(calls) == 1 or not self.joins or not self._pipeline.proven_rows:
            return [self._pipeline.answer(call) for call in calls]
        found: list[Answer | Later | None] = [None] * len(calls)
        if not self._answer_alike(calls, found):
            self._answer_mixed(calls, found)
        return [answer or self._pipeline.answer(call) for answer, call in zip(found, calls, strict=True)]

    def _answer_alike(self, calls: Sequence[Call], found: list[Answer | Later | None]) -> bool:
        """The short way: the same header fields, and bodies that the codec parses in one go."""
        fields = calls[0].fields
        if fields.count(b"\n") != 1 or any(call.fields != fields for call in calls):
            return False
        start = perf_counter()
        try:
            content_type, accept = fields.decode("latin-1").split("\n")
            route = self._pipeline.negotiator.find(content_type, accept)
        except InvocationError:
            return False
        decoded = route.decode_rows([call.body for call in calls]) if route.decode_rows else None
        self._pipeline.decoding += perf_counter() - start
        if decoded is None:
            return False
        value, counts = decoded
        members = [_Member(number, count, None) for number, count in enumerate(counts)]
        position = 0
        for group in self._within_limit(members):
            end = position + sum(member.rows for member in group)
            piece = value if len(group) == len(members) else rows.cut(value, position, end)
            self._answer_group(piece, group, route, found)
            position = end
        return True

    def _answer_mixed(self, calls: Sequence[Call], found: list[Answer | Later | None]) -> None:
        """Each is decoded alone; those with like rows are joined."""
        alike: dict[Hashable, list[_Member]] = {}
        for number, call in enumerate(calls):
            work = self._pipeline.open(call)
            if isinstance(work, Answer):
                found[number] = work
                continue
            count = rows.count(work.value)
            shape = getattr(work.value, "shape", (0, 0))
            if count and work.route.has_rows and len(shape) > 1 and work.context.session is None:
                key = (rows.signature(work.value), work.context.adapter)
                alike.setdefault(key, []).append(_Member(number, count, work))
        for members in alike.values():
            for group in self._within_limit(members):
                if len(group) > 1:
                    try:
                        value = rows.join([member.work.value for member in group if member.work])
                    except Exception:  # a library's own, about rows that look alike and are not: each is asked alone
                        continue
                    self._answer_group(value, group, None, found)

    def _within_limit(self, members: list[_Member]) -> list[list[_Member]]:
        groups: list[list[_Member]] = [[]]
        total = 0
        for member in members:
            if groups[-1] and total + member.rows > self._max_rows:
                groups.append([])
                total = 0
            groups[-1].append(member)
            total += member.rows
        return groups

    def _answer_group(
        self, value: object, group: list[_Member], route: Route | None, found: list[Answer | Later | None]
    ) -> None:
        """Predict joined rows; leaves the places of the group empty when each has to be asked alone."""
        pipeline = self._pipeline
        total = sum(member.rows for member in group)
        if total == pipeline.proven_rows:
            return
        counts = [member.rows for member in group]
        merged = Merged(lambda: [_context(member, route) for member in group], counts)
        enter(merged)
        start = perf_counter()
        try:
            prediction = pipeline.predict(value)
        except SeveralAtOnceError:
            pipeline.is_row_wise = False
            return
        except (Exception, SystemExit):
            return  # whose fault it is shows when each is asked alone; that also logs it
        finally:
            pipeline.predicting += perf_counter() - start
        if rows.count(prediction) != total:
            log.event("not-row-wise", rows=total, hint="say `row_wise = False` in the predictor")
            pipeline.is_row_wise = False
            return
        pipeline.rows += total
        start = perf_counter()
        if route is not None and merged.contexts is None and self._encode_alike(prediction, group, route, found):
            pipeline.encoding += perf_counter() - start
            return
        position = 0
        for place, member in enumerate(group):
            piece = rows.cut(prediction, position, position + member.rows)
            position += member.rows
            if merged.contexts is not None:
                context = merged.contexts[place]
            else:
                context = member.work.context if member.work else _context(member, route)
            found[member.number] = self._encode(piece, member, route, context)
        pipeline.encoding += perf_counter() - start

    def _encode_alike(
        self, prediction: object, group: list[_Member], route: Route, found: list[Answer | Later | None]
    ) -> bool:
        """The short way back: a codec that writes all answers in one go, and no predictor that has a say in it."""
        if self._pipeline.has_own_encode or not route.encoders:
            return False
        head, codec = route.encoders[0]
        bodies = (
            codec.encode_rows(prediction, [member.rows for member in group]) if isinstance(codec, RowsEncoder) else None
        )
        if bodies is None:
            return False
        for member, body in zip(group, bodies, strict=True):
            found[member.number] = Answer(200, head, body)
        return True

    def _encode(self, piece: object, member: _Member, route: Route | None, context: InvocationContext) -> Answer:
        work = member.work
        if work is not None and work.is_single and isinstance(piece, list):
            piece = piece[0]
        chosen = work.route if work is not None else route
        assert chosen is not None  # a member without work came by the route
        enter(context)
        try:
            return self._pipeline.encode(piece, chosen, context, gzip=work.gzip if work is not None else False)
        except InvocationError as error:
            return refusal(error, context.inference_id)


def _context(member: _Member, route: Route | None) -> InvocationContext:
    if member.work is not None:
        return member.work.context
    assert route is not None  # a member without work came by the route
    return InvocationContext(route.content_type, route.accept)
