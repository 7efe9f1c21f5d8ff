from typing import Any

import pytest

from argosy.errors import PlanError
from argosy.planning.step import Kind
from argosy.publishing.registration.image_push import ImagePush
from argosy.publishing.registration.image_scan import ImageScan
from argosy.publishing.registration.offering import Offering
from argosy.publishing.registration.repository import Repository
from tests.publishing.sellers import Seller


def pushed(seller: Seller, offering: Offering, *, scans: bool = False) -> list[Any]:
    """The steps, of which all but the scan are done."""
    scanning = {"scanOnPush": scans}
    name = f"team/{seller.name}"
    seller.client("ecr").create_repository(repositoryName=name, imageScanningConfiguration=scanning)
    before = (Repository(offering), ImagePush(offering, seller.access))
    seller.carry_out(seller.steps(offering, *before))
    return seller.steps(offering, *before, ImageScan(offering))


def test_a_scan_is_begun_waited_for_and_told(seller: Seller) -> None:
    offering = seller.offering()
    seller.aws.set_scan_findings(offering.image.digest, {"LOW": 2}, looks=3)
    stages = pushed(seller, offering)
    assert seller.last(stages).kind is Kind.CREATE
    assert seller.carry_out(stages)["us-east-1/scan"] == {"status": "COMPLETE"}
    assert any(line.endswith("2 LOW") for line in seller.said)
    assert seller.last(stages).kind is Kind.NOTHING


def test_one_that_the_push_began_is_waited_for(seller: Seller) -> None:
    offering = seller.offering()
    seller.aws.set_scan_findings(offering.image.digest, {}, looks=4)
    stages = pushed(seller, offering, scans=True)
    assert seller.last(stages).kind is Kind.WAIT
    assert seller.carry_out(stages)["us-east-1/scan"] == {"status": "COMPLETE"}


@pytest.mark.parametrize("severity", ["CRITICAL", "HIGH"])
def test_findings_that_block_a_listing_end_it_by_name(seller: Seller, severity: str) -> None:
    offering = seller.offering()
    seller.aws.set_scan_findings(offering.image.digest, {severity: 1, "LOW": 1})
    stages = pushed(seller, offering)
    with pytest.raises(PlanError, match=f"CVE-2099-{severity}-1 {severity}") as caught:
        seller.carry_out(stages)
    assert "--accept-findings" in str(caught.value.hint)
    with pytest.raises(PlanError):
        seller.possible(stages)
    accepting = seller.steps(agreed := seller.offering(accepts_findings=True), ImageScan(agreed))
    change = seller.last(accepting)
    assert change.kind is Kind.NOTHING
    assert change.notes == (f"1 {severity}, 1 LOW; accepted: CVE-2099-{severity}-1 {severity}",)


@pytest.mark.parametrize("status", ["UNSUPPORTED_IMAGE", "FINDINGS_UNAVAILABLE"])
def test_a_scan_without_a_result_is_said_and_ends_nothing(seller: Seller, status: str) -> None:
    offering = seller.offering()
    seller.aws.set_scan_findings(offering.image.digest, {}, status)
    stages = pushed(seller, offering)
    assert seller.carry_out(stages)["us-east-1/scan"] == {"status": status}
    assert any(f"no result: {status}" in line for line in seller.said)


def test_one_that_failed_is_begun_again(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    offering = seller.offering()
    seller.aws.set_scan_findings(offering.image.digest, {}, "FAILED")
    stages = pushed(seller, offering, scans=True)
    change = seller.last(stages)
    assert (change.kind, change.notes[0].startswith("the last one: FAILED")) == (Kind.CREATE, True)
    seller.carry_out(stages)  # ECR scans an image once a day: the refusal is no error
    assert any("no result: FAILED" in line for line in seller.said)
