"""The values of the judgement: a check, its verdict on one clause, the finding, the report."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar

from argosy.contract import CLAUSES, Clause, Level

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
        scene: Name of the attribute of `Case` that `examine` is given; None there means that it was not observed.
        examine: The judgement: no I/O, no clock.
        needs: Ids of clauses that this one builds on: when one of them failed, this is skipped.
    """

    clause: Clause
    group: str
    scene: str
    examine: Callable[[Scene], Verdict]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict on a clause, under its heading."""

    clause: Clause
    group: str
    verdict: Verdict

    @property
    def status(self) -> Status:
        """The verdict's status."""
        return self.verdict.status


class Conformance(StrEnum):
    """What a report comes to; only clauses of level MUST count."""

    CONFORMS = "conforms"
    UNDECIDED = "undecided"
    """None failed, but what was seen does not decide all of them."""
    BROKEN = "does not conform"


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one image, in the order of the contract.

    Attributes:
        target: The image or project, as it was named.
        digest: Digest of the manifest that was read; empty for a project.
        container: How it was run: `docker`, `podman`, `sandbox`, `process`.
        seconds: How long observing and judging took.
        findings: One for each clause.
    """

    target: str
    digest: str
    container: str
    seconds: float
    findings: tuple[Finding, ...] = ()

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The findings that failed."""
        return tuple(finding for finding in self.findings if finding.status is Status.FAIL)

    @property
    def undecided(self) -> tuple[Finding, ...]:
        """The findings on clauses of level MUST that were tried and are unknown."""
        return tuple(f for f in self.findings if f.status is Status.UNKNOWN and f.clause.level is Level.MUST)

    @property
    def conformance(self) -> Conformance:
        """What all findings come to."""
        if not self.is_conforming:
            return Conformance.BROKEN
        return Conformance.UNDECIDED if self.undecided else Conformance.CONFORMS

    @property
    def is_conforming(self) -> bool:
        """Whether no clause of level MUST failed."""
        return all(finding.clause.level is not Level.MUST for finding in self.failed)

    def count(self, status: Status) -> int:
        """How many findings have the status."""
        return sum(finding.status is status for finding in self.findings)


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
        scene: The attribute of `Case`.
        needs: What every check of the group builds on.
    """

    name: str
    scene: str
    needs: tuple[str, ...] = ()

    def check(self, clause_id: str, examine: Callable[[Scene], Verdict], *needs: str) -> Check[Scene]:
        """The check of one clause; `needs` are added to the group's."""
        return Check(CLAUSES[clause_id], self.name, self.scene, examine, self.needs + needs)
