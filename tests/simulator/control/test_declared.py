"""What a request declares of instances and networks: applied where that can be done, told where not."""

from pathlib import Path
from typing import Any

import pytest

from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.containers.instance_types import find
from argosy.simulator.hosting.definition import ContainerDefinition
from tests.simulator.control import test_inference_components as components
from tests.simulator.control import test_transform_jobs as jobs
from tests.simulator.control.conftest import ROLE, Simulated, simulation
from tests.simulator.control.world import open_stand_in


def told(simulated: Simulated, words: str) -> list[str]:
    return [line for line in simulated.reports if words in line]


def model(simulated: Simulated, name: str, **more: Any) -> None:
    container = {"Image": "stand-in"}
    simulated.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE, **more)


def test_containers_get_what_their_instance_types_have(tmp_path: Path) -> None:
    launches: list[Launch] = []

    def open_container(definition: ContainerDefinition, launch: Launch) -> Container:
        launches.append(launch)
        return open_stand_in(definition, launch, tmp_path)

    with simulation(tmp_path, open_container=open_container, is_as_declared=True) as simulated:
        simulated.model()
        simulated.config()
        simulated.endpoint()
        simulated.in_service()
        simulated.bucket("in", {"rows/a.csv": b"1,2\n"})
        jobs.create(simulated, TransformResources={"InstanceType": "ml.c5.xlarge", "InstanceCount": 1})
        assert jobs.ended(simulated)["TransformJobStatus"] == "Completed"
        assert not told(simulated, "instance types are not applied")
    for launch, name in zip(launches, ("ml.m5.large", "ml.c5.xlarge"), strict=True):
        found = find(name)
        limits = (launch.cpus, launch.memory_bytes, launch.disk_bytes)
        assert limits == (found.cpus, found.memory_bytes, found.disk_bytes)


def test_what_is_declared_and_not_done_is_told_once(simulated: Simulated) -> None:
    model(simulated, "open")
    model(simulated, "closed", EnableNetworkIsolation=True)
    for name, used in (("a", "open"), ("b", "open"), ("c", "closed")):
        simulated.config(name, used)
        simulated.endpoint(name, name)
        simulated.in_service(name)
    assert len(told(simulated, "instance types are not applied")) == 1
    assert [line.partition(":")[0] for line in told(simulated, "EnableNetworkIsolation")] == ["model open"]


@pytest.mark.parametrize("is_isolated", [True, False])
def test_a_component_has_the_isolation_of_its_endpoint(simulated: Simulated, is_isolated: bool) -> None:
    variant = {"VariantName": "a", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    simulated.sagemaker.create_endpoint_config(
        EndpointConfigName="iris",
        ProductionVariants=[variant],
        ExecutionRoleArn=ROLE,
        EnableNetworkIsolation=is_isolated,
    )
    simulated.endpoint()
    components.create(simulated)
    assert components.settled(simulated)["InferenceComponentStatus"] == "InService"
    assert len(told(simulated, "EnableNetworkIsolation")) == (0 if is_isolated else 1)


def test_a_component_that_has_no_room_on_its_instance_type_fails(simulated: Simulated) -> None:
    components.endpoint(simulated)
    required = {"MinMemoryRequiredInMb": 5000, "NumberOfCpuCoresRequired": 1}
    wanted = {"Container": {"Image": "stand-in"}, "ComputeResourceRequirements": required}
    components.create(simulated, Specification=wanted)
    assert components.settled(simulated)["InferenceComponentStatus"] == "InService"
    components.create(simulated, "second", Specification=wanted)
    described = components.settled(simulated, "second")
    assert described["InferenceComponentStatus"] == "Failed"
    assert "not enough resources" in described["FailureReason"]
