import json
from itertools import chain
from typing import Any

import botocore.loaders
import botocore.model
import httpx
import pytest

from argosy.local_aws.marketplace import cbor
from tests.local_aws.listings import BUYER, SELLER, creation
from tests.local_aws.market_stand import Market, client, refused
from tests.local_aws.marketplace.test_agreements import quoted, subscribed

SCOPE = (
    "AWS4-HMAC-SHA256 Credential={}/20261123/us-east-1/aws-marketplace/aws4_request, SignedHeaders=host, Signature=0"
)


def posted(market: Market, path: str, content: bytes, account: str = BUYER, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    signed = {"Authorization": SCOPE.format(account), **named}
    return httpx.post(market.url + path, content=content, headers=signed)


def searching() -> dict[str, Any]:
    filters = {"PartyType": "Acceptor", "AgreementType": "PurchaseAgreement"}
    return {"filters": [{"name": name, "values": [value]} for name, value in filters.items()]}


def test_agreements_are_spoken_of_in_json_and_in_cbor(market: Market) -> None:
    """SDKs of both kinds are in use; botocore's model names both protocols."""
    product, _ = market.limited()
    agreement = subscribed(market, product)
    target = "AWSMPCommerceService_v20200301.SearchAgreements"
    in_json = posted(market, "/", json.dumps(searching()).encode(), X_Amz_Target=target)
    assert in_json.headers["content-type"] == "application/x-amz-json-1.0"
    path = "/service/AWSMPCommerceService_v20200301/operation/SearchAgreements"
    in_cbor = posted(market, path, cbor.encode(searching()), smithy_protocol="rpc-v2-cbor")
    assert in_cbor.headers["smithy-protocol"] == "rpc-v2-cbor"
    assert in_json.json() == cbor.decode(in_cbor.content)
    assert in_json.json()["agreementViewSummaries"][0]["agreementId"] == agreement


def test_a_refusal_is_in_the_form_of_its_protocol(market: Market) -> None:
    asked = {"agreementId": "agmt-none"}
    target = "AWSMPCommerceService_v20200301.DescribeAgreement"
    in_json = posted(market, "/", json.dumps(asked).encode(), X_Amz_Target=target)
    in_cbor = posted(market, "/service/AWSMPCommerceService_v20200301/operation/DescribeAgreement", cbor.encode(asked))
    assert in_json.status_code == in_cbor.status_code == 404
    assert in_json.json() == cbor.decode(in_cbor.content)
    in_rest = posted(market, "/2026-02-05/getOffer", b'{"offerId": "offer-none"}')
    assert (in_rest.status_code, in_rest.headers["x-amzn-errortype"]) == (404, "ResourceNotFoundException")


def test_a_client_in_another_region_is_told_where_the_marketplace_is(market: Market) -> None:
    """AWS has no endpoint there: a client that works here has to work there."""
    elsewhere = {"Authorization": SCOPE.format(BUYER).replace("us-east-1", "eu-west-1")}
    refused = httpx.post(f"{market.url}/ListEntities", content=b"{}", headers=elsewhere)
    assert (refused.headers["x-amzn-errortype"], "us-east-1" in refused.text) == ("NotSimulated", True)


@pytest.mark.parametrize(
    ("path", "status"), [("/", 404), ("/2026-02-05/buyEverything", 404), ("/Nothing", 404), ("/a/b/c", 404)]
)
def test_what_no_api_has_is_not_found(market: Market, path: str, status: int) -> None:
    assert posted(market, path, b"{}").status_code == status


def test_a_body_that_cannot_be_read_is_refused(market: Market) -> None:
    for path, content in (
        ("/StartChangeSet", b"{"),
        ("/StartChangeSet", b"[]"),
        ("/StartChangeSet", b"[" * 5000),
        ("/service/AWSMPCommerceService_v20200301/operation/SearchAgreements", b"\xff"),
    ):
        answer = posted(market, path, content, SELLER)
        assert (answer.status_code, answer.headers["x-amzn-errortype"]) == (400, "SerializationException")


def test_a_request_that_is_too_large_is_refused(market: Market) -> None:
    answer = posted(market, "/StartChangeSet", b" " * (4 * 2**20 + 1), SELLER)
    assert answer.status_code == 413


def test_requests_are_held_to_botocores_model(market: Market) -> None:
    wrong = posted(
        market, "/StartChangeSet", b'{"Catalog": "AWSMarketplace", "ChangeSet": [], "Colour": "blue"}', SELLER
    )
    assert (wrong.status_code, "Colour" in wrong.text) == (422, True)
    mistyped = posted(market, "/StartChangeSet", b'{"Catalog": 1, "ChangeSet": []}', SELLER)
    assert mistyped.status_code == 400
    with refused("ValidationException", "'intent'"):
        market.start(creation(), Intent="PERHAPS")


def test_a_fault_of_its_own_is_told_to_the_person_and_not_to_the_client(market: Market) -> None:
    def broken_clock() -> float:
        raise ZeroDivisionError("the clock's secret")

    market.service = market.opened(clock=broken_clock)
    answer = posted(market, "/2026-02-05/getOffer", b'{"offerId": "offer-none"}')
    assert (answer.status_code, "secret" in answer.text) == (500, False)
    assert "ZeroDivisionError" in answer.text
    assert answer.headers["x-amzn-errortype"] == "InternalServerException"
    with refused("InternalServiceException"):
        market.start(creation())
    assert any("the clock's secret" in line for line in market.reports)


def _required(shape: Any, value: Any, path: str) -> list[str]:
    """The members that an answer lacks and that the model of the service says are always there."""
    if shape.type_name == "structure" and not shape.metadata.get("document"):
        missing = [f"{path}.{name}" for name in shape.required_members if name not in value]
        inner = (_required(shape.members[name], each, f"{path}.{name}") for name, each in value.items())
        return [*missing, *chain.from_iterable(inner)]
    if shape.type_name == "list":
        return [*chain.from_iterable(_required(shape.member, each, path) for each in value)]
    return []


def test_answers_have_what_the_models_say_they_always_have(market: Market) -> None:
    product, offer = market.limited(trial_days=14)
    agreement = subscribed(market, product)
    listing = market.discovery().get_product(productId=product)["listingId"]
    catalog = {"Catalog": "AWSMarketplace"}
    change_set = market.catalog().list_change_sets(**catalog)["ChangeSetSummaryList"][0]["ChangeSetId"]
    calls: dict[str, dict[str, dict[str, Any]]] = {
        "marketplace-discovery": {
            "ListPurchaseOptions": {"filters": [{"filterType": "PRODUCT_ID", "filterValues": [product]}]},
            "GetOffer": {"offerId": offer},
            "GetOfferTerms": {"offerId": offer},
            "GetProduct": {"productId": product},
            "GetListing": {"listingId": listing},
            "ListFulfillmentOptions": {"productId": product},
        },
        "marketplace-agreement": {
            "SearchAgreements": searching(),
            "DescribeAgreement": {"agreementId": agreement},
            "GetAgreementTerms": {"agreementId": agreement},
            "GetAgreementEntitlements": {"agreementId": agreement},
        },
        "marketplace-catalog": {
            "DescribeEntity": {**catalog, "EntityId": product},
            "ListEntities": {**catalog, "EntityType": "Offer"},
            "ListChangeSets": catalog,
            "DescribeChangeSet": {**catalog, "ChangeSetId": change_set},
        },
    }
    for service, operations in calls.items():
        described = botocore.loaders.Loader().load_service_model(service, "service-2")
        model = botocore.model.ServiceModel(described)
        account = SELLER if service == "marketplace-catalog" else BUYER
        for operation, request in operations.items():
            answer = client(service, market.url, account)._make_api_call(operation, request)
            del answer["ResponseMetadata"]
            assert _required(model.operation_model(operation).output_shape, answer, operation) == []


def test_refusals_are_told_to_the_person_at_the_terminal(market: Market) -> None:
    with refused("ResourceNotFoundException"):
        market.entity("prod-none")
    assert market.reports == ["DescribeEntity: ResourceNotFoundException: Entity 'prod-none' was not found."]


def test_what_has_no_effect_is_told_to_the_person_at_the_terminal(market: Market) -> None:
    tags = [{"Key": "team", "Value": "vision"}]
    market.start([{**creation()[0], "EntityTags": tags}], ChangeSetTags=tags)
    market.discovery().list_purchase_options(
        locale="de-DE", filters=[{"filterType": "PRODUCT_ID", "filterValues": ["prod-none"]}]
    )
    assert market.reports == [
        "StartChangeSet: ChangeSetTags has no effect here",
        "StartChangeSet: EntityTags has no effect here",
        "ListPurchaseOptions: locale has no effect here",
    ]


def test_a_quote_names_its_time(market: Market) -> None:
    product, _ = market.limited()
    assert quoted(market, product)["createdAt"].timestamp() == market.now
