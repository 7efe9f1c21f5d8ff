"""A step of a plan that is done by one change set: judged first, then applied, and waited for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from argosy.aws.api import Reader, judge
from argosy.aws.call import Call
from argosy.errors import AwsError, PlanError
from argosy.marketplace.change_set import ChangeSet, Intent
from argosy.planning.step import Change, Consent, Kind, Obstacle, Outputs, Work
from argosy.publishing.catalog.change_sets import (
    LOCKED,
    WITHOUT_VALIDATE,
    describing,
    is_over,
    listing,
    made,
    recent,
    require_success,
    set_name,
    starting,
    wait,
)

_ROUNDS: Final = 5
"""How often another change set may get in between."""


@dataclass(frozen=True, slots=True)
class Due:
    """What has to be changed, as seen now.

    Attributes:
        title: What it is about, for people.
        kind: Whether something is made, or changed.
        change_set: The changes; none when all is as it shall be.
        entities: Whose change sets get in the way: product and offer; none while there is no such product.
        basis: Revisions of what is changed.
        before: What is there of the request to StartChangeSet, member by member.
        consent: What has to be agreed to.
        outputs: What is known of the product.
        obstacle: Why it cannot be done.
    """

    title: str
    kind: Kind
    change_set: ChangeSet
    entities: tuple[str, ...] = ()
    basis: tuple[str, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    consent: Consent | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    obstacle: Obstacle | None = None


class Wish(Protocol):
    """What shall be so at AWS Marketplace."""

    @property
    def key(self) -> str:
        """The step's."""

    def due(self, reader: Reader, known: Outputs) -> Due:
        """What is still to be changed.

        Raises:
            AwsError: AWS refuses or does not answer.
            PlanError: It cannot be done at all.
        """

    @property
    def reads(self) -> tuple[Call, ...]:
        """The calls that `due` takes, whatever it finds."""


class ChangeSetStep:
    """A `Step` that fulfils a wish.

    Args:
        wish: What shall be so.
        validates: Whether AWS judges the changes before they are made.
    """

    def __init__(self, wish: Wish, *, validates: bool = True) -> None:
        self._wish = wish
        self._validates = validates

    @property
    def key(self) -> str:
        """See `Step`."""
        return self._wish.key

    def look(self, reader: Reader, known: Outputs) -> Change:
        """See `Step`."""
        due = self._wish.due(reader, known)
        change_set, reads = due.change_set, self._wish.reads
        if not change_set.changes:
            return Change(self.key, due.title, Kind.NOTHING, (), reads, notes=change_set.notes, outputs=due.outputs)
        asked = listing(change_set, due.entities)
        reads = (*reads, asked, describing("*"))
        earlier = recent(reader, asked)
        waiting = self._under_way(reader, earlier.under_way, known)
        if waiting is not None:
            outputs = {**due.outputs, "change_set": waiting}
            notes = (f"waits for change set {waiting}, and does then what is left to do",)
            return Change(self.key, due.title, Kind.WAIT, (), reads, {}, due.consent, notes, outputs, due.obstacle)
        basis = (*due.basis, *earlier.failed[:1])
        intents: tuple[Intent, ...] = ("VALIDATE", "APPLY") if self._validates else ("APPLY",)
        writes = tuple(starting(change_set, intent, basis) for intent in intents)
        judge(writes[-1])
        return Change(
            self.key,
            due.title,
            due.kind,
            writes,
            reads,
            due.before,
            due.consent,
            change_set.notes,
            due.outputs,
            due.obstacle,
        )

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """See `Step`."""
        given: dict[str, str] = {} if change.kind is Kind.CREATE else dict(work.known.get(self.key, {}))
        agreed = change.consent
        for _ in range(_ROUNDS):
            if change.kind is Kind.NOTHING:
                return {**given, **change.outputs}
            if change.kind is Kind.WAIT:
                given |= self._waited(change.outputs["change_set"], work)
            else:
                try:
                    return {**given, **change.outputs, **self._send(change, work)}
                except AwsError as error:
                    if error.refusal != LOCKED:
                        raise
                work.report(f"{change.title}: another change set is under way")
                self._wait_for_others(work)
            change = self.look(work.api, {**work.known, self.key: given})
            if change.consent is not None and change.consent != agreed:
                raise PlanError(
                    "what is there has changed meanwhile",
                    got=change.consent.sentence,
                    where=change.title,
                    hint="run it again, and look at the plan",
                )
        raise PlanError("other change sets get in between", where=change.title, hint="run it again later")

    def _under_way(self, reader: Reader, listed: tuple[str, ...], known: Outputs) -> str | None:
        """The change set that is being applied: one that AWS lists, or the one that was started last."""
        noted = known.get(self.key, {}).get("change_set")
        for id_ in dict.fromkeys((*listed, *([noted] if noted else []))):
            answer: Mapping[str, Any] | None = reader.ask(describing(id_), ("ResourceNotFoundException",))
            if answer and not is_over(answer) and answer.get("Intent") != "VALIDATE":
                return id_
        return None

    def _waited(self, id_: str, work: Work) -> dict[str, str]:
        """What a change set of an earlier run, or of somebody else, has made."""
        work.report(f"change set {id_} is under way: waiting")
        answer = wait(work.api, id_, work.report)
        due = self._wish.due(work.api, work.known)
        if due.change_set.changes and answer.get("ChangeSetName") == set_name(due.change_set):
            require_success(answer)
        if answer.get("Status") != "SUCCEEDED":
            return {}
        found = made(answer)
        work.note(found)
        return found

    def _wait_for_others(self, work: Work) -> None:
        """Until nothing is at the product, what is only judged included."""
        due = self._wish.due(work.api, work.known)
        if not due.change_set.changes:
            return
        for id_ in recent(work.api, listing(due.change_set, due.entities)).under_way:
            wait(work.api, id_, work.report)

    def _send(self, change: Change, work: Work) -> dict[str, str]:
        """Have the change set judged, then made; what it made."""
        found: dict[str, str] = {}
        for call in change.writes:
            token, intent = call.parameters["ClientRequestToken"], call.parameters["Intent"]
            if intent == "VALIDATE" and work.known.get(self.key, {}).get("validated") == token:
                continue
            id_ = self._start(call, work)
            work.note({"validation" if intent == "VALIDATE" else "change_set": id_})
            work.report(f"{change.title}: AWS {'judges' if intent == 'VALIDATE' else 'makes'} change set {id_}")
            answer = wait(work.api, id_, work.report)
            require_success(answer)
            if intent == "VALIDATE":
                work.note({"validated": token})
            else:
                found = {"change_set": id_, **made(answer)}
        return found

    def _start(self, call: Call, work: Work) -> str:
        try:
            return str(work.api.write(call)["ChangeSetId"])
        except AwsError as error:
            is_about_intent = call.parameters["Intent"] == "VALIDATE" and "intent" in error.sentence.lower()
            if not is_about_intent:
                raise
            raise AwsError(
                error.action,
                error.refusal,
                sentence=error.sentence,
                cause="AWS does not judge changes of this kind beforehand",
                hint=f"{WITHOUT_VALIDATE}  (AWS judges the changes then when it makes them)",
            ) from error
