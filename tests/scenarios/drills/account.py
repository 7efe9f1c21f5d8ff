"""What is at the local AWS of one project: everything that a run may leave twice, or leave behind."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from argosy.testing.local_aws import BUYER, SELLER, Account, LocalAwsServer

World = Mapping[str, Any]
"""Kind of thing -> what is there, with the project's name taken out of it."""


def world(aws: LocalAwsServer, name: str, regions: tuple[str, ...]) -> World:
    """Everything of a project, in both accounts.

    Args:
        aws: The local AWS.
        name: Of the project; it is in the names of all that it makes.
        regions: Where it is looked for; their names are taken out, too.
    """
    found: dict[str, Any] = {}
    for account in (SELLER, BUYER):
        for region in regions:
            place = f"{account.name} {regions.index(region)}"
            found |= {f"{place} {kind}": things for kind, things in _regional(aws, account, region, name)}
    found |= _catalog(aws, name)
    found["agreements"] = _agreements(aws, found.pop("products"))
    return {kind: _without(things, name, regions) for kind, things in found.items()}


def _regional(aws: LocalAwsServer, account: Account, region: str, name: str) -> Iterator[tuple[str, object]]:
    def client(service: str) -> Any:
        return aws.client(service, account, region)

    ecr, s3, sagemaker = client("ecr"), client("s3"), client("sagemaker")
    repositories = [one["repositoryName"] for one in ecr.describe_repositories()["repositories"]]
    yield (
        "images",
        {one: len(ecr.list_images(repositoryName=one)["imageIds"]) for one in repositories if name in one},
    )
    buckets = [one["Name"] for one in s3.list_buckets()["Buckets"] if name in one["Name"]]
    places = {one: s3.get_bucket_location(Bucket=one)["LocationConstraint"] or "us-east-1" for one in buckets}
    buckets = [one for one, place in places.items() if place == region]
    yield "objects", {one: sorted(_objects(s3, one)) for one in buckets}
    yield "uploads", {one: s3.list_multipart_uploads(Bucket=one).get("Uploads", []) for one in buckets}
    for kind, member, field in (
        ("model_packages", "ModelPackageSummaryList", "ModelPackageName"),
        ("models", "Models", "ModelName"),
        ("endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
        ("endpoints", "Endpoints", "EndpointName"),
        ("transform_jobs", "TransformJobSummaries", "TransformJobName"),
    ):
        listed = getattr(sagemaker, f"list_{kind}")(MaxResults=100)[member]
        states = {one[field]: [value for key, value in one.items() if key.endswith("Status")] for one in listed}
        yield kind, {one: state for one, state in states.items() if name in one}


def _objects(s3: Any, bucket: str) -> Iterator[tuple[str, str, int]]:
    for one in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        yield one["Key"], one["ETag"], one["Size"]


def _catalog(aws: LocalAwsServer, name: str) -> dict[str, Any]:
    """Products, offers and change sets, without their ids, which are made at random."""
    catalog = aws.client("marketplace-catalog")

    def entities(kind: str) -> list[Any]:
        listed = catalog.list_entities(Catalog="AWSMarketplace", EntityType=kind, MaxResults=50)
        return [one for one in listed["EntitySummaryList"] if name in one.get("Name", "").split()]

    products, offers = entities("MachineLearningProduct"), entities("Offer")
    sets = catalog.list_change_sets(Catalog="AWSMarketplace", MaxResults=20)["ChangeSetSummaryList"]
    own = [one for one in sets if name in one.get("ChangeSetName", "").split()]
    return {
        "products": [one["EntityId"] for one in products],
        "product states": [(one["Name"], one.get("Visibility")) for one in products],
        "offer states": sorted((one["Name"], str(one.get("Visibility"))) for one in offers),
        "change sets": sorted(Counter((one["ChangeSetName"], one["Status"]) for one in own).items()),
    }


def _agreements(aws: LocalAwsServer, products: list[str]) -> list[object]:
    agreements = aws.client("marketplace-agreement", BUYER)
    return [
        [one["status"] for one in _of_product(agreements, product)["agreementViewSummaries"]] for product in products
    ]


def _of_product(agreements: Any, product: str) -> Any:
    filters = {"PartyType": "Acceptor", "AgreementType": "PurchaseAgreement", "ResourceIdentifier": product}
    return agreements.search_agreements(
        catalog="AWSMarketplace", filters=[{"name": key, "values": [value]} for key, value in filters.items()]
    )


def _without(things: Any, name: str, regions: tuple[str, ...]) -> Any:
    """The same with words in place of what each project has otherwise."""
    text = re.sub(rf"(?<={name})-[0-9a-f]{{8}}\b|/[0-9a-f]{{8}}/", " DIGEST ", repr(things))  # of the name, too
    text = text.replace(name, "NAME")
    for number, region in enumerate(regions):
        text = text.replace(region, f"REGION-{number}")
    return text
