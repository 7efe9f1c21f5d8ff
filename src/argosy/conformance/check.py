"""The values of the judgement: a check, its verdict on one clause, and what was seen."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

from argosy.conformance.clause import Clause

Scene = TypeVar("Scene")

SAMPLE: Final = "--sample FILE --content-type TYPE"
"""The options that tell what an image understands; see `Verdict.decide`."""


class Status(StrEnum):
    """What was found of one clause."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    """It was tried, and what came back does not decide it."""
    SKIP = "skip"
    """It was not tried: what it needs is not there."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that was seen.

    Attributes:
        sent: What was done or sent, in one line.
        received: What came back, in one line; bodies are cut.
        seconds: How long it took, None where that says nothing.
        log: The lines of the container's log that go with it, newest last.
    """

    sent: str
    received: str
    seconds: float | None = None
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check says of its clause.

    Attributes:
        status: What was found.
        reason: One sentence why.
        evidence: What was seen.
        decide: For an unknown: the options of `argosy check` that would decide it; empty where none would.
    """

    status: Status
    reason: str
    evidence: tuple[Evidence, ...] = ()
    decide: str = ""


@dataclass(frozen=True, slots=True)
class Check(Generic[Scene]):
    """The code that tests one clause on one scene of what was observed.

    Attributes:
        clause: The demand.
        group: The heading under which reports put it.
        scene: The type of what `examine` is given, found in a `Case`; one that is not there was not observed.
        examine: The judgement: no I/O, no clock.
        needs: Ids of clauses that this one builds on: when one of them failed, this is skipped.
        causes: Ids of clauses whose failure makes this one fail, too: when both failed, this is skipped, so that one
            defect has one finding.
    """

    clause: Clause
    group: str
    scene: type[Scene]
    examine: Callable[[Scene], Verdict]
    needs: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


def passed(reason: str, *evidence: Evidence) -> Verdict:
    """The clause holds."""
    return Verdict(Status.PASS, reason, evidence)


def failed(reason: str, *evidence: Evidence) -> Verdict:
    """The clause does not hold."""
    return Verdict(Status.FAIL, reason, evidence)


def unknown(reason: str, *evidence: Evidence, decide: str = "") -> Verdict:
    """What was seen does not decide the clause; the options `decide` would."""
    return Verdict(Status.UNKNOWN, reason, evidence, decide)


def skipped(reason: str, *evidence: Evidence) -> Verdict:
    """The clause was not tried."""
    return Verdict(Status.SKIP, reason, evidence)


@dataclass(frozen=True, slots=True)
class Group(Generic[Scene]):
    """Makes the checks of one heading that judge the same scene.

    Attributes:
        name: The heading.
        scene: The type of the scene.
        needs: What every check of the group builds on.
        causes: Whose failure makes every check of the group fail, too.
    """

    name: str
    scene: type[Scene]
    needs: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()

    def check(
        self, clause: Clause, examine: Callable[[Scene], Verdict], *needs: str, causes: tuple[str, ...] = ()
    ) -> Check[Scene]:
        """The check of one clause; `needs` and `causes` are added to the group's."""
        return Check(clause, self.name, self.scene, examine, self.needs + needs, self.causes + causes)
