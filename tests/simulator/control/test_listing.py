"""List operations: pages put together are the whole, whatever the order, the page's size and the filters."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.simulator.control import listing
from argosy.simulator.control.listing import Listing
from argosy.simulator.control.refusals import Refusal
from argosy.simulator.control.resources import Kind, Resource
from tests.simulator.control.conftest import Simulated

LISTING = Listing("Models", lambda model: {"Name": model.name})
names = st.lists(st.from_regex(r"[a-cA-C]{1,3}", fullmatch=True), unique_by=str.lower, max_size=20)


@settings(max_examples=60)
@given(
    names,
    st.sampled_from([None, "Name", "CreationTime", "Status"]),
    st.sampled_from([None, "Ascending", "Descending"]),
    st.integers(1, 7),
    st.sampled_from(["", "a", "B"]),
    st.randoms(use_true_random=False),
)
def test_pages_are_the_whole(
    chosen: list[str], by: str | None, order: str | None, size: int, contains: str, chance: Any
) -> None:
    resources = [
        Resource(Kind.MODEL, "r", name, float(chance.randrange(3)), 0.0, {}, chance.choice(["A", "B"]))
        for name in chosen
    ]
    request: dict[str, Any] = {"MaxResults": size, "NameContains": contains}
    request |= {"SortBy": by} if by else {}
    request |= {"SortOrder": order} if order else {}
    seen: list[str] = []
    while True:
        answer = listing.page(LISTING, resources, request)
        assert len(answer["Models"]) <= size
        seen += [model["Name"] for model in answer["Models"]]
        if "NextToken" not in answer:
            break
        request["NextToken"] = answer["NextToken"]
    assert sorted(seen) == sorted(name for name in chosen if contains.lower() in name.lower())
    if by == "Name":
        assert [name.lower() for name in seen] == sorted((name.lower() for name in seen), reverse=order != "Ascending")


def test_paginators_and_filters_of_boto3_work(simulated: Simulated) -> None:
    for number in range(7):
        simulated.model(f"iris-{number}")
    simulated.model("other")
    pages = simulated.sagemaker.get_paginator("list_models").paginate(
        NameContains="IRIS", SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 3}
    )
    found = [[model["ModelName"] for model in page["Models"]] for page in pages]
    assert found == [["iris-0", "iris-1", "iris-2"], ["iris-3", "iris-4", "iris-5"], ["iris-6"]]
    created = simulated.sagemaker.describe_model(ModelName="iris-3")["CreationTime"]
    later = simulated.sagemaker.list_models(CreationTimeAfter=created)["Models"]
    assert {model["ModelName"] for model in later} == {"iris-4", "iris-5", "iris-6", "other"}


@pytest.mark.parametrize(
    "more", [{"SortBy": "Name"}, {"SortOrder": "Ascending"}, {"NextToken": "bm8="}, {"NextToken": "W1tbXQ=="}]
)
def test_the_token_of_another_order_is_refused(more: dict[str, str]) -> None:
    resources = [Resource(Kind.MODEL, "r", name, 1.0, 0.0, {}) for name in "abc"]
    request = {"MaxResults": 1, "SortBy": "CreationTime", "SortOrder": "Descending"}
    token = listing.page(LISTING, resources, request)["NextToken"]
    with pytest.raises(Refusal, match="Invalid pagination token"):
        listing.page(LISTING, resources, {**request, "NextToken": token, **more})
