from typing import Any

from tests.local_aws.listings import BUYER, PRODUCT, STRANGER, TEXTS, change, creation, package, version
from tests.local_aws.market_stand import Market, refused, with_options

CREATE = change("CreateProduct", {"ProductTitle": "Vehicle detector"}, name="CreateProductChange")


def renamed(product: str, text: str = "New.") -> list[dict[str, Any]]:
    return [change("UpdateInformation", {"ShortDescription": text}, product)]


def listed(market: Market, *filters: tuple[str, str], **more: Any) -> list[str]:
    given = [{"Name": name, "ValueList": [value]} for name, value in filters]
    request = {"FilterList": given, **more} if given else more
    answer = market.catalog().list_change_sets(Catalog="AWSMarketplace", **request)
    return [each["ChangeSetId"] for each in answer["ChangeSetSummaryList"]]


def products(market: Market) -> list[str]:
    answer = market.catalog().list_entities(Catalog="AWSMarketplace", EntityType="MachineLearningProduct")
    return [each["EntityId"] for each in answer["EntitySummaryList"]]


def test_a_product_goes_the_whole_way_to_limited(market: Market) -> None:
    product, offer = market.limited()
    document = market.entity(product)
    assert document["Description"]["Visibility"] == "Limited"
    assert [each["VersionTitle"] for each in document["Versions"]] == ["1.0.0"]
    assert market.entity(offer)["State"] == "Released"


def test_a_change_set_prepares_applies_and_ends(market: Market) -> None:
    change_set = market.start([CREATE], ChangeSetName="first")
    assert market.described(change_set)["Status"] == "PREPARING"
    assert products(market) == []
    market.now += market.options.preparing_ms / 1000
    assert market.described(change_set)["Status"] == "APPLYING"
    market.now += market.options.applying_ms / 1000
    ended = market.described(change_set)
    assert (ended["Status"], ended["ChangeSetName"], ended["Intent"]) == ("SUCCEEDED", "first", "APPLY")
    assert (ended["StartTime"], ended["EndTime"]) == ("2026-11-23T08:00:00Z", "2026-11-23T08:00:00Z")
    product = products(market)[0]
    assert ended["ChangeSet"][0]["Entity"] == {"Type": "MachineLearningProduct@1.0", "Identifier": f"{product}@1"}
    assert (
        ended["ChangeSetArn"] == f"arn:aws:aws-marketplace:us-east-1:111122223333:AWSMarketplace/ChangeSet/{change_set}"
    )


def test_details_are_described_as_they_were_given(market: Market) -> None:
    changes = creation()
    described = market.ended(changes)["ChangeSet"]
    assert [each["DetailsDocument"] for each in described] == [each["DetailsDocument"] for each in changes]
    assert [each.get("ChangeName") for each in described] == [each.get("ChangeName") for each in changes]


def test_time_passes_whoever_asks(market: Market) -> None:
    market.start([CREATE])
    market.now += 1
    assert len(products(market)) == 1


def test_a_review_takes_its_time(market: Market) -> None:
    with_options(market, review_ms=60_000)
    product, _ = market.limited()
    change_set = market.start([change("UpdateVisibility", {"TargetVisibility": "Public"}, product)])
    market.now += 59
    assert market.described(change_set)["Status"] == "APPLYING"
    market.now += 2
    assert market.described(change_set)["Status"] == "SUCCEEDED"


def test_a_token_starts_one_change_set(market: Market) -> None:
    once = market.start([CREATE], ClientRequestToken="one")
    assert market.start([CREATE], ClientRequestToken="one") == once
    market.now += 1
    assert market.start([CREATE], ClientRequestToken="one") == once
    assert len(products(market)) == 1
    with refused("ValidationException", "ClientRequestToken one"):
        market.start([{**CREATE, "DetailsDocument": {}}], ClientRequestToken="one")
    other = market.start([CREATE], ClientRequestToken="one", account=STRANGER)
    assert other != once


def test_validation_changes_nothing_and_tells_the_same_faults(market: Market) -> None:
    validated = market.ended(creation(), Intent="VALIDATE")
    assert (validated["Status"], validated["Intent"]) == ("SUCCEEDED", "VALIDATE")
    assert products(market) == []
    assert market.shelf.copied == []

    faulty = [CREATE, version(PRODUCT, package("none"))]
    validated, applied = market.ended(faulty, Intent="VALIDATE"), market.ended(faulty)
    assert validated["Status"] == applied["Status"] == "FAILED"
    assert [each["ErrorDetailList"] for each in validated["ChangeSet"]] == [
        each["ErrorDetailList"] for each in applied["ChangeSet"]
    ]


def test_validation_may_be_possible_for_versions_alone_or_not_at_all(market: Market) -> None:
    with_options(market, validates="versions")
    product, _ = market.limited()
    market.shelf.put(package("next"))
    with refused("ValidationException", "VALIDATE"):
        market.start(creation(), Intent="VALIDATE")
    assert market.ended([version(product, package("next"), "2.0.0")], Intent="VALIDATE")["Status"] == "SUCCEEDED"
    with_options(market, validates="none")
    with refused("ValidationException", "VALIDATE"):
        market.start([CREATE], Intent="VALIDATE")


