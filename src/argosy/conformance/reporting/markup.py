"""Elements of HTML, SVG and XML: whatever is put into one is data, and is escaped when the document is written."""

from typing import Final
from xml.etree.ElementTree import Element, tostring

from argosy.conformance.reporting.wording import plain

_DOCTYPE: Final = b"<!doctype html>\n"


def element(tag: str, *children: "Element | str | None", **attributes: str) -> Element:
    """An element with its children in order.

    Args:
        tag: Its name.
        children: Elements and text; None is left out.
        attributes: By name; `_` stands for `-`, and one at the end is left out: `class_`, `aria_label`.
    """
    made = Element(tag, {name.rstrip("_").replace("_", "-"): plain(value) for name, value in attributes.items()})
    last: Element | None = None
    for child in children:
        if isinstance(child, Element):
            made.append(child)
            last = child
        elif child and last is None:
            made.text = (made.text or "") + _lines(child)
        elif child and last is not None:
            last.tail = (last.tail or "") + _lines(child)
    return made


def _lines(text: str) -> str:
    return "\n".join(map(plain, text.split("\n")))


def prose(text: str) -> list[Element | str]:
    """A sentence whose words between backticks are code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return [text]
    return [element("code", part) if number % 2 else part for number, part in enumerate(parts)]


def style_sheet(rules: str) -> Element:
    """A `<style>`; the rules are ours, as they are."""
    made = Element("style")
    made.text = rules
    return made


def to_html(root: Element) -> bytes:
    """The document as HTML 5, in UTF-8."""
    written: bytes = tostring(root, encoding="utf-8", method="html")
    return _DOCTYPE + written + b"\n"


def to_xml(root: Element) -> bytes:
    """The document as XML, in UTF-8."""
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"
