"""The HTML report as people have it: in Chromium, light and dark, by keyboard, narrow, printed, read aloud."""

import itertools
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from argosy.conformance.reporting.form import Form, write
from tests.conformance.reporting.reports import CONFORMING, HOSTILE, RECORDING, REPORT, WAIVED

pytestmark = pytest.mark.browser

REPORTS = (replace(REPORT, recording=RECORDING), replace(WAIVED, target="registry.example/other:1.0"), CONFORMING)
QUIET = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = os.environ.get("ARGOSY_TEST_BROWSER") or shutil.which("chromium")
    if program is None:
        pytest.fail('no browser: eval "$(scripts/browser)", or run scripts/test', pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(tmp_path_factory.mktemp("page") / "report.html", write(REPORTS, Form.HTML))


def written(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return path.as_uri()


class Witness:
    """Everything that a page asks for or complains about."""

    def __init__(self, page: Page) -> None:
        self.seen: list[str] = []
        page.on("request", self.note_request)
        page.on("console", self.note_message)
        page.on("pageerror", lambda error: self.seen.append(str(error)))

    def note_request(self, request: Request) -> None:
        self.seen.append(request.url)

    def note_message(self, message: ConsoleMessage) -> None:
        self.seen.append(message.text)


def violations(page: Page) -> list[tuple[str, list[Any]]]:
    """What axe-core finds wrong: the rule, and the elements."""
    found = Axe().run(page).response["violations"]
    return [(each["id"], [node["target"] for node in each["nodes"]]) for each in found]


def open_all(page: Page) -> None:
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_asks_for_nothing_and_is_accessible(
    browser: Browser, address: str, scheme: Literal["light", "dark"]
) -> None:
    with browser.new_context(color_scheme=scheme, viewport={"width": 1100, "height": 900}) as context:
        page = context.new_page()
        witness = Witness(page)
        page.goto(address)
        assert witness.seen == [address]
        open_all(page)
        assert violations(page) == []
        lightness = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]")
        assert (int(lightness) > 128) is (scheme == "light")


@pytest.mark.parametrize("width", [360, 1100])
def test_it_is_never_wider_than_the_window(browser: Browser, address: str, width: int) -> None:
    with browser.new_context(viewport={"width": width, "height": 800}) as context:
        page = context.new_page()
        page.goto(address)
        open_all(page)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert violations(page) == []


def test_a_planted_fault_is_found(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        page.evaluate("document.documentElement.removeAttribute('lang')")
        assert violations(page) == [("html-has-lang", [["html"]])]


def test_the_keyboard_skips_the_top_and_opens_details(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "report"
        closed = page.locator("details:has(#image-1-image-root)")
        for _ in range(60):
            page.keyboard.press("Tab")
            if closed.evaluate("each => each.contains(document.activeElement)"):
                break
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", "nothing shows where the focus is"
        assert closed.get_attribute("open") is None
        page.keyboard.press("Enter")
        assert closed.get_attribute("open") is not None
        page.keyboard.press("Space")
        assert closed.get_attribute("open") is None


def test_a_screen_reader_finds_its_way(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        for role in ("banner", "navigation", "main", "contentinfo"):
            assert page.get_by_role(role).count() == 1, role
        headings = page.get_by_role("heading")
        assert headings.first.inner_text() == "SageMaker conformance"
        levels = [int(each.evaluate("each => each.tagName.slice(1)")) for each in headings.all()]
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
        assert page.get_by_role("heading", level=2).all_inner_texts() == [
            "Side by side",
            *(report.target for report in REPORTS),
        ]
        table = page.get_by_role("table", name="Clause by clause")
        assert table.get_by_role("columnheader").all_inner_texts()[:4] == ["clause", *(each.target for each in REPORTS)]
        row = table.get_by_role("row", name=re.compile("^stop-grace"))
        assert row.get_by_role("rowheader").inner_text() == "stop-grace MUST"
        assert row.get_by_role("cell").all_inner_texts() == ["fails", "waived", "–"]  # noqa: RUF001 - as the page has it
        assert page.get_by_role("img", name=re.compile("^Timeline of 12 s: started at 0 s")).count() == 1


def test_a_link_to_a_finding_opens_it(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        finding = page.locator("details:has(#image-1-image-init)")
        assert finding.get_attribute("open") is None
        page.get_by_role("link", name="image-init").first.click()
        assert page.url.endswith("#image-1-image-init")
        assert finding.get_attribute("open") is not None
        assert finding.locator("summary").is_visible()


def test_what_an_image_says_is_not_carried_out(browser: Browser, tmp_path: Path) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        witness = Witness(page)
        page.goto(written(tmp_path / "hostile.html", write((HOSTILE, HOSTILE), Form.HTML)))
        open_all(page)
        assert len(witness.seen) == 1
        assert page.title().startswith("SageMaker conformance: \"'><script>")
        assert page.locator("script, img, iframe, [onerror]").count() == 0
        assert "<script>document.title = 'owned'</script>" in page.locator(".evidence").first.inner_text()
        assert violations(page) == []


def test_printed_it_shows_what_does_not_hold(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        undecided, held = (page.locator(f"#image-1-{name} dd").first for name in ("image-init", "image-root"))
        assert not undecided.is_visible()
        page.emulate_media(media="print")
        assert undecided.is_visible()
        assert not held.is_visible()
        assert not page.get_by_role("navigation").is_visible()
