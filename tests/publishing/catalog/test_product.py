import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from argosy.aws.call import Call
from argosy.errors import AwsError, PlanError, ProjectError
from argosy.marketplace.offer_update import FREEZE
from argosy.planning.step import Kind, Risk
from argosy.planning.text import plan_text
from argosy.publishing.catalog.product import ProductWish
from argosy.publishing.catalog.sale import Sale
from argosy.publishing.catalog.step import ChangeSetStep
from tests.local_aws.listings import ROLE
from tests.local_aws.market_stand import trust, with_options
from tests.publishing.catalog.sellers import CountingApi, Killed, Seller

GOLDEN = Path(__file__).parents[2] / "golden"


def test_a_new_product_is_made_with_version_and_offer_and_is_limited(seller: Seller) -> None:
    change = seller.last()
    assert change.kind is Kind.CREATE
    assert change.consent is not None
    assert change.consent.risk is Risk.LOSS
    assert "which its seller and one account can see" in change.consent.sentence
    given = seller.carry_out()["product"]
    shown = seller.market.entity(given["product"])
    assert shown["Description"]["Visibility"] == "Limited"
    assert [version["VersionTitle"] for version in shown["Versions"]] == ["1.0.0"]
    assert seller.market.entity(given["offer"])["State"] == "Released"
    assert seller.said[0].startswith("product Vehicle detector, version 1.0.0: AWS judges change set ")
    assert seller.said[-1].endswith(": SUCCEEDED")


def test_a_second_run_writes_nothing(seller: Seller) -> None:
    product = seller.publish()
    api = CountingApi()
    change = seller.last()
    assert (change.kind, change.writes, change.outputs["product"]) == (Kind.NOTHING, (), product)
    seller.carry_out(api=api)
    assert api.written == []


def test_the_product_is_found_without_what_was_noted(seller: Seller) -> None:
    product = seller.publish()
    seller.forget()
    assert seller.last().outputs["product"] == product
    assert seller.last().kind is Kind.NOTHING


def test_a_product_of_another_title_is_found_by_its_noted_id_and_by_the_id_that_is_said(seller: Seller) -> None:
    product = seller.publish()
    seller.say_listing(title="Vehicle finder")
    change = seller.last()
    assert (change.kind, change.outputs["product"]) == (Kind.UPDATE, product)
    assert change.before["ChangeSet"][0]["DetailsDocument"]["ProductTitle"] == "Vehicle detector"
    seller.forget()
    assert seller.last().kind is Kind.UPDATE  # the change set that made it is found by its name
    seller.forget()
    seller.say_version("1.1.0")
    assert seller.last().kind is Kind.CREATE
    assert seller.last(ChangeSetStep(ProductWish(Sale(seller.table, product)))).kind is Kind.UPDATE
    seller.carry_out(ChangeSetStep(ProductWish(Sale(seller.table, product))))
    assert seller.market.entity(product)["Description"]["ProductTitle"] == "Vehicle finder"


def test_an_id_that_is_said_and_is_nobodys_is_refused(seller: Seller) -> None:
    with pytest.raises(PlanError, match="there is no product `prod-aaaaaaaaaaaaa`"):
        seller.carry_out(ChangeSetStep(ProductWish(Sale(seller.table, "prod-aaaaaaaaaaaaa"))))
    assert seller.applied == 0


def test_two_products_of_one_title_have_to_be_told_apart(seller: Seller) -> None:
    seller.market.limited()
    seller.market.limited()
    with pytest.raises(PlanError, match="several products have this title") as refused:
        seller.look()
    assert str(refused.value.hint).startswith("--product prod-")


def test_a_new_version_is_added_to_the_product_that_is_there(seller: Seller) -> None:
    product = seller.publish()
    seller.say_version("1.1.0")
    change = seller.last()
    assert (change.kind, change.consent) == (Kind.UPDATE, None)
    types = [one["ChangeType"] for one in change.writes[-1].parameters["ChangeSet"]]
    assert types == ["AddDeliveryOptions"]
    seller.carry_out()
    titles = [version["VersionTitle"] for version in seller.market.entity(product)["Versions"]]
    assert titles == ["1.0.0", "1.1.0"]
    assert seller.last().kind is Kind.NOTHING


