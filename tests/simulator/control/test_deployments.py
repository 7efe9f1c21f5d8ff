"""What no client can bring about: the simulator ends in the middle of a deletion."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from argosy.simulator.control.deployments import Deployments
from argosy.simulator.control.resources import Kind, Resource
from argosy.simulator.control.store import Store

CONFIG = {"ProductionVariants": [{"VariantName": "a", "InitialInstanceCount": 1}]}
TAKEN = {"name": "config", "config": CONFIG, "models": {}}


class Stubborn:
    """An endpoint whose containers take longer to end than its deletion is given."""

    components: Any = None  # it has none

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self.stops = 0

    async def start(self) -> None:
        pass

    async def update(self, definition: object) -> None:
        pass

    async def stop(self) -> None:
        self.stops += 1
        if self.stops == 1:
            self.stopping.set()
            await asyncio.Event().wait()


class Nobody:
    """No invocations."""

    async def admit(self, name: str, served: Any) -> None:
        pass

    async def turn_away(self, name: str) -> None:
        pass

    async def close(self) -> None:
        pass


def test_a_simulator_that_ends_in_a_deletion_ends_the_containers(tmp_path: Path) -> None:
    async def scenario() -> tuple[int, str]:
        served = Stubborn()
        deployments = Deployments(store, lambda definition: served, Nobody(), print)
        endpoint = Resource(Kind.ENDPOINT, "r", "e", 0.0, 0.0, {}, "Creating", state={"pending": TAKEN})
        store.add(endpoint, {})
        deployments.create(endpoint)
        await deployments.settled(endpoint)
        deleting = replace(endpoint, status="Deleting")
        store.change(deleting)
        deployments.delete(deleting)
        await served.stopping.wait()
        await deployments.close()
        return served.stops, store.all(Kind.ENDPOINT)[0].status

    store = Store(tmp_path)
    assert asyncio.run(asyncio.wait_for(scenario(), 30)) == (2, "Deleting")
    store.close()
