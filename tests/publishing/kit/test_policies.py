"""Policies allow what AWS knows, on what the project names, and nothing on everything that could be narrower."""

import json
import re
from typing import Any

import pytest

from argosy.aws import service_model
from argosy.publishing.kit import policies
from tests.marketplace.offers import CLEAN
from tests.publishing.kit.kits import kit
from tests.publishing.kit.policy_actions import actions

SERVICES = {
    "sagemaker": ("sagemaker", "sagemaker-runtime"),
    "aws-marketplace": ("marketplace-catalog", "marketplace-agreement", "marketplace-discovery"),
}
NO_OPERATIONS = {
    "iam:PassRole": "a permission to hand a role to a service",
    "s3:ListBucket": "ListObjectsV2 and HeadBucket",
    "aws-marketplace:ListPrivateListings": "ListPurchaseOptions asks for it, too",
    "aws-marketplace:Subscribe": "AcceptAgreementRequest asks for it, too",
    "aws-marketplace:Unsubscribe": "CancelAgreement asks for it, too",
    "aws-marketplace:ViewSubscriptions": "the console's page of subscriptions",
}
"""Actions that are no operation of an API, and what they stand for."""
DOCUMENTS = policies.documents(kit(is_streaming=True))


def is_operation(action: str) -> bool:
    """Whether the API of an action's prefix has an operation of its name."""
    prefix, _, operation = action.partition(":")
    services = SERVICES.get(prefix, (prefix,))
    return any(service_model.load(service).operation(operation) is not None for service in services)


def test_every_action_is_an_operation_or_a_known_exception() -> None:
    used = {action for document in DOCUMENTS.values() for action in actions(document)}
    assert sorted(action for action in used - set(NO_OPERATIONS) if not is_operation(action)) == []
    assert set(NO_OPERATIONS) <= used


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_policy_has_the_form_that_iam_takes(name: str) -> None:
    document = DOCUMENTS[name]
    assert document["Version"] == "2012-10-17"
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow"
        if name.endswith(".trust.json"):
            assert set(statement) == {"Effect", "Principal", "Action"}
            continue
        assert set(statement) <= {"Effect", "Action", "Resource", "Condition"}
        assert not any("*" in action for action in statement["Action"])
        resources = [statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"]
        assert all(
            resource == "*" or re.match(r"arn:aws:[a-z0-9]+:[^:]*:[^:]*:\S+$", resource) for resource in resources
        )
    assert len(json.dumps(document, separators=(",", ":"))) <= 6144, "what a managed policy may have"


EVERYWHERE = {
    "aws-marketplace": "no resource is documented",
    "ecr:GetAuthorizationToken": "it has no resource",
    "cloudwatch:PutMetricData": "narrowed by its condition",
    "sts:GetCallerIdentity": "it has no resource",
    "iam:GetRole": "the role of whoever runs the notebook",
    "sagemaker:ListModelPackages": "it has no resource",
    "sagemaker:ListTransformJobs": "it has no resource",
    "sagemaker:DescribeModelPackage": "the ingestion role's, as AWS's page has it",
    "sagemaker:DescribeAlgorithm": "the ingestion role's, as AWS's page has it",
}


def test_nothing_is_allowed_everywhere_that_has_a_place() -> None:
    wide = {
        action
        for document in DOCUMENTS.values()
        for statement in document["Statement"]
        if statement.get("Resource") in ("*", ["*"])
        for action in statement["Action"]
    }
    assert {
        action for action in wide if action not in EVERYWHERE and action.partition(":")[0] not in EVERYWHERE
    } == set()


def test_roles_are_handed_to_one_service_each() -> None:
    for document in DOCUMENTS.values():
        for statement in document["Statement"]:
            if "iam:PassRole" in statement["Action"]:
                assert statement["Action"] == ["iam:PassRole"]
                assert list(statement["Condition"]["StringEquals"]) == ["iam:PassedToService"]
                assert statement["Resource"] != ["*"]


def resources(document: dict[str, Any], action: str) -> list[str]:
    return [
        resource
        for statement in document["Statement"]
        if action in statement["Action"]
        for resource in ([statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"])
    ]


def test_policies_name_what_the_project_names() -> None:
    role = DOCUMENTS["seller/validation-role.json"]
    folder = "arn:aws:s3:::vehicle-detector-releases/packages/vehicle-detector-1-0-0"
    assert resources(role, "s3:GetObject") == [f"{folder}/model.tar.gz", f"{folder}/validation/in/*"]
    assert resources(role, "s3:PutObject") == [f"{folder}/validation/out/*"]
    assert resources(role, "ecr:BatchGetImage") == ["arn:aws:ecr:us-east-1:123456789012:repository/vehicle-detector"]
    publisher = DOCUMENTS["seller/publisher.json"]
    assert set(resources(publisher, "iam:PassRole")) == {
        "arn:aws:iam::123456789012:role/vehicle-validation",
        "arn:aws:iam::123456789012:role/marketplace-ingestion",
    }
    invoker = DOCUMENTS["buyer/invoker.json"]
    assert set(resources(invoker, "sagemaker:InvokeEndpoint")) == {"arn:aws:sagemaker:*:*:endpoint/vehicle-detector-*"}


def test_a_notebook_of_sagemakers_may_hand_on_the_role_that_it_has() -> None:
    handed = resources(DOCUMENTS["buyer/notebook.json"], "iam:PassRole")
    assert "arn:aws:iam::*:role/service-role/AmazonSageMaker-ExecutionRole-*" in handed
    assert "arn:aws:iam::*:role/*" not in handed


def test_what_the_project_does_not_say_is_a_pattern() -> None:
    account = {**CLEAN["account"], "bucket": "", "repository": "", "id": None, "access_role": None}
    silent = policies.documents(kit({**CLEAN, "account": account, "validation": {}}))
    role = silent["seller/validation-role.json"]
    assert resources(role, "s3:ListBucket") == ["arn:aws:s3:::*"]
    assert resources(role, "ecr:BatchGetImage") == ["arn:aws:ecr:us-east-1:*:repository/*"]
    assert resources(silent["seller/publisher.json"], "iam:PassRole") == []
    long = policies.documents(kit({**CLEAN, "name": "x" * 60}))["seller/publisher.json"]
    assert resources(long, "sagemaker:CreateModelPackage") == [
        f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{'x' * 60}-*"
    ]


def test_only_a_product_that_streams_lets_streams_be_invoked() -> None:
    assert "sagemaker:InvokeEndpointWithResponseStream" in actions(DOCUMENTS["buyer/invoker.json"])
    assert "sagemaker:InvokeEndpointWithResponseStream" not in actions(policies.invoker(kit()))
