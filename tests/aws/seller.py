"""An AWS account on loopback with what a seller needs: moto for most of it, a server of our own for the quotas."""

import http.server
import json
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3

ACCOUNT = "123456789012"
REGION = "us-east-1"
REPOSITORY = "vehicle-detector"
BUCKET = "vehicle-detector-releases"
VALIDATION_ROLE = f"arn:aws:iam::{ACCOUNT}:role/vehicle-validation"
ACCESS_ROLE = f"arn:aws:iam::{ACCOUNT}:role/marketplace-ingestion"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LOGS = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/*"
VALIDATION_POLICY: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{BUCKET}/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{BUCKET}"},
        {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "logs:*", "Resource": LOGS},
    ],
}


def reset(url: str) -> None:
    """Forget everything, and look at no permissions."""
    _post(f"{url}/moto-api/reset", b"")
    _post(f"{url}/moto-api/reset-auth", b"Infinity")


def require_permissions(url: str) -> None:
    """Look at permissions from the next call on."""
    _post(f"{url}/moto-api/reset-auth", b"0")


def set_findings(url: str, digest: str, answer: Mapping[str, Any]) -> None:
    """What a scan of an image has found: one answer to one call."""
    whole = {"registryId": ACCOUNT, "repositoryName": REPOSITORY, "imageId": {"imageDigest": digest}, **answer}
    body = json.dumps({"results": [whole], "region": REGION}).encode()
    _post(f"{url}/moto-api/static/ecr/scan-finding-results", body, "application/json")


def _post(url: str, body: bytes, content_type: str = "text/plain") -> None:
    request = urllib.request.Request(url, body, {"Content-Type": content_type})
    urllib.request.urlopen(request, timeout=30).close()


def make_repository(media_type: str = DOCKER_MANIFEST, *, is_scanned: bool = True) -> str:
    """The repository with an image; its digest."""
    ecr = boto3.client("ecr", region_name=REGION)
    ecr.create_repository(repositoryName=REPOSITORY)
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 2, "digest": "sha256:1"},
        "layers": [{"mediaType": "application/gzip", "size": 3, "digest": f"sha256:{'2' * 64}"}],
    }
    put = ecr.put_image(
        repositoryName=REPOSITORY, imageManifest=json.dumps(manifest), imageManifestMediaType=media_type, imageTag="1"
    )
    digest = str(put["image"]["imageId"]["imageDigest"])
    if is_scanned:
        ecr.start_image_scan(repositoryName=REPOSITORY, imageId={"imageDigest": digest})
    return digest


def make_role(arn: str, service: str, policy: Mapping[str, Any], *, is_attached: bool = False) -> None:
    """A role that a service may take, with one policy."""
    iam = boto3.client("iam", region_name=REGION)
    name = arn.rpartition("/")[2]
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    if is_attached:
        made = iam.create_policy(PolicyName=f"{name}-policy", PolicyDocument=json.dumps(policy))
        iam.attach_role_policy(RoleName=name, PolicyArn=made["Policy"]["Arn"])
    else:
        iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=json.dumps(policy))


def make_account() -> str:
    """Everything that a clean seller has; the digest of the image."""
    boto3.client("s3", region_name=REGION).create_bucket(Bucket=BUCKET)
    make_role(VALIDATION_ROLE, "sagemaker.amazonaws.com", VALIDATION_POLICY)
    describe = {"Effect": "Allow", "Action": "sagemaker:DescribeModelPackage", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [describe]}
    make_role(ACCESS_ROLE, "assets.marketplace.amazonaws.com", policy, is_attached=True)
    return make_repository()


@contextmanager
def quotas_server(quotas: Mapping[str, float]) -> Iterator[str]:
    """The URL of a Service Quotas that answers with these, one a page: moto has none of SageMaker's."""
    names = list(quotas)

    class Answering(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert asked["ServiceCode"] == "sagemaker"
            number = int(asked.get("NextToken", "0"))
            page = {"Quotas": [{"QuotaName": names[number], "Value": quotas[names[number]]}]}
            if number + 1 < len(names):
                page["NextToken"] = str(number + 1)  # type: ignore[assignment]  # a page has both kinds
            body = json.dumps(page).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
