import msgspec
import pytest

from argosy.errors import ProjectError
from argosy.marketplace.regions import DEFAULT_REGIONS
from argosy.marketplace.table import Account, Marketplace
from argosy.publishing.registration.regions import package_arns, release_regions, require_buckets


def test_the_packages_own_region_comes_first() -> None:
    table = Marketplace(region="us-west-2", regions=("eu-west-1", "us-west-2", "us-east-1"))
    assert release_regions(table) == ("us-west-2", "eu-west-1", "us-east-1")


def test_where_none_is_named_it_is_wherever_aws_marketplace_offers() -> None:
    found = release_regions(Marketplace(region="eu-west-3"))
    assert found[0] == "eu-west-3"
    assert set(found) == set(DEFAULT_REGIONS)


def test_each_region_has_a_bucket_of_its_own() -> None:
    table = Marketplace(account=Account(bucket="releases"))
    require_buckets(table, ("us-east-1",))
    with pytest.raises(ProjectError, match="a bucket is in one region") as refused:
        require_buckets(table, ("us-east-1", "eu-west-1"))
    assert refused.value.hint == 'bucket = "releases-{region}"'
    named = msgspec.structs.replace(table, account=Account(bucket="releases-{region}"))
    require_buckets(named, ("us-east-1", "eu-west-1"))


def test_the_packages_that_were_made_are_known_by_their_regions() -> None:
    known = {
        "us-east-1/package": {"arn": "arn:1"},
        "eu-west-1/package": {"arn": "arn:2", "image": "i"},
        "eu-west-2/package": {"replaces": "then"},
        "eu-west-1/image": {"reference": "r"},
        "package": {"arn": "arn:3"},
    }
    assert package_arns(known) == {"eu-west-1": "arn:2", "us-east-1": "arn:1"}
