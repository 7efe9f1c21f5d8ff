"""Several invocations at once: their rows are joined, predicted in one call, and cut apart again.

Theory of operation. Rows are joined where nothing speaks against it: the predictor is row-wise, the inputs are of the
same kind, dtype and row shape, and the answer has a row for each row. Whatever goes wrong with joined rows (a refusal,
an exception, another number of rows) is asked again one by one from the bodies, so that each invocation gets exactly
the answer that it would have got alone, and only the culprit gets an error.

Nothing is joined before one invocation alone has had a row for each of its rows, and never as many rows as that one: a
predictor that gives three numbers, whatever it is given, would look row-wise to three joined rows.
"""

from collections.abc import Hashable, Iterator, Sequence
from itertools import accumulate, pairwise
from time import perf_counter
from typing import Final, NamedTuple, overload

from argosy.errors import InvocationError
from argosy.serving import log
from argosy.serving.context import InvocationContext, Merged, SeveralAtOnceError, enter
from argosy.serving.inputs.kind import InputKind
from argosy.serving.model import rows
from argosy.serving.model.negotiation import Route
from argosy.serving.model.pipeline import Answer, Later, Pipeline, Work, refusal
from argosy.serving.settings import Batching

_JOINED: Final = frozenset(
    {InputKind.ARRAY, InputKind.ARRAYS, InputKind.TENSORS, InputKind.SPARSE, InputKind.FRAME, InputKind.TABLE}
)


Body = bytes | memoryview


class _Member(NamedTuple):
    """One invocation among others: its place in the frame, its rows, and its work."""

    number: int
    rows: int
    work: Work


class Alike(Sequence[Answer]):
    """Answers that have all status 200 and one head.

    Args:
        head: As `Answer` has it.
        bodies: One for each.
    """

    def __init__(self, head: bytes, bodies: Sequence[Body]) -> None:
        self.head = head
        self.bodies = bodies

    def __len__(self) -> int:
        return len(self.bodies)

    @overload
    def __getitem__(self, place: int) -> Answer: ...

    @overload
    def __getitem__(self, place: slice) -> list[Answer]: ...

    def __getitem__(self, place: int | slice) -> Answer | list[Answer]:
        if isinstance(place, slice):
            return [Answer(200, self.head, body) for body in self.bodies[place]]
        return Answer(200, self.head, self.bodies[place])


