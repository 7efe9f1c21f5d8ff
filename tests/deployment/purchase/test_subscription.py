"""Subscriptions at a strict Marketplace: quoted first, bought once, found again after a kill."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from argosy.aws.api import Api, AwsApi, EmptyAccount
from argosy.deployment.purchase.prices import PriceStep, cost
from argosy.deployment.purchase.subscription import SubscriptionStep
from argosy.errors import AwsError, PlanError
from argosy.planning import polling
from argosy.planning.apply import apply
from argosy.planning.journal import Journal
from argosy.planning.plan import Plan, make_plan
from argosy.planning.step import Kind, Outputs, Risk
from tests.deployment.account import Killed, Killing
from tests.local_aws.listings import BUYER, PER_INFERENCE, private_offer
from tests.local_aws.market_stand import Door, Market


@dataclass
class Shop:
    """A Marketplace with a product, and a buyer's runs."""

    market: Market
    state: Path
    api: Api = field(default_factory=AwsApi)
    said: list[str] = field(default_factory=list)

    def plan(self, step: SubscriptionStep) -> Plan:
        return make_plan([[(step,)]], self.api, Journal(self.state).outputs)

    def run(self, step: SubscriptionStep, after: int = 0) -> Outputs:
        api = Killing(self.api, after) if after else self.api
        return apply([[(step,)]], api, Journal(self.state), self.plan(step).consents, self.hear)

    def hear(self, line: str) -> None:
        """Time passes while somebody listens."""
        self.said.append(line)
        self.market.now += 1

    def agreements(self, product: str) -> list[str]:
        wanted = {"PartyType": "Acceptor", "AgreementType": "PurchaseAgreement", "ResourceIdentifier": product}
        filters = [{"name": name, "values": [value]} for name, value in wanted.items()]
        found = self.market.agreement().search_agreements(catalog="AWSMarketplace", filters=filters)
        return [str(one["agreementId"]) for one in found["agreementViewSummaries"]]


