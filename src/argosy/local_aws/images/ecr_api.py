"""The operations of ECR's JSON API that concern images, layers, scans and logins; moto has those on repositories.

Source: API reference of Amazon ECR (read 2026-11-23). Requests are judged by botocore's model of the service.
"""

import base64
import binascii
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from argosy.aws import service_model
from argosy.image.image import digest_of
from argosy.local_aws.images import refusals
from argosy.local_aws.images.ecr_images import EcrImages
from argosy.local_aws.images.refusals import EcrRefusal
from argosy.local_aws.images.scans import COMPLETE
from argosy.local_aws.images.store import RepositoryName, StoredImage
from argosy.local_aws.images.tokens import Tokens

PREFIX: Final = "AmazonEC2ContainerRegistry_V20150921."
"""Of the `X-Amz-Target` header field."""
MEDIA_TYPE: Final = "application/x-amz-json-1.1"
REQUEST_BYTES: Final = 32 * 2**20
"""Largest request that is read: a part of a layer has up to 20 MiB, and is base64 in JSON."""
_PART: Final = 10 * 2**20
_PAGE_LENGTH: Final = 100
"""Of a page whose length is not asked for, as DescribeImages and ListImages have it."""
_PAGE_TOKEN: Final = re.compile(r"[0-9]{1,9}")
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
"""An escape that may be half a character, which no file and no database takes."""

Members = Mapping[str, Any]  # of the API, in JSON
ProxyEndpoint = Callable[[str], Awaitable[str]]
"""A region -> the URL of its registry."""