class Joiner:
    """Answers frames of invocations through a pipeline.

    Args:
        pipeline: Answers one invocation alone.
        batching: Rows that one call of `predict` is given at most, unless one invocation alone has more.
    """

    def __init__(self, pipeline: Pipeline, batching: Batching) -> None:
        self._pipeline = pipeline
        self._batching = batching
        spec = pipeline.spec
        # The numbers of a flat list may be those of one thing: it takes the predictor's own word that they are rows.
        has_rows = spec.is_nested or (spec.kind is InputKind.LIST and pipeline.says_row_wise)
        self._may_join = batching.most_rows(1) > 1 and (spec.is_list or spec.kind in _JOINED or has_rows)

    @property
    def joins(self) -> bool:
        """Whether rows are joined: until the predictor turns out not to be row-wise."""
        return self._may_join and self._pipeline.is_row_wise

    def answer_all(self, fields: Sequence[bytes], bodies: Sequence[Body]) -> Sequence[Answer | Later]:
        """Answer invocations, in their order; every failure is an answer too.

        Args:
            fields: Content-Type, Accept and what else was sent, of each.
            bodies: Of each.
        """
        pipeline = self._pipeline
        if len(bodies) == 1 or not self.joins or not pipeline.proven_rows:
            return list(map(pipeline.answer, fields, bodies))
        found: list[Answer | Later | None] = [None] * len(bodies)
        alike = self._decode_alike(fields, bodies)
        if alike is None:
            self._answer_mixed(fields, bodies, found)
        else:
            answered = self._answer_alike(*alike, found)
            if answered is not None:
                return answered
        return [answer or pipeline.answer(each, body) for answer, each, body in zip(found, fields, bodies, strict=True)]

    def _decode_alike(
        self, fields: Sequence[bytes], bodies: Sequence[Body]
    ) -> tuple[Route, object, Sequence[int]] | None:
        """The short way: the same plain header fields, and bodies that the codec parses in one go."""
        first = fields[0]
        if first.count(b"\n") != 1 or fields.count(first) != len(fields):
            return None
        start = perf_counter()
        try:
            route = self._pipeline.plain_route(first)
        except InvocationError:
            return None
        decoded = route.decode_rows(bodies) if route.decode_rows else None
        self._pipeline.decoding += perf_counter() - start
        return decoded and (route, *decoded)

    def _answer_alike(
        self, route: Route, value: object, counts: Sequence[int], found: list[Answer | Later | None]
    ) -> Alike | None:
        """Predict what was decoded in one go; gives all answers, or puts into `found` those that there are."""
        most = self._batching.most_rows(sum(counts) / len(counts))
        if sum(counts) <= most:
            answered = self._answer_rows(value, counts, route)
            if isinstance(answered, Alike):
                return answered
            found[:] = answered or found
            return None
        row = place = 0
        for group in _within(counts, most):
            end = row + sum(group)
            answered = self._answer_rows(rows.cut(value, row, end), group, route)
            if answered is not None:
                found[place : place + len(group)] = answered
            row, place = end, place + len(group)
        return None

    def _answer_rows(self, value: object, counts: Sequence[int], route: Route) -> Alike | list[Answer] | None:
        """Predict rows that came by one route; None when each has to be asked alone."""
        merged = Merged(lambda: [InvocationContext(route.content_type, route.accept) for _ in counts], counts)
        prediction = self._predict(value, merged)
        if prediction is None:
            return None
        start = perf_counter()
        bodies = None
        if merged.contexts is None and route.encode_rows is not None and not self._pipeline.has_own_encode:
            bodies = route.encode_rows(prediction, counts)
        if bodies is not None:
            found: Alike | list[Answer] = Alike(route.encoders[0][0], bodies)
        else:
            works = (Work(None, False, route, context, gzip=False) for context in merged.ask())
            found = list(map(self._encode, _cuts(prediction, counts), works))
        self._pipeline.encoding += perf_counter() - start
        return found

    def _answer_mixed(
        self, fields: Sequence[bytes], bodies: Sequence[Body], found: list[Answer | Later | None]
    ) -> None:
        """Each is decoded alone; those with like rows are joined."""
        alike: dict[Hashable, list[_Member]] = {}
        for number, (each, body) in enumerate(zip(fields, bodies, strict=True)):
            work = self._pipeline.open(each, body)
            if isinstance(work, Answer):
                found[number] = work
                continue
            count = rows.count(work.value)
            shape = getattr(work.value, "shape", (0, 0))
            if count and work.route.has_rows and len(shape) > 1 and work.context.session is None:
                signature = rows.signature(work.value)
                if signature is not None:
                    alike.setdefault((signature, work.context.adapter), []).append(_Member(number, count, work))
        for members in alike.values():
            place = 0
            all_counts = [member.rows for member in members]
            for counts in _within(all_counts, self._batching.most_rows(sum(all_counts) / len(all_counts))):
                if len(counts) > 1:
                    self._answer_members(members[place : place + len(counts)], counts, found)
                place += len(counts)

    def _answer_members(
        self, members: Sequence[_Member], counts: Sequence[int], found: list[Answer | Later | None]
    ) -> None:
        """Predict what was decoded one by one; leaves places empty when each has to be asked alone."""
        try:
            value = rows.join([member.work.value for member in members])
        except Exception:  # a library's own, about rows that look alike and are not
            return
        prediction = self._predict(value, Merged(lambda: [member.work.context for member in members], counts))
        if prediction is None:
            return
        start = perf_counter()
        for member, piece in zip(members, _cuts(prediction, counts), strict=True):
            found[member.number] = self._encode(piece, member.work)
        self._pipeline.encoding += perf_counter() - start

    def _predict(self, value: object, merged: Merged) -> object | None:
        """Joined rows to as many rows; None when each has to be asked alone."""
        pipeline = self._pipeline
        total = sum(merged.counts)
        if not pipeline.is_row_wise or total == pipeline.proven_rows:  # it may have shown so a moment ago
            return None
        enter(merged)
        start = perf_counter()
        try:
            prediction: object = pipeline.predict(value)
        except SeveralAtOnceError:
            pipeline.is_row_wise = False
            return None
        except (Exception, SystemExit):
            return None  # whose fault it is shows when each is asked alone; that also logs it
        finally:
            pipeline.predicting += perf_counter() - start
        if rows.count(prediction) != total:
            log.event("not-row-wise", rows=total, hint="say `row_wise = False` in the predictor")
            pipeline.is_row_wise = False
            return None
        pipeline.rows += total
        return prediction

    def _encode(self, piece: object, work: Work) -> Answer:
        if work.is_single and isinstance(piece, list):
            piece = piece[0]
        enter(work.context)
        try:
            return self._pipeline.encode(piece, work.route, work.context, work.gzip)
        except InvocationError as error:
            return refusal(error, work.context)


def _within(counts: Sequence[int], limit: int) -> list[list[int]]:
    """Neighbours together, as many as have not more than so many rows; one that has more is alone.

    >>> _within([1, 2, 4, 9, 3], 6)
    [[1, 2], [4], [9], [3]]
    """
    groups: list[list[int]] = [[]]
    total = 0
    for count in counts:
        if groups[-1] and total + count > limit:
            groups.append([])
            total = 0
        groups[-1].append(count)
        total += count
    return groups


def _cuts(prediction: object, counts: Sequence[int]) -> Iterator[object]:
    """The prediction, cut into as many rows as each has."""
    return (rows.cut(prediction, start, end) for start, end in pairwise(accumulate(counts, initial=0)))
