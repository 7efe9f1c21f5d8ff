"""`argosy publish` and `argosy release` as a seller types them, on the local AWS."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.cli import main
from argosy.errors import PlanError, ProjectError, UsageError
from argosy.testing.local_aws import LocalAwsServer
from argosy.testing.local_aws import local_aws as serving
from tests.local_aws.stand_in import open_stand_in
from tests.publishing.projects import write_project


@pytest.fixture(scope="module")
def local_aws() -> Iterator[LocalAwsServer]:
    with serving(open_image=open_stand_in) as aws:
        yield aws


@pytest.fixture(autouse=True)
def _seller(local_aws: LocalAwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in local_aws.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def written(local_aws: LocalAwsServer) -> Iterator[list[str]]:
    """What was written to AWS."""
    calls: list[str] = []
    with local_aws.after_write(lambda service, operation: calls.append(f"{service}:{operation}")):
        yield calls


def run(*arguments: str) -> int:
    code = main.command.main(list(arguments), prog_name="argosy", standalone_mode=False)
    return code if isinstance(code, int) else 0


def test_a_release_and_a_publication_are_done_once(
    tmp_path: Path, written: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    project = str(write_project(tmp_path, "once"))
    regions = ("us-east-1", "eu-west-1")
    assert run("release", *regions, "--project", project, "--yes") == 0
    arns = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert arns == {region: f"arn:aws:sagemaker:{region}:111122223333:model-package/once-1-0-0" for region in regions}
    written.clear()
    assert run("publish", project, "--yes") == 0
    assert set(written) == {"aws-marketplace:StartChangeSet"}
    written.clear()
    assert run("release", *regions, "--project", project) == 0
    assert run("publish", project) == 0
    assert written == []
    kept = json.loads((tmp_path / ".argosy/seller.json").read_text())["steps"]
    assert [kept[f"{region}/package"]["arn"] for region in regions] == [arns[region] for region in regions]
    assert kept["product"]["product"].startswith("prod-")


def test_the_whole_plan_can_be_seen_before_the_package_is_there(
    tmp_path: Path, written: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    project = str(write_project(tmp_path, "early"))
    assert run("publish", project, "--plan", "--json", "--public") == 0
    steps = json.loads(capsys.readouterr().out)["steps"]
    assert [step["key"] for step in steps] == ["account", "package", "product", "visibility"]
    assert steps[1]["obstacle"]["hint"] == "argosy register"
    with pytest.raises(PlanError, match="there is no such model package"):
        run("publish", project, "--yes")
    assert written == []


def test_a_listing_that_aws_would_refuse_is_refused_before_the_first_call(tmp_path: Path, written: list[str]) -> None:
    project = str(write_project(tmp_path, "untold", release={"title": "1.0.0", "notes": ""}))
    with pytest.raises(ProjectError, match="usage-release"):
        run("publish", project, "--yes")
    with pytest.raises(ProjectError, match="usage-release"):
        run("offer", project, "--buyer", "444455556666", "--until", "2099-01-31", "--yes")
    assert written == []


def test_a_region_named_twice_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = str(write_project(tmp_path, "twice"))
    regions = ("eu-west-1", "us-east-1", "eu-west-1")
    named = [argument for region in regions for argument in ("--region", region)]
    for verb in (("release", *regions, "--project", project), ("register", project, *named), ("push", project, *named)):
        run(*verb, "--plan", "--json")
        keys = [step["key"] for step in json.loads(capsys.readouterr().out)["steps"]]
        assert len(keys) == len(set(keys))


def test_one_bucket_for_two_regions_is_refused_before_anything_is_made(tmp_path: Path, written: list[str]) -> None:
    root = write_project(tmp_path, "shared")
    file = root / "argosy.toml"
    file.write_text(file.read_text().replace("-{region}", ""))
    with pytest.raises(ProjectError, match="a bucket is in one region"):
        run("register", str(root), "--region", "us-east-1", "--region", "eu-west-1", "--yes")
    assert written == []


@pytest.mark.parametrize("other", ["Limited", "Restricted"])
def test_a_product_is_not_shown_both_to_all_and_to_few(tmp_path: Path, written: list[str], other: str) -> None:
    project = str(write_project(tmp_path, "both"))
    with pytest.raises(UsageError, match=f"--public and --visibility {other}"):
        run("publish", project, "--public", "--visibility", other, "--yes")
    assert written == []
