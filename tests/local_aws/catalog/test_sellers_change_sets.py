"""The change sets that Argosy makes of argosy.toml, sent with boto3 to a Catalog API that knows nothing of them."""

import datetime
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from argosy.marketplace.change_set import ChangeSet, Intent
from argosy.marketplace.described import DescribedOffer, DescribedProduct
from argosy.marketplace.offer_changes import PrivateOffer, creating_private_offer
from argosy.marketplace.offer_update import expiring
from argosy.marketplace.product_changes import Version, creating_product
from argosy.marketplace.product_update import restricting, showing, updating
from argosy.marketplace.table import Marketplace, Pricing
from tests.local_aws.listings import BUYER, ROLE, package
from tests.local_aws.market_stand import Market
from tests.marketplace.test_product_changes import table_of
from tests.marketplace.test_product_update import with_fields

FIRST = Version(package(), ROLE)
NEXT = Version(package("vehicles-1-1-0"), ROLE)
TABLE = table_of()
BY_INFERENCE = Pricing(
    model="per-inference",
    per_inference="0.001",
    batch={"ml.m5.large": "0.50", "ml.m5.xlarge": "0.90"},
    free_trial_days=14,
    refund_policy="None is given.",
)
PRICED = {
    "hourly": TABLE.pricing,
    "per inference": BY_INFERENCE,
    "free": Pricing(model="free", refund_policy="None is needed."),
    "a license from elsewhere": Pricing(model="byol", refund_policy="As the license says.", eula="https://a.io/e.pdf"),
}


def send(market: Market, changes: ChangeSet, intent: Intent = "APPLY") -> list[str]:
    """Send a change set to its end; the ids of its entities."""
    request = changes.request(intent)
    started = market.catalog().start_change_set(**request)
    market.now += 1
    described = market.described(started["ChangeSetId"])
    assert described["Status"] == "SUCCEEDED", described
    return [change["Entity"].get("Identifier", "").partition("@")[0] for change in described["ChangeSet"]]


def shown(market: Market, ids: list[str]) -> tuple[DescribedProduct, DescribedOffer]:
    """The product and the public offer that a creating set made."""
    product, offer = (
        market.catalog().describe_entity(Catalog="AWSMarketplace", EntityId=id_) for id_ in (ids[0], ids[-1])
    )
    return DescribedProduct.of(product), DescribedOffer.of(offer)


def update(market: Market, ids: list[str], table: Marketplace, version: Version = FIRST) -> ChangeSet:
    return updating(*shown(market, ids), table, version)


@pytest.mark.parametrize("model", PRICED)
def test_what_was_made_is_what_is_said_whatever_it_costs(market: Market, model: str) -> None:
    table = msgspec.structs.replace(TABLE, pricing=PRICED[model])
    creating = creating_product(table, FIRST)
    send(market, creating, "VALIDATE")
    ids = send(market, creating)
    product, _ = shown(market, ids)
    assert product.visibility == "Limited"
    assert update(market, ids, table).changes == ()


def test_everything_that_may_be_said_is_taken_and_shown(market: Market) -> None:
    parameters = [{"name": "a b", "description": "d", "constraints": "c", "required": False}]
    fields: dict[str, Any] = {
        "listing/sku": "V-1",
        "listing/video_url": "https://example.com/video.mp4",
        "usage/input/custom_attributes": parameters,
        "usage/output/parameters": [{"name": "boxes", "description": "Some.", "constraints": "At most 9."}],
        "usage/repository_url": None,
        "pricing/eula": "https://example.com/eula.pdf",
    }
    table = with_fields(fields)
    ids = send(market, creating_product(table, FIRST))
    assert update(market, ids, table).changes == ()


def test_one_thing_after_the_other_is_changed_and_then_nothing_is_left(market: Market) -> None:
    ids = send(market, creating_product(TABLE, FIRST))
    steps: list[dict[str, Any]] = [
        {"listing/support": "Write to help@example.com.", "listing/resources": []},
        {"release/notes": "The same, better described."},
        {"usage/instructions": "Call invoke_endpoint.", "instances/recommended_batch": "ml.m5.large"},
        {"buyer_accounts": [BUYER, "777788889999"]},
        {"pricing/refund_policy": "A refund within a week.", "pricing/eula": "https://example.com/eula.pdf"},
        {"pricing/free_trial_days": 30},
    ]
    fields: dict[str, Any] = {}
    for step in steps:
        fields |= step
        table = with_fields(fields)
        changes = update(market, ids, table)
        assert 1 <= len(changes.changes) <= 2
        send(market, changes)
        assert update(market, ids, table).changes == ()


def test_a_new_version_with_a_new_type_brings_its_price_and_the_old_one_is_restricted(market: Market) -> None:
    market.shelf.put(NEXT.package_arn, realtime=("ml.m5.large", "ml.g5.xlarge"))
    ids = send(market, creating_product(TABLE, FIRST))
    prices = {"ml.m5.large": "0.50", "ml.g5.xlarge": "2.00"}
    table = with_fields(
        {"release/title": "1.1.0", "instances/realtime": ["ml.m5.large", "ml.g5.xlarge"], "pricing/realtime": prices}
    )
    changes = update(market, ids, table, NEXT)
    assert [change.type for change in changes.changes] == ["AddDeliveryOptions", "UpdatePricingTerms"]
    send(market, changes)
    assert update(market, ids, table, NEXT).changes == ()
    product, _ = shown(market, ids)
    send(market, restricting(product, ["1.0.0"]))
    product, _ = shown(market, ids)
    assert [version.is_restricted for version in product.versions] == [True, False]


def test_a_product_goes_public_and_is_restricted(market: Market) -> None:
    ids = send(market, creating_product(TABLE, FIRST))
    for visibility in ("Public", "Restricted"):
        product, _ = shown(market, ids)
        send(market, showing(product, visibility))
        assert shown(market, ids)[0].visibility == visibility


def test_a_private_offer_is_made_and_expires_later(market: Market) -> None:
    table = msgspec.structs.replace(TABLE, pricing=BY_INFERENCE)
    ids = send(market, creating_product(table, FIRST))
    product, _ = shown(market, ids)
    cheaper = msgspec.structs.replace(BY_INFERENCE, per_inference="0.0005")
    private = PrivateOffer("For one", (BUYER,), datetime.date(2026, 12, 31), 365, cheaper, "A half.")
    made = send(market, creating_private_offer(product.id, private, table.instances, product.inference_key))
    answer = market.catalog().describe_entity(Catalog="AWSMarketplace", EntityId=made[-1])
    offer = DescribedOffer.of(answer)
    assert (offer.name, offer.buyer_accounts, offer.state) == ("For one", (BUYER,), "Released")
    later = datetime.date(2027, 1, 31)
    assert expiring(offer, private.expires).changes == ()
    send(market, expiring(offer, later))
    answer = market.catalog().describe_entity(Catalog="AWSMarketplace", EntityId=made[-1])
    assert expiring(DescribedOffer.of(answer), later).changes == ()


def test_a_draft_offer_of_a_made_product_is_taken_up(market: Market) -> None:
    creating = creating_product(TABLE, FIRST)
    made = send(market, replace(creating, changes=creating.changes[:-1]))
    changes = update(market, made, TABLE)
    assert [change.type for change in changes.changes] == ["ReleaseOffer"]
    send(market, changes)
    assert update(market, made, TABLE).changes == ()
