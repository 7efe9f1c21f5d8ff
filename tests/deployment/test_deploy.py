"""A package becomes an endpoint, is changed in place, and goes again; killed anywhere, the next run finishes."""

import time
from typing import Any

import boto3
import pytest

from argosy.deployment.endpoint_config import Instances
from argosy.deployment.names import PackageArn
from argosy.deployment.plans import deploy_stages, destroy_stages
from argosy.errors import PlanError
from argosy.planning.step import Kind, Risk, Stage
from tests.deployment.account import REGION, ROLE, Account, Killed, Killing

BUILDS = 3
"""Writes of a first run: model, config, endpoint."""


def stages(deployment: str, package: PackageArn, kind: str | None = None, count: int = 1) -> list[Stage]:
    return deploy_stages(deployment, package, ROLE, Instances(kind, count), None)


def kinds(buyer: Account, wanted: list[Stage], name: str) -> list[Kind]:
    return [change.kind for change in buyer.plan(wanted, name).changes]


def test_a_package_becomes_an_endpoint_that_answers_and_the_second_run_does_nothing(buyer: Account) -> None:
    package = buyer.package("first-1-0-0")
    wanted = stages("first", package)
    plan = buyer.plan(wanted, "first")
    (consent,) = plan.consents
    assert consent.risk is Risk.COST
    assert "1 x ml.m5.large" in consent.sentence
    assert "this account's own" in consent.sentence
    assert "billed from Creating on until `argosy destroy first`" in consent.sentence
    given = buyer.run(wanted, "first")
    assert given["endpoint"]["name"] == "first"
    assert "endpoint first: Creating" in buyer.said
    assert buyer.said[-1] == "endpoint first: InService"
    answer = boto3.client("sagemaker-runtime", region_name=REGION).invoke_endpoint(
        EndpointName="first", ContentType="text/csv", Body=b"1,2"
    )
    assert answer["Body"].read() == b"1,2"
    assert set(kinds(buyer, wanted, "first")) == {Kind.NOTHING}


def test_what_is_made_is_cut_off_and_has_no_variables_and_time_to_start(buyer: Account) -> None:
    buyer.run(stages("made", buyer.package("made-1")), "made")
    owned = buyer.owned("made")
    model = buyer.sagemaker.describe_model(ModelName=owned["model"][0])
    assert model["EnableNetworkIsolation"] is True
    assert "Environment" not in model["PrimaryContainer"]
    (variant,) = buyer.sagemaker.describe_endpoint_config(EndpointConfigName=owned["config"][0])["ProductionVariants"]
    assert variant["ContainerStartupHealthCheckTimeoutInSeconds"] == 600
    assert variant["ModelDataDownloadTimeoutInSeconds"] == 600


def test_another_instance_type_updates_the_endpoint_and_leaves_no_old_config(buyer: Account) -> None:
    package = buyer.package("changed-1")
    buyer.run(stages("changed", package), "changed")
    (before,) = buyer.owned("changed")["config"]
    other = stages("changed", package, "ml.c5.xlarge")
    plan = buyer.plan(other, "changed")
    assert [call.operation for change in plan.due for call in change.writes] == [
        "CreateEndpointConfig",
        "UpdateEndpoint",
        "DeleteEndpointConfig",
    ]
    buyer.run(other, "changed")
    (after,) = buyer.owned("changed")["config"]
    assert after != before
    assert buyer.sagemaker.describe_endpoint(EndpointName="changed")["EndpointConfigName"] == after
    assert set(kinds(buyer, other, "changed")) == {Kind.NOTHING}


def test_another_package_replaces_the_model_too(buyer: Account) -> None:
    buyer.run(stages("newer", buyer.package("newer-1")), "newer")
    second = stages("newer", buyer.package("newer-2"))
    buyer.run(second, "newer")
    owned = buyer.owned("newer")
    assert (len(owned["model"]), len(owned["config"])) == (1, 1)
    model = buyer.sagemaker.describe_model(ModelName=owned["model"][0])
    assert model["PrimaryContainer"]["ModelPackageName"].endswith("/newer-2")


@pytest.mark.parametrize("after", range(1, BUILDS + 1))
def test_a_first_run_killed_after_any_write_is_finished_by_the_next(buyer: Account, after: int) -> None:
    deployment = f"killed-{after}"
    wanted = stages(deployment, buyer.package(f"{deployment}-1"))
    with pytest.raises(Killed):
        buyer.run(wanted, deployment, lambda api: Killing(api, after))
    buyer.run(wanted, deployment)
    owned = buyer.owned(deployment)
    assert owned["endpoint"] == [deployment]
    assert (len(owned["model"]), len(owned["config"])) == (1, 1)


