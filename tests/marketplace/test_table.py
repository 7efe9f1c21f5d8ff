import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.marketplace.listing import Listing
from argosy.marketplace.table import MARKETPLACE_TABLES, Marketplace, Price, price_text


@pytest.mark.parametrize(
    ("price", "text"),
    [("0.10", "0.10"), (0.1, "0.1"), (1e-7, "0.0000001"), (3, "3"), ("free", "free"), (1e9, "1000000000.0")],
)
def test_a_price_is_written_without_an_exponent(price: Price, text: str) -> None:
    assert price_text(price) == text


@given(st.floats(min_value=0, allow_infinity=False))
def test_a_price_keeps_its_value(price: float) -> None:
    text = price_text(price)
    assert re.fullmatch(r"\d+(\.\d+)?", text)
    assert float(text) == price


def test_the_long_description_has_what_is_said_and_nothing_else() -> None:
    listing = Listing(description="Tells cats from dogs.\n", limitations="No birds.", framework=" ")
    assert listing.long_description == "Tells cats from dogs.\n\nLimitations: No birds."
    assert Listing().long_description == ""


def test_nothing_is_needed() -> None:
    assert msgspec.convert({}, Marketplace) == Marketplace()
    assert all(struct() == struct() for struct in MARKETPLACE_TABLES.values())


def test_a_word_that_is_none_is_for_the_checks_to_judge_and_an_unknown_key_is_an_error() -> None:
    said = {"pricing": {"model": "monthly"}, "validation": {"split_type": "Lines", "assemble_with": "x"}}
    assert msgspec.convert(said, Marketplace).pricing.model == "monthly"
    with pytest.raises(msgspec.ValidationError, match="unknown field `modle`"):
        msgspec.convert({"pricing": {"modle": "free"}}, Marketplace)


@pytest.mark.parametrize("heading", MARKETPLACE_TABLES)
def test_each_heading_leads_to_its_table(heading: str) -> None:
    table: object = Marketplace
    for key in heading.split(".")[1:]:
        assert isinstance(table, type)
        field = next(field for field in msgspec.structs.fields(table) if field.name == key)
        table = field.type if isinstance(field.type, type) else field.type.__args__[0]
    assert table is MARKETPLACE_TABLES[heading]
