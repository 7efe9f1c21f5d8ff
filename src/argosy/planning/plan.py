"""Looks at all steps and says what would be called: nothing is written."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.planning.step import Change, Consent, Kind, Lane, Outputs, Stage

_LANES_AT_A_TIME: Final = 12


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

    @property
    def calls(self) -> tuple[Call, ...]:
        """All calls that it takes, reads and writes: what IAM has to allow."""
        return tuple(call for change in self.changes for call in (*change.reads, *change.writes))

    @property
    def outputs(self) -> dict[str, Mapping[str, str]]:
        """What the steps give, as far as that is known."""
        return {change.key: change.outputs for change in self.changes if change.outputs}


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
        for looked in _side_by_side(stage, reader, gathered):
            changes += looked
            gathered |= {change.key: {**gathered.get(change.key, {}), **change.outputs} for change in looked}
    return Plan(tuple(changes))


def _side_by_side(stage: Stage, reader: Reader, known: Outputs) -> list[list[Change]]:
    if len(stage) == 1:
        return [_lane(stage[0], reader, known)]
    with ThreadPoolExecutor(min(_LANES_AT_A_TIME, len(stage) or 1)) as threads:
        return list(threads.map(lambda lane: _lane(lane, reader, known), stage))


def _lane(lane: Lane, reader: Reader, known: Outputs) -> list[Change]:
    gathered = dict(known)
    changes = []
    for step in lane:
        change = step.look(reader, gathered)
        gathered[change.key] = {**gathered.get(change.key, {}), **change.outputs}
        changes.append(change)
    return changes
