from tests.local_aws.market_stand import Market


def test_a_product_goes_the_whole_way_to_limited(market: Market) -> None:
    product, offer = market.limited()

    document = market.entity(product)
    assert document["Description"]["Visibility"] == "Limited"
    assert [each["VersionTitle"] for each in document["Versions"]] == ["1.0.0"]
    assert market.entity(offer)["State"] == "Released"
