"""A buyer's account in a local AWS whose containers are stand-ins, and runs of plans in it."""

import functools
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from argosy.aws.api import Api, AwsApi
from argosy.aws.call import Call
from argosy.deployment.names import PackageArn, package_arn
from argosy.deployment.ownership import TAG
from argosy.local_aws.accounts import EXECUTION_ROLE
from argosy.planning import polling
from argosy.planning.apply import apply
from argosy.planning.journal import Journal
from argosy.planning.plan import Plan, make_plan
from argosy.planning.step import Outputs, Stage
from argosy.testing.local_aws import BUYER, LocalAwsServer
from argosy.testing.local_aws import local_aws as serving
from tests.local_aws.stand_in import Push, open_stand_in, small_image

REGION = "us-east-1"
ROLE = EXECUTION_ROLE.arn
BUCKET = "buyers-bucket"
TYPES = ("ml.m5.large", "ml.c5.xlarge")


class Killed(BaseException):
    """The process ends here: nothing of it goes on."""


@dataclass
class Killing:
    """An `Api` whose process is killed right after some write."""

    api: Api
    after: int
    writes: list[str] = field(default_factory=list)

    def instead(self, _: Api) -> Api:
        """This one."""
        return self

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
    aws: LocalAwsServer
    push: Push
    said: list[str] = field(default_factory=list)
    images: dict[str, str] = field(default_factory=dict)
    api: AwsApi = field(default_factory=AwsApi)
    """One for all runs: boto3 takes long to make its clients."""

    def image(self, **settings: str) -> str:
        """The name of an image of the stand-in with these settings."""
        text = str(sorted(settings.items()))
        if text not in self.images:
            if not self.images:
                self.aws.client("ecr", BUYER).create_repository(repositoryName="stand-in")
            tag = f"stand-in:{len(self.images)}"
            self.images[text] = self.push(small_image(text, **settings), tag, BUYER)
        return self.images[text]

    def package(self, name: str, **settings: str) -> PackageArn:
        """A model package of this account's own; the settings are the stand-in's."""
        specification = {
            "Containers": [{"Image": self.image(**settings)}],
            "SupportedRealtimeInferenceInstanceTypes": list(TYPES),
            "SupportedTransformInstanceTypes": list(TYPES),
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        }
        made = self.sagemaker.create_model_package(ModelPackageName=name, InferenceSpecification=specification)
        return package_arn(str(made["ModelPackageArn"]))

    @functools.cached_property
    def sagemaker(self) -> Any:
        return self.aws.client("sagemaker", BUYER)

    @functools.cached_property
    def s3(self) -> Any:
        return self.aws.client("s3", BUYER)

    def journal(self, name: str = "state") -> Journal:
        return Journal(self.folder / ".argosy" / f"{name}.json")

    def plan(self, stages: Sequence[Stage], name: str = "state") -> Plan:
        return make_plan(stages, self.api, self.journal(name).outputs)

    def run(
        self, stages: Sequence[Stage], name: str = "state", around: Callable[[Api], Api] = lambda it: it
    ) -> Outputs:
        """Do what the plan says, with a yes to what it asks and to nothing else."""
        self.said.clear()
        agreed = self.plan(stages, name).consents
        return apply(stages, around(self.api), self.journal(name), agreed, self.said.append)

    def run_killed_at_each_write(self, stages: Sequence[Stage], name: str = "state") -> list[str]:
        """Runs that are killed right after their first write, until one has nothing more to write; what they wrote."""
        writes: list[str] = []
        while True:
            killing = Killing(self.api, after=1)
            try:
                self.run(stages, name, killing.instead)
            except Killed:
                writes += killing.writes
                assert len(writes) < 50, writes
                continue
            return writes

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
def account(folder: Path) -> Iterator[Account]:
    """The account; boto3 finds it by its environment, as it finds AWS."""
    with serving(open_image=open_stand_in) as aws, pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environment(BUYER).items():
            patch.setenv(name, value)
        patch.setattr(polling, "_LONGEST_S", 0.05)
        made = Account(folder, aws, Push(aws, folder / "cache"))
        made.s3.create_bucket(Bucket=BUCKET)
        yield made
