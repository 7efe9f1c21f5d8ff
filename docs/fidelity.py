"""The page on how faithfully SageMaker is simulated, of the rows in docs/fidelity.toml."""

import dataclasses
import importlib
import tomllib
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import msgspec

ROWS = Path(__file__).with_suffix(".toml")


class Clause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that SageMaker does.

    Attributes:
        section: Its heading on the page.
        says: What SageMaker does.
        simulated: Whether the simulator does it.
        but: What it does not do, or why not.
        code: Files below src/argosy.
        tests: `FILE::FUNCTION` below tests.
        sources: Keys of `Rows.sources`.
    """

    section: str
    says: str
    simulated: Literal["yes", "partly", "no"]
    but: str = ""
    code: tuple[str, ...]
    tests: tuple[str, ...] = ()
    sources: tuple[str, ...]


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that nobody knows of SageMaker.

    Attributes:
        asks: The question.
        code: The file below src/argosy that decides it.
        unsure: How the sentence begins that stands there behind `UNSURE:`.
        option: `MODULE:CLASS.FIELD` or `MODULE:FUNCTION` by which one may have it otherwise.
        here: What is done.
    """

    asks: str
    code: str
    unsure: str = ""
    option: str = ""
    here: str = ""


class Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file.

    Attributes:
        read: The day on which the sources were read.
        sources: Key -> URL, or words for what has none.
        clause: What SageMaker does.
        question: What nobody knows.
    """

    read: str
    sources: dict[str, str]
    clause: tuple[Clause, ...]
    question: tuple[Question, ...]


def page(note: str) -> str:
    """The page.

    Args:
        note: Its first line.
    """
    rows = msgspec.convert(tomllib.loads(ROWS.read_text()), Rows)
    counts = {answer: sum(clause.simulated == answer for clause in rows.clause) for answer in ("yes", "partly", "no")}
    told = ", ".join(f"{answer} {count}" for answer, count in counts.items())
    lines = [note, "# How faithfully SageMaker is simulated\n"]
    lines += [
        f"Each row is something that SageMaker does to a container or for a client. Simulated: {told}. A row without a "
        "`yes` says what is not done, or why. The tests that a row names prove what it claims.\n",
    ]
    for section, clauses in groupby(rows.clause, key=lambda clause: clause.section):
        lines += [
            f"## {section}\n",
            "| SageMaker | simulated | code | tests | source |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [_clause(clause, rows.sources) for clause in clauses]
        lines.append("")
    lines += ["## What nobody knows\n", "Each has a default, and most an option in the library.\n"]
    lines += ["| question | here | option and default | code |", "| --- | --- | --- | --- |"]
    lines += [_question(question) for question in rows.question]
    lines += ["", "## Sources\n", f"Read {rows.read}.\n"]
    lines += [
        f"- {key}: {f'<{place}>' if place.startswith('https:') else place}" for key, place in rows.sources.items()
    ]
    return "\n".join(lines) + "\n"


def _clause(clause: Clause, sources: dict[str, str]) -> str:
    simulated = f"{clause.simulated}: {clause.but}" if clause.but else clause.simulated
    places = [
        f"[{key}]({sources[key]})" if sources[key].startswith("https:") else sources[key] for key in clause.sources
    ]
    cells = (clause.says, simulated, _names(clause.code), _names(clause.tests), ", ".join(places))
    return f"| {' | '.join(cells)} |"


def _question(question: Question) -> str:
    option = ""
    if question.option:
        name, default = option_default(question.option)
        option = f"`{name}`" if default is None else f"`{name}` = `{default}`"
    return f"| {question.asks} | {question.here} | {option} | `{question.code}` |"


def _names(names: Sequence[str]) -> str:
    return "<br>".join(f"`{name}`" for name in names)


def option_default(option: str) -> tuple[str, str | None]:
    """What an option is called, and its default as the code has it; None for a function's.

    Raises:
        LookupError: There is no such option.
    """
    module, _, path = option.partition(":")
    owner, _, name = path.partition(".")
    found = getattr(importlib.import_module(module), owner)
    if not name:
        return path, None
    fields: Sequence[Any] = (
        dataclasses.fields(found) if dataclasses.is_dataclass(found) else msgspec.structs.fields(found)
    )
    field = next((each for each in fields if each.name == name), None)
    if field is None:
        raise LookupError(option)
    return path, str(field.default)
