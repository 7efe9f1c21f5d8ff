"""What IAM has to allow: exactly what is called."""

import json
import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.aws import permissions, service_model
from argosy.aws.call import SCOPES, Call
from argosy.aws.permissions import Permission, actions, policy
from argosy.planning.step import Later

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/validation"
ARN = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:model-package/iris"

_SERVICES = {scope: service for service, scope in SCOPES.items() if service != "sagemaker-runtime"}
_ONLY_IN_IAM = {
    "aws-marketplace:Subscribe": "AcceptAgreementRequest",
    "s3:ListBucket": "HeadBucket",
    "s3:ListBucketMultipartUploads": "ListMultipartUploads",
    "s3:ListMultipartUploadParts": "ListParts",
    "s3:PutBucketPublicAccessBlock": "PutPublicAccessBlock",
    "s3:PutEncryptionConfiguration": "PutBucketEncryption",
}
"""Actions that are no operation of their service, and an operation that they allow."""

KNOWN = sorted({*permissions._RESOURCES, *(action for found in permissions._ACTIONS.values() for action in found)})


def _operation(service: str, name: str) -> service_model.Operation | None:
    return service_model.load(service).operation(name)


@pytest.mark.parametrize(("service", "operation"), permissions._ACTIONS)
def test_every_operation_of_the_table_is_one_of_its_service(service: str, operation: str) -> None:
    assert _operation(service, operation) is not None


@pytest.mark.parametrize("action", KNOWN)
def test_every_action_of_the_tables_is_an_operation(action: str) -> None:
    service, _, name = action.partition(":")
    wanted = _ONLY_IN_IAM.get(action, name)
    services = ("sagemaker", "sagemaker-runtime") if service == "sagemaker" else (_SERVICES.get(service, service),)
    assert any(_operation(found, wanted) for found in services)


@pytest.mark.parametrize("action", sorted(permissions._RESOURCES))
def test_every_member_in_a_resource_is_one_of_the_operation(action: str) -> None:
    service, _, name = action.partition(":")
    services = ("sagemaker", "sagemaker-runtime") if service == "sagemaker" else (service,)
    operation = next(found for one in services if (found := _operation(one, _ONLY_IN_IAM.get(action, name))))
    members = set(re.findall(r"\{(\w+)\}", permissions._RESOURCES[action])) - {"region", "account"}
    missing = operation.unknown_members(dict.fromkeys(members, "x"))
    assert (
        operation.unknown_members({f"{member}s": ["x"] for member in missing}) == []
    )  # several, of which one is named


REGIONS = st.sampled_from(["us-east-1", "eu-west-1"])
OPERATIONS = st.sampled_from(
    [
        ("sagemaker", "CreateModel", {"ModelName": "m", "ExecutionRoleArn": ROLE}),
        ("sagemaker", "DescribeModelPackage", {"ModelPackageName": ARN}),
        ("sagemaker", "CreateModelPackage", {"ValidationSpecification": {"ValidationRole": ROLE}}),
        ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e"}),
        ("ecr", "PutImage", {"repositoryName": "iris"}),
        ("ecr", "GetAuthorizationToken", {}),
        ("s3", "HeadObject", {"Bucket": "b", "Key": "k"}),
        ("s3", "PutObject", {"Bucket": "b", "Key": Later("s", "key")}),
        ("marketplace-catalog", "StartChangeSet", {"ChangeSet": [{"ChangeType": "CreateProduct"}]}),
        ("marketplace-catalog", "DescribeEntity", {"EntityId": "prod-1"}),
        ("sts", "GetCallerIdentity", {}),
    ]
)
CALLS = st.lists(
    st.builds(lambda found, region: Call(found[0], found[1], region, found[2]), OPERATIONS, REGIONS),
    max_size=8,
)  # fmt: skip


