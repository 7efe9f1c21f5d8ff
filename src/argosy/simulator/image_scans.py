"""The scans of a model package's images: AWS Marketplace takes none whose image was not scanned in ECR.

Source:
    AWS Marketplace Seller Guide, "Troubleshooting": a package whose image has no scan shows its image scan as not
    started, with "Client error: No scan scheduled..." (read 2026-11-23). UNSURE: that such a package fails, and that
    packages which are not for sale wait for no scan.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from argosy.simulator.control.resources import Json, Resource
from argosy.simulator.platform import ImageScan, Platform

_LOOK_S: Final = 0.5


def is_for_sale(request: Json) -> bool:
    """Whether a package is made for AWS Marketplace."""
    return bool(request.get("CertifyForMarketplace", False))


def containers_of(request: Json) -> list[Json]:
    """The containers of all inference specifications of a package."""
    specifications = [request["InferenceSpecification"], *request.get("AdditionalInferenceSpecifications", ())]
    return [container for specification in specifications for container in specification["Containers"]]


async def ended(
    package: Resource, platform: Platform, tell: Callable[[Mapping[str, Json]], Awaitable[None]]
) -> Mapping[str, Json]:
    """Wait until no scan of its images is under way; nothing is waited for where it is not for sale.

    Args:
        package: Its request names the images.
        platform: Knows their scans.
        tell: Told how far they are, whenever that was looked at.
    """
    if not is_for_sale(package.request):
        return {}
    images = [container["Image"] for container in containers_of(package.request)]
    while True:
        found = {image: platform.image_scan(image) for image in images}
        scans = {image: _item(scan) for image, scan in found.items()}
        await tell(scans)
        if all(scan.status != "InProgress" for scan in found.values()):
            return scans
        await asyncio.sleep(_LOOK_S)


def details(package: Resource, profiles: Sequence[Json]) -> Json:
    """`ModelPackageStatusDetails`."""
    endings: Json = package.state.get("validations", {})
    scans: Json = package.state.get("scans", {})
    pending = {"Status": "NotStarted" if package.status in ("Pending", "Completed") else "InProgress"}
    names = [profile["ProfileName"] for profile in profiles]
    images = [container["Image"] for container in package.request["InferenceSpecification"]["Containers"]]
    return {
        "ValidationStatuses": [{"Name": name, **endings.get(name, pending)} for name in names],
        "ImageScanStatuses": [{"Name": image, **scans.get(image, {"Status": "NotStarted"})} for image in images],
    }


def _item(scan: ImageScan) -> Json:
    return {"Status": scan.status} | ({"FailureReason": scan.failure} if scan.failure else {})
