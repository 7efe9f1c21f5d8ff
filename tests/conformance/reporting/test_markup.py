from html.parser import HTMLParser
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from argosy.conformance.reporting.markup import element, prose, to_html, to_xml
from argosy.conformance.reporting.wording import plain

ANYTHING = st.text(st.characters(), max_size=40)


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(ANYTHING, ANYTHING, ANYTHING)
def test_whatever_is_put_in_comes_out_as_text(title: str, before: str, after: str) -> None:
    root = element("p", before, element("b", after, title=title), after)
    reader = Reader()
    reader.feed(to_html(root).decode())
    assert reader.tags == [("p", []), ("b", [("title", plain(title))])]
    shown = ["\n".join(map(plain, text.split("\n"))) for text in (before, after, after)]
    assert reader.text.strip("\n") == "".join(shown).strip("\n")
    again = ElementTree.fromstring(to_xml(root))
    assert "".join(again.itertext()) == "".join(shown)
    assert again[0].get("title") == plain(title)


def test_names_of_attributes_may_be_words_of_python() -> None:
    made = element("p", class_="a", aria_label="b", viewBox="c")
    assert made.attrib == {"class": "a", "aria-label": "b", "viewBox": "c"}


def test_what_stands_between_backticks_is_code() -> None:
    made = element("p", *prose("run `a < b` and `c`"))
    assert to_html(made) == b"<!doctype html>\n<p>run <code>a &lt; b</code> and <code>c</code></p>\n"
    assert prose("one ` alone") == ["one ` alone"]
