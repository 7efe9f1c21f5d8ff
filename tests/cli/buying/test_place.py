"""In which region a name is looked for."""

from pathlib import Path

import pytest

from argosy.cli.buying.place import deployed_regions, forget, region_of, state_file
from argosy.errors import UsageError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    (tmp_path / ".argosy").mkdir()
    return tmp_path


def test_what_is_said_comes_first_then_where_this_folder_has_deployed_it_then_awss_own() -> None:
    assert region_of(None, "iris") == "us-east-1"
    state_file("deploy", "eu-west-1", "iris").touch()
    assert region_of(None, "iris") == "eu-west-1"
    assert region_of("us-west-2", "iris") == "us-west-2"
    assert region_of(None, "other") == "us-east-1"
    forget("eu-west-1", "iris")
    assert region_of(None, "iris") == "us-east-1"


def test_several_regions_are_the_users_to_choose_from() -> None:
    for verb, region in (("deploy", "eu-west-1"), ("transform", "eu-west-1"), ("deploy", "us-gov-west-1")):
        state_file(verb, region, "iris").touch()
    state_file("deploy", "eu-central-1", "my-iris").touch()
    assert deployed_regions("iris") == ["eu-west-1", "us-gov-west-1"]
    with pytest.raises(UsageError, match="in several regions"):
        region_of(None, "iris")


def test_no_region_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(UsageError, match="no region is named"):
        region_of(None, "iris")
