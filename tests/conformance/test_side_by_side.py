"""AWS's classic stack, the walk-through done by hand, and an image that Argosy has built, in one report."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import pytest

from argosy.cli.main import EXIT_EXAMINED_FAILED
from tests.foreign.layouts import SIDE_BY_SIDE, write

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Checked:
    """What `argosy check` made of the three.

    Attributes:
        references: Name -> reference.
        page: The HTML report.
        reports: Reference -> its part of the JSON report.
    """

    references: Mapping[str, str]
    page: str
    reports: Mapping[str, Any]

    def failed(self, name: str, level: str) -> set[str]:
        """The clauses that an image fails."""
        findings = self.reports[self.references[name]]["findings"]
        return {f["clause"] for f in findings if f["status"] == "fail" and f["level"] == level}


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    folder = tmp_path_factory.mktemp("side-by-side")
    references = write(folder / "images", SIDE_BY_SIDE, bakes=True)
    page, document = folder / "report.html", folder / "report.json"
    files = ("--report", f"html:{page}", "--report", f"json:{document}")
    command = (sys.executable, "-m", "argosy", "check", *references.values(), "--container", "sandbox", *files)
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == EXIT_EXAMINED_FAILED, done.stderr
    reports = {report["target"]: report for report in json.loads(document.read_text())["reports"]}
    return Checked(references, page.read_text(), reports)


def test_the_report_has_all_three_and_what_each_fails(checked: Checked) -> None:
    assert set(checked.reports) == set(checked.references.values())
    assert checked.failed("argosy", "MUST") == set()
    assert checked.failed("nginx-flask", "MUST") == set()
    assert checked.failed("flask-by-hand", "MUST") == {"stop-grace"}
    assert checked.failed("nginx-flask", "SHOULD") >= {"stop-drain"}
    assert checked.failed("flask-by-hand", "SHOULD") >= {"ping-honest", "error-client"}


def test_the_page_shows_them_beside_each_other_and_fetches_nothing(checked: Checked) -> None:
    page = ElementTree.fromstring(re.sub(r"^<!DOCTYPE html>", "", checked.page, flags=re.IGNORECASE))
    shown = ["".join(cell.itertext()) for cell in page.iter() if cell.get("class") == "target"]
    assert shown == list(checked.references.values())
    sources = {node.get("src") for node in page.iter()} | {
        node.get("href") for node in page.iter() if node.tag.rpartition("}")[2] == "link"
    }
    assert sources == {None}
