from collections.abc import Collection
from typing import Any

import pytest

from argosy.aws.api import EmptyAccount
from argosy.aws.call import Call
from argosy.errors import AwsError, InvalidCallError, PlanError
from argosy.planning.plan import make_plan
from argosy.planning.step import Kind
from argosy.publishing.registration.bucket import Bucket
from argosy.testing.local_aws import SELLER
from tests.publishing.sellers import Seller


def test_a_bucket_is_made_closed_and_encrypted_in_the_packages_region(seller: Seller) -> None:
    offering = seller.offering().in_region("eu-west-1")
    stages = seller.steps(offering, Bucket(offering))
    seller.carry_out(stages)
    name = f"{seller.name}-releases-eu-west-1"
    s3 = seller.client("s3")
    assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] == "eu-west-1"
    assert set(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values()) == {True}
    (rule,) = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert seller.last(stages).kind is Kind.NOTHING


def test_one_that_is_there_stays_as_it_is(seller: Seller) -> None:
    seller.client("s3").create_bucket(Bucket=seller.bucket)
    change = seller.last(seller.steps(offering := seller.offering(), Bucket(offering)))
    assert (change.kind, change.writes) == (Kind.NOTHING, ())


def test_one_that_a_killed_run_left_open_is_closed(seller: Seller) -> None:
    stages = seller.steps(offering := seller.offering(), Bucket(offering))
    seller.journal.note("us-east-1/bucket", {"unfinished": seller.bucket})
    seller.client("s3").create_bucket(Bucket=seller.bucket)
    change = seller.last(stages)
    assert change.kind is Kind.UPDATE
    assert [call.operation for call in change.writes] == ["PutPublicAccessBlock", "PutBucketEncryption"]
    seller.carry_out(stages)
    block = seller.client("s3").get_public_access_block(Bucket=seller.bucket)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    assert seller.last(stages).kind is Kind.NOTHING


def test_one_in_another_region_is_an_error_that_names_its_row(seller: Seller) -> None:
    elsewhere = {"LocationConstraint": "eu-west-1"}
    seller.client("s3").create_bucket(Bucket=seller.bucket, CreateBucketConfiguration=elsewhere)
    with pytest.raises(PlanError, match=r"\(A04\)") as caught:
        seller.possible(seller.steps(offering := seller.offering(), Bucket(offering)))
    assert "got eu-west-1, want us-east-1" in caught.value.what


class Guarded(EmptyAccount):
    """An account that may not ask for buckets: the local AWS looks at no permissions."""

    def ask(self, call: Call, absent: Collection[str] = ()) -> Any:
        if call.operation == "HeadBucket":
            raise AwsError("s3:ListBucket", "403")
        return super().ask(call, absent)


def test_it_is_asked_for_as_the_accounts_own(seller: Seller) -> None:
    change = seller.last(seller.steps(offering := seller.offering(), Bucket(offering)))
    assert change.reads[0].parameters == {"Bucket": seller.bucket, "ExpectedBucketOwner": SELLER.number}


def test_one_of_another_account_ends_it(seller: Seller) -> None:
    offering = seller.offering()
    with pytest.raises(PlanError, match="the bucket is another account's"):
        make_plan(seller.steps(offering, Bucket(offering)), Guarded(), {})


def test_a_name_that_no_bucket_may_have_is_not_asked_for(seller: Seller) -> None:
    seller.name = "a name"
    with pytest.raises(InvalidCallError, match="Invalid bucket name"):
        seller.look(seller.steps(offering := seller.offering(), Bucket(offering)))
