import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

from argosy.conformance.finding import Report
from argosy.conformance.reporting.page import to_page
from argosy.conformance.reporting.wording import plain
from tests.conformance.reporting.reports import (
    CONFORMING,
    HOSTILE,
    NASTY,
    NOT_EXAMINED,
    RECORDING,
    REPORT,
    UNDECIDED,
    WAIVED,
)

RECORDED = replace(REPORT, recording=RECORDING)


class Reader(HTMLParser):
    """All elements of a page with their attributes, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(*reports: Report) -> Reader:
    reader = Reader()
    reader.feed(to_page(reports).decode())
    return reader


def values(reader: Reader, name: str) -> Iterator[str]:
    return (attributes[name] for _, attributes in reader.elements if name in attributes)


def test_it_is_complete_in_itself() -> None:
    reader = read(RECORDED, UNDECIDED, CONFORMING)
    assert not {"script", "img", "link", "iframe", "object", "base", "form"} & {tag for tag, _ in reader.elements}
    assert not [*values(reader, "src"), *values(reader, "style")]
    assert all(link.startswith(("#", "https://")) for link in values(reader, "href"))
    assert "url(" not in to_page([RECORDED]).decode()


def test_every_link_inside_leads_somewhere_and_no_name_is_there_twice() -> None:
    reader = read(RECORDED, UNDECIDED, WAIVED)
    names = [*values(reader, "id")]
    assert len(set(names)) == len(names)
    inside = {link[1:] for link in values(reader, "href") if link.startswith("#")}
    assert inside <= set(names)
    assert {"image-1-stop-grace", "image-2-ping-busy", "side-by-side", "image-3"} <= inside


def test_hostile_text_is_text_in_every_field() -> None:
    reader = read(HOSTILE, replace(HOSTILE, notes=(NASTY,)))
    harmless = read(RECORDED, RECORDED)
    assert {tag for tag, _ in reader.elements} <= {tag for tag, _ in harmless.elements} | {"ul", "li"}
    assert not [name for _, attributes in reader.elements for name in attributes if name.startswith("on")]
    assert "".join(reader.text).count(plain(NASTY)) > 15
    text = to_page([HOSTILE]).decode()
    assert {letter for letter in text if not letter.isprintable()} == {"\n"}


def test_its_policy_allows_its_own_style_and_nothing_else() -> None:
    policy = next(attributes["content"] for _, attributes in read(REPORT).elements if "http-equiv" in attributes)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_images_that_were_not_run_have_no_numbers_to_compare() -> None:
    text = ["".join(read(*reports).text) for reports in ((RECORDED, UNDECIDED), (REPORT, UNDECIDED))]
    assert ["first 200 after" in each for each in text] == [True, False]


def test_one_image_is_not_compared() -> None:
    assert "side-by-side" not in [*values(read(REPORT), "id")]


def test_what_failed_is_open_and_has_its_evidence() -> None:
    details = [attributes for tag, attributes in read(REPORT).elements if tag == "details"]
    assert [("open" in each, each["class"]) for each in details] == [
        (False, "finding pass"),
        (False, "finding unknown"),
        (False, "finding skip"),
        (True, "finding warn"),
        (True, "finding fail"),
    ]
    text = " ".join("".join(read(REPORT).text).split())
    assert "still runs after 30 s" in text
    assert "the last line of the log" in text
    assert "let the server be the first process" in text


def test_what_is_waived_says_so_and_is_not_among_what_fails() -> None:
    reader = read(WAIVED)
    text = "".join(reader.text)
    assert "until 2027-03-01: the next release has it" in text
    assert "the waiver of image-root waives nothing: the clause holds" in text
    assert "checked at 2026-11-22T10:11:12+00:00 by Argosy 1.2.3: nothing has changed since" in text
    assert [*values(reader, "href")].count("#image-1-stop-grace") == 0


def test_an_image_that_could_not_be_examined_says_why_and_breaks_no_link() -> None:
    reader = read(NOT_EXAMINED, REPORT)
    assert f"not examined: {NOT_EXAMINED.failure}" in "".join(reader.text)
    inside = {link[1:] for link in values(reader, "href") if link.startswith("#")}
    assert inside <= {*values(reader, "id")}


def test_the_charts_say_in_words_what_they_show() -> None:
    _, *labels = values(read(RECORDED), "aria-label")
    assert labels[0] == (
        "Timeline of 12 s: started at 0 s, port open at 300 ms, first 200 at 1.2 s, first invocation at 2 s, "
        "body of 25 MB at 4 s, SIGTERM at 9.5 s, ended at 11.8 s."
    )
    assert labels[1] == (
        "Latency over the run. 2 health checks: median 1.5 ms, slowest 2 ms; "
        "3 invocations: median 250 ms, slowest 2.5 s."
    )
    assert labels[2] == "Memory of all processes over the run: first 50 MB, most 170 MB at 3 s, last 70 MB."


def test_all_that_is_drawn_lies_within_its_plot() -> None:
    found = re.findall(r' (?:x|x1|x2|cx)="(-?[0-9.]+)%"', to_page([RECORDED]).decode())
    assert found
    assert all(0 <= float(each) <= 100 for each in found)
