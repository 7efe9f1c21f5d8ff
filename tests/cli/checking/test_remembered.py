"""Reports that are given again: the same for the same, and never anything for something else."""

import datetime
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from argosy.cli.checking import inputs
from argosy.cli.checking.options import Options
from argosy.cli.checking.remembered import Memory, is_final, key_of
from argosy.cli.environment import Environment
from argosy.conformance.catalogue import CLAUSES
from argosy.conformance.check import failed, unknown
from argosy.conformance.clause import must
from argosy.conformance.finding import Finding, Report
from argosy.conformance.judgement import CHECK_FAILED
from argosy.conformance.probes import invocation
from argosy.conformance.profile import Profile
from argosy.conformance.terms import Terms
from argosy.contract import Level
from argosy.project import load
from argosy.project_file import Waiver
from argosy.publishing.description import stored
from argosy.simulator.containers import instance_types
from tests.conformance.reporting.reports import REPORT, WAIVED
from tests.publishing.description.described import description

TODAY = datetime.date(2026, 11, 22)
AROUND = Environment(Path("cache"), Path("state"), Path("docker"), {"PATH": ""})


@pytest.mark.parametrize("report", [REPORT, WAIVED])
def test_a_report_comes_back_as_it_was_and_marked(tmp_path: Path, report: Report) -> None:
    memory = Memory(tmp_path / "cache")
    assert memory.find("a") is None
    memory.keep("a", report)
    found = memory.find("a")
    assert found is not None
    assert found == replace(report, is_given_again=True)
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
    assert key_of(str(folder), Options(), terms, AROUND) == key_of(str(folder), Options(), earlier, AROUND)


def test_what_a_run_writes_and_when_a_file_was_written_keep_the_key(folder: Path) -> None:
    terms = Terms(today=TODAY)
    options = Options(written=(folder / "report.sarif",))
    before = key_of(str(folder), options, terms, AROUND)
    (folder / "build").mkdir()
    for name in ("build/check.html", "report.sarif", ".cache"):
        (folder / name).write_text("a result")
    os.utime(folder / "predictor.py", (1, 1))
    assert key_of(str(folder), options, terms, AROUND) == before
    (folder / "report.txt").write_text("of another run")
    assert key_of(str(folder), options, terms, AROUND) != before


def test_a_description_of_the_image_is_a_change(folder: Path) -> None:
    before = key_of(str(folder), Options(), Terms(today=TODAY), AROUND)
    of_image = inputs.of_named(load(folder))
    stored.keep(folder, description())
    assert key_of(str(folder), Options(), Terms(today=TODAY), AROUND) != before
    assert inputs.of_named(load(folder)) == of_image


def test_a_project_that_an_image_belongs_to_counts_by_what_its_table_names(folder: Path) -> None:
    table = '[marketplace.validation]\nsamples = "data"\n[marketplace.usage]\nnotebook = "sample.ipynb"\n'
    with (folder / "argosy.toml").open("a") as file:
        file.write(table)
    (folder / "data").mkdir()
    named = [folder / "argosy.toml", folder / "predictor.py", folder / "data" / "rows.csv", folder / "sample.ipynb"]
    for path in named[2:]:
        path.write_text("{}")
    before = inputs.of_named(load(folder))
    (folder / "build").mkdir()
    for name in ("build/image", "notes.md", "report.sarif"):
        (folder / name).write_text("nobody names it")
        os.utime(folder / "predictor.py", (1, 1))
    assert inputs.of_named(load(folder)) == before
    for path in named:
        path.write_text(path.read_text() + "\n")
        after = inputs.of_named(load(folder))
        assert after != before, path
        before = after


def scanner_in(folder: Path, database: str) -> Environment:
    """An environment with a trivy of its own, whose database is of that day."""
    folder.mkdir(exist_ok=True)
    program = folder / "trivy"
    program.write_text(f"""#!/bin/sh
echo '{{"Version": "0.58.0", "VulnerabilityDB": {{"UpdatedAt": "{database}"}}}}'
""")
    program.chmod(0o755)
    return replace(AROUND, variables={"PATH": f"{folder}"})


def test_a_scanner_that_is_installed_or_updated_is_another_key(folder: Path, tmp_path: Path) -> None:
    arounds = [AROUND, scanner_in(tmp_path / "old", "2026-11-01"), scanner_in(tmp_path / "new", "2026-11-22")]
    keys = [key_of(str(folder), Options(), Terms(today=TODAY), around) for around in arounds]
    assert len(set(keys)) == 3
    assert key_of(str(folder), Options(), Terms(today=TODAY), arounds[1]) == keys[1]


def test_what_may_be_decided_the_next_time_is_not_kept(tmp_path: Path) -> None:
    unscanned = Finding(CLAUSES["image-vulnerabilities"], "image", unknown("not scanned: no result"))
    broken = Finding(CLAUSES["ping"], "health", unknown(f"{CHECK_FAILED}: ZeroDivisionError: oops"))
    scanner = scanner_in(tmp_path / "bin", "2026-11-22")
    assert is_final(REPORT, scanner)
    assert is_final(replace(REPORT, findings=(unscanned,)), AROUND)
    assert not is_final(replace(REPORT, findings=(unscanned,)), scanner)
    assert not is_final(replace(REPORT, findings=(*REPORT.findings, broken)), AROUND)


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
    before = key_of(str(folder), Options(), terms, AROUND)
    assert key_of(str(folder), *change(folder, Options(), terms), AROUND) != before
