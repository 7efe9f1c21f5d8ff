"""Looks at all steps and says what would be called: nothing is written."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.errors import PlanError
from argosy.planning.lanes import side_by_side
from argosy.planning.step import Change, Consent, Kind, Lane, Outputs, Stage, after


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done, in its order.

    Attributes:
        changes: One for each step, those too that have nothing to do.
    """

    changes: tuple[Change, ...]

    @property
    def due(self) -> tuple[Change, ...]:
        """Those that have something to do."""
        return tuple(change for change in self.changes if change.kind is not Kind.NOTHING)

    @property
    def consents(self) -> tuple[Consent, ...]:
        """What somebody has to agree to."""
        return tuple(change.consent for change in self.due if change.consent is not None)

    def require_possible(self) -> None:
        """Whether it can be carried out.

        Raises:
            PlanError: Something has to be mended first.
        """
        for change in self.changes:
            require_possible(change)

    @property
    def calls(self) -> tuple[Call, ...]:
        """All calls that it takes or may take, reads and writes: what IAM has to allow."""
        return tuple(call for change in self.changes for call in (*change.reads, *change.writes, *change.possible))

    @property
    def outputs(self) -> dict[str, Mapping[str, str]]:
        """What the steps give, as far as that is known."""
        return {change.key: change.outputs for change in self.changes if change.outputs}


def require_possible(change: Change) -> None:
    """Whether a change can be made.

    Raises:
        PlanError: Something has to be mended first.
    """
    if change.obstacle is not None:
        raise PlanError(change.obstacle.what, where=change.title, hint=change.obstacle.hint)


def make_plan(stages: Sequence[Stage], reader: Reader, known: Outputs) -> Plan:
    """Look at every step.

    Args:
        stages: The lanes of one are looked at side by side, the stages one after the other.
        reader: AWS.
        known: What earlier runs noted.

    Raises:
        AwsError: AWS refuses or does not answer.
        PlanError: A step cannot be done at all.
    """
    gathered: dict[str, Mapping[str, str]] = dict(known)
    changes: list[Change] = []
    for stage in stages:
        for looked in side_by_side([functools.partial(_lane, lane, reader, dict(gathered)) for lane in stage]):
            for change in looked:
                gathered[change.key] = after(gathered, change)
            changes += looked
    return Plan(tuple(changes))


def _lane(lane: Lane, reader: Reader, gathered: dict[str, Mapping[str, str]]) -> list[Change]:
    """The changes of one lane; `gathered` is its own."""
    changes = []
    for step in lane:
        change = step.look(reader, gathered)
        gathered[change.key] = after(gathered, change)
        changes.append(change)
    return changes
