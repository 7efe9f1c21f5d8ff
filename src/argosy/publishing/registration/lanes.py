"""The steps of a push and of a registration, region by region: what a plan is made of."""

from collections.abc import Sequence
from typing import Final

from argosy.planning.step import Lane, Stage
from argosy.publishing.registration.account import SellerAccount
from argosy.publishing.registration.artifacts import Artifacts
from argosy.publishing.registration.bucket import Bucket
from argosy.publishing.registration.image_push import ImagePush
from argosy.publishing.registration.image_scan import ImageScan
from argosy.publishing.registration.model_package import ModelPackage
from argosy.publishing.registration.offering import Offering
from argosy.publishing.registration.repository import Repository
from argosy.publishing.registration.samples import Samples
from argosy.registry.access import Access

STATE: Final = "seller.json"
"""The file of the seller's steps in the project's state folder."""

PUSHED: Final = frozenset({"account"})
"""The headings of `argosy check` that a push depends on."""
REGISTERED: Final = frozenset({"account", "package", "instances", "validation"})
"""Those that a model package depends on: the listing may still be unwritten."""


def push_lane(offering: Offering, access: Access) -> Lane:
    """The steps to an image in one region: repository, image, scan.

    Args:
        offering: What is brought, in that region.
        access: For reading and pushing the image.
    """
    return [Repository(offering), ImagePush(offering, access), ImageScan(offering)]


def register_lane(offering: Offering, access: Access) -> Lane:
    """The steps to a model package in one region: those of the push, bucket, artifacts, samples, package.

    Args:
        offering: What is brought, in that region.
        access: For reading and pushing the image, and for progress.
    """
    artifacts = [] if offering.archive is None else [Artifacts(offering, offering.archive, access.progress)]
    return [
        *push_lane(offering, access),
        Bucket(offering),
        *artifacts,
        Samples(offering, access.progress),
        ModelPackage(offering),
    ]


def push_stages(offering: Offering, access: Access, regions: Sequence[str]) -> list[Stage]:
    """Whose the credentials are, then the regions side by side."""
    return [_whose(offering), [push_lane(offering.in_region(region), access) for region in regions]]


def register_stages(offering: Offering, access: Access, regions: Sequence[str]) -> list[Stage]:
    """Whose the credentials are, then the regions side by side."""
    return [_whose(offering), [register_lane(offering.in_region(region), access) for region in regions]]


def image_key(region: str) -> str:
    """The key of the step that gives the image's `reference` in a region."""
    return f"{region}/image"


def package_key(region: str) -> str:
    """The key of the step that gives the model package's `arn` in a region."""
    return f"{region}/package"


def _whose(offering: Offering) -> Stage:
    return [[SellerAccount(offering.table)]]
