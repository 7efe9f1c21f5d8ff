"""The scans of a package's images: who waits for them, and how they are shown."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from argosy.simulator import image_scans
from argosy.simulator.control.resources import Json, Kind, Resource
from argosy.simulator.platform import Alone, ImageScan

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/iris@sha256:0"


class Scanner(Alone):
    """A platform whose scan has a status after the other."""

    def __init__(self, *scans: ImageScan) -> None:
        self.left = list(scans)

    def image_scan(self, image: str) -> ImageScan:
        assert image == IMAGE
        return self.left.pop(0)


def package(**members: Any) -> Resource:
    request = {"InferenceSpecification": {"Containers": [{"Image": IMAGE}]}, **members}
    return Resource(Kind.MODEL_PACKAGE, "us-east-1", "iris", 0, 0, request, "InProgress")


def ended(made: Resource, platform: Alone) -> tuple[Mapping[str, Json], list[str]]:
    told: list[str] = []

    async def tell(scans: Mapping[str, Json]) -> None:
        told.append(scans[IMAGE]["Status"])

    return asyncio.run(image_scans.ended(made, platform, tell)), told


def test_a_package_for_sale_waits_for_the_scan_of_its_image() -> None:
    platform = Scanner(ImageScan("InProgress"), ImageScan("Completed"))
    scans, told = ended(package(CertifyForMarketplace=True), platform)
    assert scans == {IMAGE: {"Status": "Completed"}}
    assert told == ["InProgress", "Completed"]


def test_what_cannot_be_sold_says_why() -> None:
    platform = Scanner(ImageScan("NotStarted", "Client error: No scan scheduled"))
    scans, _ = ended(package(CertifyForMarketplace=True), platform)
    assert scans == {IMAGE: {"Status": "NotStarted", "FailureReason": "Client error: No scan scheduled"}}


@pytest.mark.parametrize("members", [{}, {"CertifyForMarketplace": False}])
def test_what_is_not_for_sale_waits_for_nothing(members: dict[str, bool]) -> None:
    assert ended(package(**members), Scanner()) == ({}, [])


def test_a_simulator_alone_knows_of_no_scan_and_holds_it_against_nobody() -> None:
    scans, _ = ended(package(CertifyForMarketplace=True), Alone())
    assert scans == {IMAGE: {"Status": "NotStarted"}}
    shown = image_scans.details(package(), [{"ProfileName": "samples"}])
    assert shown["ImageScanStatuses"] == [{"Name": IMAGE, "Status": "NotStarted"}]
    assert shown["ValidationStatuses"] == [{"Name": "samples", "Status": "InProgress"}]
