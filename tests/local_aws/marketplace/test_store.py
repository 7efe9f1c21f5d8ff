from pathlib import Path

import pytest

from argosy.errors import UsageError
from argosy.local_aws.marketplace.state import Product, State
from argosy.local_aws.marketplace.store import Store
from tests.local_aws.listings import BUYER, SELLER, change
from tests.local_aws.market_stand import Market
from tests.local_aws.marketplace.test_agreements import subscribed


def test_what_is_kept_is_there_again(tmp_path: Path) -> None:
    state = State().with_product(Product("prod-1", SELLER, "code", 1.0, texts={"Sku": "1"}, buyer_accounts=(BUYER,)))
    Store(tmp_path).keep(state)
    assert Store(tmp_path).state == state
    assert [each.name for each in tmp_path.iterdir()] == ["marketplace.json"]


def test_without_a_folder_nothing_is_written() -> None:
    store = Store()
    store.keep(State().with_product(Product("prod-1", SELLER, "code", 1.0)))
    assert list(store.state.products) == ["prod-1"]


def test_a_state_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "marketplace.json").write_text('{"products": 1}')
    with pytest.raises(UsageError, match="cannot be read"):
        Store(tmp_path)


def test_a_state_that_cannot_be_written_is_the_one_before(tmp_path: Path) -> None:
    store = Store(tmp_path)
    before = State().with_product(Product("prod-1", SELLER, "code", 1.0))
    store.keep(before)
    broken = State().with_product(Product("prod-2", SELLER, "code", 1.0, texts={"x": object()}))
    with pytest.raises(TypeError):
        store.keep(broken)
    assert store.state == before == Store(tmp_path).state


def test_a_market_goes_on_where_it_was(market: Market, tmp_path: Path) -> None:
    market.service = market.opened(tmp_path)
    product, _ = market.limited()
    agreement = subscribed(market, product)
    running = market.start([change("UpdateInformation", {"ShortDescription": "New."}, product)])
    document = market.entity(product)

    market.service = market.opened(tmp_path)
    assert market.entity(product) == document
    assert market.agreement().describe_agreement(agreementId=agreement)["status"] == "ACTIVE"
    market.now += 1
    assert market.described(running)["Status"] == "SUCCEEDED"
    assert market.service.is_subscribed(BUYER, market.shelf.copied[0])
