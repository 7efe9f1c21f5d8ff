from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.marketplace.metering import Units, parse


@pytest.mark.parametrize(
    ("value", "consumed"),
    [
        ('{"Dimension": "inference.count", "ConsumedUnits": 3}', "3"),
        ('{"ConsumedUnits":2.50,"Dimension":"inference.count"}', "2.50"),
        ('{"Dimension": "inference.count", "ConsumedUnits": 1e2}', "1E+2"),
        ('{"Dimension": "inference.count", "ConsumedUnits": -1}', "-1"),
    ],
)
def test_a_header_is_read_to_the_last_digit(value: str, consumed: str) -> None:
    found = parse(value)
    assert isinstance(found, Units)
    assert found.dimension == "inference.count"
    assert str(found.consumed) == consumed


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("", "it is not JSON"),
        ("3", "want an object with Dimension and ConsumedUnits alone"),
        ('{"Dimension": "inference.count"}', "want an object with Dimension and ConsumedUnits alone"),
        ('{"Dimension": "a", "ConsumedUnits": 1, "More": 1}', "want an object with Dimension and ConsumedUnits alone"),
        ('{"Dimension": 1, "ConsumedUnits": 1}', "Dimension is no string"),
        ('{"Dimension": "a", "ConsumedUnits": "1"}', "ConsumedUnits is no number"),
        ('{"Dimension": "a", "ConsumedUnits": true}', "ConsumedUnits is no number"),
        ('{"Dimension": "a", "ConsumedUnits": NaN}', "it is not JSON"),
        ('{"Dimension": "a",\n"ConsumedUnits": 1}', "it is not one line of ASCII"),
        ('{"Dimension": "ä", "ConsumedUnits": 1}', "it is not one line of ASCII"),
        ('{"Dimension": "a", "ConsumedUnits": 1e999999999}', "ConsumedUnits is beyond 9223372036854775807"),
        ('{"Dimension": "a", "ConsumedUnits": 1e99999999999999999999}', "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
    ],
)
def test_what_is_wrong_with_a_header_is_said(value: str, fault: str) -> None:
    assert parse(value) == fault


@given(st.text(max_size=200))
def test_no_header_is_too_strange_to_be_judged(value: str) -> None:
    found = parse(value)
    assert isinstance(found, str) or found.consumed.is_finite()


@pytest.mark.parametrize(
    ("consumed", "fault"), [("3", ""), ("1E+2", ""), ("3.0", ""), ("0", "0"), ("2.5", "2.5"), ("-1", "-1")]
)
def test_units_are_integers_above_zero(consumed: str, fault: str) -> None:
    assert Units("inference.count", Decimal(consumed)).fault == (f"ConsumedUnits is {fault}" if fault else "")
