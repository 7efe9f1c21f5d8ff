import pytest

from argosy.publishing.kit.template import filled


def test_places_in_values_are_filled_too() -> None:
    assert filled("@@A@@ and @@B@@", {"A": "x@@B@@", "B": "y"}) == "xy and y"


def test_a_place_without_a_value_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="LACKING"):
        filled("@@LACKING@@", {})
