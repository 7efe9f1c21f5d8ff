from pathlib import Path

import pytest

from argosy import project
from argosy.errors import ProjectError
from argosy.publishing.registration.readiness import PUSHED, REGISTERED, require_ready
from tests.publishing.projects import make_project


def test_a_package_needs_no_listing(tmp_path: Path) -> None:
    loaded = project.load(make_project(tmp_path))
    require_ready(loaded, PUSHED)
    require_ready(loaded, REGISTERED)


@pytest.mark.parametrize(
    ("before", "after", "clause", "fails_push"),
    [
        ('realtime = ["ml.m5.large"]', 'realtime = ["ml.none.large"]', "instance", False),
        ('repository = "team/rows"', 'repository = "Team/Rows"', "repository", True),
        ('bucket = "rows-releases-{region}"', 'bucket = "Rows_{region}"', "bucket", True),
        ('name = "rows"', 'name = "-rows"', "name", False),
    ],
)
def test_what_aws_would_refuse_is_named(tmp_path: Path, before: str, after: str, clause: str, fails_push: bool) -> None:
    toml = make_project(tmp_path) / "argosy.toml"
    assert before in toml.read_text()
    toml.write_text(toml.read_text().replace(before, after))
    loaded = project.load(tmp_path)
    with pytest.raises(ProjectError, match="AWS would refuse what") as caught:
        require_ready(loaded, REGISTERED)
    assert clause in str(caught.value.got)
    assert str(caught.value.hint).startswith("argosy check --explain ")
    if fails_push:
        with pytest.raises(ProjectError):
            require_ready(loaded, PUSHED)
    else:
        require_ready(loaded, PUSHED)
