"""Properties of whole change sets, without HTTP."""

import asyncio
import copy
import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.local_aws.catalog.change_sets import ChangeSets
from argosy.local_aws.marketplace.refusal import Refusal
from argosy.local_aws.marketplace.service import Marketplace
from argosy.local_aws.marketplace.state import ChangeSet, State
from argosy.local_aws.marketplace.store import Store
from argosy.local_aws.marketplace.surroundings import Surroundings
from argosy.local_aws.service import Caller
from argosy.simulator.runtime.asgi import Message
from tests.local_aws.listings import (
    HOURLY,
    OFFER,
    PRODUCT,
    ROLE,
    SELLER,
    TEXTS,
    change,
    creation,
    package,
    pricing,
    version,
)
from tests.local_aws.market_stand import OPTIONS, START, Shelf, trust

FAULTY: Mapping[str, list[dict[str, Any]]] = {
    "AddDeliveryOptions": [version(PRODUCT, package("none")), version(PRODUCT, package(), AccessRoleArn=ROLE + "x")],
    "UpdatePricingTerms": [
        pricing(OFFER, {"m.i.c": "1"}),
        pricing(OFFER, {**HOURLY, "m.i.c": "1"}),
        pricing(OFFER, {**HOURLY, "ml.x.m.i.b": "1"}),
    ],
    "UpdateInformation": [change("UpdateInformation", {"Sku": "1"}, PRODUCT)],
    "CreateOffer": [change("CreateOffer", {"ProductId": "prod-0000000000000"}, name="CreateOfferChange")],
}
"""Changes of the right shape with which the creation of a product fails."""


def asked(changes: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"Catalog": "AWSMarketplace", "ChangeSet": copy.deepcopy(changes), **more}


class Desk:
    """Change sets over a state, and a clock."""

    def __init__(self) -> None:
        self.shelf = Shelf()
        self.shelf.put(package())
        policies = {ROLE: trust("assets.marketplace.amazonaws.com")}
        self.store = Store()
        self.around = Surroundings(self.shelf, policies.get, self.store, OPTIONS, clock=lambda: self.now)
        self.change_sets = ChangeSets(self.around)
        self.now = START

    @property
    def market(self) -> State:
        """What buyers and sellers see: everything but the change sets."""
        state = self.store.state
        return State(products=state.products, offers=state.offers)

    def settled(self) -> list[ChangeSet]:
        self.change_sets.settle(self.now)
        return [*self.store.state.change_sets.values()]

    async def answered(self, operation: str, request: dict[str, Any]) -> tuple[int, bytes]:
        """What a client is answered, without a connection between."""
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": json.dumps(request).encode(), "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        scope: Message = {"type": "http", "path": f"/{operation}", "query_string": b"", "headers": []}
        await Marketplace(self.around).answer(Caller(SELLER, "us-east-1"), scope, receive, send)
        return sent[0]["status"], sent[1]["body"]

    def ended(self, changes: list[dict[str, Any]], **more: Any) -> Any:
        change_set = self.change_sets.start(SELLER, asked(changes, **more), self.now)["ChangeSetId"]
        self.now += 1
        self.change_sets.settle(self.now)
        named = {"Catalog": "AWSMarketplace", "ChangeSetId": change_set}
        return self.change_sets.describe(SELLER, named, self.now)


