import pytest

from argosy.aws.api import AwsApi, EmptyAccount
from argosy.errors import PlanError
from argosy.planning.plan import make_plan
from argosy.testing.local_aws import BUYER, SELLER
from tests.publishing.sellers import Seller


def test_the_account_is_whose_the_credentials_are(seller: Seller) -> None:
    plan = seller.look(seller.steps(seller.offering()))
    assert plan.outputs == {"account": {"id": SELLER.number}}
    assert plan.due == ()


def test_without_credentials_it_is_the_one_that_argosy_toml_names(seller: Seller) -> None:
    plan = make_plan(seller.steps(seller.offering()), EmptyAccount(), {})
    assert plan.outputs == {"account": {"id": SELLER.number}}


def test_credentials_of_another_account_end_it(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", BUYER.access_key)
    with pytest.raises(PlanError) as caught:
        make_plan(seller.steps(seller.offering()), AwsApi(), {})
    assert (caught.value.got, caught.value.want) == (BUYER.number, SELLER.number)