def test_entities_are_locked_while_a_change_set_runs(market: Market) -> None:
    product, offer = market.limited()
    running = market.start(renamed(product))
    with refused("ResourceInUseException", f"entity: '{product}'", f"change sets: {running}"):
        market.start(renamed(product, "Newer."))
    assert market.start([change("UpdateInformation", {"Name": "Renamed"}, offer)])
    market.now += 1
    market.made(renamed(product, "Newer."))


def test_a_failed_set_changes_nothing_and_unlocks(market: Market) -> None:
    product, _ = market.limited()
    before = market.entity(product)
    failed = market.ended([*renamed(product), version(product, package("none"), "2")])
    assert (failed["Status"], failed["FailureCode"]) == ("FAILED", "CLIENT_ERROR")
    assert "ASSET_NOT_FOUND" in failed["FailureDescription"]
    assert [len(each["ErrorDetailList"]) for each in failed["ChangeSet"]] == [0, 1]
    assert market.entity(product) == before
    market.made(renamed(product))


def test_a_fault_of_what_is_around_is_the_services(market: Market) -> None:
    market.shelf.is_broken = True
    failed = market.ended(creation())
    assert (failed["Status"], failed["FailureCode"]) == ("FAILED", "SERVER_FAULT")
    assert products(market) == []
    assert any("no space left" in line for line in market.reports)


def test_a_change_set_is_cancelled_until_it_applies(market: Market) -> None:
    catalog = market.catalog()
    cancelled = market.start([CREATE])
    catalog.cancel_change_set(Catalog="AWSMarketplace", ChangeSetId=cancelled)
    market.now += 1
    assert market.described(cancelled)["Status"] == "CANCELLED"
    with refused("ValidationException", "CANCELLED"):
        catalog.cancel_change_set(Catalog="AWSMarketplace", ChangeSetId=cancelled)
    late = market.start([CREATE])
    market.now += market.options.preparing_ms / 1000
    with refused("ResourceInUseException", "APPLYING"):
        catalog.cancel_change_set(Catalog="AWSMarketplace", ChangeSetId=late)
    market.now += 1
    assert len(products(market)) == 1


def test_change_sets_are_their_accounts(market: Market) -> None:
    change_set = market.start([CREATE])
    with refused("ResourceNotFoundException", change_set):
        market.described(change_set, STRANGER)
    with refused("ResourceNotFoundException"):
        market.described("none")
    assert market.catalog(STRANGER).list_change_sets(Catalog="AWSMarketplace")["ChangeSetSummaryList"] == []


def test_change_sets_are_filtered_sorted_and_paged(market: Market) -> None:
    product, _ = market.limited()
    first = listed(market)[0]
    market.now += 60
    second = market.start(renamed(product), ChangeSetName="rename")
    market.now += 60
    third = market.start([CREATE, version(PRODUCT, package("none"))])
    market.now += 60

    assert listed(market) == [third, second, first]
    assert listed(market, Sort={"SortBy": "StartTime", "SortOrder": "ASCENDING"}) == [first, second, third]
    assert listed(market, ("EntityId", product)) == [second, first]
    assert listed(market, ("EntityId", product), ("ChangeSetName", "rename")) == [second]
    assert listed(market, ("Status", "FAILED")) == [third]
    assert listed(market, ("BeforeStartTime", "2026-11-23T08:01:00Z")) == [first]
    assert listed(market, ("AfterEndTime", "2026-11-23T08:01:30Z")) == [third]
    with refused("ValidationException", "Colour"):
        listed(market, ("Colour", "blue"))
    with refused("ValidationException", "Colour"):
        listed(market, Sort={"SortBy": "Colour"})

    page = market.catalog().list_change_sets(Catalog="AWSMarketplace", MaxResults=2)
    assert [each["ChangeSetId"] for each in page["ChangeSetSummaryList"]] == [third, second]
    assert listed(market, NextToken=page["NextToken"], MaxResults=2) == [first]
    with refused("ValidationException", "pagination"):
        listed(market, NextToken="none")


def test_every_change_set_raises_the_revision_of_its_entities_by_one(market: Market) -> None:
    product, _ = market.limited()
    assert market.ended(renamed(product))["ChangeSet"][0]["Entity"]["Identifier"] == f"{product}@2"
    assert market.ended(renamed(product, "x"))["ChangeSet"][0]["Entity"]["Identifier"] == f"{product}@3"


def test_sellers_do_not_see_each_others_products(market: Market) -> None:
    product, _ = market.limited()
    with refused("AccessDeniedException"):
        market.entity(product, BUYER)
    assert TEXTS["ProductTitle"] == market.entity(product)["Description"]["ProductTitle"]
