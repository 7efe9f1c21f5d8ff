import os
from pathlib import Path

import pytest

from argosy import project
from argosy.errors import ProjectError
from argosy.publishing.registration.gathering import gather
from argosy.publishing.registration.offering import Offering
from tests.local_aws.stand_in import small_image
from tests.publishing.projects import make_project


def gathered(root: Path) -> Offering:
    return gather(project.load(root), small_image(), root / "cache")


def test_the_samples_are_named_by_their_paths_and_hidden_ones_left_out(tmp_path: Path) -> None:
    root = make_project(tmp_path, samples={"b.csv": b"1", "a/c.csv": b"22", ".hidden": b"3", ".d/e.csv": b"4"})
    assert [(file.name, file.size) for file in gathered(root).samples] == [("a/c.csv", 2), ("b.csv", 1)]


def test_the_archive_is_packed_again_only_when_an_artifact_has_changed(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    first = gathered(root).archive
    assert first is not None
    stamp = first.path.stat().st_mtime_ns
    assert gathered(root).archive == first
    assert first.path.stat().st_mtime_ns == stamp
    (root / "model/weights.bin").write_bytes(b"other")
    second = gathered(root).archive
    assert second is not None
    assert second.sha256 != first.sha256


@pytest.mark.parametrize("damage", ["truncate", "remove", "forget"])
def test_an_archive_that_was_touched_is_packed_again(tmp_path: Path, damage: str) -> None:
    root = make_project(tmp_path)
    first = gathered(root).archive
    assert first is not None
    match damage:
        case "truncate":
            os.truncate(first.path, 3)
        case "remove":
            first.path.unlink()
        case _:
            (root / ".argosy/packed.json").write_text("{")
    assert gathered(root).archive == first
    assert first.path.stat().st_size == first.size


@pytest.mark.parametrize("where", ["nowhere", "../elsewhere", "argosy.toml"])
def test_samples_that_are_no_folder_of_the_project_end_it(tmp_path: Path, where: str) -> None:
    root = make_project(tmp_path / "project")
    (tmp_path / "elsewhere").mkdir()
    toml = root / "argosy.toml"
    toml.write_text(toml.read_text().replace('samples = "samples"', f'samples = "{where}"'))
    with pytest.raises(ProjectError, match="the samples of the validation are not there"):
        gathered(root)


def test_a_sample_that_leads_out_of_the_project_ends_it(tmp_path: Path) -> None:
    root = make_project(tmp_path / "project")
    (tmp_path / "secret").write_text("x")
    (root / "samples/link.csv").symlink_to(tmp_path / "secret")
    with pytest.raises(ProjectError, match="a sample leads out of the project folder"):
        gathered(root)


def test_a_project_that_sells_nothing_is_no_offering(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    toml = root / "argosy.toml"
    toml.write_text(toml.read_text().partition("[marketplace]")[0])
    with pytest.raises(ProjectError, match="nothing is sold"):
        gathered(root)
