import re

import msgspec
import pytest

from argosy.marketplace.model_package import PackageTypes
from argosy.marketplace.table import Account, Marketplace, Validation
from argosy.publishing.registration.offering import Offering, said_account
from tests.local_aws.stand_in import small_image

ROLE = "arn:aws:iam::210987654321:role/validation"


def offering(table: Marketplace) -> Offering:
    return Offering(table, PackageTypes((), ()), small_image(), None, ())


@pytest.mark.parametrize(
    ("version", "tag"),
    [("1.0.0", "1.0.0"), ("1.0.0+build 7", "1.0.0-build-7"), ("-.x", "x"), ("", "latest"), ("v" * 200, "v" * 128)],
)
def test_the_tag_is_the_version_as_far_as_a_tag_may_be(version: str, tag: str) -> None:
    found = offering(Marketplace(version=version)).tag
    assert found == tag
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", found)


def test_in_another_region_bucket_keys_and_image_are_there() -> None:
    said = Account(bucket="releases-{region}", repository="111122223333.dkr.ecr.us-east-1.amazonaws.com/team/rows")
    moved = offering(Marketplace(account=said)).in_region("eu-west-1")
    assert (moved.bucket, moved.repository, moved.key("image")) == (
        "releases-eu-west-1",
        "team/rows",
        "eu-west-1/image",
    )
    reference = moved.image_reference({"account": {"id": "111122223333"}})
    assert reference == f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/rows@{moved.image.digest}"
    assert moved.image_reference({}) is None


def test_the_account_is_the_one_that_is_said_or_the_roles() -> None:
    table = Marketplace(validation=Validation(role=ROLE))
    assert said_account(table) == "210987654321"
    assert said_account(msgspec.structs.replace(table, account=Account(id="111122223333"))) == "111122223333"
    assert said_account(Marketplace()) == ""
