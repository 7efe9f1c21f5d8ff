"""The part of the page that an image has: what is to be done, all findings with their evidence, what happened when."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from xml.etree.ElementTree import Element

from argosy.conformance.check import Evidence, Status
from argosy.conformance.finding import Finding, Report
from argosy.conformance.recording import Life
from argosy.conformance.reporting import icons, wording
from argosy.conformance.reporting.charts import charts
from argosy.conformance.reporting.comparison import finding_id
from argosy.conformance.reporting.markup import element, prose
from argosy.conformance.reporting.plot import seconds
from argosy.contract import Level


def image_part(number: int, report: Report) -> Element:
    """Everything on one image.

    Args:
        number: Its number among those of the page, from 1.
        report: The report on it.
    """
    anchor = f"image-{number}"
    return element(
        "section",
        element("h2", report.target, id=anchor),
        element("p", wording.not_examined(report)) if report.failure else None,
        *_to_do(number, report),
        *_notes(report),
        None if report.failure else element("h3", "Findings"),
        *_groups(number, report),
        *_lives(report),
        class_="image",
        aria_label=f"image {number}: {report.target}",
    )


def _to_do(number: int, report: Report) -> Iterator[Element]:
    """What failed, the hardest first, and which options would decide what is undecided."""
    failed = sorted((f for f in report.failed if not f.is_waived), key=lambda f: [*Level].index(f.level))
    if failed:
        items = [
            element(
                "li",
                icons.icon(icons.look_of(finding)),
                element("b", str(finding.level)),
                " ",
                element("a", finding.clause.id, href=f"#{finding_id(number, finding)}"),
                ": ",
                *prose(finding.verdict.reason),
            )
            for finding in failed
        ]
        yield element("h3", "What fails")
        yield element("ul", *items, class_="plain")
    undecided = [*_undecided(number, report)]
    if undecided:
        yield element("h3", "What is undecided")
        yield element("ul", *undecided, class_="plain")


def _undecided(number: int, report: Report) -> Iterator[Element]:
    """The undecided clauses with what would decide them, in an item each way."""
    for options, clauses in wording.undecided(report):
        told = ["decided with ", element("code", options)] if options else ["no option decides it"]
        yield element("li", *_links(number, clauses), ": ", *told)
    for root, clauses in wording.hidden(report):
        yield element("li", *_links(number, clauses), ": not tried while ", *_links(number, [root]), " fails")


def _links(number: int, clauses: Sequence[str]) -> list[Element | str]:
    links: list[Element | str] = []
    for clause_id in clauses:
        links += [element("a", clause_id, href=f"#image-{number}-{clause_id}"), ", "]
    return links[:-1]


def _notes(report: Report) -> Iterator[Element]:
    if report.notes:
        yield element("h3", "Notes")
        yield element("ul", *(element("li", note) for note in report.notes), class_="plain")


def _groups(number: int, report: Report) -> Iterator[Element]:
    for group, findings in groupby(report.findings, key=lambda finding: finding.group):
        listed = [*findings]
        held = sum(finding.status is Status.PASS for finding in listed)
        yield element("h4", group, element("span", f" {held} of {len(listed)} hold", class_="fact"))
        yield from (_finding(number, finding) for finding in listed)


def _finding(number: int, finding: Finding) -> Element:
    """One finding; what failed is open."""
    look = icons.look_of(finding)
    clause = finding.clause
    summary = element(
        "summary",
        icons.tag(look),
        element("span", clause.id, class_="clause"),
        element("span", str(finding.level), class_="level"),
        element("span", *prose(finding.verdict.reason), class_="reason"),
    )
    facts = [("asked", clause.sentence), ("waived", wording.waived(finding)), ("decided with", finding.verdict.decide)]
    if finding.status is Status.FAIL:
        facts.append(("do", clause.remedy))
    source = element("a", clause.source.removeprefix("https://"), href=clause.source, rel="noreferrer")
    made = element(
        "details",
        summary,
        element(
            "dl",
            *(part for name, text in facts if text for part in (element("dt", name), element("dd", *prose(text)))),
            element("dt", "source"),
            element("dd", source, f" (read {clause.read})"),
            id=finding_id(number, finding),  # inside, so that whoever follows a link finds it open
        ),
        *map(_evidence, finding.verdict.evidence),
        class_=f"finding {look.name}",
    )
    if look.name in ("fail", "warn"):
        made.set("open", "")
    return made


def _evidence(seen: Evidence) -> Element:
    """One thing that was seen: what was sent, what came back, how long it took, the log."""
    took = f"{seen.seconds:g} s" if seen.seconds is not None else ""
    log = element("pre", "\n".join(map(wording.plain, seen.log))) if seen.log else None
    facts = [
        ("sent", element("dd", element("code", seen.sent))),
        ("back", element("dd", element("code", seen.received))),
    ]
    facts += [("took", element("dd", took))] if took else []
    facts += [("log", element("dd", log))] if log is not None else []
    return element("dl", *(part for name, told in facts for part in (element("dt", name), told)), class_="evidence")


def _lives(report: Report) -> Iterator[Element]:
    """The charts of each container: the first's at once, the others' where somebody looks."""
    lives = report.recording.lives
    if not lives:
        return
    yield element("h3", "What happened when")
    first, *others = lives
    yield element("h4", f"Container of act “{first.act}”")
    yield from charts(first)
    for life in others:
        yield element(
            "details",
            element("summary", f"Container of act “{life.act}”: {_told(life)}"),
            *charts(life),
            class_="life",
        )


def _told(life: Life) -> str:
    return f"{seconds(life.seconds)}, {len(life.exchanges)} requests, started after {seconds(life.began_s)}"
