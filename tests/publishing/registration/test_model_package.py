from dataclasses import replace
from typing import Any

import msgspec
import pytest

from argosy.errors import PlanError
from argosy.planning import polling
from argosy.planning.step import Kind, Risk
from argosy.publishing.registration.lanes import register_stages
from argosy.testing.local_aws import SELLER
from tests.local_aws.stand_in import small_image
from tests.publishing.sellers import REGION, Seller

KEY = "us-east-1/package"


def described(seller: Seller) -> Any:
    return seller.client("sagemaker").describe_model_package(ModelPackageName=seller.package)


def test_the_package_is_made_and_validated_by_a_job_over_the_samples(seller: Seller) -> None:
    offering = seller.offering()
    stages = register_stages(offering, seller.access, [REGION])
    change = seller.last(stages)
    assert (change.kind, change.consent is not None and change.consent.risk) == (Kind.CREATE, Risk.COST)
    given = seller.carry_out(stages)[KEY]
    found = described(seller)
    assert found["ModelPackageStatus"] == "Completed"
    assert found["CertifyForMarketplace"] is True
    assert given["arn"] == f"arn:aws:sagemaker:us-east-1:{SELLER.number}:model-package/{seller.package}"
    assert given["image"].endswith(f"/team/{seller.name}@{offering.image.digest}")
    prefix = f"packages/{seller.package}/validation/out/"
    results = seller.client("s3").list_objects_v2(Bucket=seller.bucket, Prefix=prefix)["Contents"]
    assert {one["Key"].removeprefix(prefix) for one in results} == {"one.csv.out", "more/two.csv.out"}
    assert seller.said[-1].endswith("Completed, validation Completed, image scan Completed")
    assert seller.look(stages).due == ()


def test_a_validation_that_takes_long_is_told_of_meanwhile(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "_TOLD_AGAIN_S", 0.1)
    slow = small_image(seller.name, STAND_IN_SLOW_S="1.5")
    seller.register(seller.offering(image=slow, samples={"one.csv": b"SLOW"}))
    again = [line for line in seller.said if line.endswith("after 0 minutes")]
    assert again
    assert "InProgress, validation InProgress" in again[0]


def test_a_package_that_says_otherwise_cannot_be_changed(seller: Seller) -> None:
    offering = seller.offering()
    seller.register(offering)
    table = msgspec.structs.replace(offering.table, description="Gives no row back.")
    with pytest.raises(PlanError, match="a package cannot be changed") as caught:
        seller.possible(register_stages(replace(offering, table=table), seller.access, [REGION]))
    said = "ModelPackageDescription: 'Gives each row back.', and 'Gives no row back.' was asked for"
    assert caught.value.what.endswith(f": {said}")


def test_a_failed_validation_tells_why_with_the_end_of_its_jobs_log(seller: Seller) -> None:
    talking = small_image(seller.name, STAND_IN_MODE="crash", PYTHONPROFILEIMPORTTIME="1")
    offering = seller.offering(image=talking)
    with pytest.raises(PlanError, match="SageMaker did not accept the model package") as caught:
        seller.register(offering)
    assert str(caught.value.got).startswith("validation validation-1: ")
    assert seller.said[-21] == "the last lines of /aws/sagemaker/TransformJobs:"
    assert all(line.startswith("    ") for line in seller.said[-20:])


def test_a_failed_package_is_deleted_on_a_word_and_made_again(seller: Seller) -> None:
    offering = seller.offering(image=small_image(seller.name, STAND_IN_MODE="crash"))
    stages = register_stages(offering, seller.access, [REGION])
    with pytest.raises(PlanError):
        seller.carry_out(stages)
    first = described(seller)["CreationTime"]
    change = seller.last(stages)
    assert change.kind is Kind.UPDATE
    assert [call.operation for call in change.writes] == ["DeleteModelPackage", "CreateModelPackage"]
    assert change.consent is not None
    assert change.consent.risk is Risk.LOSS
    assert "which has failed" in change.consent.sentence
    with pytest.raises(PlanError, match="did not accept"):
        seller.carry_out(stages)
    assert described(seller)["CreationTime"] > first


def test_one_that_an_earlier_run_made_is_waited_for(seller: Seller) -> None:
    offering = seller.offering(image=small_image(seller.name, STAND_IN_PARAMETERS="slow"))
    whose, (lane,) = register_stages(offering, seller.access, [REGION])
    request = seller.last([whose, [lane]]).writes[0].parameters
    seller.carry_out([whose, [lane[:-1]]])
    seller.client("sagemaker").create_model_package(**request)
    assert seller.last([whose, [lane]]).kind is Kind.WAIT
    given = seller.carry_out([whose, [lane]])
    assert given[KEY]["arn"] == described(seller)["ModelPackageArn"]
    assert described(seller)["ModelPackageStatus"] == "Completed"
