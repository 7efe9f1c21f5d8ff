"""Places in the text of a TOML file: the line of a field, and a list that is to hold more."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from argosy.errors import ProjectError

_TABLE = re.compile(r"\s*\[\s*([\w.]+)\s*\]")
_ENTRY = re.compile(r"\s*\[\[\s*([\w.]+)\s*\]\]")


def line_of(keys: Sequence[str], text: str) -> int | None:
    """The line of a dotted field in the text: under its table's heading if there is one.

    An entry of an array of tables is named by its place: `check.waivers[0].reason` is below the first of its headings.
    """
    wanted = ".".join(keys)
    table = ""
    entries = Counter[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        if heading := _TABLE.match(line):
            table = heading.group(1)
        elif entry := _ENTRY.match(line):
            table = f"{entry.group(1)}[{entries[entry.group(1)]}]"
            entries[entry.group(1)] += 1
        name = re.match(r"\s*([\w.]+)\s*=", line)
        dotted = ".".join(filter(None, [table, name.group(1) if name else ""]))
        if dotted in (wanted, re.sub(r"\[[^\]]*\]?$", "", wanted)):
            return number
    return None


def with_listed(text: str, table: str, key: str, values: Iterable[str]) -> str:
    """The text with a list of a table set to these texts, on one line; comments and the order of the rest stay.

    Raises:
        ProjectError: The table is written in a way that is not edited here, such as `[image]` inline.
    """
    lines = text.splitlines()
    new = f"{key} = {json.dumps(list(values), ensure_ascii=False)}"
    number = line_of([table, key], text)
    if number is not None:
        last = _end_of_list(lines, number - 1)
        lines[number - 1 : last + 1] = [new]
        return "\n".join([*lines, ""])
    heading = next((i for i, line in enumerate(lines) if (m := _TABLE.match(line)) and m.group(1) == table), None)
    if heading is not None:
        lines.insert(heading + 1, new)
    elif any(re.match(rf"\s*{re.escape(table)}\b\s*[.=]", line) for line in lines):
        raise ProjectError(f"`{table}` is no table with a heading, so nothing can be added to it", hint=f"add {new}")
    else:
        lines += ["", f"[{table}]", new]
    return "\n".join([*lines, ""])


def _end_of_list(lines: Sequence[str], first: int) -> int:
    """The line with the bracket that ends the list that begins on `first`."""
    for number in range(first, len(lines)):
        bare = re.sub(r'"[^"]*"|\'[^\']*\'', "", lines[number]).partition("#")[0]
        if "]" in bare:
            return number
    raise ProjectError("a list without an end", got=lines[first])
