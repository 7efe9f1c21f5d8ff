"""The rows of docs/fidelity.toml: what they name exists, and no question that the code leaves open is missing."""

import ast
import importlib
import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src/argosy"
ROWS = tomllib.loads((ROOT / "docs/fidelity.toml").read_text())
CLAUSES: list[dict[str, Any]] = ROWS["clause"]
QUESTIONS: list[dict[str, Any]] = ROWS["question"]
TOO_LONG = 200


def unsure() -> list[tuple[str, str]]:
    """File and sentence of everything that the simulator's docstrings mark as not known."""
    found = []
    for path in sorted((PACKAGE / "simulator").rglob("*.py")):
        for text in re.findall(r"UNSURE:\s+((?:.|\n)*?)(?=\n\s*\n|UNSURE:|\"\"\"|\Z)", path.read_text()):
            found.append((path.relative_to(PACKAGE).as_posix(), " ".join(text.split())))
    return found


def functions(file: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text())
    return {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}


def test_every_test_that_a_clause_names_exists() -> None:
    names = {name for clause in CLAUSES for name in clause.get("tests", ())}
    known = {file: functions(file) for file in {name.partition("::")[0] for name in names}}
    assert [name for name in sorted(names) if name.partition("::")[2] not in known[name.partition("::")[0]]] == []


def test_every_file_and_source_that_a_row_names_exists() -> None:
    files = {file for clause in CLAUSES for file in clause["code"]} | {question["code"] for question in QUESTIONS}
    assert [file for file in sorted(files) if not (PACKAGE / file).is_file()] == []
    used = {key for clause in CLAUSES for key in clause["sources"]}
    assert used == set(ROWS["sources"])


def test_a_clause_has_a_test_or_an_honest_reason() -> None:
    assert [clause["says"] for clause in CLAUSES if not clause["code"] or not clause["sources"]] == []
    assert {clause["simulated"] for clause in CLAUSES} == {"yes", "partly", "no"}
    done = [clause for clause in CLAUSES if clause["simulated"] == "yes"]
    assert [clause["says"] for clause in done if not clause.get("tests") or "but" in clause] == []
    partly = [clause for clause in CLAUSES if clause["simulated"] == "partly"]
    assert [clause["says"] for clause in partly if not clause.get("tests") or not clause.get("but")] == []
    assert [clause["says"] for clause in CLAUSES if clause["simulated"] == "no" and not clause.get("but")] == []


def test_every_question_that_the_code_leaves_open_has_its_row() -> None:
    rows = [(question["code"], question["unsure"]) for question in QUESTIONS if "unsure" in question]
    places = unsure()
    assert len(places) >= 40, "they are found"
    assert [
        place for place in places if not any(row[0] == place[0] and place[1].startswith(row[1]) for row in rows)
    ] == []
    assert [
        row for row in rows if not any(row[0] == place[0] and place[1].startswith(row[1]) for place in places)
    ] == []


def test_a_question_says_what_is_done_and_its_option_is_there() -> None:
    assert [question["asks"] for question in QUESTIONS if not question.get("here") and "option" not in question] == []
    for option in (question["option"] for question in QUESTIONS if "option" in question):
        module, _, path = option.partition(":")
        owner, _, field = path.partition(".")
        found = getattr(importlib.import_module(module), owner)
        assert not field or field in found.__annotations__, option


def test_no_two_rows_say_the_same() -> None:
    said = [clause["says"] for clause in CLAUSES] + [question["asks"] for question in QUESTIONS]
    assert len(set(said)) == len(said)
    assert [text for text in said if len(text) > TOO_LONG] == []
