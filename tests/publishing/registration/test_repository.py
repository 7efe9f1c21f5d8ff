import pytest

from argosy.errors import InvalidCallError
from argosy.planning.step import Kind
from argosy.publishing.registration.repository import Repository
from tests.publishing.sellers import Seller


def test_a_repository_is_made_once_with_tags_that_stay(seller: Seller) -> None:
    stages = seller.steps(offering := seller.offering(), Repository(offering))
    assert [call.operation for call in seller.last(stages).writes] == ["CreateRepository"]
    given = seller.carry_out(stages)
    (made,) = seller.client("ecr").describe_repositories(repositoryNames=[f"team/{seller.name}"])["repositories"]
    assert made["imageTagMutability"] == "IMMUTABLE"
    assert made["imageScanningConfiguration"] == {"scanOnPush": True}
    assert made["encryptionConfiguration"] == {"encryptionType": "AES256"}
    tags = seller.client("ecr").list_tags_for_resource(resourceArn=made["repositoryArn"])["tags"]
    assert tags == [{"Key": "created-by", "Value": "argosy"}]
    assert given["us-east-1/repository"] == {"name": f"team/{seller.name}"}
    assert seller.last(stages).kind is Kind.NOTHING


def test_one_that_is_there_stays_as_it_is(seller: Seller) -> None:
    seller.client("ecr").create_repository(repositoryName=f"team/{seller.name}")
    change = seller.last(seller.steps(offering := seller.offering(), Repository(offering)))
    assert change.kind is Kind.NOTHING
    assert change.notes == ("its tags may be moved; the package names the image by its digest",)


def test_a_name_that_ecr_does_not_take_is_known_before_it_is_asked(seller: Seller) -> None:
    seller.name = "Rows"
    with pytest.raises(InvalidCallError, match="repositoryName"):
        seller.last(seller.steps(offering := seller.offering(), Repository(offering)))