def _allowed(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (action, resource)
        for statement in document["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


@given(calls=CALLS)
def test_the_policy_allows_exactly_what_is_called(calls: list[Call]) -> None:
    wanted = {action for call in calls for action in actions(call)}
    hands_over = [call for call in calls if call.operation in ("CreateModel", "CreateModelPackage")]
    wanted |= {"iam:PassRole"} if hands_over else set()
    document = policy(calls, ACCOUNT)
    assert {action for action, _ in _allowed(document)} == wanted
    assert all(statement["Effect"] == "Allow" for statement in document["Statement"])
    needed = {(one.action, one.resource) for call in calls for one in permissions.permissions(call, ACCOUNT)}
    assert _allowed(document) == needed


@given(calls=CALLS, seed=st.integers(0, 99))
def test_the_policy_depends_on_nothing_but_the_calls(calls: list[Call], seed: int) -> None:
    mixed = [*calls, *calls]
    random.Random(seed).shuffle(mixed)
    assert json.dumps(policy(mixed, ACCOUNT)) == json.dumps(policy(calls, ACCOUNT))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            Call("sagemaker", "CreateEndpoint", "eu-west-1", {"EndpointName": "iris", "EndpointConfigName": "two"}),
            [
                Permission("sagemaker:CreateEndpoint", f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint/iris"),
                Permission("sagemaker:CreateEndpoint", f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint-config/two"),
            ],
        ),
        (
            Call("sagemaker", "UpdateEndpoint", "eu-west-1", {"EndpointName": "iris", "EndpointConfigName": "two"}),
            [
                Permission("sagemaker:UpdateEndpoint", f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint/iris"),
                Permission("sagemaker:UpdateEndpoint", f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint-config/two"),
            ],
        ),
        (
            Call("ecr", "DescribeRepositories", "eu-west-1", {"repositoryNames": ["iris"]}),
            [Permission("ecr:DescribeRepositories", f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/iris")],
        ),
        (
            Call("sagemaker", "DescribeModelPackage", "eu-west-1", {"ModelPackageName": ARN}),
            [Permission("sagemaker:DescribeModelPackage", ARN)],
        ),
        (
            Call("sagemaker", "DeleteEndpoint", "eu-west-1", {"EndpointName": Later("s", "name")}),
            [Permission("sagemaker:DeleteEndpoint", f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint/*")],
        ),
        (
            Call("sagemaker", "CreateModel", "eu-west-1", {"ModelName": "m", "ExecutionRoleArn": Later("s", "role")}),
            [
                Permission("sagemaker:CreateModel", f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:model/m"),
                Permission("iam:PassRole", "*", ("iam:PassedToService", "sagemaker.amazonaws.com")),
            ],
        ),
        (
            Call(
                "marketplace-catalog",
                "StartChangeSet",
                "us-east-1",
                {
                    "ChangeSet": [
                        {"ChangeType": "AddDeliveryOptions", "DetailsDocument": {"Deep": [{"AccessRoleArn": ROLE}]}},
                        {"ChangeType": "UpdateInformation"},
                    ]
                },
            ),
            [
                Permission(
                    "aws-marketplace:StartChangeSet",
                    "*",
                    ("catalog:ChangeType", "AddDeliveryOptions", "UpdateInformation"),
                ),
                Permission("iam:PassRole", ROLE, ("iam:PassedToService", "assets.marketplace.amazonaws.com")),
            ],
        ),
        (Call("sts", "GetCallerIdentity", "us-east-1", {}), [Permission("sts:GetCallerIdentity", "*")]),
    ],
)
def test_a_permission_is_as_narrow_as_the_call(call: Call, expected: list[Permission]) -> None:
    assert list(permissions.permissions(call, ACCOUNT)) == expected


def test_one_statement_has_all_actions_on_the_same_resources() -> None:
    operations = ("CreateModel", "DescribeModel", "DeleteModel")
    calls = [Call("sagemaker", operation, "us-east-1", {"ModelName": "m"}) for operation in operations]
    assert policy(calls, "*") == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["sagemaker:CreateModel", "sagemaker:DeleteModel", "sagemaker:DescribeModel"],
                "Resource": ["arn:aws:sagemaker:us-east-1:*:model/m"],
            }
        ],
    }


def test_a_condition_of_one_value_is_a_text_and_of_several_a_list() -> None:
    def conditions(*kinds: str) -> Any:
        change_set = [{"ChangeType": kind} for kind in kinds]
        call = Call("marketplace-catalog", "StartChangeSet", "us-east-1", {"ChangeSet": change_set})
        return policy([call], ACCOUNT)["Statement"][0]["Condition"]

    assert conditions("CreateProduct") == {"StringEquals": {"catalog:ChangeType": "CreateProduct"}}
    assert conditions("B", "A", "B") == {"StringEquals": {"catalog:ChangeType": ["A", "B"]}}


def test_the_conditions_of_several_calls_are_one_and_none_where_one_call_needs_none() -> None:
    calls = [
        Call("marketplace-catalog", "StartChangeSet", "us-east-1", {"ChangeSet": [{"ChangeType": kind}]})
        for kind in ("CreateProduct", "UpdateVisibility")
    ]
    (statement,) = policy(calls, ACCOUNT)["Statement"]
    assert statement["Condition"]["StringEquals"] == {"catalog:ChangeType": ["CreateProduct", "UpdateVisibility"]}
    assert permissions._merged([("key", "a"), ()]) == ()


def test_a_list_of_one_names_its_resource() -> None:
    call = Call("ecr", "DescribeRepositories", "us-east-1", {"repositoryNames": ["iris"]})
    (statement,) = policy([call], ACCOUNT)["Statement"]
    assert statement["Resource"] == [f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/iris"]


def test_what_is_made_with_tags_needs_to_be_tagged() -> None:
    request = {"EndpointConfigName": "iris", "ProductionVariants": [], "Tags": [{"Key": "a", "Value": "b"}]}
    (statement,) = policy([Call("sagemaker", "CreateEndpointConfig", "eu-west-1", request)], ACCOUNT)["Statement"]
    assert statement["Action"] == ["sagemaker:AddTags", "sagemaker:CreateEndpointConfig"]
    assert statement["Resource"] == [f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:endpoint-config/iris"]
