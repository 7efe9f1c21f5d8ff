"""boto3 as it is, told nothing but an address, against a whole simulation whose images are stand-ins."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from argosy import contract
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.health import HealthChecks, Report
from argosy.simulator.hosting.definition import ContainerDefinition
from argosy.simulator.hosting.endpoint import HostingOptions
from argosy.simulator.simulation import World
from argosy.simulator.storage.local_folder import LocalFolder
from argosy.simulator.transform import instance
from tests.simulator.control.conftest import CREDENTIALS, QUICK, ROLE, Simulated, simulation, until
from tests.simulator.control.world import world

SYSTEM = Path("/etc")
"""A folder of this machine whose name the SageMaker SDK's local mode refuses; it is the bucket `system`."""
VARIANT = {"VariantName": "AllTraffic", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
LABELS = {contract.LABEL_BIND_TO_PORT: "true", contract.LABEL_MULTI_MODEL: "true"}


@dataclass
class Local:
    simulated: Simulated
    launches: list[Launch] = field(default_factory=list)

    @cached_property
    def sagemaker(self) -> Any:  # Any: boto3's clients have no types
        return boto3.client("sagemaker", "eu-west-1", endpoint_url=self.simulated.url, **CREDENTIALS)

    @cached_property
    def runtime(self) -> Any:
        return boto3.client("sagemaker-runtime", "eu-west-1", endpoint_url=self.simulated.url, **CREDENTIALS)

    @property
    def reports(self) -> list[str]:
        return self.simulated.reports

    @property
    def buckets(self) -> Path:
        return self.simulated.folder / "s3"

    def container(self, name: str, **settings: str) -> dict[str, Any]:
        """A stand-in that keeps a diary under a name; its settings as keywords."""
        settings["diary"] = str(self.simulated.folder / f"{name}.diary")
        return {"Image": "stand-in", "Environment": {f"STAND_IN_{key.upper()}": settings[key] for key in settings}}

    def diary(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.simulated.folder / f"{name}.diary").read_text().splitlines()]

    def environment(self, name: str) -> dict[str, str]:
        found: dict[str, str] = self.diary(name)[0]["environment"]
        return found

    def invocations(self, name: str) -> list[dict[str, Any]]:
        return [each for each in self.diary(name) if each.get("path") == "/invocations"]

    def model(self, name: str, **members: Any) -> None:
        if not members:
            members["PrimaryContainer"] = self.container(name)
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, **members)

    def deploy(self, name: str, variant: Mapping[str, Any] | None = None, **config: Any) -> None:
        """An endpoint in service; the model of its name has to be there, unless the variants are given."""
        variants = [{**VARIANT, "ModelName": name, **(variant or {})}]
        members = {"EndpointConfigName": name, "ProductionVariants": variants, **config}
        self.sagemaker.create_endpoint_config(**members)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        self.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=QUICK)

    def invoke(self, name: str, body: bytes = b"1,2", **arguments: Any) -> Any:
        return self.runtime.invoke_endpoint(EndpointName=name, Body=body, **arguments)

    def put(self, bucket: str, objects: Mapping[str, bytes]) -> None:
        self.simulated.bucket(bucket, dict(objects))

    def transform(self, name: str, objects: Mapping[str, bytes], **members: Any) -> Any:
        """The end of a job over objects, described; `TransformInput` and `TransformOutput` without their places.

        The model of its name is made where it is missing.
        """
        self.put(name, objects)
        if name not in [model["ModelName"] for model in self.sagemaker.list_models(NameContains=name)["Models"]]:
            self.model(name)
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{name}/", **members.pop("S3DataSource", {})}
        self.sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName=name,
            TransformInput={"DataSource": {"S3DataSource": source}, **members.pop("TransformInput", {})},
            TransformOutput={"S3OutputPath": f"s3://{name}-out", **members.pop("TransformOutput", {})},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
            **members,
        )

        def described() -> Any:
            return self.sagemaker.describe_transform_job(TransformJobName=name)

        until(lambda: described()["TransformJobStatus"] != "InProgress")
        return described()

    def results(self, name: str) -> dict[str, bytes]:
        folder = self.buckets / f"{name}-out"
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

    def data_log(self, name: str) -> list[str]:
        """The job's lines, without times."""
        lines = [line for line in self.reports if line.startswith(f"transform job {name}: ")]
        return [line.rpartition("[sagemaker logs]: ")[2] for line in lines]


@pytest.fixture
def local(shared: Local) -> Iterator[Local]:
    """The simulation that all tests of this folder share: they take names of their own. Endpoints end with a test."""
    yield shared
    for endpoint in shared.sagemaker.list_endpoints(StatusEquals="InService", MaxResults=100)["Endpoints"]:
        shared.sagemaker.delete_endpoint(EndpointName=endpoint["EndpointName"])


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    launches: list[Launch] = []
    with (
        pytest.MonkeyPatch.context() as patch,
        simulation(tmp_path_factory.mktemp("faults"), partial(_around, launches=launches)) as simulated,
    ):
        patch.setattr(instance, "_RETRY_DELAY_S", 0.001)
        yield Local(simulated, launches)


def _around(folder: Path, report: Report, launches: list[Launch]) -> World:
    """The world of other tests, with labels for every use, quick health checks, and a bucket that is a folder."""
    made = world(folder, report)

    def open_container(definition: ContainerDefinition, launch: Launch) -> Container:
        launches.append(launch)
        return made.open_container(definition, launch)

    return replace(
        made,
        objects=LocalFolder(folder / "s3", {"system": SYSTEM}),
        open_container=open_container,
        labels=lambda _image: LABELS,
        hosting=HostingOptions(HealthChecks(interval_s=0.1)),
    )


def header(request: Mapping[str, Any], name: str) -> str | None:
    """A header field that a container saw."""
    found: Sequence[str] = [value for key, value in request["headers"] if key.lower() == name.lower()]
    return found[0] if found else None


def text(answer: Any) -> bytes:
    body: bytes = answer["Body"].read()
    return body
