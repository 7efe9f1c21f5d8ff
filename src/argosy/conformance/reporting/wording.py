"""Words that all forms of a report share."""

import importlib.metadata
from collections.abc import Iterator
from typing import Final

from argosy.conformance.check import Status
from argosy.conformance.finding import Conformance, Finding, Report
from argosy.contract import Level

VERSION: Final = importlib.metadata.version("argosy")
"""Argosy's own."""


def plain(text: str) -> str:
    """A stranger's text in one line, with nothing that could steer a terminal or break a document."""
    line = text.replace("\n", " ").expandtabs(4)
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)


def ran_by(report: Report) -> str:
    """What the image was run by, and what it is to be."""
    named = {"process": "as a process of this machine", "machine": "examined by argosy doctor", "": "not run"}
    runner = named.get(report.container, f"run by {report.container}")
    return f"{runner}, profile {report.profile}" if report.profile else runner


def made(report: Report) -> str:
    """When it was made and by which version, and whether it is given again; empty where nobody knows when."""
    if not report.checked_at:
        return ""
    again = ": nothing has changed since" if report.is_given_again else ""
    return f"checked at {report.checked_at} by Argosy {plain(report.version)}{again}"


def not_examined(report: Report) -> str:
    """Why a target could not be examined; empty where it could."""
    return f"{report.conformance}: {plain(report.failure)}" if report.failure else ""


def waived(finding: Finding) -> str:
    """Until when and why a finding counts no more, empty where it does count."""
    return f"until {finding.waiver.until}: {plain(finding.waiver.reason)}" if finding.waiver else ""


def counts(report: Report) -> str:
    """How many findings have each status; of those that failed, how many count at which level."""
    parts = [f"{count} {level}" for level in Level if (count := report.failed_at(level))]
    excused = sum(finding.is_waived for finding in report.failed)
    parts += [f"{excused} waived"] if excused else []
    failed = f" ({', '.join(parts)})" if parts else ""
    return (
        f"{report.count(Status.PASS)} passed, {report.count(Status.FAIL)} failed{failed},"
        f" {report.count(Status.UNKNOWN)} unknown, {report.count(Status.SKIP)} skipped in {report.seconds:.1f} s"
    )


def verdict(report: Report) -> str:
    """What the report comes to, and how many MUSTs are undecided."""
    if report.conformance is Conformance.UNDECIDED:
        others = " that is not waived" if any(finding.level is Level.MUST for finding in report.failed) else ""
        unknown = "unknown or not tried" if report.hidden else "unknown"
        return f"{report.conformance}: no MUST failed{others}, {len(report.undecided)} MUST {unknown}"
    return str(report.conformance)


def undecided(report: Report) -> Iterator[tuple[str, list[str]]]:
    """The clauses of level MUST that are unknown, by the options that would decide them, empty where none would."""
    by_options: dict[str, list[str]] = {}
    for finding in report.undecided:
        if finding.status is not Status.UNKNOWN:
            continue
        by_options.setdefault(finding.verdict.decide, []).append(finding.clause.id)
    yield from sorted(by_options.items(), reverse=True)


def hidden(report: Report) -> Iterator[tuple[str, list[str]]]:
    """The clauses of level MUST that were not tried, by the clause that fails, does not count, and hides them."""
    by_root: dict[str, list[str]] = {}
    for finding, root in report.hidden:
        by_root.setdefault(root, []).append(finding.clause.id)
    yield from by_root.items()


def particulars(finding: Finding) -> Iterator[str]:
    """What there is to say of a finding beside its reason, in lines."""
    clause, verdict = finding.clause, finding.verdict
    yield f"{finding.level} {clause.id}: {clause.sentence}"
    if finding.is_waived:
        yield f"waived: {waived(finding)}"
    yield f"got: {verdict.reason}"
    if finding.status is Status.FAIL:
        yield f"do: {clause.remedy}"
    if verdict.decide:
        yield f"decided by: {verdict.decide}"
    yield f"source: {clause.source} (read {clause.read})"
    yield from seen_of(finding)


def seen_of(finding: Finding) -> Iterator[str]:
    """The evidence of a finding, in lines."""
    for seen in finding.verdict.evidence:
        took = f" ({seen.seconds:g} s)" if seen.seconds is not None else ""
        yield f"sent: {seen.sent}"
        yield f"back: {seen.received}{took}"
        yield from (f"log: {line}" for line in seen.log)
