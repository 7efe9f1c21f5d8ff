"""A report for people, readable at 80 columns without colour; colours, where a terminal has them, add nothing to it."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Final

from argosy.conformance.check import Evidence, Status
from argosy.conformance.finding import Conformance, Finding, Report
from argosy.conformance.reporting import wording
from argosy.conformance.reporting.wording import plain
from argosy.contract import Level

WIDTH: Final = 80
_NAME_WIDTH: Final = 22
_MARK_WIDTH: Final = 5
_LOG_SHOWN: Final = 4
_LINE_SHOWN: Final = 200
_MARKS: Final = {Status.PASS: "ok", Status.FAIL: "FAIL", Status.UNKNOWN: "?", Status.SKIP: "-"}


class Tone(StrEnum):
    """What a colour is to say; the words say it too."""

    STRONG = "strong"
    FAINT = "faint"
    GOOD = "good"
    BAD = "bad"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a report.

    Attributes:
        text: The line, without its end.
        tones: Parts of it that may be coloured: first column, column after the last, tone.
    """

    text: str
    tones: tuple[tuple[int, int, Tone], ...] = ()


def to_text(reports: Sequence[Report]) -> str:
    """The reports for people: every clause in a line or two, what failed at length, what is undecided, the verdict."""
    return "".join(f"{line.text}\n" for line in lines(reports))


def lines(reports: Sequence[Report]) -> Iterator[Line]:
    """The lines of `to_text`; several reports end with a table of their verdicts."""
    for number, report in enumerate(reports):
        if number:
            yield from (Line(""), Line(""))
        yield from _report(report)
    if len(reports) > 1:
        yield from (Line(""), Line(""))
        yield from _summary(reports)


def _report(report: Report) -> Iterator[Line]:
    yield _whole(plain(report.target), Tone.STRONG)
    if report.digest:
        yield _whole(f"  {plain(report.digest)}", Tone.FAINT)
    if not report.failure:
        yield _whole(f"  {wording.ran_by(report)}", Tone.FAINT)
    for line in _wrapped(wording.made(report), "  ", "  ") if report.checked_at else ():
        yield _whole(line.text, Tone.FAINT)
    for group, findings in groupby(report.findings, key=lambda finding: finding.group):
        yield Line("")
        yield _whole(plain(group), Tone.STRONG)
        for alike in _runs(findings):
            yield from _short(alike[0]) if len(alike) == 1 else _not_tried(alike)
    for finding in report.failed:
        yield Line("")
        yield from _long(finding)
    if report.undecided:
        yield Line("")
    for options, clauses in wording.undecided(report):
        head = f"undecided without {options}: " if options else "undecided: "
        yield from _wrapped(", ".join(clauses), head, "  ")
    for root, clauses in wording.hidden(report):
        yield from _wrapped(", ".join(clauses), f"undecided while {root} fails: ", "  ")
    for number, note in enumerate(report.notes):
        if not number:
            yield Line("")
        yield from _wrapped(note, "note: ", "  ")
    yield Line("")
    if report.failure:
        first, *rest = _wrapped(wording.not_examined(report), "", "  ")
        yield Line(first.text, ((0, len(report.conformance), _verdict_tone(report)),))
        yield from rest
        return
    separator = ";" if report.conformance is Conformance.UNDECIDED else ":"
    verdict = f"{wording.verdict(report)}{separator} {wording.counts(report)}"
    first, *rest = _wrapped(verdict, "", "")
    yield Line(first.text, ((0, len(report.conformance), _verdict_tone(report)),))
    yield from rest


def _summary(reports: Sequence[Report]) -> Iterator[Line]:
    """A row for each image: its verdict, what failed at each level, what is unknown."""
    width = max(map(len, Conformance))
    yield _whole(f"{'verdict':<{width}}  MUST  SHOULD  unknown  image", Tone.STRONG)
    for report in reports:
        must, should = map(report.failed_at, (Level.MUST, Level.SHOULD))
        counted = f"{must:>4}  {should:>6}  {report.count(Status.UNKNOWN):>7}"
        yield Line(
            f"{report.conformance:<{width}}  {counted}  {plain(report.target)}",
            ((0, len(report.conformance), _verdict_tone(report)),),
        )


