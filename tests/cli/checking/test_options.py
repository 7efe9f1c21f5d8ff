"""The options of `argosy check` as values."""

import datetime
from pathlib import Path

import pytest

from argosy import project
from argosy.cli.checking import options
from argosy.cli.checking.options import Options
from argosy.conformance.reporting.form import Form
from argosy.errors import ProjectError, UsageError
from argosy.project_file import Waiver

WAIVER = '[[check.waivers]]\nclause = "{}"\nreason = "not before"\nuntil = 2027-03-01\n'


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    found = [tmp_path / "a.csv", tmp_path / "b.json"]
    for file in found:
        file.write_text(file.name)
    return found


def test_the_first_sample_has_the_first_media_types(files: list[Path]) -> None:
    one, other = options.samples(files, ["text/csv", "application/json"], ["text/csv", "application/json"])
    assert (one.body, dict(one.headers)["Content-Type"], dict(one.headers)["Accept"]) == (b"a.csv", *["text/csv"] * 2)
    assert (other.body, other.name) == (b"b.json", "sample `b.json`")
    assert dict(other.headers)["Accept"] == "application/json"


def test_one_media_type_goes_with_every_sample_and_anything_is_accepted(files: list[Path]) -> None:
    found = options.samples(files, ["text/plain"], [])
    assert [dict(one.headers)["Content-Type"] for one in found] == ["text/plain"] * 2
    assert [dict(one.headers)["Accept"] for one in found] == ["*/*"] * 2
    assert options.samples([], [], []) == ()


@pytest.mark.parametrize(
    ("count", "types", "accepts", "message"),
    [
        (1, [], [], "`--sample` and `--content-type` go together"),
        (0, ["text/csv"], [], "`--sample` and `--content-type` go together"),
        (0, [], ["text/csv"], "`--accept` goes with a sample"),
        (1, ["text/csv", "text/csv"], [], "`--content-type` has to be given once"),
        (2, ["text/csv"], ["a/b", "a/b", "a/b"], "`--accept` has to be given once"),
    ],
)
def test_samples_without_their_media_types_are_wrong_usage(
    files: list[Path], count: int, types: list[str], accepts: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        options.samples(files[:count], types, accepts)


def test_a_report_names_its_form_and_its_file(tmp_path: Path) -> None:
    assert options.report_files([f"json:{tmp_path}/a:b.json", "text:out.txt"]) == (
        (Form.JSON, tmp_path / "a:b.json"),
        (Form.TEXT, Path("out.txt")),
    )


@pytest.mark.parametrize("text", ["json", "json:", "report.json", "pdf:report.pdf", ""])
def test_a_report_without_a_form_that_there_is_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="`--report` has no form"):
        options.report_files([text])


def test_a_report_in_no_folder_is_refused_before_anything_is_checked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        options.report_files([f"json:{tmp_path}/missing/report.json"])


def test_waivers_are_those_of_the_command_line_and_of_the_targets_project(tmp_path: Path) -> None:
    (tmp_path / "predictor.py").write_text("class Model: ...\n")
    model = '[model]\npredictor = "predictor:Model"\n'
    (tmp_path / "argosy.toml").write_text(model + WAIVER.format("ping"))
    loaded = project.load(tmp_path)
    alone = tmp_path / "waivers.toml"
    alone.write_text(WAIVER.format("image-root"))
    given = options.load_waivers(alone)
    until = datetime.date(2027, 3, 1)
    assert given == (Waiver("image-root", "not before", until),)
    both = (*given, Waiver("ping", "not before", until))
    assert Options(waivers=given, project=loaded).waivers_of(None) == both
    assert Options(waivers=given).waivers_of(loaded) == both
    assert Options(waivers=given).waivers_of(None) == given
    assert options.load_waivers(None) == ()
    (tmp_path / "argosy.toml").write_text(model + WAIVER.format("pong"))
    with pytest.raises(ProjectError, match="got `pong`"):
        Options().waivers_of(project.load(tmp_path))
    alone.write_text(WAIVER.format("image-rot"))
    with pytest.raises(ProjectError, match=r"waivers\.toml"):
        options.load_waivers(alone)


def test_an_instance_type_is_known_or_wrong_usage() -> None:
    assert options.find_instance_type(None) is None
    found = options.find_instance_type("ml.m5.large")
    assert found is not None
    assert found.cpus == 2
    with pytest.raises(UsageError):
        options.find_instance_type("ml.m5.tiny")
