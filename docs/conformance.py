"""The page on what `argosy check` covers: the rows of explaining/rows.toml beside the clauses that name them."""

import re
from collections.abc import Mapping
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from argosy.conformance.catalogue import CHECKS
from argosy.conformance.check import Check
from argosy.conformance.explaining.rows import Row, read

ROOT = Path(__file__).parents[1]
HOW: Final = {
    "image_checks": "the image at rest",
    "container_checks": "a running container",
    "invocation_checks": "a running container",
    "project_checks": "the project",
    "account_checks": "AWS",
}
"""Folder of a check -> what it looks at."""


_HEAD: Final = "| | what | clause | looked at | test |\n| --- | --- | --- | --- | --- |"


def checks() -> Mapping[str, list[Check[Any]]]:
    """Id of a row -> the checks whose clauses name it."""
    found: dict[str, list[Check[Any]]] = {}
    for check in CHECKS:
        for row in check.clause.rows:
            found.setdefault(row, []).append(check)
    return found


def page(note: str) -> str:
    """The page.

    Args:
        note: Its first line.
    """
    rows, covering = read(), checks()
    checkable = [id_ for id_, row in rows.rows.items() if not row.because]
    covered = [id_ for id_ in checkable if id_ in covering]
    lines = [note, "# What `argosy check` covers\n"]
    lines += [
        f"{len(rows.rows)} requirements and failures, {len(checkable)} of which a machine can check; "
        f"{len(covered)} have a clause of [`argosy check`](contract.md), {len(checkable) - len(covered)} are shown "
        "elsewhere. Letters and numbers are ours.\n",
    ]
    for letter, group in groupby(rows.rows.items(), key=lambda item: item[0][0]):
        lines += [
            f"## {rows.sections[letter]}\n",
            "| | what | clause | looked at | test |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [_line(id_, row, covering.get(id_, [])) for id_, row in group]
        lines.append("")
    return "\n".join(lines)


def _line(id_: str, row: Row, covering: list[Check[Any]]) -> str:
    says = f"{row.level}: {row.says}" if row.level else row.says
    if row.because:
        return f"| {id_} | {says} | | cannot be checked: {row.because} | |"
    clauses = "<br>".join(f"`{check.clause.id}`" for check in covering)
    how = list(dict.fromkeys(_how(check) for check in covering)) or ["not of the image: see the test"]
    tests = [*dict.fromkeys(test for check in covering for test in tests_of(check.clause.id)), *row.elsewhere]
    return f"| {id_} | {says} | {clauses} | {', '.join(how)} | {'<br>'.join(f'`{test}`' for test in tests)} |"


def _how(check: Check[Any]) -> str:
    if check.group == "drills":
        return "a drill"
    return HOW[check.examine.__module__.split(".")[2]]


def tests_of(clause_id: str) -> list[str]:
    """The files of tests that name a clause, from the root of the project."""
    return [name for name, text in _tests().items() if f'"{clause_id}"' in text]


@cache
def _tests() -> Mapping[str, str]:
    found = sorted((ROOT / "tests" / "conformance").rglob("test_*.py"))
    return {path.relative_to(ROOT).as_posix(): re.sub(r"\s+", " ", path.read_text()) for path in found}
