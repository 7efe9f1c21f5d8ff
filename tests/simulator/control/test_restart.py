"""The simulator killed with SIGKILL in the middle of each operation: nothing is lost, and nothing is claimed.

Each drill is a process that kills itself right before or right after a write of its state, while a client works with
it. Then another simulation goes on with the state, and is asked what it knows.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectionError as NoConnection
from botocore.exceptions import HTTPClientError

from argosy.errors import EngineError, MissingImageError, UsageError
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.control.definitions import model_snapshot
from argosy.simulator.control.resources import Kind
from argosy.simulator.control.store import Store
from argosy.simulator.health import Report
from argosy.simulator.hosting.definition import ContainerDefinition
from argosy.simulator.simulation import World
from tests.simulator.control import world
from tests.simulator.control.conftest import DEADLINE_S, Simulated, simulation, until

NEVER = 10**9
"""A moment at which no process kills itself."""


@contextmanager
def doomed(folder: Path, moment: int) -> Iterator[Simulated]:
    """A simulator in a process of its own, which kills itself at a moment."""
    process = subprocess.Popen(
        [sys.executable, "-m", world.__name__, str(folder), str(moment)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield Simulated(folder, process.stdout.readline().strip())
        process.wait(DEADLINE_S)  # whoever leaves without an error has seen it die
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def kill(folder: Path) -> None:
    """Kill the simulator that holds a folder's state, at whatever it does."""
    os.kill(int((folder / "state/lock").read_text()), signal.SIGKILL)


def stand_ins(folder: Path) -> int:
    """How many stand-ins of a folder run."""
    found = 0
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and (process / "cwd").readlink() == folder:
                found += b"stand_in.py" in (process / "cmdline").read_bytes()
        except OSError:
            continue
    return found


def try_to(call: Callable[[], Any]) -> bool:
    """Whether a call was answered; the simulator may die over it."""
    try:
        call()
    except (NoConnection, HTTPClientError):
        return False
    return True


def story(simulated: Simulated, told: list[str]) -> None:
    """Work with an endpoint until the simulator dies; what was answered is in `told`."""

    def step(name: str, call: Callable[[], Any]) -> None:
        call()
        told.append(name)

    client = simulated.sagemaker
    try:
        step("model", simulated.model)
        step("config", simulated.config)
        step("next", lambda: simulated.config("next"))
        step("create", simulated.endpoint)
        step("in service", simulated.in_service)
        step("update", lambda: client.update_endpoint(EndpointName="iris", EndpointConfigName="next"))
        step("updated", simulated.in_service)
        step("delete", lambda: client.delete_endpoint(EndpointName="iris"))
        until(lambda: client.list_endpoints()["Endpoints"] == [])
        told.append("deleted")
    except (NoConnection, HTTPClientError):
        pass


# Each write has a moment before and one after it. The first three writes are the model and the configurations; then an
# endpoint is being created, in service, being updated, in service, being deleted, deleted.
@pytest.mark.parametrize("moment", [8, 10, 12, 13, 16, 17])
def test_an_endpoint_survives_its_simulator(tmp_path: Path, moment: int) -> None:
    told: list[str] = []
    with doomed(tmp_path, moment) as simulated:
        story(simulated, told)
    with simulation(tmp_path) as resumed:
        client = resumed.sagemaker

        def endpoints() -> Any:
            return client.list_endpoints()["Endpoints"]

        until(lambda: all(endpoint["EndpointStatus"] == "InService" for endpoint in endpoints()))
        there = bool(endpoints())
        if "create" in told:
            assert there or moment >= 15, "the endpoint was created and never deleted"
        if "delete" in told:
            assert not there
        if there:
            described = client.describe_endpoint(EndpointName="iris")
            if "update" in told:
                assert described["EndpointConfigName"] == "next"
            elif moment < 11:
                assert described["EndpointConfigName"] == "iris"
            assert resumed.runtime.invoke_endpoint(EndpointName="iris", Body=b"1")["Body"].read() == b"1"
        models = [model["ModelName"] for model in client.list_models()["Models"]]
        assert ("iris" in models) or "model" not in told
        until(lambda: stand_ins(tmp_path) == int(there))
    until(lambda: stand_ins(tmp_path) == 0)


