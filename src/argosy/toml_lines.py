"""Where a field stands in the text of a TOML file, for errors that name the line."""

import re
from collections.abc import Sequence


def line_of(keys: Sequence[str], text: str) -> int | None:
    """The line of a dotted field in the text: under its table's heading if there is one; None when it is not found."""
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        heading = re.match(r"\s*\[\s*([\w.]+)\s*\]", line)
        if heading:
            table = heading.group(1)
        name = re.match(r"\s*([\w.]+)\s*=", line)
        dotted = ".".join(filter(None, [table, name.group(1) if name else ""]))
        if dotted == re.sub(r"\[.*$", "", ".".join(keys)):
            return number
    return None
