"""The report as one HTML page: nothing is fetched, no script runs, and it reads without any of its style.

What an image says is text: elements are made by `markup.element`, which escapes, and the page's own policy forbids all
scripts, requests and styles but its own.
"""

import base64
import hashlib
import importlib.resources
from collections.abc import Sequence
from typing import Final

from argosy.conformance.finding import Report
from argosy.conformance.reporting import comparison, icons, wording
from argosy.conformance.reporting.image_part import image_part
from argosy.conformance.reporting.markup import element, style_sheet, to_html

_TITLE: Final = "SageMaker conformance"


def to_page(reports: Sequence[Report]) -> bytes:
    """The reports as a page that can be attached to a review."""
    rules = (importlib.resources.files(__package__) / "page.css").read_text(encoding="utf-8")
    allowed = base64.b64encode(hashlib.sha256(rules.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
    title = f"{_TITLE}: {', '.join(report.target for report in reports)}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        style_sheet(rules),
    )
    header = element(
        "header",
        element("p", "argosy check", class_="brand"),
        element("h1", _TITLE),
        comparison.cards(reports),
    )
    contents = element("nav", element("ul", *comparison.contents(reports)), aria_label="Contents")
    main = element(
        "main",
        comparison.side_by_side(reports) if len(reports) > 1 else None,
        *(image_part(number, report) for number, report in enumerate(reports, 1)),
        id="report",
        tabindex="-1",
    )
    footer = element(
        "footer", element("p", f"Made by Argosy {wording.VERSION}. Times are of the machine that checked.")
    )
    skip = element("a", "Skip to the report", href="#report", class_="jump")
    body = element("body", skip, icons.definitions(), header, contents if len(reports) > 1 else None, main, footer)
    return to_html(element("html", head, body, lang="en"))
