"""The report as SARIF 2.1.0, as GitHub's code scanning takes it: clauses are rules, what failed is a result.

All images are in one run, since code scanning refuses a file with several runs of one tool. What holds is not listed:
code scanning would show it as an alert. What is undecided is a notification of the tool's, and no result; so is what is
waived, since GitHub's code scanning opens an alert for a result that has `suppressions`, too.

Source:
    SARIF 2.1.0 (OASIS standard, 27 March 2020), 3.18 to 3.20, 3.27, 3.33, 3.49, 3.58; "SARIF support for code
    scanning", docs.github.com (read 2026-11-23).
"""

import hashlib
import posixpath
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote

import msgspec

from argosy.conformance.check import Status
from argosy.conformance.clause import Clause
from argosy.conformance.finding import Finding, Report
from argosy.conformance.reporting import wording
from argosy.conformance.reporting.wording import plain
from argosy.contract import Level
from argosy.project_file import FILE_NAME

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {Level.MUST: "error", Level.SHOULD: "warning", Level.INFO: "note"}


def to_sarif(reports: Sequence[Report]) -> bytes:
    """The reports for code scanning and for viewers of SARIF."""
    clauses = {finding.clause.id: finding for report in reports for finding in report.findings}
    numbers = {clause_id: number for number, clause_id in enumerate(clauses)}
    run = {
        "tool": {
            "driver": {
                "name": "argosy check",
                "semanticVersion": wording.VERSION,
                "rules": [_rule(finding) for finding in clauses.values()],
            }
        },
        "automationDetails": {"id": "argosy-check/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not any(report.failure for report in reports),
                "toolExecutionNotifications": [*_notifications(reports, numbers)],
            }
        ],
        "artifacts": [_artifact(report) for report in reports],
        "results": [
            _result(report, number, finding, numbers[finding.clause.id])
            for number, report in enumerate(reports)
            for finding in report.failed
            if not finding.is_waived
        ],
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(log), indent=2) + b"\n"


def _rule(finding: Finding) -> dict[str, Any]:
    """A clause as `reportingDescriptor` (SARIF 3.49)."""
    clause = finding.clause
    return {
        "id": clause.id,
        "name": "".join(part.capitalize() for part in clause.id.split("-")),
        "shortDescription": {"text": clause.sentence},
        "fullDescription": {"text": f"{clause.sentence} Remedy: {clause.remedy}"},
        "help": {"text": _help(clause), "markdown": _help(clause, link=f"[source]({clause.source})")},
        "helpUri": clause.source,
        "defaultConfiguration": {"level": _LEVELS[finding.level]},
        "properties": {"tags": [plain(finding.group), str(finding.level)], "precision": "high"},
    }


def _help(clause: Clause, link: str = "") -> str:
    return f"{clause.sentence}\n\nRemedy: {clause.remedy}\n\n{link or clause.source} (read {clause.read})"


def _artifact(report: Report) -> dict[str, Any]:
    algorithm, _, digest = plain(report.digest).partition(":")
    hashes = {"hashes": {algorithm.replace("sha", "sha-"): digest}} if digest else {}
    return {"location": {"uri": _uri(report)}, "description": {"text": plain(report.target)}, **hashes}


def _uri(report: Report) -> str:
    """A project's argosy.toml, or an image as a path.

    Code scanning refuses what has a scheme, and `registry:5000/x` would have one.
    """
    path = posixpath.normpath(f"{report.target}/{FILE_NAME}") if report.is_project else report.target
    return quote(path.encode(errors="replace"), safe="/") or "image"


def _locations(report: Report, number: int) -> list[dict[str, Any]]:
    """The image: its name as a file, which code scanning wants to see, and as what it is."""
    return [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": _uri(report), "index": number},
                "region": {"startLine": 1},
            },
            "logicalLocations": [{"fullyQualifiedName": plain(report.target), "kind": "module"}],
        }
    ]


def _result(report: Report, number: int, finding: Finding, rule: int) -> dict[str, Any]:
    """What failed (SARIF 3.27); its fingerprint stays the same while an image keeps its name."""
    fingerprint = hashlib.sha256(f"{_uri(report)} {finding.clause.id}".encode()).hexdigest()[:32]
    return {
        "ruleId": finding.clause.id,
        "ruleIndex": rule,
        "kind": "fail",
        "level": _LEVELS[finding.level],
        "message": {"text": _message(finding.verdict.reason, *wording.seen_of(finding))},
        "locations": _locations(report, number),
        "partialFingerprints": {"primaryLocationLineHash": fingerprint},
    }


def _message(*lines: str) -> str:
    """Text in which nothing is taken for a link (SARIF 3.11.6)."""
    return "\n".join(plain(line).replace("](", "] (") for line in lines)


def _notifications(reports: Sequence[Report], numbers: dict[str, int]) -> Iterator[dict[str, Any]]:
    """What is undecided or waived, and what else the reader should know (SARIF 3.58)."""
    for number, report in enumerate(reports):
        if report.failure:
            yield {
                "level": "error",
                "message": {"text": _message(wording.not_examined(report))},
                "locations": _locations(report, number),
            }
        for told in filter(None, (wording.made(report), *report.notes)):
            yield {"level": "note", "message": {"text": _message(told)}, "locations": _locations(report, number)}
        undecided = {finding.clause.id for finding in report.undecided}
        for finding in report.findings:
            rule = finding.clause.id
            if not (finding.status is Status.UNKNOWN or finding.is_waived or rule in undecided):
                continue
            word = {Status.UNKNOWN: "unknown", Status.FAIL: "fails"}.get(finding.status, "not tried")
            word += f", waived {wording.waived(finding)}" if finding.is_waived else ""
            yield {
                "level": "warning" if rule in undecided else "note",
                "message": {"text": _message(f"{word}: {finding.verdict.reason}")},
                "associatedRule": {"id": rule, "index": numbers[rule]},
                "locations": _locations(report, number),
            }
