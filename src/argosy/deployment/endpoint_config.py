"""The endpoint config of a deployment: on which instances its model runs, and how long they may take to come up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.deployment import names
from argosy.deployment.making import make
from argosy.deployment.ownership import ABSENT, ENDPOINT_CONFIG, insist, tags, tags_call
from argosy.deployment.package import MODEL_KEY, instance_type
from argosy.planning.step import Change, Kind, Later, Outputs, Work, output, resolved

KEY: Final = "endpoint-config"
VARIANT: Final = "AllTraffic"
_START_S: Final = 600


@dataclass(frozen=True, slots=True)
class Instances:
    """What an endpoint runs on.

    Attributes:
        type: The instance type; None takes the package's own.
        count: How many.
        ami: InferenceAmiVersion, for packages that need a newer GPU driver; None is AWS's default.
        volume_gb: VolumeSizeInGB; None is AWS's default. Types with NVMe disks take none.
    """

    type: str | None
    count: int = 1
    ami: str | None = None
    volume_gb: int | None = None


@dataclass(frozen=True, slots=True)
class EndpointConfigStep:
    """The config of what is wanted.

    Attributes:
        deployment: Whose it is.
        region: Where.
        instances: On what.
    """

    deployment: str
    region: str
    instances: Instances
    key: str = KEY

    def look(self, reader: Reader, known: Outputs) -> Change:
        """Whether it is there.

        Raises:
            AwsError: AWS refuses or does not answer.
            PlanError: The package does not run on the instance type, or somebody else's has its name.
        """
        kind = instance_type(known, "realtime", self.instances.type)
        variant = self._variant(output(known, MODEL_KEY, "name"), kind)
        name: str | Later = Later(KEY, "name")
        if not isinstance(kind, Later):
            name = names.name_of(self.deployment, variant)
        found, shown = None, name if isinstance(name, str) else f"{self.deployment}-*"
        describe = Call("sagemaker", "DescribeEndpointConfig", self.region, {ENDPOINT_CONFIG.name: shown})
        if isinstance(name, str):
            found = reader.ask(describe, ABSENT)
        if found:
            insist(reader, self.region, self.deployment, found, ENDPOINT_CONFIG.arn)
        request = {ENDPOINT_CONFIG.name: shown, "ProductionVariants": [variant], "Tags": tags(self.deployment)}
        pattern = f"arn:aws:sagemaker:{self.region}:*:endpoint-config/{shown.lower()}"
        given = {"name": shown, "instance type": str(kind)} if isinstance(name, str) else {}
        return Change(
            KEY,
            f"endpoint config {shown} in {self.region}",
            Kind.NOTHING if found else Kind.CREATE,
            writes=() if found else (Call("sagemaker", "CreateEndpointConfig", self.region, request),),
            reads=(describe, tags_call(self.region, pattern)),
            outputs=given,
        )

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """Create it; there is nothing to wait for.

        Raises:
            AwsError: AWS refuses or does not answer.
        """
        (call,) = change.writes
        make(work.api, Call(call.service, call.operation, call.region, resolved(call.parameters, work.known)))
        return change.outputs

    def _variant(self, model: str | Later, kind: str | Later) -> dict[str, Any]:
        """The one production variant. Any: JSON, and what is not known yet."""
        more: dict[str, Any] = {}
        if self.instances.ami is not None:
            more["InferenceAmiVersion"] = self.instances.ami
        if self.instances.volume_gb is not None:
            more["VolumeSizeInGB"] = self.instances.volume_gb
        return {
            "VariantName": VARIANT,
            "ModelName": model,
            "InitialInstanceCount": self.instances.count,
            "InstanceType": kind,
            "ModelDataDownloadTimeoutInSeconds": _START_S,
            "ContainerStartupHealthCheckTimeoutInSeconds": _START_S,
            **more,
        }
