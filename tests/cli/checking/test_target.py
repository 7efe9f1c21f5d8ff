"""What `argosy check` examines: a project as it is sold, with what a run of its image told."""

import datetime
from pathlib import Path

import pytest

from argosy.cli import environment
from argosy.cli.checking import target
from argosy.cli.checking.options import Options
from argosy.conformance.finding import Report
from argosy.conformance.profile import Profile
from argosy.conformance.run import Subject
from argosy.publishing.description import stored
from tests.publishing.description.described import description, flowers


def test_what_was_found_out_of_the_image_is_what_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examined: list[Subject] = []

    def examine(subject: Subject, *_: object) -> Report:
        examined.append(subject)
        return Report(subject.target, "", "", 0.0, checked_at=datetime.date.min.isoformat())

    monkeypatch.setattr(target, "examine", examine)
    root = flowers(tmp_path / "flowers").root
    checked = target.Target(str(root), Options(profile=Profile.MARKETPLACE), environment.read())
    checked.check()
    stored.keep(root, description())
    checked.check()
    speeds = [one.project and one.project.marketplace and one.project.marketplace.listing.speed for one in examined]
    assert speeds == ["", "2 ms"]
