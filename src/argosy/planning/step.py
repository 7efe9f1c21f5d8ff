"""One thing that shall be at AWS: what is there of it, what has to be called, and what that gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from argosy.aws.api import Api, Reader
from argosy.aws.call import Call
from argosy.errors import PlanError

Outputs = Mapping[str, Mapping[str, str]]
"""Key of a step -> what it gave: names, ARNs, digests."""


class Kind(StrEnum):
    """What a step will do."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    WAIT = "wait"
    """It was begun by an earlier run, and is waited for."""
    NOTHING = "nothing"


class Risk(StrEnum):
    """Why somebody has to say yes first."""

    COST = "costs money"
    PUBLIC = "goes public"
    LOSS = "cannot be taken back"


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody has to agree to.

    Attributes:
        risk: Of which kind it is.
        sentence: What happens, with the price where there is one.
        basis: What the sentence sums up, such as a list of prices: a yes to other ones is another consent.
    """

    risk: Risk
    sentence: str
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What has to be mended before a plan can be carried out; the plan can be read all the same.

    Attributes:
        what: What is not as it has to be, one clause.
        hint: A command or an edit that mends it.
    """

    what: str
    hint: str


@dataclass(frozen=True, slots=True)
class Later:
    """A value that only an earlier step will give.

    Attributes:
        step: Its key.
        name: Of the output.
    """

    step: str
    name: str

    def __str__(self) -> str:
        return f"({self.name}: known after {self.step})"


@dataclass(frozen=True, slots=True)
class Change:
    """What a step would do now.

    Attributes:
        key: Of the step.
        title: What it is about: `model package iris-1-0-0 in us-east-1`.
        kind: What would happen.
        writes: The calls that would change something, in their order.
        reads: The calls that looking and waiting take.
        before: What is there of what the first write says, member by member; empty where nothing is.
        consent: What has to be agreed to first; None: nothing.
        notes: Sentences for whoever reads the plan.
        outputs: What the step gives, as far as that is known already.
        obstacle: Why it cannot be done yet; nothing of the plan is done then. None: it can.
        possible: Writes of other circumstances, as where an endpoint has failed: IAM has to allow them, too.
    """

    key: str
    title: str
    kind: Kind
    writes: tuple[Call, ...] = ()
    reads: tuple[Call, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    consent: Consent | None = None
    notes: tuple[str, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    obstacle: Obstacle | None = None
    possible: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Work:
    """What applying a step has at hand.

    Attributes:
        api: AWS.
        known: What the steps before it gave, and under its own key what it has noted in an earlier run.
        report: Takes a line about what goes on.
        note: Keeps outputs of this step at once, for a run after this one was killed.
    """

    api: Api
    known: Outputs
    report: Callable[[str], None]
    note: Callable[[Mapping[str, str]], None]


class Step(Protocol):
    """One thing that shall be there, or shall not."""

    @property
    def key(self) -> str:
        """Its name in the plan, the same in each run, and no other step's."""

    def look(self, reader: Reader, known: Outputs) -> Change:
        """What would have to be done, by reading alone.

        Args:
            reader: AWS.
            known: As for `Work`; of steps that were not applied yet, what they know already.

        Raises:
            AwsError: AWS refuses or does not answer.
            PlanError: It cannot be done at all.
        """

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """Do it, wait until it is done, and say what it gave.

        Raises:
            AwsError: AWS refuses or does not answer.
            PlanError: It came to a bad end.
        """


Lane = Sequence[Step]
"""Steps that follow each other."""

Stage = Sequence[Lane]
"""Lanes that do not wait for each other, as regions do not."""


def output(known: Outputs, step: str, name: str) -> str | Later:
    """What a step gave, or that it will."""
    return known.get(step, {}).get(name) or Later(step, name)


def after(known: Outputs, change: Change) -> Mapping[str, str]:
    """What is known of a step that was looked at; what was noted of a thing that is gone is not."""
    gone = change.kind in (Kind.CREATE, Kind.DELETE)
    return {**({} if gone else known.get(change.key, {})), **change.outputs}


def resolved(value: Any, known: Outputs) -> Any:
    """A request with what is known now in place of what was to be known later.

    Args:
        value: JSON with `Later` in it. Any: a request of any shape.
        known: What the steps gave.

    Raises:
        PlanError: A step has not given what it was to give.
    """
    if isinstance(value, Later):
        given = known.get(value.step, {})
        if value.name not in given:
            raise PlanError(f"the step `{value.step}` has not given `{value.name}`", got=", ".join(given) or "nothing")
        return given[value.name]
    if isinstance(value, Mapping):
        return {name: resolved(inner, known) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [resolved(inner, known) for inner in value]
    return value
