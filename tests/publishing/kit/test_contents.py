import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import UsageError
from argosy.publishing.kit.contents import region_of, unique_names
from tests.marketplace.offers import CLEAN
from tests.publishing.kit.kits import kit


@pytest.mark.parametrize(
    ("name", "shown", "class_name"),
    [
        ("vehicle-detector", "vehicle-detector", "VehicleDetector"),
        ("3d", "3d", "Model3d"),
        ("config", "config", "ConfigModel"),
        ("x" * 63, "x" * 40, "X" + "x" * 62),
    ],
)
def test_names_are_made_of_the_products(name: str, shown: str, class_name: str) -> None:
    found = kit({**CLEAN, "name": name})
    assert (found.name, found.class_name) == (shown, class_name)
    assert len(f"sagemaker-{found.name}-{'0' * 12}") <= 63, "a bucket"
    assert len(f"{found.name}-{'0' * 12}-endpoint") <= 63, "an endpoint"
    assert len(f"{found.name}-{'0' * 12}-execution") <= 64, "a role"


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "arn:aws:sagemaker:eu-west-1:1:model-package/a",
        "arn:aws:sagemaker:eu-west-1:865070037744:model/a",
        "vehicles",
    ],
)
def test_what_is_no_model_package_is_refused(arn: str) -> None:
    with pytest.raises(UsageError, match="no ARN of a model package"):
        region_of(arn)


@given(st.lists(st.text(max_size=8), max_size=8))
def test_files_have_names_of_their_own_that_stay_in_their_folder(names: list[str]) -> None:
    found = unique_names(names)
    assert len(set(found)) == len(found) == len(names)
    assert all("/" not in name and name not in ("", ".", "..") and not name.startswith(".") for name in found)