class EcrApi:
    """The operations.

    Args:
        images: What they work on.
        tokens: Gives logins.
        proxy_endpoint: Where the registry of a region is.
    """

    def __init__(self, images: EcrImages, tokens: Tokens, proxy_endpoint: ProxyEndpoint) -> None:
        self._images = images
        self._tokens = tokens
        self._proxy_endpoint = proxy_endpoint
        self._model = service_model.load("ecr")
        self._operations: Mapping[str, Callable[[RepositoryName, Members], Members]] = {
            "BatchCheckLayerAvailability": self._check_layers,
            "InitiateLayerUpload": self._begin_upload,
            "UploadLayerPart": self._upload_part,
            "CompleteLayerUpload": self._complete_upload,
            "PutImage": self._put_image,
            "BatchGetImage": self._get_images,
            "DescribeImages": self._describe_images,
            "ListImages": self._list_images,
            "BatchDeleteImage": self._delete_images,
            "StartImageScan": self._start_scan,
            "DescribeImageScanFindings": self._scan_findings,
        }

    def knows(self, operation: str) -> bool:
        """Whether an operation is answered here."""
        return operation in self._operations or operation == "GetAuthorizationToken"

    def may_delete(self, name: RepositoryName, is_forced: bool) -> EcrRefusal | None:
        """Why a repository cannot be deleted, which moto does not know."""
        if is_forced or not self._images.store.all(name):
            return None
        return EcrRefusal(
            "RepositoryNotEmptyException",
            f"The repository with name '{name.name}' in registry with id '{name.account}' cannot be deleted because "
            "it still contains images",
        )

    async def answer(self, operation: str, account: str, region: str, body: bytes) -> tuple[int, Members]:
        """Answer one request: status and members."""
        try:
            return 200, await self._run(operation, account, region, body)
        except EcrRefusal as refusal:
            return 400, {"__type": refusal.code, "message": refusal.message}

    async def _run(self, operation: str, account: str, region: str, body: bytes) -> Members:
        model = self._model.operation(operation)
        assert model is not None, "`knows` has the model's names"
        request = read_request(body)
        mistyped = model.mistyped(request)
        if mistyped is not None:
            raise EcrRefusal("SerializationException", mistyped)
        unknown = model.unknown_members(request)
        # The model's limits of a part are those of its bytes, and here they are base64.
        violations = model.violations({name: value for name, value in request.items() if name != "layerPartBlob"})
        violations = [each for each in violations if "layerPartBlob" not in each]
        if unknown or violations:
            raise EcrRefusal("InvalidParameterException", "; ".join([*unknown, *violations]))
        if operation == "GetAuthorizationToken":
            return await self._token(account, region)
        name = RepositoryName(account, region, str(request["repositoryName"]))
        if request.get("registryId", account) != account:
            raise refusals.repository_not_found(RepositoryName(request["registryId"], region, name.name))
        self._images.repository(name)
        return model.answer(self._operations[operation](name, request))

    async def _token(self, account: str, region: str) -> Members:
        url = await self._proxy_endpoint(region)
        token = self._tokens.issue(account, region)
        data = {"authorizationToken": token.encoded, "expiresAt": token.expires, "proxyEndpoint": url}
        return {"authorizationData": [data]}

    def _check_layers(self, name: RepositoryName, request: Members) -> Members:
        layers, failures = [], []
        for digest in request["layerDigests"]:
            is_there = self._images.store.has_layer(name, digest)
            size = self._images.store.blobs.size(digest) if is_there else None
            if size is None:
                failures.append(
                    {"layerDigest": digest, "failureCode": "MissingLayerDigest", "failureReason": "Layer is missing"}
                )
            else:
                layers.append({"layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": size})
        return {"layers": layers, "failures": failures}

    def _begin_upload(self, name: RepositoryName, request: Members) -> Members:
        return {"uploadId": self._images.uploads.begin(name), "partSize": _PART}

    def _upload_part(self, name: RepositoryName, request: Members) -> Members:
        upload = self._images.uploads.find(name, request["uploadId"])
        if upload is None:
            raise refusals.upload_not_found(name, request["uploadId"])
        try:
            part = base64.b64decode(request["layerPartBlob"], validate=True)
        except binascii.Error:
            raise EcrRefusal("SerializationException", "layerPartBlob is not base64") from None
        first, last = int(request["partFirstByte"]), int(request["partLastByte"])
        if first != upload.size or last != first + len(part) - 1:
            raise EcrRefusal(
                "InvalidLayerPartException",
                f"The layer part from byte {first} to {last} with {len(part)} bytes does not follow the last valid "
                f"byte {upload.size - 1}",
            )
        upload.write(part)
        return {
            "registryId": name.account,
            "repositoryName": name.name,
            "uploadId": request["uploadId"],
            "lastByteReceived": upload.size - 1,
        }

    def _complete_upload(self, name: RepositoryName, request: Members) -> Members:
        upload = self._images.uploads.find(name, request["uploadId"])
        digest = str(request["layerDigests"][0])
        if upload is None:
            raise refusals.upload_not_found(name, request["uploadId"])
        if self._images.store.has_layer(name, digest):
            self._images.uploads.discard(request["uploadId"])
            raise EcrRefusal(
                "LayerAlreadyExistsException",
                f"The layer with digest '{digest}' already exists in the repository with name '{name.name}' in the "
                f"registry with id '{name.account}'",
            )
        if upload.size == 0:
            raise EcrRefusal("EmptyUploadException", "The upload has no layer parts")
        self._images.finish_upload(upload, request["uploadId"], digest)
        return {
            "registryId": name.account,
            "repositoryName": name.name,
            "uploadId": request["uploadId"],
            "layerDigest": digest,
        }

    def _put_image(self, name: RepositoryName, request: Members) -> Members:
        manifest, tag = str(request["imageManifest"]).encode(), request.get("imageTag")
        repository = self._images.repository(name)
        pushed = self._images.store.find(name, digest_of(manifest))
        if pushed is not None and (tag is None or tag in pushed.tags):
            raise refusals.image_exists(name, pushed.digest, tag)
        stored = self._images.push(
            *(repository, manifest, request.get("imageManifestMediaType"), tag, request.get("imageDigest"))
        )
        return {"image": _image(name, stored, tag)}

    def _get_images(self, name: RepositoryName, request: Members) -> Members:
        images, failures = [], []
        for wanted in request["imageIds"]:
            try:
                found = self._images.image(name, wanted.get("imageDigest"), wanted.get("imageTag"))
            except EcrRefusal:
                failures.append(_image_failure(wanted))
            else:
                images.append(_image(name, found, wanted.get("imageTag")))
        return {"images": images, "failures": failures}

    def _describe_images(self, name: RepositoryName, request: Members) -> Members:
        found = self._wanted(name, request)
        return _page("imageDetails", [self._details(name, image) for image in found], request)

    def _list_images(self, name: RepositoryName, request: Members) -> Members:
        ids: list[Members] = []
        for image in self._wanted(name, request):
            ids += [{"imageDigest": image.digest, "imageTag": tag} for tag in image.tags] or [
                {"imageDigest": image.digest}
            ]
        return _page("imageIds", ids, request)

    def _wanted(self, name: RepositoryName, request: Members) -> Sequence[StoredImage]:
        if request.get("imageIds"):
            wanted = ((each.get("imageDigest"), each.get("imageTag")) for each in request["imageIds"])
            return [self._images.image(name, *each) for each in wanted]
        status = request.get("filter", {}).get("tagStatus", "ANY")
        return [
            image
            for image in self._images.store.all(name)
            if status == "ANY" or bool(image.tags) == (status == "TAGGED")
        ]

    def _details(self, name: RepositoryName, image: StoredImage) -> Members:
        details: dict[str, Any] = {
            "registryId": name.account,
            "repositoryName": name.name,
            "imageDigest": image.digest,
            "imageTags": list(image.tags) or None,
            "imageSizeInBytes": image.size,
            "imagePushedAt": image.pushed,
            "imageManifestMediaType": image.media_type,
            "artifactMediaType": (json.loads(image.manifest).get("config") or {}).get("mediaType"),
        }
        scan = self._images.scans.peek(name.uri, image.digest)
        if scan is not None:
            details["imageScanStatus"] = {"status": scan.status}
            if scan.status == COMPLETE:
                details["imageScanFindingsSummary"] = {
                    "imageScanCompletedAt": scan.begun,
                    "findingSeverityCounts": dict(scan.outcome.counts),
                }
        return details

    def _delete_images(self, name: RepositoryName, request: Members) -> Members:
        gone, failures = [], []
        for wanted in request["imageIds"]:
            digest, tag = wanted.get("imageDigest"), wanted.get("imageTag")
            try:
                found = self._images.image(name, digest, tag)
            except EcrRefusal:
                failures.append(_image_failure(wanted))
                continue
            if digest is None and tag is not None:
                self._images.untag(name, tag)
            else:
                self._images.remove(name, found.digest)
            gone.append({"imageDigest": found.digest} | ({"imageTag": tag} if tag else {}))
        return {"imageIds": gone, "failures": failures}

    def _start_scan(self, name: RepositoryName, request: Members) -> Members:
        wanted = request["imageId"]
        image = self._images.image(name, wanted.get("imageDigest"), wanted.get("imageTag"))
        if not self._images.scans.start(name.uri, image.digest):
            raise EcrRefusal(
                "LimitExceededException", "The scan quota per image has been exceeded. Wait and try again."
            )
        return {
            "registryId": name.account,
            "repositoryName": name.name,
            "imageId": {**wanted, "imageDigest": image.digest},
            "imageScanStatus": {"status": "IN_PROGRESS"},
        }

    def _scan_findings(self, name: RepositoryName, request: Members) -> Members:
        wanted = request["imageId"]
        image = self._images.image(name, wanted.get("imageDigest"), wanted.get("imageTag"))
        scan = self._images.scans.look(name.uri, image.digest)
        if scan is None:
            raise refusals.scan_not_found(name, image.digest, wanted.get("imageTag"))
        answer: dict[str, Any] = {
            "registryId": name.account,
            "repositoryName": name.name,
            "imageId": {**wanted, "imageDigest": image.digest},
            "imageScanStatus": {"status": scan.status},
        }
        if scan.status == scan.outcome.status:
            answer["imageScanStatus"]["description"] = scan.outcome.description
        if scan.status == COMPLETE:
            answer["imageScanFindings"] = {
                "findings": scan.outcome.findings,
                "imageScanCompletedAt": scan.begun,
                "vulnerabilitySourceUpdatedAt": scan.begun,
                "findingSeverityCounts": dict(scan.outcome.counts),
            }
        return answer


