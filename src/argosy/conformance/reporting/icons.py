"""What findings and verdicts look like: a shape and a word each; colour says nothing that these do not."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from argosy.conformance.check import Status
from argosy.conformance.finding import Conformance, Finding, Report
from argosy.conformance.reporting.markup import element
from argosy.contract import Level


@dataclass(frozen=True, slots=True)
class Look:
    """How something is shown.

    Attributes:
        name: Class in the style sheet, and the name of its icon.
        word: What it is called.
    """

    name: str
    word: str


_OUTLINES: Final = {
    "pass": ("M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1z", "M4.6 8.3l2.3 2.4 4.5-5"),
    "fail": ("M5 1h6l4 4v6l-4 4H5l-4-4V5z", "M5.5 5.5l5 5m0-5l-5 5"),
    "warn": ("M8 1.2L15.4 14.5H.6z", "M8 6v4m0 2v.4"),
    "unknown": ("M8 .8L15.2 8 8 15.2.8 8z", "M6.4 6.4a1.7 1.7 0 1 1 2.4 1.6c-.6.3-.8.6-.8 1.2m0 1.9v.3"),
    "skip": ("M2 1.5h12v13H2z", "M5 8h6"),
    "waived": ("M2 1.5h12v13H2z", "M5 11l6-6M6.5 5H11v4.5"),
}

_STATUSES: Final = {
    Status.PASS: Look("pass", "holds"),
    Status.UNKNOWN: Look("unknown", "undecided"),
    Status.SKIP: Look("skip", "not tried"),
}
_VERDICTS: Final = {
    Conformance.CONFORMS: Look("pass", "conforms"),
    Conformance.UNDECIDED: Look("unknown", "undecided"),
    Conformance.BROKEN: Look("fail", "does not conform"),
    Conformance.NOT_EXAMINED: Look("warn", "not examined"),
}


def look_of(finding: Finding) -> Look:
    """How a finding is shown."""
    if finding.is_waived:
        return Look("waived", "waived")
    if finding.status is Status.FAIL:
        return Look("fail" if finding.level is Level.MUST else "warn", "fails")
    return _STATUSES[finding.status]


def look_of_verdict(report: Report) -> Look:
    """How a verdict is shown."""
    return _VERDICTS[report.conformance]


def icon(look: Look) -> Element:
    """The shape alone; the word stands beside it, or in the name of what has it."""
    drawing = element("use", href=f"#icon-{look.name}")
    return element("svg", drawing, class_=f"icon {look.name}", aria_hidden="true", width="16", height="16")


def tag(look: Look, word: str = "") -> Element:
    """Shape and word."""
    return element("span", icon(look), element("span", word or look.word), class_=f"tag {look.name}")


def definitions() -> Element:
    """All shapes, once a page."""
    return element("svg", *_symbols(), class_="definitions", aria_hidden="true", width="0", height="0")


def _symbols() -> Iterator[Element]:
    for name, (outline, sign) in _OUTLINES.items():
        shapes = (element("path", d=outline, class_="outline"), element("path", d=sign, class_="sign"))
        yield element("symbol", *shapes, id=f"icon-{name}", viewBox="0 0 16 16")
