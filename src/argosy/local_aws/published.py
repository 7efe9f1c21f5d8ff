"""What AWS Marketplace holds: copies of model packages that were published, with their images and artifacts.

A copy lives on without the seller's package, repository and bucket, as AWS's does.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from argosy.local_aws.accounts import MARKETPLACE
from argosy.local_aws.images.ecr_images import EcrImages
from argosy.local_aws.images.named_images import NamedImages
from argosy.local_aws.images.store import RepositoryName
from argosy.local_aws.moto_services import MotoServices
from argosy.model_archive import written_aside
from argosy.simulator.control.resources import Kind, Resource, arn
from argosy.simulator.storage.objects import ObjectUri

_BUCKET: Final = "argosy-marketplace-"
_LONGEST: Final = 63
_DIGITS: Final = 32


class PublishedPackages:
    """The copies.

    Args:
        folder: Keeps one file for each.
        images: Where images are, of sellers and of AWS Marketplace.
        moto: Has the artifacts.
    """

    def __init__(self, folder: Path, images: EcrImages, moto: MotoServices) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._images = images
        self._moto = moto

    def find(self, text: str) -> Resource | None:
        """A copy by its ARN."""
        region, name = _region_and_name(text)
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

    def copies(self) -> dict[str, dict[str, str]]:
        """All copies: the ARN of the seller's package -> region -> ARN of the copy."""
        found: dict[str, dict[str, str]] = {}
        for path in sorted(self._folder.glob("*/*.json")):
            source, region = str(json.loads(path.read_bytes())["source"]), path.parent.name
            found.setdefault(source, {})[region] = arn(Kind.MODEL_PACKAGE, region, path.stem, MARKETPLACE.number)
        return found

    def publish(self, package: Resource, region: str) -> str:
        """Have a copy of a package in a region, unless there is one; returns its ARN, the same every time.

        Raises:
            MissingImageError: The image of the package is gone.
            KeyError: Its artifacts are gone.
        """
        name = _name(package)
        made = arn(Kind.MODEL_PACKAGE, region, name, MARKETPLACE.number)
        if self.find(made) is None:
            self._copy(package, region, name)
        return made

    def _copy(self, package: Resource, region: str, name: str) -> None:
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
            kept = {"created": round(time.time(), 3), "source": package.arn, "request": request}
            aside.write_text(json.dumps(kept))

    def _copied(self, container: Mapping[str, Any], package: Resource, target: RepositoryName) -> dict[str, Any]:
        """A container of a package, with its image and archive where AWS Marketplace has them."""
        images = NamedImages(self._images, package.account, package.region)
        copied = {**container, "Image": images.copy(container["Image"], target)}
        if "ModelDataUrl" in container:
            source = ObjectUri.parse(container["ModelDataUrl"])
            bucket, key = f"{_BUCKET}{target.region}", f"{target.name}/{source.key.rpartition('/')[2]}"
            self._moto.copy_object((source.bucket, source.key), bucket, key)
            copied["ModelDataUrl"] = f"s3://{bucket}/{key}"
        return copied


def _name(package: Resource) -> str:
    """The name of a copy, made as AWS makes them: the package's own, and 32 hexadecimal digits."""
    digest = hashlib.sha256(package.arn.encode()).hexdigest()[:_DIGITS]
    return f"{package.name.lower()[: _LONGEST - _DIGITS - 1].rstrip('-')}-{digest}"


def _region_and_name(text: str) -> tuple[str, str]:
    """Of a model package of AWS Marketplace's; empty for any other ARN, and for what could leave the folder."""
    parts = text.split(":")
    if len(parts) != 6 or parts[4] != MARKETPLACE.number or not parts[5].startswith("model-package/"):
        return "", ""
    name = parts[5].removeprefix("model-package/")
    is_plain = all(character.isalnum() or character == "-" for character in f"{name}{parts[3]}")
    return (parts[3], name.lower()) if is_plain else ("", "")
