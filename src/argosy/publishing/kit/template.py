"""Texts with places that are filled: `@@NAME@@`; and what fills them where the text is code."""

import json
import re
from collections.abc import Mapping
from typing import Final

_PLACE: Final = re.compile(r"@@([A-Z_]+)@@")


def filled(template: str, values: Mapping[str, str]) -> str:
    """The text with each place filled; places in values are filled, too.

    Raises:
        KeyError: A place has no value.

    >>> filled("a @@B@@", {"B": "@@C@@ d", "C": "c"})
    'a c d'
    """
    while _PLACE.search(template):
        template = _PLACE.sub(lambda found: values[found.group(1)], template)
    return template


def in_code(text: str) -> str:
    r"""A text as it stands between double quotes in Python, with no place to fill: media types may have quotes, too.

    >>> print(in_code('application/json; profile="a"'))
    application/json; profile=\"a\"
    """
    return json.dumps(text, ensure_ascii=False)[1:-1].replace("@@", "@\\x40")
