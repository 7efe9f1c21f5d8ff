from typing import Any

from tests.local_aws.listings import BUYER, HOURLY, STRANGER, TEXTS, change, package, private_offer, version
from tests.local_aws.market_stand import BATCH, REALTIME, Market, refused, with_options


def listed(market: Market, type_: str = "MachineLearningProduct", account: str = "", **more: Any) -> list[str]:
    catalog = market.catalog(account) if account else market.catalog()
    answer = catalog.list_entities(Catalog="AWSMarketplace", EntityType=type_, **more)
    return [each["EntityId"] for each in answer["EntitySummaryList"]]


def by(kind: str, name: str, *values: str) -> dict[str, Any]:
    return {"EntityTypeFilters": {f"{kind}Filters": {name: {"ValueList": list(values)}}}}


def test_a_product_is_described_by_all_that_was_said_of_it(market: Market) -> None:
    product, _ = market.limited()
    document = market.entity(product)
    assert document["Description"] == {
        **{name: TEXTS[name] for name in TEXTS if name not in ("LogoUrl", "SupportDescription")},
        "Sku": None,
        "ProductCode": document["Description"]["ProductCode"],
        "Visibility": "Limited",
        "ProductState": "Active",
    }
    assert document["Targeting"] == {"PositiveTargeting": {"BuyerAccounts": [BUYER]}}
    assert document["PromotionalResources"]["LogoUrl"].startswith("https://awsmp-logos.s3.amazonaws.com/")
    assert document["SupportInformation"] == {"Description": TEXTS["SupportDescription"]}
    assert document["RegionAvailability"]["Regions"] == list(market.options.regions)
    described = document["Versions"][0]
    assert (described["VersionTitle"], described["CreationDate"]) == ("1.0.0", "2026-11-23T08:00:00.100Z")
    assert described["Sources"][0]["ModelPackageArn"] == package()
    option = described["DeliveryOptions"][0]
    assert option["SourceId"] == described["Sources"][0]["Id"]
    assert option["SupportedInstanceTypes"] == {"BatchTransform": list(BATCH), "RealtimeInference": list(REALTIME)}
    assert option["Instructions"]["Usage"] == "Create an endpoint, then invoke it."
    assert "AccessRoleArn" not in str(document)


def test_a_logo_may_be_described_as_it_was_given(market: Market) -> None:
    with_options(market, copies_logos=False)
    product, _ = market.limited()
    assert market.entity(product)["PromotionalResources"]["LogoUrl"] == TEXTS["LogoUrl"]


def test_an_offer_is_described_by_its_rules_and_terms(market: Market) -> None:
    product, offer = market.limited(trial_days=14)
    document = market.entity(offer)
    assert (document["ProductId"], document["State"], document["Rules"]) == (product, "Released", [])
    kinds = [term["Type"] for term in document["Terms"]]
    assert kinds == ["UsageBasedPricingTerm", "FreeTrialPricingTerm", "LegalTerm", "SupportTerm"]
    card = document["Terms"][0]["RateCards"][0]["RateCard"]
    assert {item["DimensionKey"]: item["Price"] for item in card} == HOURLY


def test_the_head_says_which_entity_it_is(market: Market) -> None:
    product, _ = market.limited()
    described = market.catalog().describe_entity(Catalog="AWSMarketplace", EntityId=product)
    assert described["EntityType"] == "MachineLearningProduct@1.0"
    assert described["EntityIdentifier"] == f"{product}@1"
    assert described["EntityArn"].endswith(f":AWSMarketplace/MachineLearningProduct/{product}")
    assert described["LastModifiedDate"] == "2026-11-23T08:00:00Z"


def test_details_that_are_too_long_are_in_the_document_alone(market: Market) -> None:
    product, _ = market.limited()
    described = market.catalog().describe_entity(Catalog="AWSMarketplace", EntityId=product)
    assert len(described["Details"]) <= 16384
    market.shelf.put(package("long"))
    market.made([version(product, package("long"), "2.0.0", UsageInstructions="x" * 10000)])
    market.shelf.put(package("longer"))
    market.made([version(product, package("longer"), "3.0.0", UsageInstructions="x" * 10000)])
    described = market.catalog().describe_entity(Catalog="AWSMarketplace", EntityId=product)
    assert "Details" not in described
    assert len(described["DetailsDocument"]["Versions"]) == 3


