"""What is brought to AWS: read and made on this machine, the same for every region."""

import re
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from argosy.aws.upload import LocalFile
from argosy.image.image import Image
from argosy.marketplace.model_package import PackageTypes
from argosy.marketplace.table import Marketplace
from argosy.planning.step import Outputs

ACCOUNT_KEY: Final = "account"
"""The step that knows whose the credentials are; it gives `id`."""

_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/")
_TAG: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST_TAG: Final = 128


@dataclass(frozen=True, slots=True)
class Offering:
    """One version of a model package, in one region.

    Attributes:
        table: What the seller says; its `region` is where the package is made.
        types: The package's media types.
        image: As SageMaker takes it.
        archive: model.tar.gz; None where the image has the artifacts.
        samples: The input of the validation's job; each name is its path below the job's prefix.
        accepts_findings: Whether vulnerabilities of severity CRITICAL or HIGH are no obstacle.
        converted: What is different from the image that was given, a sentence each.
    """

    table: Marketplace
    types: PackageTypes
    image: Image
    archive: LocalFile | None
    samples: tuple[LocalFile, ...]
    accepts_findings: bool = False
    converted: tuple[str, ...] = ()

    def in_region(self, region: str) -> "Offering":
        """The same in another region, with what is named after regions there."""
        return replace(self, table=msgspec.structs.replace(self.table, region=region))

    @property
    def region(self) -> str:
        """Where the package is made."""
        return self.table.region

    @property
    def repository(self) -> str:
        """Name of the repository, without a host."""
        return self.table.account.repository_name

    @property
    def bucket(self) -> str:
        """Name of the bucket in this region."""
        return self.table.account.bucket_in(self.region)

    @property
    def tag(self) -> str:
        """The image's tag: the version, with `-` for what no tag may have."""
        return _TAG.sub("-", self.table.version).lstrip("-.")[:_LONGEST_TAG] or "latest"

    def key(self, step: str) -> str:
        """Key of a step in this region: `us-east-1/image`."""
        return f"{self.region}/{step}"

    def image_reference(self, known: Outputs) -> str | None:
        """The image by digest, as the package names it; None before it is known whose account it is."""
        account = known.get(ACCOUNT_KEY, {}).get("id")
        if not account:
            return None
        return f"{account}.dkr.ecr.{self.region}.amazonaws.com/{self.repository}@{self.image.digest}"


def said_account(table: Marketplace) -> str:
    """The account that argosy.toml names, by its id or by the validation's role; empty where it names none."""
    found = _ROLE.match(table.validation.role or "")
    return table.account.id or (found.group(1) if found else "")
