"""What a judgement comes to: the findings of one image, and the report that has them all."""

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from argosy.conformance.check import Status, Verdict
from argosy.conformance.clause import Clause
from argosy.conformance.profile import Profile
from argosy.conformance.recording import Recording
from argosy.contract import Level
from argosy.project_file import Waiver


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict on a clause, under its heading.

    Attributes:
        clause: The demand.
        group: The heading.
        verdict: What was found.
        profile: What the image is to be, which says how hard the demand is.
        waiver: Why it may fail or be unknown for a while: it stays visible, and counts no more. None when it may not.
        blocked_by: For a skip: id of the clause that it builds on, or whose failure explains its own; else empty.
    """

    clause: Clause
    group: str
    verdict: Verdict
    profile: Profile = Profile.SAGEMAKER
    waiver: Waiver | None = None
    blocked_by: str = ""

    @property
    def status(self) -> Status:
        """The verdict's status."""
        return self.verdict.status

    @property
    def level(self) -> Level:
        """How hard the profile asks for the clause: this is the level that counts, and not the clause's own."""
        return self.clause.level_in(self.profile)

    @property
    def is_waived(self) -> bool:
        """Whether it counts no more."""
        return self.waiver is not None


class Conformance(StrEnum):
    """What a report comes to; only clauses of level MUST count, and none that is waived."""

    CONFORMS = "conforms"
    UNDECIDED = "undecided"
    """None failed, but what was seen does not decide all of them, or they build on what fails and does not count."""
    BROKEN = "does not conform"
    NOT_EXAMINED = "not examined"
    """It could not be looked at, or not be run by this machine."""


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one image, in the order of the contract.

    Attributes:
        target: The image or project, as it was named.
        digest: Digest of the manifest that was read; empty for a project.
        container: How it was run: `docker`, `podman`, `sandbox`, `process`; `machine` when it is this machine itself.
        seconds: How long observing and judging took.
        findings: One for each clause that the profile asks for.
        recording: What happened when in the containers that were run.
        profile: What the image is to be; None where that is not the question.
        notes: What else the reader should know, a sentence each: waivers that have expired or waive nothing.
        checked_at: When it was made, in UTC as ISO 8601; empty where nobody knows.
        is_project: Whether the target is a project's folder.
        is_given_again: Whether nothing had changed since and nothing was checked anew.
        version: Of the Argosy that made it.
        failure: Why the target could not be examined; empty where it could. There are no findings then.
    """

    target: str
    digest: str
    container: str
    seconds: float
    findings: tuple[Finding, ...] = ()
    recording: Recording = field(default_factory=Recording, repr=False)
    profile: Profile | None = None
    notes: tuple[str, ...] = ()
    checked_at: str = ""
    is_project: bool = False
    is_given_again: bool = False
    version: str = importlib.metadata.version("argosy")
    failure: str = ""

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The findings that failed, those that are waived among them."""
        return tuple(finding for finding in self.findings if finding.status is Status.FAIL)

    @property
    def waived(self) -> tuple[Finding, ...]:
        """The findings that failed or are unknown, and count no more."""
        return tuple(finding for finding in self.findings if finding.is_waived)

    @property
    def undecided(self) -> tuple[Finding, ...]:
        """The findings on clauses of level MUST that are unknown and not waived, and those that are hidden."""
        hidden = {finding.clause.id for finding, _ in self.hidden}
        return tuple(
            finding
            for finding in self.findings
            if _counts_as(finding, Status.UNKNOWN, Level.MUST) or finding.clause.id in hidden
        )

    @property
    def hidden(self) -> tuple[tuple[Finding, str], ...]:
        """The findings on clauses of level MUST that were not tried because another clause fails that does not count.

        That one is waived, or of a lower level; its id stands beside each. Where it counts, the image does not conform
        in any case.
        """
        by_id = {finding.clause.id: finding for finding in self.findings}
        roots = ((finding, _root(finding, by_id)) for finding in self.findings if finding.blocked_by)
        return tuple(
            (finding, root)
            for finding, root in roots
            if _counts_as(finding, Status.SKIP, Level.MUST) and _hides(by_id.get(root))
        )

    def failed_at(self, level: Level) -> int:
        """How many clauses of a level failed and are not waived."""
        return sum(_counts_as(finding, Status.FAIL, level) for finding in self.findings)

    @property
    def conformance(self) -> Conformance:
        """What all findings come to."""
        if self.failure:
            return Conformance.NOT_EXAMINED
        if not self.is_conforming:
            return Conformance.BROKEN
        return Conformance.UNDECIDED if self.undecided else Conformance.CONFORMS

    @property
    def is_conforming(self) -> bool:
        """Whether it was examined and no clause of level MUST failed, but those that are waived."""
        return not self.failure and not self.failed_at(Level.MUST)

    @property
    def is_strictly_conforming(self) -> bool:
        """Whether besides no clause of level SHOULD failed and no clause of level MUST is undecided."""
        return self.conformance is Conformance.CONFORMS and not self.failed_at(Level.SHOULD)

    def count(self, status: Status) -> int:
        """How many findings have the status."""
        return sum(finding.status is status for finding in self.findings)


def _root(finding: Finding, by_id: Mapping[str, Finding]) -> str:
    """Id of the clause at the beginning of what keeps a finding from being tried."""
    passed_by = {finding.clause.id}
    before = finding.blocked_by
    while (found := by_id.get(before)) and found.status is Status.SKIP and found.blocked_by not in ("", *passed_by):
        passed_by.add(before)
        before = found.blocked_by
    return before


def _hides(root: Finding | None) -> bool:
    """Whether what builds on this is neither tried nor broken; what is not in the report decides nothing either."""
    return root is None or (root.status is Status.FAIL and not _counts_as(root, Status.FAIL, Level.MUST))


def _counts_as(finding: Finding, status: Status, level: Level) -> bool:
    return finding.status is status and finding.level is level and not finding.is_waived
