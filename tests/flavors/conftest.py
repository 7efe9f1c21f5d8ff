"""The tests of a flavor may have to make its environment first, which downloads hundreds of megabytes."""

from pathlib import Path
from typing import Final

import pytest

_HERE: Final = Path(__file__).parent
_TIMEOUT_S: Final = 900
"""Each download is bounded by less; see environments.py."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give them the time that this takes on a machine that has nothing yet."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.timeout(_TIMEOUT_S))
