"""ECR by boto3: moto's faults mended, layers without the registry's protocol, the same images behind both doors."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from argosy.image.image import digest_of
from argosy.testing.local_aws import BUYER, SELLER, LocalAwsServer
from tests.local_aws.stand_in import Push, small_image

DOCKER = "application/vnd.docker.distribution.manifest.v2+json"


def made(aws: LocalAwsServer, name: str, **members: Any) -> Any:
    ecr = aws.client("ecr")
    ecr.create_repository(repositoryName=name, **members)
    return ecr


def upload(ecr: Any, repository: str, blob: bytes, part: int = 5) -> str:
    digest = digest_of(blob)
    begun = ecr.initiate_layer_upload(repositoryName=repository)
    for first in range(0, len(blob), part):
        piece = blob[first : first + part]
        place = {"repositoryName": repository, "uploadId": begun["uploadId"]}
        said = ecr.upload_layer_part(
            **place, partFirstByte=first, partLastByte=first + len(piece) - 1, layerPartBlob=piece
        )
        assert said["lastByteReceived"] == first + len(piece) - 1
    answer = ecr.complete_layer_upload(**place, layerDigests=[digest])
    return str(answer["layerDigest"])


def test_a_token_is_good_for_twelve_hours_and_says_where_the_registry_is(local_aws: LocalAwsServer) -> None:
    (given,) = local_aws.client("ecr", BUYER).get_authorization_token()["authorizationData"]
    left = given["expiresAt"] - datetime.now(UTC)
    assert timedelta(hours=11, minutes=55) < left <= timedelta(hours=12)
    assert given["proxyEndpoint"].startswith("http://127.0.0.1:")


def test_an_image_that_was_pushed_is_described_as_it_is(local_aws: LocalAwsServer, push: Push) -> None:
    ecr = made(local_aws, "described")
    image = small_image("described")
    name = push(image, "described:1")
    (found,) = ecr.describe_images(repositoryName="described", imageIds=[{"imageTag": "1"}])["imageDetails"]
    assert found["imageDigest"] == image.digest == name.partition("@")[2]
    assert found["imageManifestMediaType"] == DOCKER
    assert found["imageSizeInBytes"] == sum(layer.size for layer in image.layers)
    assert found["imageTags"] == ["1"]
    (got,) = ecr.batch_get_image(repositoryName="described", imageIds=[{"imageDigest": image.digest}])["images"]
    assert got["imageManifest"].encode() == image.manifest_bytes


def test_layers_and_manifest_go_up_by_the_api_alone(local_aws: LocalAwsServer) -> None:
    ecr = made(local_aws, "by-api")
    config, layer = b"a config", b"a layer in parts"
    missing = ecr.batch_check_layer_availability(repositoryName="by-api", layerDigests=[digest_of(layer)])
    assert [each["failureCode"] for each in missing["failures"]] == ["MissingLayerDigest"]
    digests = [upload(ecr, "by-api", config), upload(ecr, "by-api", layer)]
    there = ecr.batch_check_layer_availability(repositoryName="by-api", layerDigests=digests)
    assert [(each["layerAvailability"], each["layerSize"]) for each in there["layers"]] == [
        ("AVAILABLE", len(config)),
        ("AVAILABLE", len(layer)),
    ]
    sizes = zip(digests, (len(config), len(layer)), strict=True)
    parts = [{"mediaType": "x/y", "digest": digest, "size": size} for digest, size in sizes]
    manifest = json.dumps({"schemaVersion": 2, "mediaType": DOCKER, "config": parts[0], "layers": parts[1:]})
    put = ecr.put_image(repositoryName="by-api", imageManifest=manifest, imageTag="1")["image"]
    assert put["imageId"] == {"imageDigest": digest_of(manifest.encode()), "imageTag": "1"}
    with pytest.raises(ClientError, match="ImageAlreadyExistsException"):
        ecr.put_image(repositoryName="by-api", imageManifest=manifest, imageTag="1")
    assert ecr.list_images(repositoryName="by-api")["imageIds"] == [put["imageId"]]


def test_layers_that_are_wrong_are_refused(local_aws: LocalAwsServer) -> None:
    ecr = made(local_aws, "wrong")
    place = {"repositoryName": "wrong", "uploadId": ecr.initiate_layer_upload(repositoryName="wrong")["uploadId"]}
    with pytest.raises(ClientError, match="EmptyUploadException"):
        ecr.complete_layer_upload(**place, layerDigests=[digest_of(b"x")])
    with pytest.raises(ClientError, match="InvalidLayerPartException"):
        ecr.upload_layer_part(**place, partFirstByte=3, partLastByte=3, layerPartBlob=b"x")
    ecr.upload_layer_part(**place, partFirstByte=0, partLastByte=0, layerPartBlob=b"x")
    with pytest.raises(ClientError, match="InvalidLayerException"):
        ecr.complete_layer_upload(**place, layerDigests=[digest_of(b"y")])
    with pytest.raises(ClientError, match="UploadNotFoundException"):
        ecr.complete_layer_upload(**place, layerDigests=[digest_of(b"x")])
    upload(ecr, "wrong", b"twice")
    with pytest.raises(ClientError, match="LayerAlreadyExistsException"):
        upload(ecr, "wrong", b"twice")
    absent = {"mediaType": "x/y", "digest": digest_of(b"?"), "size": 1}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": DOCKER, "config": absent, "layers": []})
    with pytest.raises(ClientError, match="LayersNotFoundException"):
        ecr.put_image(repositoryName="wrong", imageManifest=manifest)
    with pytest.raises(ClientError, match="RepositoryNotFoundException"):
        ecr.put_image(repositoryName="nowhere", imageManifest=manifest)


def test_an_immutable_tag_is_refused_by_the_api_too_unless_it_is_exempt(local_aws: LocalAwsServer, push: Push) -> None:
    exempt = [{"filterType": "WILDCARD", "filter": "dev-*"}]
    ecr = made(
        *(local_aws, "fixed"),
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=exempt,
    )
    push(small_image("one"), "fixed:1")
    other = push(small_image("two"), "fixed:dev-1").partition("@")[2]
    (held,) = ecr.batch_get_image(repositoryName="fixed", imageIds=[{"imageDigest": other}])["images"]
    with pytest.raises(ClientError, match=r"ImageTagAlreadyExistsException.*cannot be overwritten"):
        ecr.put_image(repositoryName="fixed", imageManifest=held["imageManifest"], imageTag="1")
    push(small_image("three"), "fixed:dev-1")


def test_a_scan_finds_what_it_is_told_to_find(local_aws: LocalAwsServer, push: Push) -> None:
    ecr = made(local_aws, "scanned")
    image = small_image("scanned")
    push(image, "scanned:1")
    asked: dict[str, Any] = {"repositoryName": "scanned", "imageId": {"imageTag": "1"}}
    with pytest.raises(ClientError, match="ScanNotFoundException"):
        ecr.describe_image_scan_findings(**asked)
    ecr.start_image_scan(**asked)
    found = ecr.describe_image_scan_findings(**asked)
    assert found["imageScanStatus"]["status"] == "COMPLETE"
    assert found["imageScanFindings"]["findings"] == []
    with pytest.raises(ClientError, match="LimitExceededException"):
        ecr.start_image_scan(**asked)

    local_aws.set_scan_findings(image.digest, {"HIGH": 2})
    found = ecr.describe_image_scan_findings(**asked)["imageScanFindings"]
    assert found["findingSeverityCounts"] == {"HIGH": 2}
    assert [each["severity"] for each in found["findings"]] == ["HIGH", "HIGH"]
    (described,) = ecr.describe_images(repositoryName="scanned")["imageDetails"]
    assert described["imageScanFindingsSummary"]["findingSeverityCounts"] == {"HIGH": 2}


def test_a_scan_takes_as_long_as_it_is_told_to(local_aws: LocalAwsServer, push: Push) -> None:
    ecr = made(local_aws, "slow", imageScanningConfiguration={"scanOnPush": True})
    image = small_image("slow")
    local_aws.set_scan_findings(image.digest, {}, status="UNSUPPORTED_IMAGE", looks=2)
    push(image, "slow:1")
    asked: dict[str, Any] = {"repositoryName": "slow", "imageId": {"imageDigest": image.digest}}
    seen = [ecr.describe_image_scan_findings(**asked)["imageScanStatus"]["status"] for _ in range(3)]
    assert seen == ["IN_PROGRESS", "IN_PROGRESS", "UNSUPPORTED_IMAGE"]


def test_images_are_deleted_by_tag_and_digest_and_then_their_repository(local_aws: LocalAwsServer, push: Push) -> None:
    ecr = made(local_aws, "deleted")
    one, two = small_image("one"), small_image("two")
    for image, tag in ((one, "a"), (one, "b"), (two, "c")):
        push(image, f"deleted:{tag}")
    with pytest.raises(ClientError, match="RepositoryNotEmptyException"):
        ecr.delete_repository(repositoryName="deleted")
    ecr.batch_delete_image(repositoryName="deleted", imageIds=[{"imageTag": "a"}])
    assert len(ecr.describe_images(repositoryName="deleted")["imageDetails"]) == 2
    ids = [{"imageDigest": one.digest}, {"imageTag": "c"}, {"imageTag": "none"}]
    gone = ecr.batch_delete_image(repositoryName="deleted", imageIds=ids)
    assert {each["imageDigest"] for each in gone["imageIds"]} == {one.digest, two.digest}
    assert [each["failureCode"] for each in gone["failures"]] == ["ImageNotFound"]
    ecr.delete_repository(repositoryName="deleted")
    with pytest.raises(ClientError, match="RepositoryNotFoundException"):
        ecr.describe_images(repositoryName="deleted")


def test_what_is_not_simulated_says_so(local_aws: LocalAwsServer) -> None:
    with pytest.raises(ClientError, match="GetDownloadUrlForLayer is not simulated"):
        made(local_aws, "elsewhere").get_download_url_for_layer(repositoryName="elsewhere", layerDigest=digest_of(b"x"))


def test_a_blob_is_on_disk_for_as_long_as_a_repository_has_it(local_aws: LocalAwsServer, push: Push) -> None:
    image = small_image("shared by two")
    for name in ("first", "second"):
        made(local_aws, name)
        push(image, f"{name}:1")
    ecr = local_aws.client("ecr")
    ecr.delete_repository(repositoryName="first", force=True)
    ecr.create_repository(repositoryName="first")
    digests = [image.layers[0].digest]
    assert ecr.batch_check_layer_availability(repositoryName="second", layerDigests=digests)["failures"] == []
    assert ecr.batch_check_layer_availability(repositoryName="first", layerDigests=digests)["layers"] == []


def test_an_image_that_comes_back_is_not_scanned_yet(local_aws: LocalAwsServer, push: Push) -> None:
    ecr = made(local_aws, "again")
    image = small_image("again")
    wanted = {"repositoryName": "again", "imageId": {"imageTag": "1"}}
    for forget in (
        lambda: ecr.batch_delete_image(repositoryName="again", imageIds=[{"imageTag": "1"}]),
        lambda: (ecr.delete_repository(repositoryName="again", force=True), made(local_aws, "again")),
    ):
        push(image, "again:1")
        ecr.start_image_scan(**wanted)
        assert ecr.describe_image_scan_findings(**wanted)["imageScanStatus"]["status"] == "COMPLETE"
        forget()
    push(image, "again:1")
    with pytest.raises(ClientError, match="ScanNotFoundException"):
        ecr.describe_image_scan_findings(**wanted)


def test_images_come_in_pages(local_aws: LocalAwsServer, push: Push) -> None:
    ecr = made(local_aws, "pages")
    for tag in ("1", "2", "3"):
        push(small_image(tag), f"pages:{tag}")
    for operation, member in (("list_images", "imageIds"), ("describe_images", "imageDetails")):
        pages = list(ecr.get_paginator(operation).paginate(repositoryName="pages", PaginationConfig={"PageSize": 2}))
        assert [len(page[member]) for page in pages] == [2, 1]
        with pytest.raises(ClientError, match="nextToken"):
            getattr(ecr, operation)(repositoryName="pages", nextToken="no page")


@pytest.mark.parametrize("operation", ["DescribeImages", "DeleteRepository", "CreateRepository", "PutImage"])
@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"imageTag": "\\ud800"}'])
def test_what_is_no_request_is_refused(local_aws: LocalAwsServer, operation: str, body: bytes) -> None:
    scope = f"{SELLER.access_key}/20260101/us-east-1/ecr/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        "X-Amz-Target": f"AmazonEC2ContainerRegistry_V20150921.{operation}",
    }
    refused = httpx.post(local_aws.url, content=body, headers=headers)
    assert (refused.status_code, refused.json()["__type"]) == (400, "SerializationException")
