"""Lists come page by page, and whatever a query says of pages is told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import DecodeError
from argosy.serving.front.asgi import page


@given(st.lists(st.integers(), max_size=250), st.none() | st.integers(0, 300))
def test_the_pages_of_a_list_are_the_list(items: list[int], limit: int | None) -> None:
    query = {} if limit is None else {"limit": str(limit)}
    found: list[object] = []
    told = page("numbers", items, query)
    while True:
        numbers = told["numbers"]
        assert isinstance(numbers, list)
        assert len(numbers) <= (100 if limit is None else max(1, limit))
        found += numbers
        if "nextPageToken" not in told:
            break
        told = page("numbers", items, {**query, "next_page_token": str(told["nextPageToken"])})
    assert found == items


@pytest.mark.parametrize("text", ["-1", "1.5", "x", "²", " 1", "9" * 10])
@pytest.mark.parametrize("name", ["limit", "next_page_token"])
def test_what_is_no_number_is_refused(name: str, text: str) -> None:
    with pytest.raises(DecodeError, match=name):
        page("numbers", [1], {name: text})


def test_a_token_behind_the_end_gives_an_empty_page() -> None:
    assert page("numbers", [1], {"next_page_token": "7"}) == {"numbers": []}
