"""The upper part of the page: a card with the verdict of each image, and all of them side by side."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final
from xml.etree.ElementTree import Element

from argosy.conformance.check import Status
from argosy.conformance.finding import Finding, Report
from argosy.conformance.recording import Kind, Life, Moment
from argosy.conformance.reporting import icons, wording
from argosy.conformance.reporting.markup import element
from argosy.conformance.reporting.plot import megabytes, seconds
from argosy.contract import Level

_NONE: Final = "\N{EN DASH}"


def cards(reports: Sequence[Report]) -> Element:
    """A card with the verdict of each image; with several, it leads to its part of the page."""
    items = [_card(number, report, len(reports) > 1) for number, report in enumerate(reports, 1)]
    return element("ul", *items, class_="cards")


def _card(number: int, report: Report, is_linked: bool) -> Element:
    look = icons.look_of_verdict(report)
    name: Element | str = element("a", report.target, href=f"#image-{number}") if is_linked else report.target
    ran = () if report.failure else (wording.ran_by(report), f"checked in {report.seconds:.1f} s")
    facts = [*ran, wording.made(report)]
    return element(
        "li",
        element("p", icons.tag(look), class_="verdict"),
        element("p", name, class_="target"),
        element("p", report.digest, class_="digest") if report.digest else None,
        element("p", ", ".join(filter(None, facts)), class_="fact"),
        element("p", report.failure) if report.failure else _meter(report),
        class_=f"card {look.name}",
    )


def _meter(report: Report) -> Element:
    """How many clauses hold, fail, are undecided, were not tried: a bar, and the numbers."""
    must = report.failed_at(Level.MUST)
    waived = len(report.waived)
    parts = (
        ("pass", report.count(Status.PASS), "hold"),
        ("fail", must, "MUST fail"),
        ("warn", sum(not finding.is_waived for finding in report.failed) - must, "others fail"),
        ("unknown", sum(f.status is Status.UNKNOWN and not f.is_waived for f in report.findings), "undecided"),
        ("waived", waived, "waived"),
        ("skip", report.count(Status.SKIP), "not tried"),
    )
    total = max(1, sum(count for _, count, _ in parts))
    bars: list[Element] = []
    begin = 0.0
    for name, count, _ in parts:
        width = 100 * count / total
        bars.append(element("rect", class_=name, x=f"{begin:.2f}%", width=f"{width:.2f}%", height="8"))
        begin += width
    items = [
        element("li", icons.icon(icons.Look(name, word)), element("b", str(count)), f" {word}")
        for name, count, word in parts
        if count
    ]
    return element(
        "div",
        element("svg", *bars, class_="meter", height="8", aria_hidden="true"),
        element("ul", *items, class_="counts"),
    )


def side_by_side(reports: Sequence[Report]) -> Element:
    """All images beside each other: their numbers, then clause by clause."""
    return element(
        "section",
        element("h2", "Side by side", id="side-by-side"),
        _scrolled("The images in numbers", _numbers(reports))
        if any(each.recording.lives for each in reports)
        else None,
        _scrolled("The images clause by clause", _clauses(reports)),
        aria_labelledby="side-by-side",
    )


def _scrolled(label: str, table: Element) -> Element:
    """A table that may be wider than the page, and is scrolled by itself then, by keyboard too."""
    return element("div", table, class_="wide", tabindex="0", role="region", aria_label=label)


def _heads(reports: Sequence[Report], first: str) -> Element:
    images = (
        element("th", element("a", report.target, href=f"#image-{number}"), scope="col")
        for number, report in enumerate(reports, 1)
    )
    return element("thead", element("tr", element("th", first, scope="col"), *images))


def _numbers(reports: Sequence[Report]) -> Element:
    lives = [report.recording.lives[0] if report.recording.lives else None for report in reports]
    rows = [
        element(
            "tr",
            element("th", name, scope="row"),
            *(element("td", _NONE if life is None else told(life)) for life in lives),
        )
        for name, told in _MEASURES
    ]
    caption = element("caption", "In numbers: the first container of each")
    return element("table", caption, _heads(reports, "measure"), element("tbody", *rows), class_="numbers")


def _clauses(reports: Sequence[Report]) -> Element:
    found = [{finding.clause.id: finding for finding in report.findings} for report in reports]
    order: dict[str, dict[str, Finding]] = {}
    for report in reports:
        for finding in report.findings:
            order.setdefault(finding.group, {}).setdefault(finding.clause.id, finding)
    bodies = []
    for group, clauses in order.items():
        span = str(len(reports) + 1)
        head = element("tr", element("th", group, scope="rowgroup", colspan=span), class_="group")
        rows = [
            element(
                "tr",
                element("th", clause_id, element("span", f" {finding.level}", class_="level"), scope="row"),
                *(_cell(number, each.get(clause_id)) for number, each in enumerate(found, 1)),
            )
            for clause_id, finding in clauses.items()
        ]
        bodies.append(element("tbody", head, *rows))
    return element(
        "table", element("caption", "Clause by clause"), _heads(reports, "clause"), *bodies, class_="comparison"
    )


def _cell(number: int, finding: Finding | None) -> Element:
    if finding is None:
        return element("td", _NONE)
    look = icons.look_of(finding)
    if finding.status is Status.PASS:
        return element("td", icons.tag(look))
    return element("td", element("a", icons.tag(look), href=f"#{finding_id(number, finding)}"))


def finding_id(number: int, finding: Finding) -> str:
    """Where a finding on the image with a number, from 1, stands in the page."""
    return f"image-{number}-{finding.clause.id}"


def _when(moment: Moment) -> Callable[[Life], str]:
    def told(life: Life) -> str:
        at_s = life.when(moment)
        return _NONE if at_s is None else seconds(at_s)

    return told


def _latencies(kind: Kind) -> Callable[[Life], str]:
    def told(life: Life) -> str:
        found = next((each for each in life.latencies if each.kind is kind), None)
        return _NONE if found is None else f"{seconds(found.median_s)}, 99 % {seconds(found.p99_s)}"

    return told


def _most_memory(life: Life) -> str:
    return megabytes(life.most_memory.bytes) if life.most_memory else _NONE


def _end(life: Life) -> str:
    told, killed = life.when(Moment.TERMINATED), life.when(Moment.KILLED)
    ended = life.when(Moment.ENDED)
    if told is not None and killed is not None:
        return f"killed after {seconds(killed - told)}"
    return _NONE if told is None or ended is None else seconds(max(0.0, ended - told))


_MEASURES: Final[tuple[tuple[str, Callable[[Life], str]], ...]] = (
    ("port open after", _when(Moment.ACCEPTED)),
    ("first 200 after", _when(Moment.HEALTHY)),
    ("health checks, median", _latencies(Kind.HEALTH_CHECK)),
    ("invocations, median", _latencies(Kind.INVOCATION)),
    ("most memory", _most_memory),
    ("SIGTERM to the end", _end),
)


def contents(reports: Sequence[Report]) -> Iterator[Element]:
    """The links to the parts of the page."""
    if len(reports) > 1:
        yield element("li", element("a", "Side by side", href="#side-by-side"))
    for number, report in enumerate(reports, 1):
        yield element("li", element("a", report.target, href=f"#image-{number}"))
