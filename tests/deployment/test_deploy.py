"""A package becomes an endpoint, is changed in place, and goes again; killed anywhere, the next run finishes."""

import pytest

from argosy.deployment.endpoint_config import Instances
from argosy.deployment.names import PackageArn
from argosy.deployment.plans import deploy_stages, destroy_stages
from argosy.errors import PlanError
from argosy.planning.step import Kind, Risk, Stage
from argosy.testing.local_aws import BUYER
from tests.deployment.account import REGION, ROLE, Account, Killed, Killing


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
    answer = buyer.aws.client("sagemaker-runtime", BUYER).invoke_endpoint(
        EndpointName="first", ContentType="text/csv", Body=b"1,2"
    )
    assert answer["Body"].read() == b"1,2"
    assert set(kinds(buyer, wanted, "first")) == {Kind.NOTHING}
    owned = buyer.owned("first")
    model = buyer.sagemaker.describe_model(ModelName=owned["model"][0])
    assert model["EnableNetworkIsolation"] is True
    assert "Environment" not in model["PrimaryContainer"]
    (variant,) = buyer.sagemaker.describe_endpoint_config(EndpointConfigName=owned["config"][0])["ProductionVariants"]
    assert variant["ContainerStartupHealthCheckTimeoutInSeconds"] == 600
    assert variant["ModelDataDownloadTimeoutInSeconds"] == 600


def test_another_instance_type_or_package_updates_the_endpoint_and_leaves_nothing_old(buyer: Account) -> None:
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
    buyer.run(stages("changed", buyer.package("changed-2")), "changed")
    owned = buyer.owned("changed")
    assert [len(names) for names in owned.values()] == [1, 1, 1]
    model = buyer.sagemaker.describe_model(ModelName=owned["model"][0])
    assert model["PrimaryContainer"]["ModelPackageName"].endswith("/changed-2")


def test_runs_that_are_killed_after_each_write_finish_and_leave_nothing_twice(buyer: Account) -> None:
    package = buyer.package("killed-1")
    first, other = stages("killed", package), stages("killed", package, "ml.c5.xlarge")
    assert buyer.run_killed_at_each_write(first, "killed") == ["CreateModel", "CreateEndpointConfig", "CreateEndpoint"]
    assert [len(names) for names in buyer.owned("killed").values()] == [1, 1, 1]
    updated = ["CreateEndpointConfig", "UpdateEndpoint", "DeleteEndpointConfig"]
    assert buyer.run_killed_at_each_write(other, "killed") == updated
    owned = buyer.owned("killed")
    assert [len(names) for names in owned.values()] == [1, 1, 1]
    found = buyer.sagemaker.describe_endpoint(EndpointName="killed")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", owned["config"][0])
    gone = ["DeleteEndpoint", "DeleteEndpointConfig", "DeleteModel"]
    assert buyer.run_killed_at_each_write(destroy_stages("killed", REGION), "destroy-killed") == gone
    assert buyer.owned("killed") == {"endpoint": [], "config": [], "model": []}


def test_a_change_of_mind_after_a_kill_leaves_no_orphan(buyer: Account) -> None:
    package = buyer.package("mind-1")
    with pytest.raises(Killed):
        buyer.run(stages("mind", package), "mind", lambda api: Killing(api, 2))
    buyer.run(stages("mind", package, "ml.c5.xlarge"), "mind")
    assert [len(names) for names in buyer.owned("mind").values()] == [1, 1, 1]


def test_destroying_takes_all_of_it_and_nothing_else_and_twice_is_nothing(buyer: Account) -> None:
    buyer.run(stages("mine", buyer.package("mine-1")), "mine")
    buyer.run(stages("mine-2", buyer.package("mine-2-1")), "mine-2")
    buyer.sagemaker.create_model(
        ModelName="mine-12345678", PrimaryContainer={"Image": buyer.image()}, ExecutionRoleArn=ROLE
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
    buyer.sagemaker.create_model(ModelName="by-hand", PrimaryContainer={"Image": buyer.image()}, ExecutionRoleArn=ROLE)
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
    package = buyer.package("failing-1", STAND_IN_MODE="crash")
    wanted = stages("failing", package)
    with pytest.raises(PlanError, match="the endpoint is Failed") as error:
        buyer.run(wanted, "failing")
    assert "ping health check" in str(error.value)
    assert "argosy destroy failing" in str(error.value.hint)
    assert any("no such file: model.joblib" in line for line in buyer.said), buyer.said
    plan = buyer.plan(wanted, "failing")
    assert [call.operation for change in plan.due for call in change.writes] == ["DeleteEndpoint", "CreateEndpoint"]
    mended = stages("failing", buyer.package("failing-2"))
    buyer.run(mended, "failing")
    assert len(buyer.owned("failing")["model"]) == 1


def test_an_update_that_fails_leaves_what_serves_and_the_way_back_is_free(buyer: Account) -> None:
    good = stages("back", buyer.package("back-1"))
    buyer.run(good, "back")
    (before,) = buyer.owned("back")["config"]
    with pytest.raises(PlanError, match="was not updated: it serves as before"):
        buyer.run(stages("back", buyer.package("back-2", STAND_IN_MODE="crash")), "back")
    found = buyer.sagemaker.describe_endpoint(EndpointName="back")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", before)
    plan = buyer.plan(good, "back")
    assert [call.operation for change in plan.due for call in change.writes] == ["DeleteEndpointConfig", "DeleteModel"]
    assert plan.consents == ()
    buyer.run(good, "back")
    assert [len(names) for names in buyer.owned("back").values()] == [1, 1, 1]


def test_a_package_that_is_not_there_is_told_with_what_to_do(buyer: Account) -> None:
    missing = PackageArn("arn:aws:sagemaker:us-east-1:865070037744:model-package/x-1", REGION, "865070037744", "x-1")
    with pytest.raises(Exception, match="no subscription to its product") as error:
        buyer.plan(stages("missing", missing), "missing")
    assert "argosy subscribe" in str(error.value)
