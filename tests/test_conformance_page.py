"""The rows of conformance/explaining/rows.toml: each is covered, or says why not, and what it names exists."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from argosy.conformance.catalogue import CLAUSES
from argosy.conformance.explaining import rows

ROOT = Path(__file__).parent.parent


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("conformance_page", ROOT / "docs/conformance.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


PAGE = load()
ROWS = rows.read().rows
COVERING = PAGE.checks()


def test_every_row_has_a_clause_or_is_shown_elsewhere_or_says_why_not() -> None:
    assert [id_ for id_, row in ROWS.items() if not (id_ in COVERING or row.elsewhere or row.because)] == []


def test_what_cannot_be_checked_is_not_checked() -> None:
    assert [id_ for id_, row in ROWS.items() if row.because and (id_ in COVERING or row.elsewhere)] == []


def test_at_least_ninety_rows_are_covered() -> None:
    assert len([id_ for id_ in ROWS if id_ in COVERING]) >= 90


def test_every_row_that_a_clause_names_exists() -> None:
    assert {row for clause in CLAUSES.values() for row in clause.rows} - set(ROWS) == set()


def test_every_clause_is_named_by_a_test() -> None:
    assert [clause for clause in CLAUSES if not PAGE.tests_of(clause)] == []


def test_every_test_that_a_row_names_exists() -> None:
    names = {name for row in ROWS.values() for name in row.elsewhere}
    assert [name for name in names if not (ROOT / name.partition("::")[0]).exists()] == []