def test_a_change_of_prices_is_agreed_to_with_its_freeze_and_shown_against_what_is_paid(seller: Seller) -> None:
    seller.publish()
    seller.say_pricing(realtime={**seller.table.pricing.realtime, "ml.m5.large": "0.75"})
    change = seller.last()
    assert change.consent is not None
    assert FREEZE in change.consent.sentence
    text = plan_text(seller.look())
    assert "~" in text and '"0.50" -> "0.75"' in text
    assert text.count("->") == 2  # the sentence, and the member of the request
    offer = seller.carry_out()["product"]["offer"]
    rates = seller.market.entity(offer)["Terms"][0]["RateCards"][0]["RateCard"]
    assert {"DimensionKey": "ml.m5.large.m.i.r", "Price": "0.75"} in rates
    assert seller.last().kind is Kind.NOTHING


def test_hours_are_not_sold_as_inferences_later(seller: Seller) -> None:
    seller.publish()
    seller.say_pricing(model="per-inference", per_inference="0.01")
    with pytest.raises(ProjectError, match="does not change this pricing model"):
        seller.look()


def test_what_aws_would_not_take_is_said_before_anything_is_made(seller: Seller) -> None:
    seller.market.roles[ROLE] = trust("sagemaker.amazonaws.com")
    with pytest.raises(PlanError, match="AWS Marketplace would not make the changes") as refused:
        seller.carry_out()
    assert "AddDeliveryOptions: INVALID_ACCESS_ROLE" in str(refused.value)
    assert "let assets.marketplace.amazonaws.com take it" in str(refused.value.hint)
    assert seller.applied == 0
    seller.market.roles[ROLE] = trust("assets.marketplace.amazonaws.com")
    seller.publish()  # the same content again, under another token
    assert seller.applied == 1


def test_what_is_not_judged_beforehand_fails_with_the_same_words(seller: Seller) -> None:
    seller.market.roles[ROLE] = trust("sagemaker.amazonaws.com")
    with pytest.raises(PlanError, match="did not make the changes: got AddDeliveryOptions: INVALID_ACCESS_ROLE"):
        seller.carry_out(ChangeSetStep(ProductWish(seller.sale), validates=False))
    seller.market.roles[ROLE] = trust("assets.marketplace.amazonaws.com")
    seller.carry_out(ChangeSetStep(ProductWish(seller.sale), validates=False))
    assert seller.applied == 2


def test_a_service_that_does_not_judge_such_changes_is_told_of_with_the_way_around_it(seller: Seller) -> None:
    with_options(seller.market, validates="versions")
    with pytest.raises(AwsError, match="Intent VALIDATE is not supported") as refused:
        seller.carry_out()
    assert "--without-validate" in str(refused.value.hint)
    step = ChangeSetStep(ProductWish(seller.sale), validates=False)
    change = seller.last(step)
    assert [call.parameters["Intent"] for call in change.writes] == ["APPLY"]
    seller.carry_out(step)
    assert seller.last(step).kind is Kind.NOTHING


@pytest.mark.parametrize("writes", [1, 2])
@pytest.mark.parametrize("is_forgotten", [False, True])
def test_a_run_that_was_killed_after_any_write_is_gone_on_with(seller: Seller, writes: int, is_forgotten: bool) -> None:
    with_options(seller.market, applying_ms=900)
    with pytest.raises(Killed):
        seller.carry_out(api=CountingApi(dies_after=writes))
    if is_forgotten:
        seller.forget()
    expected = Kind.CREATE if writes == 1 else Kind.WAIT
    assert seller.last().kind is expected
    product = seller.publish()
    assert seller.applied == 1
    assert len(seller.market.service._around.store.state.products) == 1
    assert len(seller.market.service._around.store.state.offers) == 1
    assert seller.last().outputs["product"] == product
    assert seller.last().kind is Kind.NOTHING


