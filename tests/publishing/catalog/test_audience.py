import pytest

from argosy.errors import PlanError, UsageError
from argosy.planning.step import Kind, Risk
from argosy.publishing.catalog.audience import RestrictionWish, VisibilityWish
from argosy.publishing.catalog.step import ChangeSetStep
from tests.publishing.catalog.sellers import CountingApi, Killed, Seller


def public(seller: Seller) -> ChangeSetStep:
    return ChangeSetStep(VisibilityWish(seller.sale, "Public"))


def restricted(seller: Seller, *titles: str) -> ChangeSetStep:
    return ChangeSetStep(RestrictionWish(seller.sale, titles))


def visibility(seller: Seller, product: str) -> str:
    return str(seller.market.entity(product)["Description"]["Visibility"])


def test_a_new_product_goes_public_in_one_plan_when_somebody_agrees(seller: Seller) -> None:
    lane = seller.lane(public(seller))
    change = seller.last(*lane)
    assert change.kind is Kind.UPDATE
    assert change.consent is not None
    assert change.consent.risk is Risk.PUBLIC
    assert "cannot be made a draft again; AWS reviews a product" in change.consent.sentence
    assert change.writes[0].parameters["ChangeSet"][0]["Entity"]["Identifier"] == "(product: known after product)"
    product = seller.carry_out(*lane)["product"]["product"]
    assert visibility(seller, product) == "Public"
    assert seller.last(*lane).kind is Kind.NOTHING


@pytest.mark.parametrize("writes", [1, 2, 3, 4])
def test_a_run_killed_on_its_way_to_the_public_is_gone_on_with(seller: Seller, writes: int) -> None:
    lane = seller.lane(public(seller))
    with pytest.raises(Killed):
        seller.carry_out(*lane, api=CountingApi(dies_after=writes))
    product = seller.carry_out(*lane)["product"]["product"]
    assert visibility(seller, product) == "Public"
    assert seller.applied == 2
    assert len(seller.market.service._around.store.state.products) == 1


def test_an_old_version_is_restricted_after_the_new_one_is_there(seller: Seller) -> None:
    product = seller.publish()
    seller.say_version("1.1.0")
    lane = seller.lane(restricted(seller, "1.0.0"))
    change = seller.last(*lane)
    assert change.consent is not None
    assert change.consent.risk is Risk.LOSS
    assert "new buyers no longer get 1.0.0" in change.consent.sentence
    seller.carry_out(*lane)
    shown = {
        version["VersionTitle"]: version["DeliveryOptions"][0]["Visibility"]
        for version in seller.market.entity(product)["Versions"]
    }
    assert shown["1.0.0"] == "Restricted"
    assert shown["1.1.0"] != "Restricted"
    assert seller.last(*lane).kind is Kind.NOTHING


def test_the_last_version_is_not_restricted_and_a_strange_one_neither(seller: Seller) -> None:
    seller.publish()
    with pytest.raises(UsageError, match="the last version that buyers can get"):
        seller.look(restricted(seller, "1.0.0"))
    with pytest.raises(UsageError, match=r"got `0\.9`"):
        seller.look(restricted(seller, "0.9"))


def test_what_is_not_published_has_no_version_to_restrict(seller: Seller) -> None:
    lane = seller.lane(restricted(seller, "0.9"))
    change = seller.last(*lane)
    assert change.writes[0].parameters["ChangeSet"][0]["ChangeType"] == "RestrictDeliveryOptions"
    with pytest.raises(PlanError, match="there is no product `Vehicle detector` that has them"):
        seller.carry_out(*lane)
    assert seller.applied == 0