@st.composite
def creations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A creation in which some changes are left out and some replaced by faulty ones."""
    changes: list[dict[str, Any]] = []
    for each in creation():
        fate = draw(st.sampled_from(["kept", "kept", "kept", "left out", "faulty"]))
        if fate == "kept" or "ChangeName" in each:
            changes.append(each)
        elif fate == "faulty" and each["ChangeType"] in FAULTY:
            changes.append(draw(st.sampled_from(FAULTY[each["ChangeType"]])))
    return changes


@settings(max_examples=150, deadline=None)
@given(creations())
def test_a_change_set_changes_everything_that_it_says_or_nothing(changes: list[dict[str, Any]]) -> None:
    desk = Desk()
    before = desk.market
    described = desk.ended(changes)
    faults = [fault for each in described["ChangeSet"] for fault in each["ErrorDetailList"]]
    if described["Status"] == "FAILED":
        assert faults
        assert desk.market == before
        assert desk.shelf.copied == []
    else:
        assert (described["Status"], faults) == ("SUCCEEDED", [])
        types = {each["ChangeType"] for each in changes}
        (product,) = desk.market.products.values()
        assert len(product.versions) == ("AddDeliveryOptions" in types)
        assert (product.visibility == "Limited") == ("ReleaseProduct" in types)
        assert ("ShortDescription" in product.texts) == ("UpdateInformation" in types and _says_all(changes))
        (offer,) = desk.market.offers.values()
        assert (offer.state == "Released") == ("ReleaseOffer" in types)
        assert set(offer.terms) == {each for each in types if each.endswith("Terms")}


def _says_all(changes: list[dict[str, Any]]) -> bool:
    said = [each["DetailsDocument"] for each in changes if each["ChangeType"] == "UpdateInformation"]
    return any("ShortDescription" in details for details in said) or TEXTS in said


@settings(max_examples=100, deadline=None)
@given(creations())
def test_validation_never_changes_anything_and_ends_as_the_change_would(changes: list[dict[str, Any]]) -> None:
    desk = Desk()
    before = desk.market
    validated = desk.ended(changes, Intent="VALIDATE")
    assert desk.market == before
    assert desk.shelf.copied == []
    applied = desk.ended(changes)
    assert validated["Status"] == applied["Status"]
    assert _codes(validated) == _codes(applied)


def _codes(described: Any) -> list[list[str]]:
    return [[fault["ErrorCode"] for fault in each["ErrorDetailList"]] for each in described["ChangeSet"]]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2), st.floats(0, 1)), max_size=12))
def test_a_token_never_creates_twice(requests: list[tuple[str, int, float]]) -> None:
    """Whatever comes between, one token makes one product, and another request with it is refused."""
    desk = Desk()
    first: dict[str, tuple[int, str]] = {}
    for token, number, pause in requests:
        create = [change("CreateProduct", {"ProductTitle": f"Product {number}"})]
        desk.change_sets.settle(desk.now)
        try:
            started = desk.change_sets.start(SELLER, asked(create, ClientRequestToken=token), desk.now)["ChangeSetId"]
        except Refusal as refusal:
            assert refusal.code == "ValidationException"
            assert first[token][0] != number
        else:
            assert first.setdefault(token, (number, started)) == (number, started)
        desk.now += pause
    desk.change_sets.settle(desk.now + 1)
    assert len(desk.market.products) == len(first)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([PRODUCT, OFFER, "prod-1@1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*TEXTS, "Terms"]), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def distorted(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A creation with something else at one place."""
    changes = copy.deepcopy(creation())
    inner: Any = changes
    while True:
        key = draw(st.sampled_from(range(len(inner)) if isinstance(inner, list) else sorted(inner)))
        if not isinstance(inner[key], dict | list) or not inner[key] or draw(st.integers(0, 5)) == 0:
            inner[key] = draw(JSON)
            return changes
        inner = inner[key]


@settings(max_examples=300, deadline=None)
@given(distorted())
def test_whatever_is_sent_is_refused_or_judged(changes: list[dict[str, Any]]) -> None:
    """Never a fault of the service's own."""
    desk = Desk()
    status, answer = asyncio.run(desk.answered("StartChangeSet", {"Catalog": "AWSMarketplace", "ChangeSet": changes}))
    assert status in {200, 400, 404, 422, 501}, answer
    desk.now += 1
    for change_set in desk.settled():
        assert change_set.failure_code != "SERVER_FAULT", change_set
