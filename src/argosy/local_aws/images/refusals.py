"""What ECR refuses, once for both doors: the code of its API, and the one of the registry's protocol.

The sentence about a tag that is taken is ECR's of 2025 (https://github.com/osscontainertools/kaniko/pull/204; before,
it said that the repository is immutable, https://github.com/moby/buildkit/issues/3776; read 2026-11-23). Those about a
missing repository, image or scan are moto's. UNSURE: the other sentences.
"""

from dataclasses import dataclass
from typing import Final

from argosy.local_aws.images.store import RepositoryName

_IN_REGISTRY: Final = {
    "RepositoryNotFoundException": (404, "NAME_UNKNOWN"),
    "ImageNotFoundException": (404, "MANIFEST_UNKNOWN"),
    "ImageTagAlreadyExistsException": (400, "TAG_INVALID"),
    "LayersNotFoundException": (404, "BLOB_UNKNOWN"),
    "ReferencedImagesNotFoundException": (404, "MANIFEST_UNKNOWN"),
    "ImageDigestDoesNotMatchException": (400, "DIGEST_INVALID"),
    "InvalidLayerException": (400, "DIGEST_INVALID"),
    "InvalidParameterException": (400, "MANIFEST_INVALID"),
    "UploadNotFoundException": (404, "BLOB_UPLOAD_UNKNOWN"),
}


@dataclass
class EcrRefusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """ECR does not do it.

    Attributes:
        code: The exception's name in the API.
        message: The service's sentence.
    """

    code: str
    message: str

    @property
    def in_registry(self) -> tuple[int, str]:
        """Status and code in the registry's protocol."""
        return _IN_REGISTRY.get(self.code, (400, "UNSUPPORTED"))


def repository_not_found(name: RepositoryName) -> EcrRefusal:
    """There is no such repository."""
    return EcrRefusal(
        "RepositoryNotFoundException",
        f"The repository with name '{name.name}' does not exist in the registry with id '{name.account}'",
    )


def image_not_found(name: RepositoryName, digest: str | None, tag: str | None) -> EcrRefusal:
    """There is no such image in the repository."""
    image = f"{{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}}"
    return EcrRefusal(
        "ImageNotFoundException",
        f"The image with imageId {image} does not exist within the repository with name '{name.name}' in the registry "
        f"with id '{name.account}'",
    )


def scan_not_found(name: RepositoryName, digest: str, tag: str | None) -> EcrRefusal:
    """The image was not scanned."""
    image = f"{{imageDigest:'{digest}', imageTag:'{tag or 'null'}'}}"
    return EcrRefusal(
        "ScanNotFoundException",
        f"Image scan does not exist for the image with '{image}' in the repository with name '{name.name}' in the "
        f"registry with id '{name.account}'",
    )


def not_a_tag(tag: str) -> EcrRefusal:
    """No image can be named like this."""
    return EcrRefusal(
        "InvalidParameterException",
        f"Invalid parameter at 'imageTag' failed to satisfy constraint: '{tag[:200]}' is no tag: up to 128 letters, "
        "digits and _ . -, the first none of . -",
    )


def tag_is_taken(name: RepositoryName, tag: str) -> EcrRefusal:
    """The tag is another image's, and the repository immutable."""
    return EcrRefusal(
        "ImageTagAlreadyExistsException",
        f"The image tag '{tag}' already exists in the '{name.name}' repository and cannot be overwritten because the "
        "tag is immutable.",
    )


def image_exists(name: RepositoryName, digest: str, tag: str | None) -> EcrRefusal:
    """Nothing would change."""
    return EcrRefusal(
        "ImageAlreadyExistsException",
        f"Image with digest '{digest}' and tag '{tag or 'null'}' already exists in the repository with name "
        f"'{name.name}' in registry with id '{name.account}'",
    )


def layers_not_found(name: RepositoryName, digests: list[str]) -> EcrRefusal:
    """The manifest names blobs that its repository has not."""
    return EcrRefusal(
        "LayersNotFoundException",
        f"Layers with digests '[{', '.join(digests)}]' required for pushing image into repository with name "
        f"'{name.name}' in the registry with id '{name.account}' do not exist",
    )


def upload_not_found(name: RepositoryName, upload: str) -> EcrRefusal:
    """No such upload is under way."""
    return EcrRefusal(
        "UploadNotFoundException",
        f"Upload with id '{upload}' does not exist in the repository with name '{name.name}' in the registry with id "
        f"'{name.account}'",
    )
