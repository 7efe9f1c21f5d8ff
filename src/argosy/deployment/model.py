"""The SageMaker model of a deployment: the package, cut off from the network, without variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.deployment import names
from argosy.deployment.making import make
from argosy.deployment.names import PackageArn
from argosy.deployment.ownership import ABSENT, MODEL, insist, owned, reads_of, tags, tags_call
from argosy.deployment.package import MODEL_KEY
from argosy.errors import PlanError
from argosy.planning.step import Change, Kind, Outputs, Work


@dataclass(frozen=True, slots=True)
class ModelStep:
    """The model of a package.

    Attributes:
        deployment: Whose it is.
        package: What it is made of.
        role: ARN of the role that SageMaker takes to run it.
    """

    deployment: str
    package: PackageArn
    role: str
    key: str = MODEL_KEY

    @property
    def name(self) -> str:
        """Its name: a model cannot be changed, so another package or role has another name."""
        return names.name_of(self.deployment, {"package": self.package.text, "role": self.role})

    def look(self, reader: Reader, known: Outputs) -> Change:
        """Whether it is there.

        Raises:
            AwsError: AWS refuses or does not answer.
            PlanError: Somebody else's has its name.
        """
        region = self.package.region
        describe = Call("sagemaker", "DescribeModel", region, {"ModelName": self.name})
        found = reader.ask(describe, ABSENT)
        is_there = bool(found)
        if is_there:
            insist(reader, region, self.deployment, found, MODEL.arn)
        request = {
            "ModelName": self.name,
            "PrimaryContainer": {"ModelPackageName": self.package.text},
            "ExecutionRoleArn": self.role,
            "EnableNetworkIsolation": True,
            "Tags": tags(self.deployment),
        }
        return Change(
            self.key,
            f"model {self.name} in {region}",
            Kind.NOTHING if is_there else Kind.CREATE,
            writes=() if is_there else (Call("sagemaker", "CreateModel", region, request),),
            reads=(describe, tags_call(region, f"arn:aws:sagemaker:{region}:*:model/{self.name.lower()}")),
            outputs={"name": self.name, "package": self.package.text},
        )

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """Create it; there is nothing to wait for.

        Raises:
            AwsError: AWS refuses, as for an account without a subscription, or does not answer.
        """
        make(work.api, change.writes[0])
        return change.outputs


@dataclass(frozen=True, slots=True)
class DeployedModelStep:
    """The model that a deployment has already.

    Attributes:
        deployment: Whose it is.
        region: Where it is.
    """

    deployment: str
    region: str
    key: str = MODEL_KEY

    def look(self, reader: Reader, known: Outputs) -> Change:
        """Its name and its package; the newest, where a run that was killed has left an older one.

        Raises:
            AwsError: AWS refuses or does not answer.
            PlanError: There is none.
        """
        pattern = Call("sagemaker", "DescribeModel", self.region, {"ModelName": f"{self.deployment}-*"})
        reads = (*reads_of(self.region, self.deployment, MODEL), pattern)
        title = f"model of {self.deployment} in {self.region}"
        found = next(owned(reader, self.region, self.deployment, MODEL), None)
        if found is None:
            if not any(True for _ in reader.pages(reads[0])):  # nobody was asked: a plan without an account
                return Change(self.key, title, Kind.NOTHING, reads=reads)
            raise PlanError(
                "there is no deployment of this name",
                got=self.deployment,
                where=self.region,
                hint=f"argosy deploy ARN --name {self.deployment}, or give the ARN of a model package instead",
            )
        name = str(found[MODEL.name])
        model: Any = reader.ask(Call("sagemaker", "DescribeModel", self.region, {"ModelName": name}))
        package = str(model["PrimaryContainer"]["ModelPackageName"])
        return Change(self.key, title, Kind.NOTHING, reads=reads, outputs={"name": name, "package": package})

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """Nothing: it is read only."""
        return {}