@pytest.fixture
def shop(market_door: tuple[Door, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    door, url = market_door
    door.market = Market(url)
    variables = {"ENDPOINT_URL": url, "ACCESS_KEY_ID": BUYER, "SECRET_ACCESS_KEY": "x", "DEFAULT_REGION": "eu-west-1"}
    for name, value in variables.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setattr(polling, "_LONGEST_S", 0.05)
    yield Shop(door.market, tmp_path / ".argosy/subscribe.json")


def test_the_quote_tells_prices_licence_and_trial_before_anything_is_bought(shop: Shop) -> None:
    product, offer = shop.market.limited(trial_days=14)
    (change,) = shop.plan(SubscriptionStep(product)).due
    assert [call.operation for call in change.writes] == ["CreateAgreementRequest", "AcceptAgreementRequest"]
    assert {call.region for call in (*change.writes, *change.reads)} == {"us-east-1"}
    assert change.consent is not None
    assert change.consent.risk is Risk.COST
    assert (
        f"offer {offer} accepts its prices and its licence; nothing is due until it is used" in change.consent.sentence
    )
    notes = "\n".join(change.notes)
    assert f"Vehicle detector ({product}), sold by Seller 111122223333" in notes
    assert "0.80 USD an hour of ml.c5.xlarge at an endpoint" in notes
    assert "0.90 USD an hour of ml.m5.xlarge in a transform job" in notes
    assert "free trial of P14D, where this account had none before" in notes
    assert "licence, StandardEula: https://" in notes
    assert shop.agreements(product) == []


def test_a_yes_buys_once_and_waits_for_the_entitlement(shop: Shop) -> None:
    product, _ = shop.market.limited()
    step = SubscriptionStep(product)
    given = shop.run(step)
    assert shop.agreements(product) == [given["subscription"]["agreement"]]
    assert shop.plan(step).due == ()
    shop.state.unlink()
    assert shop.plan(step).due == (), "the state is safe to delete"


@pytest.mark.parametrize("after", [1, 2])
def test_a_run_killed_after_any_write_is_finished_by_the_next_with_one_purchase(shop: Shop, after: int) -> None:
    product, _ = shop.market.limited()
    step = SubscriptionStep(product)
    with pytest.raises(Killed):
        shop.run(step, after)
    shop.market.now += 1
    given = shop.run(step)
    assert shop.agreements(product) == [given["subscription"]["agreement"]]


def test_a_purchase_that_no_search_shows_yet_is_waited_for_and_not_made_again(shop: Shop) -> None:
    product, _ = shop.market.limited()
    step = SubscriptionStep(product)

    @dataclass
    class Lagging(Killing):
        """Searches do not show what was just bought."""

        def pages(self, call: Any) -> Iterator[Any]:
            return iter(()) if call.operation == "SearchAgreements" else self.api.pages(call)

    with pytest.raises(Killed):
        shop.run(step, after=2)
    lagging = Lagging(shop.api, after=0)
    (change,) = make_plan([[(step,)]], lagging, Journal(shop.state).outputs).due
    assert (change.kind, change.writes) == (Kind.WAIT, ())
    given = apply([[(step,)]], lagging, Journal(shop.state), None, shop.hear)
    assert lagging.writes == []
    assert shop.agreements(product) == [given["subscription"]["agreement"]]


def test_a_purchase_that_was_cancelled_meanwhile_is_not_waited_for(shop: Shop) -> None:
    product, _ = shop.market.limited()
    step = SubscriptionStep(product)
    with pytest.raises(Killed):
        shop.run(step, after=2)
    shop.market.agreement().cancel_agreement(agreementId=shop.agreements(product)[0])
    (change,) = shop.plan(step).due
    assert change.kind is Kind.CREATE


def test_a_trial_that_was_used_before_is_left_out(shop: Shop) -> None:
    product, _ = shop.market.limited(trial_days=14)
    step = SubscriptionStep(product)
    first = shop.run(step)["subscription"]["agreement"]
    shop.market.agreement().cancel_agreement(agreementId=first)
    shop.run(step)
    assert any("does not grant the free trial (ValidationException)" in line for line in shop.said)
    assert len(shop.agreements(product)) == 2


def test_a_private_offer_is_taken_only_by_its_name(shop: Shop) -> None:
    product, public = shop.market.limited()
    private = shop.market.made(private_offer(product))[0]
    assert any(public in note for note in shop.plan(SubscriptionStep(product)).changes[0].notes)
    shop.run(SubscriptionStep(product))
    step = SubscriptionStep(product, private)
    notes = shop.plan(step).changes[0].notes
    assert "0.10 USD an hour of ml.m5.large at an endpoint" in notes
    shop.run(step)
    assert shop.plan(step).due == ()
    assert make_plan([[(PriceStep(product),)]], shop.api, {}).outputs["price"]["ml.m5.large realtime"] == "0.10"


def test_what_nobody_offers_cannot_be_bought(shop: Shop) -> None:
    with pytest.raises(PlanError, match="no offer that is for everybody"):
        shop.plan(SubscriptionStep("prod-nowhere"))
    product, _ = shop.market.limited()
    with pytest.raises(AwsError, match="ResourceNotFoundException"):
        shop.plan(SubscriptionStep(product, "offer-nowhere"))


def test_a_plan_without_an_account_has_every_call() -> None:
    (change,) = make_plan([[(SubscriptionStep("prod-x"),)]], EmptyAccount(), {}).due
    assert [call.operation for call in change.writes] == ["CreateAgreementRequest", "AcceptAgreementRequest"]
    assert "GetOfferTerms" in {call.operation for call in change.reads}


def test_prices_are_read_from_the_agreement_and_told_with_the_count(shop: Shop) -> None:
    product, _ = shop.market.limited(prices=PER_INFERENCE)
    bought = {"package": {"arn": "arn:aws:x", "transform": "ml.m5.large"}}
    (change,) = make_plan([[(PriceStep(product),)]], shop.api, bought).changes
    assert change.obstacle is not None
    assert change.obstacle.hint == f"argosy subscribe {product}"
    shop.run(SubscriptionStep(product))
    known = make_plan([[(PriceStep(product),)]], shop.api, {}).outputs
    assert known["price"]["recommended realtime"] == "ml.m5.large"
    assert "2 x ml.m5.large: the seller's 0.001 USD an inference" in cost(known, "realtime", "ml.m5.large", 2)
    told = cost(known, "transform", "ml.m5.xlarge", 3)
    assert f"0.90 USD an hour each, {Decimal('2.70')} USD an hour in all" in told
    assert "is not known here" in cost({}, "realtime", "ml.m5.large", 1)


@pytest.mark.parametrize("due", ["9.00", "nine", "NaN", "Infinity"])
def test_an_offer_that_costs_more_than_it_said_is_not_taken(shop: Shop, due: str) -> None:
    product, _ = shop.market.limited()
    step = SubscriptionStep(product)

    @dataclass
    class Dearer(Killing):
        """Quotes ask for more than the offer."""

        def write(self, call: Any, absent: Any = ()) -> Any:
            answer = super().write(call, absent)
            return {**answer, "chargeSummary": {"newAgreementValue": due}}

    with pytest.raises(PlanError, match="AWS asks for more than the offer says"):
        apply([[(step,)]], Dearer(shop.api, after=9), Journal(shop.state), None, shop.hear)
    assert shop.agreements(product) == []


@pytest.mark.parametrize("answers", [1, 2])
def test_prices_that_have_changed_since_the_yes_are_not_accepted(shop: Shop, answers: int) -> None:
    product, _ = shop.market.limited()
    step = SubscriptionStep(product)
    agreed = shop.plan(step).consents

    @dataclass
    class Raised(Killing):
        """The seller raises the prices after the plan was shown, or after the step was looked at again."""

        shown: int = 0

        def pages(self, call: Any) -> Iterator[Any]:
            self.shown += call.operation == "GetOfferTerms"
            for page in self.api.pages(call):
                yield json.loads(json.dumps(page, default=str).replace('"0.80"', '"8.00"')) if self.is_raised else page

        @property
        def is_raised(self) -> bool:
            return self.shown >= answers

    with pytest.raises(PlanError, match=r"no longer what was agreed to|changed meanwhile"):
        apply([[(step,)]], Raised(shop.api, after=9), Journal(shop.state), agreed, shop.hear)
    assert shop.agreements(product) == []