def without_images(folder: Path, report: Report) -> World:
    """The world of a simulator that was started without being told what images there are."""

    def refuse(definition: ContainerDefinition, launch: Launch) -> Container:
        raise MissingImageError(definition.image)

    return replace(world.world(folder, report), open_container=refuse)


def without_images_at_first(folder: Path, report: Report) -> World:
    """A world whose engine takes some attempts to be there."""
    there, attempts = world.world(folder, report), count()

    def open_container(definition: ContainerDefinition, launch: Launch) -> Container:
        if next(attempts) < 1:
            raise EngineError("the engine does not answer")
        return there.open_container(definition, launch)

    return replace(there, open_container=open_container)


def statuses(simulated: Simulated) -> dict[str, str]:
    """The endpoints' statuses by name."""
    endpoints = simulated.sagemaker.list_endpoints()["Endpoints"]
    return {endpoint["EndpointName"]: endpoint["EndpointStatus"] for endpoint in endpoints}


def reported(simulated: Simulated, line: str) -> None:
    """Wait until a simulator has reported something."""
    until(lambda: any(line in report for report in simulated.reports))


def test_a_restart_that_cannot_start_an_endpoint_loses_nothing(tmp_path: Path) -> None:
    with simulation(tmp_path) as first:
        first.model()
        first.config()
        first.endpoint()
        first.in_service()
    with simulation(tmp_path, without_images) as second:
        reported(second, "it cannot serve again, next attempt in")
        described = second.sagemaker.describe_endpoint(EndpointName="iris")
        assert described["EndpointStatus"] == "SystemUpdating"
        assert described["FailureReason"].startswith("Please make sure all images")
    with simulation(tmp_path, without_images_at_first) as third:
        assert "FailureReason" not in third.in_service()
        assert third.runtime.invoke_endpoint(EndpointName="iris", Body=b"1")["Body"].read() == b"1"


def test_an_endpoint_that_waits_for_another_attempt_can_be_deleted(tmp_path: Path) -> None:
    with simulation(tmp_path) as first:
        first.model()
        first.config()
        first.endpoint()
        first.in_service()
    with simulation(tmp_path, without_images) as second:
        reported(second, "it cannot serve again, next attempt in")
        second.sagemaker.delete_endpoint(EndpointName="iris")
        until(lambda: second.sagemaker.list_endpoints()["Endpoints"] == [])


def test_a_creation_and_an_update_wait_for_what_a_restart_lacks(tmp_path: Path) -> None:
    with simulation(tmp_path) as first:
        first.model()
        first.model("broken", mode="crash")
        for name in ("iris", "broken"):
            first.config(name, name)
        first.endpoint("updated")
        first.in_service("updated")
    store = Store(tmp_path / "state")
    updated = store.all(Kind.ENDPOINT)[0]
    iris = updated.state["deployed"]
    broken = {**iris, "models": {"iris": model_snapshot(store, "eu-west-1", "broken")}}
    store.change(replace(updated, status="Updating", state={"deployed": iris, "pending": broken}))
    for name, pending in (("created", iris), ("hopeless", broken)):
        store.add(replace(updated, name=name, status="Creating", state={"pending": pending}), {})
    store.close()
    with simulation(tmp_path, without_images) as second:
        for name in ("updated", "created", "hopeless"):
            reported(second, f"endpoint {name}: it cannot serve again")
        assert statuses(second) == {"updated": "Updating", "created": "Creating", "hopeless": "Creating"}
    with simulation(tmp_path) as third:
        assert third.in_service("created")
        assert "did not pass the ping health check" in third.in_service("updated")["FailureReason"]
        until(lambda: statuses(third)["hopeless"] == "Failed")


def test_two_simulators_do_not_share_a_state(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(UsageError, match="another simulator uses this state folder") as caught:
        Store(tmp_path)
    assert str(os.getpid()) in str(caught.value)
    store.close()
    Store(tmp_path).close()
