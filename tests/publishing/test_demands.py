import datetime
from pathlib import Path

import msgspec
import pytest

from argosy.errors import ProjectError
from argosy.project_file import CheckTable, Waiver
from argosy.publishing.demands import failed_demands, require_demands
from argosy.publishing.registration.lanes import REGISTERED
from tests.marketplace.offers import changed
from tests.publishing.projects import project_of

TODAY = datetime.date(2026, 11, 23)


def test_a_project_without_a_fault_is_not_refused(tmp_path: Path) -> None:
    require_demands(project_of(tmp_path), TODAY)


def test_every_fault_is_told_with_its_remedy_before_anything_is_asked(tmp_path: Path) -> None:
    table = {**changed("listing/title", ""), "name": "vehicle.detector"}
    with pytest.raises(ProjectError) as refused:
        require_demands(project_of(tmp_path, table), TODAY)
    told = str(refused.value)
    assert "got 2 of its demands not met" in told
    assert "package-name: `vehicle.detector-1-0-0` has something else than letters" in told
    assert '    set title = "Vehicle detector" in [marketplace.listing]' in told
    assert told.endswith("hint: argosy check --explain package-name")


def test_what_a_run_of_the_image_tells_is_hinted_at(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as refused:
        require_demands(project_of(tmp_path, changed("usage/input/description", "")), TODAY)
    assert refused.value.hint is not None
    assert refused.value.hint.startswith("argosy describe")


def test_a_package_needs_no_page(tmp_path: Path) -> None:
    project = project_of(tmp_path, changed("listing/title", ""))
    assert [finding.clause.id for finding in failed_demands(project, TODAY)] == ["listing-title"]
    assert failed_demands(project, TODAY, REGISTERED) == ()


def test_a_waiver_counts_until_its_last_day(tmp_path: Path) -> None:
    waived = CheckTable((Waiver("listing-title", "Its name is not decided.", TODAY),))
    project = msgspec.structs.replace(project_of(tmp_path, changed("listing/title", "")), check=waived)
    assert failed_demands(project, TODAY) == ()
    assert len(failed_demands(project, TODAY + datetime.timedelta(days=1))) == 1


def test_what_sells_nothing_is_refused(tmp_path: Path) -> None:
    project = msgspec.structs.replace(project_of(tmp_path), marketplace=None)
    with pytest.raises(ProjectError, match=r"want a \[marketplace\] table"):
        require_demands(project, TODAY)
