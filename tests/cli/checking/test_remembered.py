"""Reports that are given again: the same for the same, and never anything for something else."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from argosy.cli.checking.options import Options
from argosy.cli.checking.remembered import Memory, key_of
from argosy.conformance.check import failed
from argosy.conformance.clause import must
from argosy.conformance.finding import Finding, Report
from argosy.conformance.probes import invocation
from argosy.conformance.profile import Profile
from argosy.conformance.terms import Terms
from argosy.contract import Level
from argosy.project_file import Waiver
from argosy.simulator.containers import instance_types
from tests.conformance.reporting.reports import REPORT, WAIVED

TODAY = datetime.date(2026, 11, 22)


@pytest.mark.parametrize("report", [REPORT, WAIVED])
def test_a_report_comes_back_as_it_was_and_marked(tmp_path: Path, report: Report) -> None:
    memory = Memory(tmp_path / "cache")
    assert memory.find("a") is None
    memory.keep("a", report)
    found = memory.find("a")
    assert found is not None
    assert datetime.datetime.fromisoformat(found.checked_at).tzinfo is not None
    assert replace(found, checked_at=report.checked_at) == report
    assert memory.find("b") is None


def test_a_profiles_levels_come_back(tmp_path: Path) -> None:
    clause = replace(must("x", "https://x.test", "X.", "x"), levels={Profile.SERVERLESS: Level.INFO})
    Memory(tmp_path).keep("a", Report("x", "", "", 1.0, (Finding(clause, "g", failed("no"), Profile.SERVERLESS),)))
    found = Memory(tmp_path).find("a")
    assert found is not None
    assert found.findings[0].level is Level.INFO


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"target": 1}', b"\xff\xfe"])
def test_a_broken_file_is_as_none(tmp_path: Path, content: bytes) -> None:
    memory = Memory(tmp_path)
    memory.keep("a", REPORT)
    (file,) = (tmp_path / "reports").iterdir()
    file.write_bytes(content)
    assert memory.find("a") is None
    memory.keep("a", REPORT)
    assert memory.find("a") is not None


def test_a_cache_that_is_no_folder_remembers_nothing(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    memory = Memory(tmp_path / "cache")
    memory.keep("a", REPORT)
    assert memory.find("a") is None


def test_a_target_whose_name_is_no_unicode_is_not_remembered(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.keep("a", replace(REPORT, target="oci:\udcff"))
    assert memory.find("a") is None
    assert list(tmp_path.rglob("*.json")) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "project"
    found.mkdir()
    (found / "argosy.toml").write_text('[model]\npredictor = "predictor:Model"\n')
    (found / "predictor.py").write_text("class Model: ...\n")
    return found


def test_the_same_has_the_same_key_and_a_waiver_in_force_keeps_it(folder: Path) -> None:
    terms = Terms(waivers=(Waiver("ping", "x", TODAY),), today=TODAY)
    earlier = replace(terms, today=TODAY - datetime.timedelta(days=9))
    assert key_of(str(folder), Options(), terms) == key_of(str(folder), Options(), earlier)


Change = Callable[[Path, Options, Terms], tuple[Options, Terms]]


def change_file(folder: Path, options: Options, terms: Terms) -> tuple[Options, Terms]:
    (folder / "predictor.py").write_text("class Model: pass  # changed\n")
    return options, terms


CHANGES: dict[str, Change] = {
    "a file": change_file,
    "profile": lambda _, options, terms: (options, replace(terms, profile=Profile.PIPELINE)),
    "waiver": lambda _, options, terms: (options, replace(terms, waivers=())),
    "day": lambda _, options, terms: (options, replace(terms, today=TODAY + datetime.timedelta(days=1))),
    "container": lambda _, options, terms: (replace(options, container="sandbox"), terms),
    "instance type": lambda _, options, terms: (
        replace(options, instance_type=instance_types.find("ml.m5.large")),
        terms,
    ),
    "sample": lambda _, options, terms: (replace(options, samples=(invocation("a/b", b"1", "s"),)), terms),
    "drills": lambda _, options, terms: (replace(options, with_drills=True), terms),
    "time": lambda _, options, terms: (replace(options, startup_s=9.0), terms),
    "model": lambda folder, options, terms: (replace(options, model_data=folder / "predictor.py"), terms),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_changes_is_another_key(folder: Path, change: Change) -> None:
    terms = Terms(waivers=(Waiver("ping", "x", TODAY),), today=TODAY)
    before = key_of(str(folder), Options(), terms)
    assert key_of(str(folder), *change(folder, Options(), terms)) != before
