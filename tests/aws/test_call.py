"""Calls as values."""

import pytest

from argosy.aws.call import Call


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        ("sagemaker", "CreateModel", "sagemaker:CreateModel"),
        ("sagemaker-runtime", "InvokeEndpoint", "sagemaker:InvokeEndpoint"),
        ("marketplace-catalog", "StartChangeSet", "aws-marketplace:StartChangeSet"),
        ("marketplace-agreement", "SearchAgreements", "aws-marketplace:SearchAgreements"),
        ("service-quotas", "ListServiceQuotas", "servicequotas:ListServiceQuotas"),
    ],
)
def test_a_call_is_named_as_iam_names_it(service: str, operation: str, action: str) -> None:
    assert Call(service, operation, "us-east-1", {}).action == action
