"""A report for people, readable at 80 columns without colour, and for programs.

The JSON report is one object; its field names are stable:

    target      the image or project, as it was named
    digest      digest of the manifest that was read, "" for a project
    container   "docker", "podman" or "process"
    seconds     how long observing and judging took
    verdict     "conforms"; "does not conform": a clause of level MUST failed; or "undecided": none failed, but some are
                unknown
    conforming  whether no clause of level MUST failed; the exit code says the same
    counts      {"pass": …, "fail": …, "unknown": …, "skip": …}
    findings    one object for each clause, in the order of the contract:
        clause      id of the clause
        group       heading: image, start, health, invocations, errors, stop
        level       "MUST", "SHOULD" or "INFO"
        status      "pass", "fail", "unknown" (what was seen does not decide it) or "skip" (it was not tried)
        sentence    the demand
        reason      why this status
        decide      for "unknown": the options of `argosy check` that would decide it, "" where none would
        source      where the demand is written down
        read        the day on which the source was read
        remedy      what to do when it does not hold
        evidence    list of {"sent", "received", "seconds" (a number or null), "log" (list of lines)}
"""

import textwrap
from collections.abc import Iterator

import msgspec

from argosy.conformance.check import Evidence, Status
from argosy.conformance.finding import Conformance, Finding, Report
from argosy.contract import Level

WIDTH = 80
_NAME_WIDTH = 22
_LOG_SHOWN = 4
_LINE_SHOWN = 200
_MARKS = {Status.PASS: "ok", Status.FAIL: "FAIL", Status.UNKNOWN: "?", Status.SKIP: "-"}


def to_text(report: Report) -> str:
    """The report for people: every clause in one line or two, what failed at length, what is undecided, the verdict."""
    lines = [report.target, *_setting(report)]
    group = ""
    for finding in report.findings:
        if finding.group != group:
            group = finding.group
            lines += ["", group]
        lines += _short(finding)
    for finding in report.failed:
        lines += ["", *_long(finding)]
    lines += _undecided(report)
    return "\n".join([*lines, "", *_wrapped(_counts(report), "", ""), ""])


def to_json(report: Report) -> bytes:
    """The report for programs, as the module says, indented."""
    value = {
        "target": report.target,
        "digest": report.digest,
        "container": report.container,
        "seconds": round(report.seconds, 1),
        "verdict": str(report.conformance),
        "conforming": report.is_conforming,
        "counts": {str(status): report.count(status) for status in Status},
        "findings": [
            {
                "clause": finding.clause.id,
                "group": finding.group,
                "level": str(finding.level),
                "status": str(finding.status),
                "sentence": finding.clause.sentence,
                "reason": finding.verdict.reason,
                "decide": finding.verdict.decide,
                "source": finding.clause.source,
                "read": finding.clause.read,
                "remedy": finding.clause.remedy,
                "evidence": [msgspec.to_builtins(seen) for seen in finding.verdict.evidence],
            }
            for finding in report.findings
        ],
    }
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _setting(report: Report) -> Iterator[str]:
    if report.digest:
        yield f"  {report.digest}"
    runner = {"process": "as a process of this machine", "": "not run"}
    yield f"  {runner.get(report.container, f'run by {report.container}')}"


def _short(finding: Finding) -> list[str]:
    level = "" if finding.status is Status.PASS else f"{finding.level}  "
    head = f"  {_MARKS[finding.status]:<5}{finding.clause.id:<{_NAME_WIDTH}} "
    return list(_wrapped(f"{level}{finding.verdict.reason}", head, " " * len(head)))


def _long(finding: Finding) -> Iterator[str]:
    clause = finding.clause
    yield f"{finding.level} {clause.id}"
    yield from _wrapped(clause.sentence, "  ", "  ")
    yield from _field("got", finding.verdict.reason)
    yield from _field("do", clause.remedy)
    yield from _field("source", f"read on {clause.read}")
    yield f"    {clause.source.removeprefix('https://')}"
    for seen in finding.verdict.evidence:
        yield from _evidence(seen)


def _evidence(seen: Evidence) -> Iterator[str]:
    took = f" ({seen.seconds:g} s)" if seen.seconds is not None else ""
    yield from _field("sent", seen.sent)
    yield from _field("back", f"{seen.received}{took}")
    for line in seen.log[-_LOG_SHOWN:]:
        yield from _field("log", line if len(line) <= _LINE_SHOWN else f"{line[:_LINE_SHOWN]}…")


def _field(name: str, text: str) -> Iterator[str]:
    head = f"  {name:<8}"
    yield from _wrapped(text, head, " " * len(head))


def _wrapped(text: str, first: str, rest: str) -> Iterator[str]:
    """Lines of at most 80 columns; only an address longer than that is not broken."""
    yield from textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    ) or [first.rstrip()]


def _undecided(report: Report) -> Iterator[str]:
    """The clauses of level MUST that are unknown, by the options that would decide them."""
    by_options: dict[str, list[str]] = {}
    for finding in report.undecided:
        by_options.setdefault(finding.verdict.decide, []).append(finding.clause.id)
    if by_options:
        yield ""
    for options, clauses in sorted(by_options.items(), reverse=True):
        head = f"undecided without {options}: " if options else "undecided: "
        yield from _wrapped(", ".join(clauses), head, "  ")


def _counts(report: Report) -> str:
    verdict = str(report.conformance)
    if report.conformance is Conformance.UNDECIDED:
        verdict += f": no MUST failed, {len(report.undecided)} MUST unknown;"
    else:
        verdict += ":"
    levels = [f"{count} {level}" for level in Level if (count := sum(f.level is level for f in report.failed))]
    failed = f" ({', '.join(levels)})" if levels else ""
    return (
        f"{verdict} {report.count(Status.PASS)} passed, {report.count(Status.FAIL)} failed"
        f"{failed},"
        f" {report.count(Status.UNKNOWN)} unknown, {report.count(Status.SKIP)} skipped in {report.seconds:.1f} s"
    )
