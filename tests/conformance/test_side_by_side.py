"""AWS's classic stack, the walk-through done by hand, and an image that Argosy has built, in one report."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

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
    check = partial(_check, folder / "cache")
    # Each mostly waits, one of them for SIGTERM: they are examined at once, and the report on all three remembers.
    with ThreadPoolExecutor(len(references)) as pool:
        for one in [pool.submit(check, reference) for reference in references.values()]:
            one.result()
    done = check(*references.values(), "--report", f"html:{page}", "--report", f"json:{document}")
    assert done.returncode == EXIT_EXAMINED_FAILED, done.stderr
    assert done.stderr.count("nothing has changed since") == len(references)
    reports = {report["target"]: report for report in json.loads(document.read_text())["reports"]}
    return Checked(references, page.read_text(), reports)


def _check(cache_dir: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = (sys.executable, "-m", "argosy", "check", *arguments, "--container", "sandbox", "--changed-only")
    environment = {**os.environ, "ARGOSY_CACHE_DIR": str(cache_dir)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)


def test_the_report_has_all_three_and_what_each_fails(checked: Checked) -> None:
    assert set(checked.reports) == set(checked.references.values())
    assert checked.failed("argosy", "MUST") == set()
    assert checked.failed("nginx-flask", "MUST") == set()
    assert checked.failed("flask-by-hand", "MUST") == {"stop-grace"}
    assert checked.failed("nginx-flask", "SHOULD") >= {"stop-drain"}
    assert checked.failed("flask-by-hand", "SHOULD") >= {"ping-honest", "error-client"}


class Page(HTMLParser):
    """The targets that a page shows, and what it fetches."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.fetched: list[tuple[str, str | None]] = []
        self._is_target = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if attributes.get("class") == "target":
            assert tag == "p"
            self._is_target = True
            self.targets.append("")
        fetching = {"src", "srcset", "poster", "data"} | ({"href"} if tag == "link" else set())
        self.fetched += [(tag, attributes[name]) for name in fetching & attributes.keys()]

    def handle_endtag(self, tag: str) -> None:
        self._is_target = self._is_target and tag != "p"

    def handle_data(self, data: str) -> None:
        if self._is_target:
            self.targets[-1] += data


def test_the_page_shows_them_beside_each_other_and_fetches_nothing(checked: Checked) -> None:
    page = Page(checked.page)
    assert page.targets == list(checked.references.values())
    assert page.fetched == []
    assert not re.search(r"url\(|@import", checked.page)
