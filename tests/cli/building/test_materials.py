"""An image is laid out for a scanner that is there, and for nobody else."""

from pathlib import Path

import pytest

from argosy.cli.building.materials import scanned
from argosy.errors import NotScannedError
from tests.conformance.images import make_image
from tests.image.materials.scanners import stand_in, trivy_answers


def test_an_image_is_scanned_and_nothing_of_it_stays_behind(tmp_path: Path) -> None:
    programs = stand_in(tmp_path / "bin", "trivy", trivy_answers(["HIGH", "LOW"]))
    found = scanned(make_image(), tmp_path / "cache", {"PATH": str(programs)})
    assert (found.counts["high"], found.counts["low"]) == (1, 1)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_without_a_scanner_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(NotScannedError):
        scanned(make_image(), tmp_path / "cache", {"PATH": str(tmp_path)})
    assert not (tmp_path / "cache").exists()