def read_request(body: bytes) -> Members:
    """The members of a request; whatever has no body has none.

    Raises:
        EcrRefusal: It is no JSON object, or a text in it is none of Unicode's.
    """
    try:
        request = json.loads(body or b"{}")
        if _SURROGATE.search(body):
            json.dumps(request, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise EcrRefusal("SerializationException", "The request body is no JSON.") from None
    if not isinstance(request, dict):
        raise EcrRefusal("SerializationException", "The request body is no structure.")
    return request


def _page(member: str, found: Sequence[Members], request: Members) -> Members:
    """As many as were asked for, from where the page before ended.

    Raises:
        EcrRefusal: No page before ended there.
    """
    token = str(request.get("nextToken") or "0")
    if _PAGE_TOKEN.fullmatch(token) is None:
        raise EcrRefusal("InvalidParameterException", "Invalid parameter at 'nextToken'")
    begin = int(token)
    end = begin + int(request.get("maxResults") or _PAGE_LENGTH)
    return {member: found[begin:end]} | ({"nextToken": str(end)} if found[end:] else {})


def _image(name: RepositoryName, image: StoredImage, tag: str | None) -> Members:
    return {
        "registryId": name.account,
        "repositoryName": name.name,
        "imageId": {"imageDigest": image.digest} | ({"imageTag": tag} if tag else {}),
        "imageManifest": image.manifest.decode(),
        "imageManifestMediaType": image.media_type,
    }


def _image_failure(wanted: Members) -> Members:
    return {"imageId": dict(wanted), "failureCode": "ImageNotFound", "failureReason": "Requested image not found"}
