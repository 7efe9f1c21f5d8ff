"""What a judgement comes to: the findings of one image, and the report that has them all."""

from dataclasses import dataclass, field
from enum import StrEnum

from argosy.conformance.check import Status, Verdict
from argosy.conformance.clause import Clause
from argosy.conformance.recording import Recording
from argosy.contract import Level


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

    @property
    def level(self) -> Level:
        """How hard the clause is asked for."""
        return self.clause.level


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
        recording: What happened when in the containers that were run.
    """

    target: str
    digest: str
    container: str
    seconds: float
    findings: tuple[Finding, ...] = ()
    recording: Recording = field(default_factory=Recording, repr=False)

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The findings that failed."""
        return tuple(finding for finding in self.findings if finding.status is Status.FAIL)

    @property
    def undecided(self) -> tuple[Finding, ...]:
        """The findings on clauses of level MUST that were tried and are unknown."""
        return tuple(f for f in self.findings if f.status is Status.UNKNOWN and f.level is Level.MUST)

    @property
    def conformance(self) -> Conformance:
        """What all findings come to."""
        if not self.is_conforming:
            return Conformance.BROKEN
        return Conformance.UNDECIDED if self.undecided else Conformance.CONFORMS

    @property
    def is_conforming(self) -> bool:
        """Whether no clause of level MUST failed."""
        return all(finding.level is not Level.MUST for finding in self.failed)

    def count(self, status: Status) -> int:
        """How many findings have the status."""
        return sum(finding.status is status for finding in self.findings)
