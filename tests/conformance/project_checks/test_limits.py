"""The limits that are checked without botocore are those of botocore's model."""

import re

import pytest

from argosy.aws import service_model
from argosy.conformance.project_checks import instances, package, validation
from tests.conformance.sellers import facts_of, judge_project
from tests.marketplace.offers import CLEAN

CREATE = service_model.load("sagemaker").operation("CreateModelPackage")


def refused(**members: object) -> bool:
    assert CREATE is not None
    return any("failed to satisfy constraint" in sentence for sentence in CREATE.violations(members))


@pytest.mark.parametrize("name", ["v", "v" * 63, "v-1", "v--1", "-v", "v-", "v.1", "v" * 64, "v_1"])
def test_a_package_name_is_what_the_model_takes(name: str) -> None:
    is_taken = (
        len(name) <= package.LONGEST_NAME
        and judge_project(facts_of({**CLEAN, "name": name, "version": ""}))["package-name"].status == "pass"
    )
    assert is_taken is not refused(ModelPackageName=name)


@pytest.mark.parametrize("text", ["", "Finds vehicles.", "d" * 1024, "d" * 1025, "two\nlines", "tab\tbed", "München €"])
def test_a_description_is_what_the_model_takes(text: str) -> None:
    finding = judge_project(facts_of({**CLEAN, "description": text}))["package-description"]
    assert (finding.status == "pass") is not refused(ModelPackageDescription=text)


@pytest.mark.parametrize(
    "role",
    [
        "arn:aws:iam::123456789012:role/x",
        "arn:aws-cn:iam::123456789012:role/service-role/x",
        "arn:aws:iam::12345:role/x",
        "arn:aws:iam::123456789012:user/x",
        "MyRole",
    ],
)
def test_a_role_is_what_the_model_takes(role: str) -> None:
    specification = {"ValidationRole": role, "ValidationProfiles": []}
    assert bool(validation.ROLE_ARN.fullmatch(role)) is not refused(ValidationSpecification=specification)


def test_no_type_of_a_transform_job_is_an_arm_type_and_all_others_that_are_are_known() -> None:
    """Families of Graviton have a `g` behind their generation; g4dn, g5 and g6e are NVIDIA's."""
    model = service_model.load("sagemaker")
    arm = {name for name in model.enumeration("ProductionVariantInstanceType") if instances.ARM.match(name)}
    assert arm
    assert arm.isdisjoint(model.enumeration("TransformInstanceType"))
    families = {re.split(r"\.", name)[1] for name in arm}
    assert families == {
        "c6g", "c6gd", "c6gn", "c7g", "c8g", "m6g", "m6gd", "m8g", "r6g", "r6gd", "r7gd", "r8g", "p6e-gb200",
    }  # fmt: skip


def test_the_model_knows_no_other_values_of_what_the_table_may_say() -> None:
    model = service_model.load("sagemaker")
    assert set(model.enumeration("SplitType")) == set(validation.SPLIT_TYPES)
    assert set(model.enumeration("BatchStrategy")) == set(validation.STRATEGIES)
    assert set(model.enumeration("AssemblyType")) == set(validation.ASSEMBLIES)
    assert model.enumeration("NoSuchShape") == ()
    assert model.enumeration("EntityName") == ()