def _verdict_tone(report: Report) -> Tone:
    return {Conformance.CONFORMS: Tone.GOOD, Conformance.UNDECIDED: Tone.DOUBTFUL}.get(report.conformance, Tone.BAD)


def _mark_tone(finding: Finding) -> Tone:
    if finding.status is Status.FAIL:
        return Tone.BAD if finding.level is Level.MUST and not finding.is_waived else Tone.DOUBTFUL
    return {Status.PASS: Tone.GOOD, Status.UNKNOWN: Tone.DOUBTFUL}.get(finding.status, Tone.FAINT)


def _runs(findings: Iterable[Finding]) -> Iterator[list[Finding]]:
    """Each finding alone, but together those in a row that were not tried for the same reason."""
    for reason, alike in groupby(findings, key=lambda f: f.verdict.reason if f.status is Status.SKIP else None):
        if reason is None:
            yield from ([finding] for finding in alike)
        else:
            yield [*alike]


def _not_tried(findings: Sequence[Finding]) -> Iterator[Line]:
    """Findings that were not tried for the same reason: their names, and the reason once."""
    mark = _MARKS[Status.SKIP]
    head = f"  {mark:<{_MARK_WIDTH}}"
    names = ", ".join(finding.clause.id for finding in findings)
    first, *rest = _wrapped(f"{names}: {findings[0].verdict.reason}", head, " " * len(head))
    yield Line(first.text, ((2, 2 + len(mark), _mark_tone(findings[0])),))
    yield from rest


def _short(finding: Finding) -> Iterator[Line]:
    waived = ", waived" if finding.is_waived else ""
    level = "" if finding.status is Status.PASS else f"{finding.level}{waived}  "
    mark = _MARKS[finding.status]
    head = f"  {mark:<{_MARK_WIDTH}}{finding.clause.id:<{_NAME_WIDTH}} "
    first, *rest = _wrapped(f"{level}{finding.verdict.reason}", head, " " * len(head))
    yield Line(first.text, ((2, 2 + len(mark), _mark_tone(finding)),))
    yield from rest


def _long(finding: Finding) -> Iterator[Line]:
    clause = finding.clause
    level = len(finding.level)
    head = f"{finding.level} {clause.id}"
    yield Line(head, ((0, level, _mark_tone(finding)), (level + 1, len(head), Tone.STRONG)))
    yield from _wrapped(clause.sentence, "  ", "  ")
    if finding.is_waived:
        yield from _field("waived", wording.waived(finding))
    yield from _field("got", finding.verdict.reason)
    yield from _field("do", clause.remedy)
    yield from _field("source", f"read on {clause.read}")
    yield Line(f"    {clause.source.removeprefix('https://')}")
    for seen in finding.verdict.evidence:
        yield from _evidence(seen)


def _evidence(seen: Evidence) -> Iterator[Line]:
    took = f" ({seen.seconds:g} s)" if seen.seconds is not None else ""
    yield from _field("sent", seen.sent)
    yield from _field("back", f"{seen.received}{took}")
    for line in seen.log[-_LOG_SHOWN:]:
        yield from _field("log", line if len(line) <= _LINE_SHOWN else f"{line[:_LINE_SHOWN]}…")


def _field(name: str, text: str) -> Iterator[Line]:
    head = f"  {name:<8}"
    first, *rest = _wrapped(text, head, " " * len(head))
    yield Line(first.text, ((2, 2 + len(name), Tone.FAINT),))
    yield from rest


def _whole(text: str, tone: Tone) -> Line:
    return Line(text, ((0, len(text), tone),))


def _wrapped(text: str, first: str, rest: str) -> Iterator[Line]:
    """Lines of at most 80 columns; only an address longer than that is not broken."""
    wrapped = textwrap.wrap(
        plain(text), WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    yield from map(Line, wrapped or [first.rstrip()])
