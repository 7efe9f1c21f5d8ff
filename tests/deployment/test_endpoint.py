"""What an endpoint needs, by the status that AWS gives it."""

from typing import Any

import pytest

from argosy.deployment.endpoint import EndpointStep
from argosy.deployment.ownership import TAG
from argosy.planning.step import Kind
from tests.deployment.replies import Replies

KNOWN = {"endpoint-config": {"name": "iris-new", "instance type": "ml.m5.large"}}
NOT_YET = {"PendingDeploymentSummary": {"EndpointConfigName": "iris-new"}}


@pytest.mark.parametrize(
    ("status", "config", "more", "kind", "writes"),
    [
        (None, "", {}, Kind.CREATE, ["CreateEndpoint"]),
        ("Deleting", "iris-old", {}, Kind.CREATE, ["CreateEndpoint"]),
        ("InService", "iris-new", {}, Kind.NOTHING, []),
        ("InService", "iris-old", {}, Kind.UPDATE, ["UpdateEndpoint"]),
        ("Creating", "iris-new", {}, Kind.WAIT, []),
        ("Creating", "iris-old", {}, Kind.UPDATE, ["UpdateEndpoint"]),
        ("Updating", "iris-old", NOT_YET, Kind.WAIT, []),
        ("Updating", "iris-old", {}, Kind.UPDATE, ["UpdateEndpoint"]),
        ("Failed", "iris-new", {}, Kind.UPDATE, ["DeleteEndpoint", "CreateEndpoint"]),
        ("UpdateRollbackFailed", "iris-old", {}, Kind.UPDATE, ["DeleteEndpoint", "CreateEndpoint"]),
    ],
)
def test_what_is_due(status: str | None, config: str, more: dict[str, Any], kind: Kind, writes: list[str]) -> None:
    described = {"EndpointStatus": status, "EndpointConfigName": config, "EndpointArn": "arn:aws:x", **more}
    tags = [{"Tags": [{"Key": TAG, "Value": "iris"}]}]
    reader = Replies({"DescribeEndpoint": described, "ListTags": tags} if status else {})
    change = EndpointStep("iris", "us-east-1", 2).look(reader, KNOWN)
    assert (change.kind, [call.operation for call in change.writes]) == (kind, writes)
    assert (change.consent is not None) is (kind in (Kind.CREATE, Kind.UPDATE)), "who pays is asked"
