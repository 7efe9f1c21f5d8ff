"""The JSON report: one object, whose schema is published as docs/reference/check-report.schema.json.

What a field means, and that it is there, holds for as long as `schema` names the same version; fields may be added.
"""

import datetime
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Literal

import msgspec

from argosy.conformance.check import Evidence, Status
from argosy.conformance.finding import Conformance, Finding, Report
from argosy.conformance.profile import Profile
from argosy.conformance.recording import Life
from argosy.conformance.reporting.wording import plain
from argosy.contract import Level

SCHEMA: Final = "argosy-check-report-1"
"""The version of the document."""


class EvidenceEntry(msgspec.Struct, frozen=True):
    """One thing that was seen.

    Attributes:
        sent: What was done or sent.
        received: What came back; bodies are cut.
        seconds: How long it took, null where that says nothing.
        log: The lines of the container's log that go with it, newest last.
    """

    sent: str
    received: str
    seconds: float | None
    log: tuple[str, ...]


class WaiverEntry(msgspec.Struct, frozen=True):
    """Why a finding counts no more.

    Attributes:
        reason: As its author wrote it.
        until: The last day on which it counts no more.
    """

    reason: str
    until: datetime.date


class FindingEntry(msgspec.Struct, frozen=True):
    """What was found of one clause.

    Attributes:
        clause: Id of the clause.
        group: The heading: image, start, health, invocations, errors, stop.
        level: How hard the profile asks for it.
        status: What was found; `unknown`: what was seen does not decide it, `skip`: it was not tried.
        sentence: The demand.
        reason: Why this status.
        decide: For `unknown`: the options of `argosy check` that would decide it, empty where none would.
        source: Where the demand is written down.
        read: The day on which the source was read.
        remedy: What to do when it does not hold.
        evidence: What was seen.
        waiver: Why it counts no more, null where it does.
        blocked_by: For `skip`: id of the clause that it builds on, or whose failure explains its own; else empty.
    """

    clause: str
    group: str
    level: Level
    status: Status
    sentence: str
    reason: str
    decide: str
    source: str
    read: str
    remedy: str
    evidence: tuple[EvidenceEntry, ...]
    waiver: WaiverEntry | None
    blocked_by: str


class Counts(msgspec.Struct, frozen=True, rename={"passed": "pass"}):
    """How many findings have each status.

    Attributes:
        passed: The clause holds.
        fail: It does not.
        unknown: What was seen does not decide it.
        skip: It was not tried.
    """

    passed: int
    fail: int
    unknown: int
    skip: int


class ReportEntry(msgspec.Struct, frozen=True):
    """The report on one image.

    Attributes:
        target: The image or project, as it was named.
        digest: Digest of the manifest that was read, empty for a project.
        container: What ran it: `docker`, `podman`, `sandbox`, `process`; `machine` when it is a machine, as the report
            of `argosy doctor`; empty when nothing did.
        profile: What it is to be, null where that is not the question.
        seconds: How long observing and judging took.
        verdict: What all findings come to; only those of level MUST count, and none that is waived.
        conforming: Whether no clause of level MUST failed that is not waived; the exit code says the same.
        counts: How many findings have each status.
        findings: One for each clause that the profile asks for, in the order of the contract.
        notes: Waivers that have expired or waive nothing, a sentence each.
        checked_at: When it was made, in UTC.
        given_again: Whether it is that of an earlier run, as nothing has changed since.
        version: Of the Argosy that made it.
        failure: Why the target could not be examined, empty where it could; there are no findings then.
        lives: The containers that were run, and what happened when.
    """

    target: str
    digest: str
    container: str
    profile: Profile | None
    seconds: float
    verdict: Conformance
    conforming: bool
    counts: Counts
    findings: tuple[FindingEntry, ...]
    notes: tuple[str, ...]
    checked_at: str
    given_again: bool
    version: str
    failure: str
    lives: tuple[Life, ...]


class Document(msgspec.Struct, frozen=True):
    """What `argosy check --json` prints: the reports of one run.

    Attributes:
        schema: The version of this document.
        reports: One for each image, in the order in which they were named.
    """

    schema: Literal["argosy-check-report-1"]
    reports: tuple[ReportEntry, ...]


def to_json(reports: Sequence[Report]) -> bytes:
    """The reports for programs, indented."""
    document = Document(SCHEMA, tuple(map(_report, reports)))
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def schema() -> dict[str, Any]:
    """The JSON schema of the document, as docs/reference publishes it."""
    return msgspec.json.schema(Document)


def _report(report: Report) -> ReportEntry:
    return ReportEntry(
        target=plain(report.target),
        digest=plain(report.digest),
        container=plain(report.container),
        profile=report.profile,
        seconds=round(report.seconds, 1),
        verdict=report.conformance,
        conforming=report.is_conforming,
        counts=Counts(*(report.count(status) for status in (Status.PASS, Status.FAIL, Status.UNKNOWN, Status.SKIP))),
        findings=tuple(map(_finding, report.findings)),
        notes=tuple(map(plain, report.notes)),
        checked_at=report.checked_at,
        given_again=report.is_given_again,
        version=plain(report.version),
        failure=plain(report.failure),
        lives=tuple(map(_life, report.recording.lives)),
    )


def _life(life: Life) -> Life:
    exchanges = tuple(replace(exchange, name=plain(exchange.name)) for exchange in life.exchanges)
    return replace(life, act=plain(life.act), exchanges=exchanges)


def _finding(finding: Finding) -> FindingEntry:
    clause, verdict = finding.clause, finding.verdict
    return FindingEntry(
        clause=clause.id,
        group=plain(finding.group),
        level=finding.level,
        status=finding.status,
        sentence=clause.sentence,
        reason=plain(verdict.reason),
        decide=verdict.decide,
        source=clause.source,
        read=clause.read,
        remedy=clause.remedy,
        evidence=tuple(map(_evidence, verdict.evidence)),
        waiver=WaiverEntry(plain(finding.waiver.reason), finding.waiver.until) if finding.waiver else None,
        blocked_by=plain(finding.blocked_by),
    )


def _evidence(seen: Evidence) -> EvidenceEntry:
    return EvidenceEntry(plain(seen.sent), plain(seen.received), seen.seconds, tuple(map(plain, seen.log)))
