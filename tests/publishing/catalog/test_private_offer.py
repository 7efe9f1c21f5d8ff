import datetime
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from argosy.errors import PlanError
from argosy.marketplace.offer_changes import PrivateOffer
from argosy.planning.step import Kind, Risk
from argosy.publishing.catalog.private_offer import PrivateOfferWish
from argosy.publishing.catalog.step import ChangeSetStep
from tests.local_aws.listings import BUYER
from tests.local_aws.market_stand import with_options
from tests.publishing.catalog.sellers import CountingApi, Killed, Seller

DAY = datetime.date(2027, 1, 31)
LATER = datetime.date(2027, 2, 28)
STRANGER = "777788889999"


def offered(seller: Seller, price: str = "0.10", day: datetime.date = DAY, buyer: str = BUYER) -> ChangeSetStep:
    said = seller.table.pricing
    hours = {mode: dict.fromkeys(getattr(said, mode), price) for mode in ("realtime", "batch")}
    pricing = msgspec.structs.replace(said, realtime=hours["realtime"], batch=hours["batch"])
    return ChangeSetStep(PrivateOfferWish(seller.sale, PrivateOffer("For one", (buyer,), day, 365, pricing)))


def private_offers(seller: Seller) -> list[Mapping[str, Any]]:
    """The private offers that AWS has."""
    found = seller.market.service._around.store.state.offers.values()
    return [seller.market.entity(offer.id) for offer in found if offer.is_private]


def test_an_offer_is_made_for_its_buyers_at_its_prices_and_a_second_run_does_nothing(seller: Seller) -> None:
    seller.publish()
    change = seller.last(offered(seller))
    assert change.kind is Kind.CREATE
    assert change.consent is not None
    assert change.consent.risk is Risk.LOSS
    assert f"{BUYER} can accept `Vehicle detector` at 0.10 dollars until 2027-01-31" in change.consent.sentence
    given = seller.carry_out(offered(seller))["offer For one"]
    shown = seller.market.entity(given["offer"])
    assert shown["State"] == "Released"
    assert {rate["Price"] for rate in shown["Terms"][0]["RateCards"][0]["RateCard"]} == {"0.10"}
    assert seller.last(offered(seller)).kind is Kind.NOTHING
    seller.forget()
    assert seller.last(offered(seller)).kind is Kind.NOTHING


def test_another_day_is_a_change_of_the_same_offer(seller: Seller) -> None:
    seller.publish()
    seller.carry_out(offered(seller))
    step = offered(seller, day=LATER)
    change = seller.last(step)
    assert change.kind is Kind.UPDATE
    assert [one["ChangeType"] for one in change.writes[0].parameters["ChangeSet"]] == ["UpdateAvailability"]
    seller.carry_out(step)
    assert seller.last(step).kind is Kind.NOTHING
    assert len(private_offers(seller)) == 1


def test_other_terms_take_another_name(seller: Seller) -> None:
    seller.publish()
    seller.carry_out(offered(seller))
    with pytest.raises(PlanError, match="other prices") as refused:
        seller.last(offered(seller, "0.20"))
    assert refused.value.hint == "--name ANOTHER makes another offer"
    with pytest.raises(PlanError, match="an offer of this name is for other accounts"):
        seller.last(offered(seller, buyer=STRANGER))


def test_what_is_not_published_is_not_offered(seller: Seller) -> None:
    assert seller.last(offered(seller)).kind is Kind.CREATE
    with pytest.raises(PlanError, match="there is no product `Vehicle detector`") as refused:
        seller.carry_out(offered(seller))
    assert refused.value.hint == "argosy publish"
    assert seller.applied == 0


@pytest.mark.parametrize("is_forgotten", [False, True])
@pytest.mark.parametrize("writes", [1, 2])
def test_a_killed_run_is_gone_on_with_and_makes_one_offer(seller: Seller, writes: int, is_forgotten: bool) -> None:
    with_options(seller.market, applying_ms=900)
    seller.publish()
    with pytest.raises(Killed):
        seller.carry_out(offered(seller), api=CountingApi(dies_after=writes))
    if is_forgotten:
        seller.forget()
    seller.carry_out(offered(seller))
    assert len(private_offers(seller)) == 1
    assert seller.last(offered(seller)).kind is Kind.NOTHING
