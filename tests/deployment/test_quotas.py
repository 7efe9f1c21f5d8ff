"""No instance for this account: the types of the package for which it has a quota."""

import pytest

from argosy.deployment import quotas
from argosy.deployment.endpoint import EndpointStep
from argosy.errors import AwsError
from argosy.planning.step import Work
from tests.deployment.replies import Replies

PAGES = [
    {"Quotas": [{"QuotaName": "ml.m5.large for endpoint usage", "Value": 0.0}]},
    {"Quotas": [{"QuotaName": "ml.c5.xlarge for endpoint usage", "Value": 4.0}]},
    {"Quotas": [{"QuotaName": "ml.m5.large for transform job usage", "Value": 9.0}]},
]
TYPES = ("ml.m5.large", "ml.c5.xlarge")
LIMIT = "The account-level service limit 'ml.m5.large for endpoint usage' is 0 Instances"


def test_types_with_room_are_named_for_the_use_that_is_asked_for() -> None:
    reader = Replies({"ListServiceQuotas": PAGES})
    assert "ml.c5.xlarge (4); or ask for more" in quotas.advice(reader, "us-east-1", quotas.ENDPOINT, TYPES)
    assert "ml.m5.large (9);" in quotas.advice(reader, "us-east-1", quotas.TRANSFORM_JOB, TYPES)


def test_without_room_or_without_an_answer_more_is_to_be_asked_for() -> None:
    none = Replies({"ListServiceQuotas": PAGES[:1]})
    assert quotas.advice(none, "us-east-1", quotas.ENDPOINT, TYPES).endswith("or take another region")
    denied = Replies({"ListServiceQuotas": AwsError("servicequotas:ListServiceQuotas", "AccessDeniedException")})
    assert "try another --instance-type" in quotas.advice(denied, "us-east-1", quotas.ENDPOINT, TYPES)


@pytest.mark.parametrize(
    ("sentence", "is_shortage"),
    [
        (f"ResourceLimitExceeded {LIMIT}", True),
        ("Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error", True),
        ("The primary container did not pass the ping health check", False),
    ],
)
def test_which_sentences_are_about_instances(sentence: str, is_shortage: bool) -> None:
    assert quotas.is_shortage(sentence) is is_shortage


def test_an_endpoint_that_exceeds_a_quota_is_refused_with_what_would_go() -> None:
    refused = AwsError("sagemaker:CreateEndpoint", "ResourceLimitExceeded", sentence=LIMIT)
    api = Replies({"CreateEndpoint": refused, "ListServiceQuotas": PAGES})
    step = EndpointStep("iris", "us-east-1", 1)
    known = {
        "package": {"realtime": "\n".join(TYPES)},
        "endpoint-config": {"name": "iris-00000000", "instance type": "ml.m5.large"},
    }
    work = Work(api, known, lambda line: None, lambda outputs: None)
    with pytest.raises(AwsError) as error:
        step.apply(step.look(api, known), work)
    assert error.value.refusal == "ResourceLimitExceeded"
    assert "ml.c5.xlarge (4)" in str(error.value.hint)
