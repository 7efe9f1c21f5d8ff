"""What AWS Marketplace holds: copies of model packages that were published, with their images and artifacts.

A copy lives on without the seller's package, repository and bucket, as AWS's does.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from argosy.aws.s3 import S3Client
from argosy.local_aws.accounts import MARKETPLACE
from argosy.local_aws.images.ecr_images import EcrImages
from argosy.local_aws.images.named_images import NamedImages
from argosy.local_aws.images.store import RepositoryName
from argosy.model_archive import written_aside
from argosy.simulator.control.resources import Kind, Resource
from argosy.simulator.storage.objects import ObjectUri

_BUCKET: Final = "argosy-marketplace-"


class PublishedPackages:
    """The copies.

    Args:
        folder: Keeps one file for each.
        images: Where images are, of sellers and of AWS Marketplace.
        s3: Where artifacts are.
    """

    def __init__(self, folder: Path, images: EcrImages, s3: S3Client) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._images = images
        self._s3 = s3

    def find(self, arn: str) -> Resource | None:
        """A copy by its ARN."""
        region, name = _region_and_name(arn)
        path = self._folder / region / f"{name}.json"
        if not name or not path.is_file():
            return None
        kept: dict[str, Any] = json.loads(path.read_bytes())  # JSON of our own
        return Resource(
            *(Kind.MODEL_PACKAGE, region, name, kept["created"], kept["created"]),
            kept["request"],
            "Completed",
            account=MARKETPLACE.number,
        )

    async def publish(self, package: Resource, arns: Sequence[str]) -> None:
        """Make copies of a package, each under the ARN that it shall have; one that is there stays as it is.

        Raises:
            MissingImageError: The image of the package is gone.
            StorageError: Its artifacts are gone.
        """
        for arn in arns:
            if self.find(arn) is None:
                await asyncio.to_thread(self._copy, package, arn)

    def _copy(self, package: Resource, arn: str) -> None:
        region, name = _region_and_name(arn)
        specification = package.request["InferenceSpecification"]
        containers = [
            self._copied(container, package, RepositoryName(MARKETPLACE.number, region, f"{name}-{number}"))
            for number, container in enumerate(specification["Containers"], start=1)
        ]
        request = {**package.request, "InferenceSpecification": {**specification, "Containers": containers}}
        for own in ("ClientToken", "Tags", "ValidationSpecification"):
            request.pop(own, None)
        path = self._folder / region / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(path) as aside:
            aside.write_text(json.dumps({"created": round(time.time(), 3), "request": request}))

    def _copied(self, container: Mapping[str, Any], package: Resource, target: RepositoryName) -> dict[str, Any]:
        """A container of a package, with its image and archive where AWS Marketplace has them."""
        images = NamedImages(self._images, package.account, package.region)
        copied = {**container, "Image": images.copy(container["Image"], target)}
        if "ModelDataUrl" in container:
            source = ObjectUri.parse(container["ModelDataUrl"])
            bucket, key = f"{_BUCKET}{target.region}", f"{target.name}/{source.key.rpartition('/')[2]}"
            self._s3.copy((source.bucket, source.key), bucket, key)
            copied["ModelDataUrl"] = f"s3://{bucket}/{key}"
        return copied


def _region_and_name(arn: str) -> tuple[str, str]:
    """Of a model package of AWS Marketplace's; empty for any other ARN, and for what could leave the folder."""
    parts = arn.split(":")
    if len(parts) != 6 or parts[4] != MARKETPLACE.number or not parts[5].startswith("model-package/"):
        return "", ""
    name = parts[5].removeprefix("model-package/")
    is_plain = all(character.isalnum() or character == "-" for character in f"{name}{parts[3]}")
    return (parts[3], name.lower()) if is_plain else ("", "")
