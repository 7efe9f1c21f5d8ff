from typing import Any

import pytest

from argosy.aws.api import EmptyAccount
from argosy.aws.call import Call
from argosy.planning.step import Change
from argosy.publishing.catalog.package import PackageStep
from argosy.publishing.catalog.sale import Sale
from tests.marketplace.test_product_changes import table_of

ARN = "arn:aws:sagemaker:us-east-1:111122223333:model-package/vehicle-detector-1-0-0"
WHOLE = {"ModelPackageArn": ARN, "ModelPackageStatus": "Completed", "CertifyForMarketplace": True}


class Described(EmptyAccount):
    """An account with one package, which the services' tests make for real."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self._answer = answer

    def ask(self, call: Call, absent: Any = ()) -> Any:
        assert call.parameters == {"ModelPackageName": "vehicle-detector-1-0-0"}
        return self._answer


def looked(**members: Any) -> Change:
    return PackageStep(Sale(table_of())).look(Described({**WHOLE, **members}), {})


def test_a_package_that_is_whole_gives_its_arn() -> None:
    change = looked()
    assert (change.obstacle, change.outputs) == (None, {"arn": ARN})


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"ModelPackageStatus": "InProgress"}, "still validating it"),
        ({"ModelPackageStatus": "Failed"}, "its status is `Failed`"),
        ({"CertifyForMarketplace": False}, "without CertifyForMarketplace"),
    ],
)
def test_any_other_is_in_the_way(members: dict[str, Any], said: str) -> None:
    obstacle = looked(**members).obstacle
    assert obstacle is not None
    assert said in obstacle.what
    assert "argosy register" in obstacle.hint


def test_none_at_all_is_in_the_way_too() -> None:
    obstacle = PackageStep(Sale(table_of())).look(EmptyAccount(), {}).obstacle
    assert obstacle is not None
    assert obstacle.hint == "argosy register"
