"""Texts with places that are filled: `@@NAME@@`."""

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
