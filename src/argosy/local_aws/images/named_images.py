"""Images by the names in requests to SageMaker: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG`, or `@DIGEST`.

The sentences: https://github.com/aws-samples/easy-amazon-sagemaker-deployments/issues/4 for an image that is not there,
https://github.com/aws/amazon-sagemaker-feedback/issues/180 for one that is not Docker's schema 2, and
https://github.com/aws/amazon-sagemaker-examples/issues/195 for what is no image's name (read 2026-11-23). The AWS
Marketplace Seller Guide, "Troubleshooting", has the words about another account's registry. UNSURE: where they go.
"""

from dataclasses import dataclass

from argosy.aws import ecr
from argosy.errors import InvalidReferenceError, MissingImageError
from argosy.image import reference
from argosy.image.image import DOCKER_MANIFEST, Image, digest_of
from argosy.local_aws.accounts import MARKETPLACE
from argosy.local_aws.images.ecr_images import EcrImages
from argosy.local_aws.images.scans import COMPLETE, IN_PROGRESS
from argosy.local_aws.images.store import RepositoryName, StoredImage
from argosy.simulator.platform import ImageScan


@dataclass(frozen=True, slots=True)
class ImageName:
    """The name of an image: its repository, and a tag or digest."""

    repository: RepositoryName
    reference: str


def parse(name: str) -> ImageName | None:
    """Read the name of an image in ECR; None when it is none.

    >>> parse("111122223333.dkr.ecr.eu-west-1.amazonaws.com/iris:1").repository.region
    'eu-west-1'
    """
    try:
        found = reference.parse(f"docker://{name}")
    except InvalidReferenceError:
        return None
    registry = ecr.registry_of(found.registry) if isinstance(found, reference.RegistryReference) else None
    if registry is None or not isinstance(found, reference.RegistryReference):
        return None
    return ImageName(RepositoryName(registry.account, registry.region, found.repository), found.manifest)


@dataclass(frozen=True, slots=True)
class NamedImages:
    """The images that SageMaker may use for one account in one region.

    Attributes:
        images: All there are.
        account: Whose own they are; AWS Marketplace's are there, too.
        region: They are in.
    """

    images: EcrImages
    account: str
    region: str

    def fault(self, name: str) -> str | None:
        """Why an image cannot be used, in the service's words; None when it can."""
        parsed = parse(name)
        if parsed is None:
            return f'ECR image "{name}" is invalid.'
        if parsed.repository.account not in (self.account, MARKETPLACE.number):
            return f"Client error: Access denied for registry: {parsed.repository.account}"
        found = self._find(name)
        if found is None:
            return f"Requested image {name} not found."
        if found.media_type != DOCKER_MANIFEST:
            return f"Unsupported manifest media type {found.media_type} for image {name}."
        return None

    def read(self, name: str) -> Image:
        """An image, its layers still in the store.

        Raises:
            MissingImageError: There is none of this name that can be used.
        """
        found = None if self.fault(name) else self._find(name)
        if found is None:
            raise MissingImageError(name)
        blobs = self.images.store.blobs
        config = Image(found.manifest, b"", blobs).config_descriptor.digest
        return Image(found.manifest, blobs.read(config), blobs)

    def labels(self, name: str) -> dict[str, str] | None:
        """The labels of an image, None where there is no such image."""
        try:
            return dict(self.read(name).runtime.get("Labels") or {})
        except MissingImageError:
            return None

    def scan(self, name: str) -> ImageScan:
        """The scan of an image, as a model package shows it."""
        parsed, found = parse(name), self._find(name)
        if parsed is None or found is None:
            return ImageScan("Failed", f"Client error: Requested image {name} not found.")
        scan = self.images.scans.look(parsed.repository.uri, found.digest)
        if scan is None:
            return ImageScan("NotStarted", f"Client error: No scan scheduled for image {name}")
        if scan.status in (IN_PROGRESS, "PENDING"):
            return ImageScan("InProgress")
        if scan.status in (COMPLETE, "ACTIVE"):
            return ImageScan("Completed")
        return ImageScan("Failed", f"Client error: The scan is {scan.status}: {scan.outcome.description}")

    def copy(self, name: str, target: RepositoryName) -> str:
        """Have an image in another repository, too; returns its name there, by digest.

        Raises:
            MissingImageError: There is none of this name.
        """
        parsed, found = parse(name), self._find(name)
        if parsed is None or found is None:
            raise MissingImageError(name)
        self.images.store.copy(found, parsed.repository, target)
        return f"{target.uri}@{digest_of(found.manifest)}"

    def _find(self, name: str) -> StoredImage | None:
        parsed = parse(name)
        if parsed is None or parsed.repository.region != self.region:
            return None
        return self.images.store.find(parsed.repository, parsed.reference)
