"""The containers of one model in one network, as sandboxes of this machine's own root."""

import sys
from pathlib import Path
from typing import Any

import pytest

from argosy.simulator.backends.maker import BackendOptions
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.containers.sandbox import SandboxContainer
from argosy.simulator.hosting.definition import ContainerDefinition
from tests.simulator.control import test_transform_jobs as jobs
from tests.simulator.control.conftest import ROLE, simulation
from tests.simulator.control.world import STAND_IN


class Sandboxes:
    """Opens stand-ins in sandboxes, and keeps what was opened."""

    def __init__(self) -> None:
        self.opened: list[SandboxContainer] = []
        self.launches: list[Launch] = []

    def __call__(self, definition: ContainerDefinition, launch: Launch) -> Container:
        image = {"Entrypoint": [sys.executable, "-u", str(STAND_IN), str(launch.port)]}
        self.opened.append(SandboxContainer(Path("/"), image, "stand-in", launch))
        self.launches.append(launch)
        return self.opened[-1]

    def networks(self) -> list[str]:
        """The namespace of each that runs."""
        found = [container.network_process for container in self.opened]
        return [str(Path(f"/proc/{pid}/ns/net").readlink()) for pid in found if pid is not None]


@pytest.mark.parametrize("is_shared", [True, False])
@pytest.mark.parametrize("mode", ["Serial", "Direct"])
def test_containers_of_an_endpoint_share_one_where_that_is_wanted(tmp_path: Path, mode: str, is_shared: bool) -> None:
    sandboxes = Sandboxes()
    options = BackendOptions(shares_network=is_shared)
    with simulation(tmp_path, open_container=sandboxes, labels=lambda _: None, backends=options) as simulated:
        create_model(simulated.sagemaker, mode)
        simulated.config()
        simulated.endpoint()
        simulated.in_service()
        networks = sandboxes.networks()
        assert len(networks) == 3
        assert len(set(networks)) == (1 if is_shared else 3)
        named = {"TargetContainerHostname": "c"} if mode == "Direct" else {}
        answer = simulated.runtime.invoke_endpoint(EndpointName="iris", Body=b"1", **named)
        assert answer["Body"].read() == b"1"


def test_containers_of_a_transform_job_share_one(tmp_path: Path) -> None:
    sandboxes = Sandboxes()
    with simulation(tmp_path, open_container=sandboxes, labels=lambda _: None) as simulated:
        create_model(simulated.sagemaker, "Serial")
        simulated.bucket("in", {"rows/a.csv": b"1,2\n"})
        jobs.create(simulated)
        assert jobs.ended(simulated)["TransformJobStatus"] == "Completed"
    first = sandboxes.opened[0]
    assert [launch.shares_network_with for launch in sandboxes.launches] == [None, first, first]


def test_a_first_container_that_does_not_start_is_the_reason(tmp_path: Path) -> None:
    with simulation(tmp_path, open_container=Sandboxes(), labels=lambda _: None) as simulated:
        create_model(simulated.sagemaker, "Serial", STAND_IN_MODE="crash")
        simulated.config()
        simulated.endpoint()
        waiter = simulated.sagemaker.get_waiter("endpoint_deleted")  # it ends with Failed, too
        with pytest.raises(Exception, match="Failed"):
            waiter.wait(EndpointName="iris", WaiterConfig={"Delay": 0.05, "MaxAttempts": 400})
        reason = simulated.sagemaker.describe_endpoint(EndpointName="iris")["FailureReason"]
        assert reason.startswith("The a container for production variant AllTraffic did not pass the ping health check")


def create_model(sagemaker: Any, mode: str, **variables: str) -> None:
    """Three containers; the variables are the first one's."""
    containers = [
        {"Image": "stand-in", "ContainerHostname": name, "Environment": {"STAND_IN_ANY": "1", **environment}}
        for name, environment in (("a", variables), ("b", {}), ("c", {}))
    ]
    sagemaker.create_model(
        ModelName="iris",
        Containers=containers,
        ExecutionRoleArn=ROLE,
        InferenceExecutionConfig={"Mode": mode},
    )
