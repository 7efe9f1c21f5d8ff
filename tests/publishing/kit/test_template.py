import ast

import pytest

from argosy.publishing.kit.template import filled, in_code


def test_places_in_values_are_filled_too() -> None:
    assert filled("@@A@@ and @@B@@", {"A": "x@@B@@", "B": "y"}) == "xy and y"


def test_a_place_without_a_value_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="LACKING"):
        filled("@@LACKING@@", {})


def test_what_is_code_is_read_back_as_it_was_and_has_no_place() -> None:
    text = 'a/b; c="d\\"@@PLACE@@\n😀'
    written = f'"{in_code(text)}"'
    assert ast.literal_eval(written) == text
    assert filled(written, {}) == written
