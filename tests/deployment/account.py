"""A buyer's account on loopback: moto for STS, S3 and the logs, the simulator for SageMaker, a stand-in for the image."""

import dataclasses
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from argosy.aws.api import Api, AwsApi
from argosy.aws.call import Call
from argosy.deployment.names import PackageArn, package_arn
from argosy.deployment.ownership import TAG
from argosy.planning import polling
from argosy.planning.apply import apply
from argosy.planning.journal import Journal
from argosy.planning.plan import Plan, make_plan
from argosy.planning.step import Outputs, Stage
from argosy.simulator.health import Report
from argosy.simulator.simulation import World
from argosy.simulator.storage.s3 import S3
from tests.aws.stand_in import moto_server
from tests.simulator.control.conftest import simulation
from tests.simulator.control.world import world

REGION = "us-east-1"
ROLE = "arn:aws:iam::123456789012:role/buyer-execution"
BUCKET = "buyers-bucket"
TYPES = ("ml.m5.large", "ml.c5.xlarge")
SERVICES = {"AWS_ENDPOINT_URL_SAGEMAKER", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"}


class Killed(BaseException):
    """The process ends here: nothing of it goes on."""


@dataclass
class Killing:
    """An `Api` whose process is killed right after some write."""

    api: Api
    after: int
    writes: list[str] = field(default_factory=list)

    def ask(self, call: Call, absent: Collection[str] = ()) -> Any:
        return self.api.ask(call, absent)

    def pages(self, call: Call) -> Iterator[Any]:
        return self.api.pages(call)

    def write(self, call: Call, absent: Collection[str] = ()) -> Any:
        answer = self.api.write(call, absent)
        self.writes.append(call.operation)
        if len(self.writes) == self.after:
            raise Killed
        return answer


@dataclass
class Account:
    """The account, and runs of plans in it."""

    folder: Path
    url: str
    said: list[str] = field(default_factory=list)

    def package(self, name: str, **changed: Any) -> PackageArn:
        """A model package of this account's own, of the stand-in."""
        specification = {
            "Containers": [{"Image": "stand-in", **changed}],
            "SupportedRealtimeInferenceInstanceTypes": list(TYPES),
            "SupportedTransformInstanceTypes": list(TYPES),
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        }
        made = self.sagemaker.create_model_package(ModelPackageName=name, InferenceSpecification=specification)
        return package_arn(str(made["ModelPackageArn"]))

    @property
    def sagemaker(self) -> Any:
        return boto3.client("sagemaker", region_name=REGION)

    @property
    def s3(self) -> Any:
        return boto3.client("s3", region_name=REGION)

    def journal(self, name: str = "state") -> Journal:
        return Journal(self.folder / ".argosy" / f"{name}.json")

    def plan(self, stages: Sequence[Stage], name: str = "state") -> Plan:
        return make_plan(stages, AwsApi(), self.journal(name).outputs)

    def run(
        self, stages: Sequence[Stage], name: str = "state", around: Callable[[Api], Api] = lambda it: it
    ) -> Outputs:
        self.said.clear()
        return apply(stages, around(AwsApi()), self.journal(name), None, self.said.append)

    def owned(self, deployment: str) -> dict[str, list[str]]:
        """The names of what has the deployment's tag."""
        found = self.sagemaker
        listed = {
            "endpoint": [(one["EndpointName"], one["EndpointArn"]) for one in found.list_endpoints()["Endpoints"]],
            "config": [
                (one["EndpointConfigName"], one["EndpointConfigArn"])
                for one in found.list_endpoint_configs()["EndpointConfigs"]
            ],
            "model": [(one["ModelName"], one["ModelArn"]) for one in found.list_models()["Models"]],
        }
        return {
            sort: [
                name
                for name, arn in pairs
                if {"Key": TAG, "Value": deployment} in found.list_tags(ResourceArn=arn)["Tags"]
            ]
            for sort, pairs in listed.items()
        }


@contextmanager
def account(folder: Path, url: str) -> Iterator[Account]:
    """The account; `boto3` finds it by its environment. `url` is moto's."""

    def around(place: Path, report: Report) -> World:
        return dataclasses.replace(world(place, report), objects=S3())

    with pytest.MonkeyPatch.context() as patch:
        variables = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "an-id",
            "AWS_SECRET_ACCESS_KEY": "it-is-secret",
            "AWS_DEFAULT_REGION": REGION,
        }
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.setattr(polling, "_LONGEST_S", 0.05)
        boto3.client("s3", region_name=REGION).create_bucket(Bucket=BUCKET)
        with simulation(folder, around) as simulated:
            for name in SERVICES:
                patch.setenv(name, simulated.url)
            yield Account(folder, url)


@contextmanager
def accounts(folder: Path) -> Iterator[Account]:
    """An account with a moto of its own."""
    with moto_server() as url, account(folder, url) as made:
        yield made
