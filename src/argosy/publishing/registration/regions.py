"""The regions of a release: which they are, what they need, and the packages that they have."""

from collections.abc import Sequence
from typing import Final

from argosy.errors import ProjectError
from argosy.marketplace.regions import DEFAULT_REGIONS
from argosy.marketplace.table import Marketplace
from argosy.planning.step import Outputs

_PACKAGE: Final = "/package"


def release_regions(table: Marketplace) -> tuple[str, ...]:
    """Where the package is to be: in the regions that the table names, else wherever AWS Marketplace offers.

    The package's own region comes first.
    """
    return tuple(dict.fromkeys((table.region, *(table.regions or DEFAULT_REGIONS))))


def require_buckets(table: Marketplace, regions: Sequence[str]) -> None:
    """Whether each region has a bucket of its own: SageMaker reads artifacts and samples in the package's region only.

    Raises:
        ProjectError: One bucket is named for several regions.
    """
    names = {table.account.bucket_in(region) for region in regions}
    if len(names) < len(set(regions)):
        raise ProjectError(
            "a bucket is in one region, and the package is to be in several",
            got=f"`{table.account.bucket}` for {len(regions)} regions",
            want="another one in each",
            where="argosy.toml, [marketplace.account] bucket",
            hint=f'bucket = "{table.account.bucket}-{{region}}"',
        )


def package_arns(known: Outputs) -> dict[str, str]:
    """Region -> ARN of the model package in it, of those that were made.

    Args:
        known: What the seller's steps gave, as their journal keeps it.
    """
    return {
        key.removesuffix(_PACKAGE): outputs["arn"]
        for key, outputs in sorted(known.items())
        if key.endswith(_PACKAGE) and outputs.get("arn")
    }
