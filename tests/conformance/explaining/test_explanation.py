"""What `argosy check --explain` says of each clause."""

from dataclasses import replace
from typing import Any

import pytest

from argosy.conformance import doctor
from argosy.conformance.catalogue import ACTS, CHECKS, CLAUSES
from argosy.conformance.check import Check
from argosy.conformance.explaining import explanation, reasons, rows
from argosy.conformance.explaining.explanation import Way
from argosy.conformance.profile import Profile
from argosy.contract import Level
from argosy.errors import UsageError


@pytest.mark.parametrize("check", [*CHECKS, *doctor.CHECKS], ids=lambda check: check.clause.id)
def test_every_clause_is_explained_in_80_columns(check: Check[Any]) -> None:
    text = explanation.to_text([check])
    joined = " ".join(text.split())
    clause = check.clause
    for part in (clause.id, clause.sentence, reasons.reason_of(check), clause.remedy, clause.source, clause.read):
        assert part
        assert " ".join(part.split()) in joined
    assert all(row in text for row in clause.rows)
    assert [line for line in text.splitlines() if len(line) > 80 and "https://" not in line] == []


def test_every_reason_is_of_a_clause_and_every_group_has_one() -> None:
    assert set(reasons.BY_CLAUSE) <= {*CLAUSES, *(check.clause.id for check in doctor.CHECKS)}
    assert {check.group for check in (*CHECKS, *doctor.CHECKS)} - set(reasons.BY_GROUP) == set()


def test_a_clause_is_found_by_its_id_and_by_each_of_its_rows() -> None:
    (check,) = explanation.find("accept-connection")
    assert check.clause.id == "accept-connection"
    assert {found.clause.id for found in explanation.find("c09")} >= {"accept-connection"}
    for row in {row for clause in CLAUSES.values() for row in clause.rows}:
        assert all(row in found.clause.rows for found in explanation.find(row))


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("image-rot", "no clause has this id", "`image-root`"),
        ("C99", "no row has this id", "`C09`"),
        ("docker", "no clause has this id", "--explain"),
        ("zzz", "no clause has this id", "--explain"),
    ],
)
def test_an_unknown_id_names_the_nearest(name: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        explanation.find(name)
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize("name", ["V10", "f23"])
def test_a_row_that_no_machine_can_check_says_why(name: str) -> None:
    assert explanation.find(name) == ()
    row = rows.read().rows[name.upper()]
    told = " ".join(explanation.row_of(name).split())
    assert row.says in told
    assert f"it cannot be: {row.because}" in told


def test_every_row_is_explained() -> None:
    for name, row in rows.read().rows.items():
        assert explanation.find(name) or row.because in " ".join(explanation.row_of(name).split())


def test_a_clause_of_the_machine_is_explained() -> None:
    (check,) = explanation.find("credentials")
    assert explanation.way_of(check) is Way.MACHINE
    assert "every profile" not in explanation.to_text([check])


def test_the_list_has_every_clause_once() -> None:
    lines = explanation.to_list().splitlines()
    listed = [line.split()[1] for line in lines if line.startswith("  ")]
    assert listed == list(CLAUSES)


def test_how_a_clause_is_checked_comes_from_what_plays_its_scene(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = {check.clause.id: explanation.way_of(check) for check in CHECKS}
    assert ways["image-root"] is Way.STATIC
    assert ways["ping"] is Way.DYNAMIC
    assert ways["listing-title"] is Way.PROJECT
    monkeypatch.setattr(explanation, "ACTS", tuple(replace(act, is_drill=True) for act in ACTS))
    (check,) = explanation.find("ping")
    assert explanation.way_of(check) is Way.DRILL
    assert "only with --drills" in explanation.to_text([check])


def test_the_levels_of_the_profiles_are_told() -> None:
    clause = CLAUSES["ping"]
    assert explanation.levels(clause) == "MUST for every profile"
    harder = replace(clause, level=Level.SHOULD, levels={Profile.MARKETPLACE: Level.MUST}, only=tuple(Profile)[:2])
    assert explanation.levels(harder) == (
        "SHOULD for sagemaker; MUST for marketplace; not asked for by serverless, multi-model, pipeline"
    )
    (check,) = explanation.find("ping")
    (told,) = explanation.to_objects([replace(check, clause=harder)])
    assert told["levels"] == {
        "sagemaker": "SHOULD",
        "marketplace": "MUST",
        "serverless": None,
        "multi-model": None,
        "pipeline": None,
    }
