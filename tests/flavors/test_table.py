"""Every cell of docs/reference/flavors.md is measured again."""

from pathlib import Path

import pytest

from tests.flavors.table import NAMES, committed, differences, gaps, measured


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_flavor_does_what_its_row_says(name: str, tmp_path: Path) -> None:
    row = measured(name, tmp_path)
    assert not gaps(row)
    assert not differences(row, committed().get(name))


def test_there_is_a_row_for_each_flavor_and_no_other() -> None:
    assert set(committed()) == set(NAMES)
