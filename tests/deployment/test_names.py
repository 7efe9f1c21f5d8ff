"""ARNs of packages, names of deployments, and names that are made of what they name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.deployment import names
from argosy.errors import UsageError

OTHER = "arn:aws:s3:::x"
COPY = "arn:aws:sagemaker:eu-west-1:985815980388:model-package/vehicle-detector-1-0-0-0123456789abcdef0123456789abcdef"


def test_an_arn_tells_region_account_and_a_name_for_its_deployment() -> None:
    found = names.package_arn(COPY)
    assert (found.region, found.account) == ("eu-west-1", "985815980388")
    assert found.deployment == "vehicle-detector-1-0-0"
    version = names.package_arn("arn:aws:sagemaker:eu-west-1:111122223333:model-package/group_of/2")
    assert version.deployment == "group-of-2"


@pytest.mark.parametrize("text", ["iris", "arn:aws:sagemaker:eu-west-1:1:model-package/x", f"{COPY} ", OTHER])
def test_what_is_no_arn_of_a_package(text: str) -> None:
    with pytest.raises(UsageError, match="no ARN of a model package"):
        names.package_arn(text)


@given(st.from_regex(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,80}", fullmatch=True))
def test_a_name_that_a_package_gives_is_one_that_can_be_taken(package: str) -> None:
    deployment = names.package_arn(f"arn:aws:sagemaker:us-east-1:111122223333:model-package/{package}").deployment
    if deployment:
        assert names.check_name(deployment) == deployment
        assert len(names.name_of(deployment, {})) <= 63


@pytest.mark.parametrize("name", ["", "-a", "a-", "a_b", "a" * 51, "ä"])
def test_names_that_sagemaker_does_not_take(name: str) -> None:
    with pytest.raises(UsageError, match="cannot have this name"):
        names.check_name(name)


@given(st.dictionaries(st.text(), st.integers()), st.dictionaries(st.text(), st.integers()))
def test_a_name_is_the_same_for_the_same_content_alone(one: dict[str, int], other: dict[str, int]) -> None:
    assert (names.name_of("x", one) == names.name_of("x", other)) is (one == other)
    assert names.is_of("x", names.name_of("x", one))
    assert not names.is_of("y", names.name_of("x", one))
    assert not names.is_of("x", names.name_of("x-y", one))
