"""Every option of the local AWS Marketplace is on the page about what is not known, with its default."""

import dataclasses
import re
from pathlib import Path

import pytest

from argosy.local_aws.marketplace.options import MarketplaceOptions

PAGE = Path(__file__).parents[2] / "docs/explanation/what-local-aws-does-not-know.md"
ROWS = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", PAGE.read_text(), re.MULTILINE))
SAID = {"the sixteen of the published entity": 16, "yes": True, "no": False}


def test_the_page_has_every_option_and_no_other() -> None:
    assert list(ROWS) == [each.name for each in dataclasses.fields(MarketplaceOptions)]


@pytest.mark.parametrize("name", ROWS)
def test_the_page_tells_the_default(name: str) -> None:
    default = getattr(MarketplaceOptions(), name)
    told = ROWS[name].strip()
    if name == "regions":
        assert len(default) == SAID[told]
    elif isinstance(default, tuple):
        assert tuple(re.findall(r"`([^`]+)`", told)) == default
    elif isinstance(default, bool):
        assert default is SAID[told]
    else:
        assert told == str(default)
