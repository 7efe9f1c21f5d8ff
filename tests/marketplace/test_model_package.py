"""What CreateModelPackage is told, held against botocore's model of it and against a golden request."""

import json
from pathlib import Path

import msgspec

from argosy.aws import service_model
from argosy.marketplace.model_package import (
    PackageTypes,
    Places,
    create_request,
    package_name,
    recommended,
    transform_job_definition,
)
from argosy.marketplace.table import Instances, Marketplace
from tests.marketplace.offers import CLEAN

GOLDEN = Path(__file__).parents[1] / "golden/create-model-package.json"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/vehicle-detector@sha256:" + "a" * 64
TABLE = msgspec.convert(CLEAN, Marketplace)
TYPES = PackageTypes.of(TABLE, ("application/json",))


def test_the_request_is_the_golden_one() -> None:
    assert create_request(TABLE, TYPES, IMAGE, True) == json.loads(GOLDEN.read_text())


def test_the_request_keeps_the_models_constraints() -> None:
    operation = service_model.load("sagemaker").operation("CreateModelPackage")
    assert operation is not None
    request = create_request(TABLE, TYPES, IMAGE, True)
    assert operation.unknown_members(request) == []
    assert operation.mistyped(request) is None
    assert operation.violations(request) == []


def test_artifacts_in_the_image_have_no_url_and_an_empty_table_says_little() -> None:
    container = create_request(TABLE, TYPES, IMAGE, False)["InferenceSpecification"]["Containers"][0]
    assert "ModelDataUrl" not in container
    bare = create_request(Marketplace(), PackageTypes.of(Marketplace(), ()), IMAGE, False)
    assert "ValidationSpecification" not in bare
    assert "ModelPackageDescription" not in bare


def test_what_the_validation_leaves_open_is_the_packages() -> None:
    table = Marketplace(name="x", instances=Instances(batch=("ml.m5.large", "ml.c5.large")))
    definition = transform_job_definition(table, PackageTypes.of(table, ("text/csv",)), Places.of(table))
    assert definition["TransformInput"]["ContentType"] == "text/csv"
    assert definition["TransformOutput"]["Accept"] == "text/csv"
    assert definition["TransformResources"]["InstanceType"] == "ml.m5.large"


def test_names_and_places() -> None:
    assert package_name(Marketplace(name="x", version="1.2.0-rc.1+b")) == "x-1-2-0-rc-1-b"
    assert package_name(Marketplace(name="x", version="")) == "x"
    table = msgspec.convert({"name": "x", "account": {"bucket": "b", "prefix": "/a//c/"}}, Marketplace)
    assert Places.of(table).samples == "s3://b/a/c/x-1-0-0/validation/in/"
    assert recommended(Instances()) == (None, None)
    assert recommended(Instances(("a", "b"), ("c",), "b")) == ("b", "c")
