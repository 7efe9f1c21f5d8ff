"""What a clause asks, and why: `argosy check --explain`, for people at 80 columns and for programs."""

import difflib
import re
import textwrap
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Any, Final

from argosy.conformance import doctor
from argosy.conformance.catalogue import ACTS, CHECKS
from argosy.conformance.check import Check
from argosy.conformance.clause import Clause
from argosy.conformance.explaining import rows
from argosy.conformance.explaining.reasons import reason_of
from argosy.conformance.profile import Profile
from argosy.errors import UsageError

_WIDTH: Final = 80
_NAME_WIDTH: Final = 10
_NEAR: Final = 0.65
_ROW: Final = re.compile(r"[A-Z]\d\d")


class Way(StrEnum):
    """How a clause is checked."""

    STATIC = "static"
    DYNAMIC = "dynamic"
    DRILL = "drill"
    PROJECT = "project"
    AWS = "aws"
    MACHINE = "machine"

    @property
    def sentence(self) -> str:
        """What is done for it."""
        return _SENTENCES[self]


_SENTENCES: Final = {
    Way.STATIC: "the image or archive is read, and nothing is run",
    Way.DYNAMIC: "a container is run, and what it does is judged",
    Way.DRILL: "only with --drills: a running container is hurt",
    Way.PROJECT: "argosy.toml and the files that it names are read, and nothing is run",
    Way.AWS: "AWS is asked, and nothing is changed there",
    Way.MACHINE: "argosy doctor looks at this machine, and changes nothing on it",
}
_AT_REST: Final = {"project": Way.PROJECT, "account": Way.AWS, "machine": Way.MACHINE}
"""File of `scenes/` that has a scene that no act plays -> how it is come by; any other is read from the image."""


def way_of(check: Check[Any]) -> Way:
    """How a check comes to what it judges."""
    acts = [act for act in ACTS if check.scene in act.scenes]
    if not acts:
        return _AT_REST.get(check.scene.__module__.rpartition(".")[2], Way.STATIC)
    return Way.DRILL if all(act.is_drill for act in acts) else Way.DYNAMIC


def find(name: str, checks: Sequence[Check[Any]] = (*CHECKS, *doctor.CHECKS)) -> tuple[Check[Any], ...]:
    """The checks of a clause, or of all clauses that cover a row: `accept-connection` or `C09`; none: see `row_of`.

    Raises:
        UsageError: There is none of that name; the nearest are in the hint.
    """
    by_id = {check.clause.id: (check,) for check in checks}
    by_row = {row: tuple(check for check in checks if row in check.clause.rows) for row in rows.read().rows}
    found = by_id.get(name.lower(), by_row.get(name.upper()))
    if found is None:
        is_row = _ROW.fullmatch(name.upper()) is not None
        known = list(by_row if is_row else by_id)
        near = difflib.get_close_matches(name.upper() if is_row else name.lower(), known, n=3, cutoff=_NEAR)
        listed = ", ".join(f"`{one}`" for one in near)
        raise UsageError(
            "no row has this id" if is_row else "no clause has this id",
            got=f"`{name}`",
            hint=f"near it: {listed}" if near else "argosy check --explain  (lists all)",
        )
    return found


def row_of(name: str) -> str:
    """What a row that no clause covers says, and why none does or where it is shown.

    Raises:
        KeyError: There is no such row.
    """
    row = rows.read().rows[name.upper()]
    lines = [name.upper(), *_wrapped(row.says, "  ", "  "), ""]
    lines += _field("level", row.level) if row.level else ()
    lines += _field("checked", f"it cannot be: {row.because}" if row.because else "not of the image, by Argosy's tests")
    for test in row.elsewhere:
        lines += _field("test", test)
    return "\n".join([*lines, ""])


def to_text(checks: Sequence[Check[Any]]) -> str:
    """Each clause at length."""
    return "\n\n".join("\n".join(_lines(check)) for check in checks) + "\n"


def to_list(checks: Sequence[Check[Any]] = CHECKS) -> str:
    """One line for each clause: level, id, rows, and how it is checked."""
    width = max(len(check.clause.id) for check in checks)
    lines = []
    group = ""
    for check in checks:
        if check.group != group:
            group = check.group
            lines += ["", group]
        clause = check.clause
        rows = " ".join(clause.rows)
        lines.append(f"  {clause.level:<6}  {clause.id:<{width}}  {way_of(check):<7}  {rows}".rstrip())
    return "\n".join([*lines[1:], ""])


def to_objects(checks: Sequence[Check[Any]]) -> list[dict[str, object]]:
    """The same for programs."""
    return [
        {
            "clause": check.clause.id,
            "group": check.group,
            "sentence": check.clause.sentence,
            "levels": {
                profile.value: check.clause.level_in(profile).value if check.clause.is_asked_by(profile) else None
                for profile in Profile
            },
            "reason": reason_of(check),
            "remedy": check.clause.remedy,
            "source": check.clause.source,
            "read": check.clause.read,
            "rows": list(check.clause.rows),
            "checked": way_of(check).value,
        }
        for check in checks
    ]


def levels(clause: Clause) -> str:
    """How hard each profile asks for a clause, in words.

    >>> levels(Clause("x", "X.", Level.MUST, "", "", only=(Profile.PIPELINE,), levels={}))
    'MUST for pipeline; not asked for by sagemaker, marketplace, serverless, multi-model'
    """
    asking: dict[str, list[str]] = {}
    for profile in Profile:
        asked = clause.level_in(profile).value if clause.is_asked_by(profile) else ""
        asking.setdefault(asked, []).append(profile.value)
    if len(asking) == 1:
        return f"{clause.level} for every profile"
    others = asking.pop("", [])
    told = [f"{level} for {', '.join(profiles)}" for level, profiles in asking.items()]
    return "; ".join([*told, *([f"not asked for by {', '.join(others)}"] if others else [])])


def _lines(check: Check[Any]) -> Iterator[str]:
    clause, way = check.clause, way_of(check)
    yield clause.id
    yield from _wrapped(clause.sentence, "  ", "  ")
    yield ""
    yield from _field("level", levels(clause) if way is not Way.MACHINE else str(clause.level))
    yield from _field("why", reason_of(check))
    yield from _field("do", clause.remedy)
    yield from _field("source", f"read on {clause.read}")
    yield f"    {clause.source}"
    yield from _field("rows", " ".join(clause.rows) or "none")
    yield from _field("checked", f"{way}: {way.sentence}")
    if check.needs:
        yield from _field("needs", ", ".join(check.needs))


def _field(name: str, text: str) -> Iterator[str]:
    head = f"  {name:<{_NAME_WIDTH}}"
    yield from _wrapped(text, head, " " * len(head))


def _wrapped(text: str, first: str, rest: str) -> Iterator[str]:
    yield from textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
