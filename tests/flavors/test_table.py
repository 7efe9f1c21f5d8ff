"""Every cell of docs/reference/flavors.md is measured again."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flavors.table import NAMES, committed, differences, gaps, measured


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Path]:
    """A folder that is gone afterwards: pytest would keep the images of three runs, some gigabytes each."""
    folder = tmp_path / "work"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_flavor_does_what_its_row_says(name: str, work: Path) -> None:
    row = measured(name, work)
    assert not gaps(row)
    assert not differences(row, committed().get(name))


def test_there_is_a_row_for_each_flavor_and_no_other() -> None:
    assert set(committed()) == set(NAMES)