@pytest.mark.parametrize("after", [1, 2, 3])
def test_an_update_killed_after_any_write_is_finished_by_the_next(buyer: Account, after: int) -> None:
    deployment = f"update-{after}"
    package = buyer.package(f"{deployment}-1")
    buyer.run(stages(deployment, package), deployment)
    other = stages(deployment, package, "ml.c5.xlarge")
    with pytest.raises(Killed):
        buyer.run(other, deployment, lambda api: Killing(api, after))
    buyer.run(other, deployment)
    owned = buyer.owned(deployment)
    assert (len(owned["model"]), len(owned["config"])) == (1, 1)
    found = buyer.sagemaker.describe_endpoint(EndpointName=deployment)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", owned["config"][0])


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_removal_killed_after_any_write_is_finished_by_the_next(buyer: Account, after: int) -> None:
    deployment = f"gone-{after}"
    buyer.run(stages(deployment, buyer.package(f"{deployment}-1")), deployment)
    with pytest.raises(Killed):
        buyer.run(destroy_stages(deployment, REGION), f"destroy-{deployment}", lambda api: Killing(api, after))
    buyer.run(destroy_stages(deployment, REGION), f"destroy-{deployment}")
    assert buyer.owned(deployment) == {"endpoint": [], "config": [], "model": []}


def test_destroying_takes_all_of_it_and_nothing_else_and_twice_is_nothing(buyer: Account) -> None:
    buyer.run(stages("mine", buyer.package("mine-1")), "mine")
    buyer.run(stages("mine-2", buyer.package("mine-2-1")), "mine-2")
    buyer.sagemaker.create_model(
        ModelName="mine-12345678", PrimaryContainer={"Image": "stand-in"}, ExecutionRoleArn=ROLE
    )
    plan = buyer.plan(destroy_stages("mine", REGION), "destroy-mine")
    assert [call.operation for change in plan.due for call in change.writes] == [
        "DeleteEndpoint",
        "DeleteEndpointConfig",
        "DeleteModel",
    ]
    assert {consent.risk for consent in plan.consents} == {Risk.LOSS}
    given = buyer.run(destroy_stages("mine", REGION), "destroy-mine")
    assert any("endpoint mine-2 in us-east-1" in line for line in given["remains"].values())
    assert buyer.owned("mine") == {"endpoint": [], "config": [], "model": []}
    assert buyer.owned("mine-2")["endpoint"] == ["mine-2"]
    names = [one["ModelName"] for one in buyer.sagemaker.list_models()["Models"]]
    assert "mine-12345678" in names, "it has not the tag"
    assert buyer.plan(destroy_stages("mine", REGION), "destroy-mine").due == ()


def test_an_endpoint_of_somebody_else_is_neither_changed_nor_deleted(buyer: Account) -> None:
    foreign = buyer.package("foreign-1")
    buyer.sagemaker.create_model(ModelName="by-hand", PrimaryContainer={"Image": "stand-in"}, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "v", "ModelName": "by-hand", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    buyer.sagemaker.create_endpoint_config(EndpointConfigName="by-hand", ProductionVariants=[variant])
    buyer.sagemaker.create_endpoint(EndpointName="foreign", EndpointConfigName="by-hand")
    for wanted in (stages("foreign", foreign), destroy_stages("foreign", REGION)):
        with pytest.raises(PlanError, match="this deployment did not make"):
            buyer.plan(wanted, "foreign")


def test_only_instance_types_of_the_package_are_taken(buyer: Account) -> None:
    package = buyer.package("typed-1")
    with pytest.raises(PlanError) as error:
        buyer.plan(stages("typed", package, "ml.p3.2xlarge"), "typed")
    assert error.value.want == "ml.m5.large, ml.c5.xlarge"
    assert error.value.hint == "--instance-type ml.m5.large"


def test_an_endpoint_that_failed_is_told_with_its_log_and_made_anew_by_the_next_run(buyer: Account) -> None:
    package = buyer.package("failing-1", Environment={"STAND_IN_MODE": "crash"})
    logs: Any = boto3.client("logs", region_name=REGION)
    logs.create_log_group(logGroupName="/aws/sagemaker/Endpoints/failing")
    logs.create_log_stream(logGroupName="/aws/sagemaker/Endpoints/failing", logStreamName="AllTraffic/i-1")
    event = {"timestamp": int(time.time() * 1000), "message": "no such file: model.joblib"}
    logs.put_log_events(
        logGroupName="/aws/sagemaker/Endpoints/failing", logStreamName="AllTraffic/i-1", logEvents=[event]
    )
    wanted = stages("failing", package)
    with pytest.raises(PlanError, match="the endpoint is Failed") as error:
        buyer.run(wanted, "failing")
    assert "ping health check" in str(error.value)
    assert "argosy destroy failing" in str(error.value.hint)
    assert "log: no such file: model.joblib" in buyer.said
    plan = buyer.plan(wanted, "failing")
    assert [call.operation for change in plan.due for call in change.writes] == ["DeleteEndpoint", "CreateEndpoint"]
    mended = stages("failing", buyer.package("failing-2"))
    buyer.run(mended, "failing")
    assert len(buyer.owned("failing")["model"]) == 1


def test_a_package_that_is_not_there_is_told_with_what_to_do(buyer: Account) -> None:
    missing = PackageArn("arn:aws:sagemaker:us-east-1:865070037744:model-package/x-1", REGION, "865070037744", "x-1")
    with pytest.raises(Exception, match="no subscription to its product") as error:
        buyer.plan(stages("missing", missing), "missing")
    assert "argosy subscribe" in str(error.value)
