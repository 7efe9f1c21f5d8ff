"""What Debian packages say of each other: `Depends: libc6 (>= 2.36), awk | mawk`.

Source: Debian Policy Manual 7.1 and 7.5, relationships and virtual packages (read 2026-11-22).
"""

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from argosy.image.debian.version import sort_key

_PART: Final = re.compile(r"([^\s(:\[<]+)(?::\w+)?\s*(?:\(\s*(<<|<=|>=|>>|=|<|>)\s*([^\s)]+)\s*\))?")
_COMPARED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<<": operator.lt,
    "<=": operator.le,
    "<": operator.le,  # a name of the past for <=, as > is for >=
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.ge,
    ">>": operator.gt,
}


@dataclass(frozen=True, slots=True)
class Relation:
    """A package that is asked for: by name, and where there is a comparison, in these versions only."""

    name: str
    comparison: str = ""
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.comparison} {self.version})" if self.comparison else self.name

    def fits(self, version: str | None) -> bool:
        """Whether a version is among those asked for; None is that of a virtual package that names none."""
        if not self.comparison:
            return True
        return version is not None and _COMPARED[self.comparison](sort_key(version), sort_key(self.version))


def parse_relations(text: str) -> list[list[Relation]]:
    """The clauses of a field, each with its alternatives; architectures and build profiles are not looked at.

    >>> [[str(one) for one in clause] for clause in parse_relations("a (>= 1), b:any | c")]
    [['a (>= 1)'], ['b', 'c']]
    """
    return [clause for part in text.split(",") if (clause := list(_alternatives(part)))]


def _alternatives(clause: str) -> Iterator[Relation]:
    for part in clause.split("|"):
        found = _PART.match(part.strip())
        if found is not None:
            yield Relation(found.group(1), found.group(2) or "", found.group(3) or "")
