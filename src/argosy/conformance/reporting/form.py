"""The forms of a report, and the one way to write it; several images in one run make one report in each form."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from argosy.conformance.finding import Report
from argosy.conformance.reporting.document import to_json
from argosy.conformance.reporting.junit import to_junit
from argosy.conformance.reporting.page import to_page
from argosy.conformance.reporting.sarif import to_sarif
from argosy.conformance.reporting.text import to_text


class Form(StrEnum):
    """A form of a report."""

    TEXT = "text"
    """For a terminal of 80 columns, without colour."""
    JSON = "json"
    """For programs: docs/reference/check-report.schema.json."""
    JUNIT = "junit"
    """JUnit XML, for CI systems that show tests."""
    SARIF = "sarif"
    """SARIF 2.1.0, for code scanning."""
    HTML = "html"
    """One page with charts, for people."""


def _encoded_text(reports: Sequence[Report]) -> bytes:
    return to_text(reports).encode()


_WRITERS: Final[Mapping[Form, Callable[[Sequence[Report]], bytes]]] = {
    Form.TEXT: _encoded_text,
    Form.JSON: to_json,
    Form.JUNIT: to_junit,
    Form.SARIF: to_sarif,
    Form.HTML: to_page,
}


def write(reports: Sequence[Report], form: Form) -> bytes:
    """The reports of one run as one file.

    What an image says of itself is data in every form: it cannot close a tag, forge a field or steer a terminal.

    Args:
        reports: One for each image, in the order in which they were named.
        form: The form.
    """
    return _WRITERS[form](reports)