@pytest.mark.parametrize("writes", [1, 2])
def test_a_killed_update_is_gone_on_with(seller: Seller, writes: int) -> None:
    product = seller.publish()
    seller.say_version("1.1.0")
    with pytest.raises(Killed):
        seller.carry_out(api=CountingApi(dies_after=writes))
    seller.publish()
    assert len(seller.market.entity(product)["Versions"]) == 2
    assert seller.applied == 2


def test_back_and_forth_is_three_change_sets(seller: Seller) -> None:
    seller.publish()
    for title in ("Vehicle finder", "Vehicle detector", "Vehicle finder"):
        seller.say_listing(title=title)
        product = seller.publish()
    assert seller.market.entity(product)["Description"]["ProductTitle"] == "Vehicle finder"
    assert seller.applied == 4


def test_a_change_set_of_somebody_else_is_waited_for(seller: Seller) -> None:
    with_options(seller.market, applying_ms=900)
    product = seller.publish()
    seller.say_listing(title="Vehicle finder")
    entity = {"Type": "MachineLearningProduct@1.0", "Identifier": product}
    details = {"PositiveTargeting": {"BuyerAccounts": ["444455556666"]}}
    other = {"ChangeType": "UpdateTargeting", "Entity": entity, "DetailsDocument": details}
    seller.market.start([other])
    change = seller.last()
    assert (change.kind, change.writes) == (Kind.WAIT, ())
    seller.carry_out()
    assert seller.market.entity(product)["Description"]["ProductTitle"] == "Vehicle finder"
    assert seller.last().kind is Kind.NOTHING


def test_a_change_set_that_comes_in_between_is_waited_for(seller: Seller) -> None:
    product = seller.publish()
    seller.say_listing(title="Vehicle finder")
    entity = {"Type": "MachineLearningProduct@1.0", "Identifier": product}
    details = {"PositiveTargeting": {"BuyerAccounts": ["444455556666"]}}

    class Racing(CountingApi):
        """Somebody else is quicker, once."""

        def write(self, call: Call, absent: Collection[str] = ()) -> Any:
            if not seller.said[said:]:
                seller.market.start([{"ChangeType": "UpdateTargeting", "Entity": entity, "DetailsDocument": details}])
            return super().write(call, absent)

    said = len(seller.said)
    seller.carry_out(api=Racing())
    assert "another change set is under way" in seller.said[said]
    assert seller.market.entity(product)["Description"]["ProductTitle"] == "Vehicle finder"
    assert seller.market.entity(product)["Targeting"] != details  # what argosy.toml says is there again


def test_what_everybody_reads_is_agreed_to(seller: Seller) -> None:
    product = seller.publish()
    entity = {"Type": "MachineLearningProduct@1.0", "Identifier": product}
    shown = {"ChangeType": "UpdateVisibility", "Entity": entity, "DetailsDocument": {"TargetVisibility": "Public"}}
    seller.market.made([shown])
    seller.say_listing(short_description="Finds and counts vehicles.")
    seller.say_version("1.1.0")
    consent = seller.last().consent
    assert consent is not None
    assert consent.risk is Risk.PUBLIC
    assert "get the new version; what everybody reads" in consent.sentence


def test_the_plan_of_a_new_product_is_shown_whole(seller: Seller) -> None:
    text = plan_text(seller.look())
    golden = GOLDEN / "publish.txt"
    assert text == golden.read_text(encoding="utf-8")


def test_the_plan_of_an_update_is_a_difference(seller: Seller) -> None:
    product = seller.publish()
    seller.say_listing(title="Vehicle finder", keywords=("vehicles", "aerial", "counting"))
    seller.say_pricing(realtime={**seller.table.pricing.realtime, "ml.m5.large": "0.75"})
    shown = plan_text(seller.look())
    offer = seller.last().outputs["offer"]
    token = re.compile(r'ClientRequestToken: "[0-9a-f-]+"')
    text = token.sub("ClientRequestToken: TOKEN", shown.replace(product, "PRODUCT").replace(offer, "OFFER"))
    assert text == (GOLDEN / "publish-update.txt").read_text(encoding="utf-8")
