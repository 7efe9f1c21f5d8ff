"""The registry's door: who may come in, what it refuses, and each way to send a blob."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from argosy.image.image import digest_of
from argosy.registry.transports import read_image
from argosy.testing.local_aws import BUYER, SELLER, Account, LocalAwsServer
from tests.local_aws.stand_in import REGION, Push, small_image


def registry(aws: LocalAwsServer, account: Account = SELLER, region: str = REGION) -> httpx.Client:
    given = aws.client("ecr", account, region).get_authorization_token()["authorizationData"][0]
    user, _, password = base64.b64decode(given["authorizationToken"]).decode().partition(":")
    return httpx.Client(base_url=given["proxyEndpoint"], auth=(user, password))


@pytest.fixture(scope="module")
def client(local_aws: LocalAwsServer) -> Iterator[httpx.Client]:
    ecr = local_aws.client("ecr")
    for name, mutability in (("team/iris", "MUTABLE"), ("fixed", "IMMUTABLE"), ("other", "MUTABLE")):
        ecr.create_repository(repositoryName=name, imageTagMutability=mutability)
    with registry(local_aws) as made:
        yield made


def fault(response: httpx.Response) -> tuple[int, str, str]:
    first = response.json()["errors"][0]
    return response.status_code, first["code"], first["message"]


def send(client: httpx.Client, repository: str, blob: bytes) -> str:
    begun = client.post(f"/v2/{repository}/blobs/uploads/")
    digest = digest_of(blob)
    assert client.put(begun.headers["location"], params={"digest": digest}, content=blob).status_code == 201
    return digest


def manifest(*digests: str, **members: Any) -> bytes:
    config, *layers = [{"mediaType": "x/y", "digest": digest, "size": 5} for digest in digests]
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    return json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers, **members}).encode()


def test_nobody_comes_in_without_the_token_of_this_region(local_aws: LocalAwsServer, client: httpx.Client) -> None:
    refused = httpx.get(f"{client.base_url}/v2/")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic realm=")
    assert client.get("/v2/").status_code == 200
    with registry(local_aws, region="eu-west-1") as elsewhere:
        assert elsewhere.base_url != client.base_url
        assert httpx.get(f"{client.base_url}/v2/", auth=elsewhere.auth).status_code == 401
    assert httpx.get(f"{client.base_url}/v2/", auth=("AWS", "guessed")).status_code == 401


def test_a_repository_has_to_be_there_in_the_account_of_the_token(
    local_aws: LocalAwsServer, client: httpx.Client
) -> None:
    sentence = "The repository with name '{}' does not exist in the registry with id '{}'"
    assert fault(client.post("/v2/nowhere/blobs/uploads/")) == (
        404,
        "NAME_UNKNOWN",
        sentence.format("nowhere", "111122223333"),
    )
    with registry(local_aws, BUYER) as buyer:
        assert fault(buyer.get("/v2/fixed/manifests/1"))[2] == sentence.format("fixed", "444455556666")


def test_a_blob_is_sent_at_once_in_pieces_or_taken_over(client: httpx.Client) -> None:
    at_once, in_pieces = b"at once", b"in three pieces"
    begun = client.post("/v2/team/iris/blobs/uploads/", params={"digest": digest_of(at_once)}, content=at_once)
    assert begun.status_code == 201

    place = client.post("/v2/team/iris/blobs/uploads/").headers["location"]
    assert client.patch(place, content=in_pieces[:4]).headers["range"] == "0-3"
    assert client.get(place).headers["range"] == "0-3"
    wrong = client.patch(place, content=in_pieces[4:], headers={"Content-Range": "9-14"})
    assert (wrong.status_code, wrong.headers["range"]) == (416, "0-3")
    assert client.patch(place, content=in_pieces[4:8], headers={"Content-Range": "4-7"}).status_code == 202
    done = client.put(place, params={"digest": digest_of(in_pieces)}, content=in_pieces[8:])
    assert done.status_code == 201
    assert client.get(f"/v2/team/iris/blobs/{digest_of(in_pieces)}").content == in_pieces
    part = client.get(f"/v2/team/iris/blobs/{digest_of(in_pieces)}", headers={"Range": "bytes=3-7"})
    assert (part.status_code, part.content) == (206, in_pieces[3:8])

    digest = digest_of(at_once)
    assert client.head(f"/v2/other/blobs/{digest}").status_code == 404
    mounted = client.post("/v2/other/blobs/uploads/", params={"mount": digest, "from": "team/iris"})
    assert mounted.status_code == 201
    assert client.head(f"/v2/other/blobs/{digest}").headers["content-length"] == str(len(at_once))
    unknown = {"mount": digest_of(b"?"), "from": "team/iris"}
    assert client.post("/v2/other/blobs/uploads/", params=unknown).status_code == 202


def test_a_blob_is_what_its_digest_says_or_nothing_is_kept(client: httpx.Client) -> None:
    place = client.post("/v2/team/iris/blobs/uploads/").headers["location"]
    refused = client.put(place, params={"digest": digest_of(b"this")}, content=b"that")
    assert fault(refused)[:2] == (400, "DIGEST_INVALID")
    assert client.head(f"/v2/team/iris/blobs/{digest_of(b'that')}").status_code == 404
    assert fault(client.get(place))[:2] == (404, "BLOB_UPLOAD_UNKNOWN")
    assert client.head("/v2/team/iris/blobs/sha256:../../../etc/passwd").status_code == 404
    assert client.delete(f"/v2/team/iris/blobs/{digest_of(b'that')}").status_code == 405


def test_a_manifest_is_kept_byte_for_byte_when_its_blobs_are_there(client: httpx.Client) -> None:
    held = manifest(send(client, "team/iris", b"config"), send(client, "team/iris", b"layer")) + b"\n"
    put = client.put("/v2/team/iris/manifests/1.0", content=held)
    digest = f"sha256:{hashlib.sha256(held).hexdigest()}"
    assert (put.status_code, put.headers["docker-content-digest"]) == (201, digest)
    for reference in ("1.0", digest):
        assert client.get(f"/v2/team/iris/manifests/{reference}").content == held
    assert client.get("/v2/team/iris/tags/list").json()["tags"] == ["1.0"]

    absent = manifest(digest_of(b"?"))
    assert fault(client.put("/v2/team/iris/manifests/2", content=absent))[:2] == (404, "BLOB_UNKNOWN")
    assert fault(client.put("/v2/team/iris/manifests/2", content=b"{}"))[:2] == (400, "MANIFEST_INVALID")
    assert fault(client.put("/v2/team/iris/manifests/2", content=b"no"))[:2] == (400, "MANIFEST_INVALID")
    assert fault(client.put(f"/v2/team/iris/manifests/{digest_of(b'?')}", content=held))[:2] == (400, "DIGEST_INVALID")
    assert fault(client.get("/v2/team/iris/manifests/2"))[:2] == (404, "MANIFEST_UNKNOWN")
    odd = client.put("/v2/team/iris/manifests/2", content=held, headers={"Content-Type": "application/json"})
    assert fault(odd)[:2] == (400, "MANIFEST_INVALID")


@pytest.mark.parametrize("tag", ["a/b", "..", "-x", "x" * 129, "sha256:abc", "sha512:" + "0" * 128, "a b", "%00", "é"])
def test_what_is_no_tag_names_nothing(client: httpx.Client, tag: str) -> None:
    held = manifest(send(client, "team/iris", b"for a tag"))
    path = f"/v2/team/iris/manifests/{tag}".replace("..", "%2e%2e")
    assert fault(client.put(path, content=held))[:2] == (400, "MANIFEST_INVALID")


@pytest.mark.parametrize("size", ["5", None, True, -1, 1.5])
def test_a_layer_without_a_size_would_spoil_what_is_told_of_its_repository(client: httpx.Client, size: object) -> None:
    digest = send(client, "team/iris", b"sized")
    held = manifest(digest, layers=[{"mediaType": "x/y", "digest": digest, "size": size}])
    assert fault(client.put("/v2/team/iris/manifests/sized", content=held))[:2] == (400, "MANIFEST_INVALID")


def test_a_manifest_is_utf_8(client: httpx.Client) -> None:
    held = manifest(send(client, "team/iris", b"wide")).decode().encode("utf-16")
    assert fault(client.put("/v2/team/iris/manifests/wide", content=held))[:2] == (400, "MANIFEST_INVALID")


def test_a_range_that_begins_behind_the_blob_is_refused(client: httpx.Client) -> None:
    digest = send(client, "team/iris", b"12345")
    for asked, status in (("bytes=4-", 206), ("bytes=5-", 416), ("bytes=3-1", 416)):
        assert client.get(f"/v2/team/iris/blobs/{digest}", headers={"Range": asked}).status_code == status


def test_a_tag_of_an_immutable_repository_stays_where_it_is(client: httpx.Client) -> None:
    first = manifest(send(client, "fixed", b"one"))
    second = manifest(send(client, "fixed", b"two"))
    assert client.put("/v2/fixed/manifests/v1", content=first).status_code == 201
    assert client.put("/v2/fixed/manifests/v1", content=first).status_code == 201  # a push that was cut off comes again
    assert fault(client.put("/v2/fixed/manifests/v1", content=second)) == (
        400,
        "TAG_INVALID",
        "The image tag 'v1' already exists in the 'fixed' repository and cannot be overwritten because the tag is "
        "immutable.",
    )
    assert client.put("/v2/fixed/manifests/v2", content=second).status_code == 201


def test_an_index_needs_its_images(client: httpx.Client) -> None:
    held = manifest(send(client, "other", b"one platform"))
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{"mediaType": "x/y", "digest": digest_of(held), "size": len(held)}],
    }
    content = json.dumps(index).encode()
    assert fault(client.put("/v2/other/manifests/all", content=content))[:2] == (404, "MANIFEST_UNKNOWN")
    assert client.put(f"/v2/other/manifests/{digest_of(held)}", content=held).status_code == 201
    assert client.put("/v2/other/manifests/all", content=content).status_code == 201


def test_argosys_own_client_pushes_and_pulls(local_aws: LocalAwsServer, push: Push) -> None:
    local_aws.client("ecr", region="ap-south-1").create_repository(repositoryName="own")
    image = small_image("x" * 100_000)
    name = push(image, "own:1", region="ap-south-1")
    host, access = push.access(SELLER, "ap-south-1")
    pulled = read_image(f"docker://{host}/own@{name.partition('@')[2]}", access)
    assert pulled.manifest_bytes == image.manifest_bytes
    with pulled.blobs.open(pulled.layers[0].digest) as layer:
        assert digest_of(layer.read()) == pulled.layers[0].digest