def test_many_entities_are_described_at_once(market: Market) -> None:
    product, offer = market.limited()
    asked = [{"Catalog": "AWSMarketplace", "EntityId": id_} for id_ in (product, offer, "prod-none")]
    answer = market.catalog().batch_describe_entities(EntityRequestList=asked)
    assert set(answer["EntityDetails"]) == {product, offer}
    assert answer["Errors"]["prod-none"]["ErrorCode"] == "ResourceNotFoundException"
    foreign = market.catalog(STRANGER).batch_describe_entities(EntityRequestList=asked[:1])
    assert foreign["Errors"][product]["ErrorCode"] == "AccessDeniedException"


def test_what_is_not_there_is_not_described(market: Market) -> None:
    with refused("ResourceNotFoundException", "prod-none"):
        market.entity("prod-none")


def test_entities_are_listed_for_their_seller(market: Market) -> None:
    product, offer = market.limited()
    assert (listed(market), listed(market, "Offer")) == ([product], [offer])
    assert listed(market, account=STRANGER) == []
    assert listed(market, OwnershipType="SHARED") == []
    with refused("NotSimulated", "AmiProduct"):
        listed(market, "AmiProduct")


def test_products_are_filtered_sorted_and_paged(market: Market) -> None:
    first, _ = market.limited()
    market.now += 60
    (second,) = market.made([change("CreateProduct", {"ProductTitle": "Another"})])
    assert listed(market) == [second, first]
    kind = "MachineLearningProduct"
    assert listed(market, **by(kind, "ProductTitle", "Another")) == [second]
    assert listed(market, **by(kind, "Visibility", "Limited", "Public")) == [first]
    assert listed(market, **by(kind, "EntityId", first)) == [first]
    wild = {"MachineLearningProductFilters": {"ProductTitle": {"WildCardValue": "DETEC"}}}
    assert listed(market, EntityTypeFilters=wild) == [first]
    since = {
        "MachineLearningProductFilters": {"LastModifiedDate": {"DateRange": {"AfterValue": "2026-11-23T08:01:00Z"}}}
    }
    assert listed(market, EntityTypeFilters=since) == [second]
    assert listed(market, FilterList=[{"Name": "Visibility", "ValueList": ["Draft"]}]) == [second]
    order = {"MachineLearningProductSort": {"SortBy": "ProductTitle", "SortOrder": "ASCENDING"}}
    assert listed(market, EntityTypeSort=order) == [second, first]
    page = market.catalog().list_entities(Catalog="AWSMarketplace", EntityType=kind, MaxResults=1)
    assert listed(market, MaxResults=1, NextToken=page["NextToken"]) == [first]
    with refused("ValidationException", "Colour"):
        listed(market, FilterList=[{"Name": "Colour", "ValueList": ["blue"]}])
    with refused("ValidationException", "Colour"):
        listed(market, Sort={"SortBy": "Colour"})
    with refused("ValidationException", "OfferFilters"):
        listed(market, **by("Offer", "EntityId", first))


def test_offers_are_filtered(market: Market) -> None:
    product, public = market.limited()
    private = market.made(private_offer(product))[-1]
    (draft,) = market.made([change("CreateOffer", {"ProductId": product}, name="Draft")])
    assert set(listed(market, "Offer", **by("Offer", "ProductId", product))) == {public, private, draft}
    assert listed(market, "Offer", **by("Offer", "State", "Draft")) == [draft]
    assert listed(market, "Offer", **by("Offer", "Targeting", "BuyerAccounts")) == [private]
    for_buyer = {"OfferFilters": {"BuyerAccounts": {"WildCardValue": BUYER}}}
    assert listed(market, "Offer", EntityTypeFilters=for_buyer) == [private]
    summaries = market.catalog().list_entities(Catalog="AWSMarketplace", EntityType="Offer")["EntitySummaryList"]
    ends = {each["EntityId"]: each["OfferSummary"].get("AvailabilityEndDate") for each in summaries}
    assert ends == {public: None, private: "2027-01-31T23:59:59Z", draft: None}
