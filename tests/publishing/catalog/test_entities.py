from argosy.marketplace.described import entity_id
from argosy.publishing.catalog import entities
from tests.local_aws.listings import private_offer
from tests.publishing.catalog.sellers import Seller, boto3_api


def test_the_public_offer_is_the_one_that_nobody_is_named_in(seller: Seller) -> None:
    product, public = seller.market.limited()
    private = seller.market.made(private_offer(product))[0]
    found = entities.public_offer(boto3_api(), product, None)
    assert found is not None
    assert entity_id(found) == public
    assert {summary["EntityId"] for summary in entities.offers(boto3_api(), product)} == {public, private}


def test_a_noted_offer_is_asked_first_and_not_believed(seller: Seller) -> None:
    product, public = seller.market.limited()
    other, others_offer = seller.market.limited()
    for noted in (public, others_offer, product, "offer-aaaaaaaaaaaaa"):
        found = entities.public_offer(boto3_api(), product, noted)
        assert found is not None
        assert entity_id(found) == public
    assert other != product


def test_what_is_of_another_kind_or_not_there_is_none(seller: Seller) -> None:
    product, offer = seller.market.limited()
    assert entities.describe(boto3_api(), product) is not None
    assert entities.describe(boto3_api(), offer) is None
    assert entities.describe(boto3_api(), "prod-aaaaaaaaaaaaa") is None


def test_a_title_is_found_whole(seller: Seller) -> None:
    product, _ = seller.market.limited()
    assert entities.product_titled(boto3_api(), "Vehicle detector") == product
    assert entities.product_titled(boto3_api(), "Vehicle") is None
