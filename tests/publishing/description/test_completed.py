from typing import Any

import msgspec

from argosy.marketplace.listing import Sample
from argosy.marketplace.table import Marketplace
from argosy.publishing.description.completed import completed
from tests.marketplace.offers import CLEAN
from tests.publishing.description.described import description


def table_of(**usage: Any) -> Marketplace:
    return msgspec.convert({"usage": usage}, Marketplace)


def test_where_the_seller_is_silent_what_was_found_out_is_said() -> None:
    whole = completed(Marketplace(), description())
    assert whole.usage == description().usage
    assert whole.listing.speed == "2 ms"


def test_what_the_seller_says_wins_field_by_field() -> None:
    whole = completed(table_of(input={"description": "Flowers.", "limitations": "A thousand."}), description())
    assert whole.usage.input.description == "Flowers."
    assert whole.usage.input.limitations == "A thousand."
    assert whole.usage.input.realtime_sample == Sample(text="1")
    assert whole.usage.instructions == "Call invoke_endpoint."


def test_parameters_that_the_seller_names_are_completed_and_no_others_are_added() -> None:
    said = [{"name": "sepal", "description": "Its length.", "required": False}, {"name": "own"}]
    (sepal, own) = completed(table_of(input={"parameters": said}), description()).usage.input.parameters
    assert (sepal.description, sepal.constraints, sepal.required) == ("Its length.", "at least 0", False)
    assert own.description == ""


def test_a_complete_table_stays_as_it_is() -> None:
    table = msgspec.convert(CLEAN, Marketplace)
    whole = completed(table, description())
    assert whole.listing == table.listing
    assert whole.usage.input == msgspec.structs.replace(table.usage.input, parameters=whole.usage.input.parameters)


def test_nothing_that_decides_the_package_is_touched() -> None:
    whole = completed(Marketplace(), description())
    rest = msgspec.structs.replace(whole, usage=Marketplace().usage, listing=Marketplace().listing)
    assert rest == Marketplace()
