"""The lanes as a whole: what a plan says is what is called, and what has to be allowed."""

from pathlib import Path
from typing import Any

import boto3
import pytest

from argosy.aws.api import AwsApi, EmptyAccount
from argosy.aws.call import Call
from argosy.aws.permissions import actions
from argosy.errors import PlanError
from argosy.planning.plan import Plan, make_plan
from argosy.planning.step import Kind
from argosy.planning.text import plan_text
from argosy.publishing.registration.lanes import register_stages
from tests.publishing.sellers import REGION, Seller

GOLDEN = Path(__file__).parents[2] / "golden" / "register-plan.txt"
PUSH = Call("ecr", "PutImage", REGION, {})
"""What goes over the registry's protocol."""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The IAM actions of every operation that the door to AWS really sends, not those of the tests' own clients."""
    found: set[str] = set()

    def note(model: Any, **_: Any) -> None:
        found.update(actions(Call(model.service_model.service_name, model.name, REGION, {})))

    def session(**named: Any) -> Any:
        made = plain(**named)
        if "botocore_session" in named:
            made.events.register("before-call", note)
        return made

    plain = boto3.Session
    monkeypatch.setattr("boto3.Session", session)
    return found


def planned(plan: Plan) -> set[str]:
    return {action for call in plan.calls for action in actions(call)}


def test_what_is_called_is_what_the_plan_of_an_empty_account_says(seller: Seller, sent: set[str]) -> None:
    """Of a registration that fails, since looking for the reason takes calls of its own: exactly the plan's."""
    seller.api = AwsApi()
    offering = seller.offering(samples={"one.csv": b"STATUS-400"})
    plan = make_plan(register_stages(offering, seller.access, [REGION]), EmptyAccount(), {})
    (package,) = plan.changes[-1].writes

    def run_its_job(service: str, operation: str) -> None:
        """The transform job that SageMaker runs in the seller's account, which the local one does not list."""
        if operation == "CreateModelPackage":
            said = package.parameters["ValidationSpecification"]
            image = package.parameters["InferenceSpecification"]["Containers"][0]["Image"]
            client = seller.client("sagemaker")
            client.create_model(
                ModelName=seller.name, PrimaryContainer={"Image": image}, ExecutionRoleArn=said["ValidationRole"]
            )
            job = said["ValidationProfiles"][0]["TransformJobDefinition"]
            client.create_transform_job(TransformJobName=f"{seller.name}-job", ModelName=seller.name, **job)

    seller.make_repository()
    with seller.aws.after_write(run_its_job), pytest.raises(PlanError):
        seller.register(offering)
    made_beforehand = {"ecr:CreateRepository"}
    assert sent | set(actions(PUSH)) | made_beforehand == planned(plan)


def test_a_second_run_writes_nothing_and_asks_for_reads_alone(seller: Seller) -> None:
    offering = seller.offering()
    seller.register(offering)
    plan = seller.look(register_stages(offering, seller.access, [REGION]))
    assert plan.due == ()
    assert [call for change in plan.changes for call in change.writes] == []
    assert plan.consents == ()
    reads = ("Describe", "Get", "Head", "List")
    assert {call.operation for call in plan.calls if not call.operation.startswith(reads)} == set()


def test_the_regions_have_lanes_of_their_own(seller: Seller) -> None:
    regions = [f"us-east-{number}" for number in (1, 2)]
    plan = make_plan(register_stages(seller.offering(), seller.access, regions), EmptyAccount(), {})
    assert [change.key for change in plan.changes] == [
        "account",
        *(
            f"{region}/{step}"
            for region in regions
            for step in ("repository", "image", "scan", "bucket", "artifacts", "samples", "package")
        ),
    ]
    assert {call.region for call in plan.calls} == set(regions)
    assert all(change.kind is Kind.CREATE for change in plan.changes[1:])


def test_the_plan_of_a_registration_reads_like_this(seller: Seller) -> None:
    seller.name = "rows"
    plan = make_plan(register_stages(seller.offering(), seller.access, [REGION]), EmptyAccount(), {})
    assert plan_text(plan) == GOLDEN.read_text()
