"""A simulation whose images are stand-ins, in this process or, run as a program, in one that can be killed.

The image `stand-in` runs tests/simulator/stand_in.py with the model's environment; any other is missing.
"""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from argosy.errors import ContainerError
from argosy.simulator.containers.container import Container
from argosy.simulator.containers.process import Command, ProcessContainer, free_port
from argosy.simulator.control.resources import Json
from argosy.simulator.control.transform_jobs import Ending
from argosy.simulator.health import Report
from argosy.simulator.hosting.definition import Model, ProductionVariant
from argosy.simulator.hosting.single import SingleContainer
from argosy.simulator.runtime.service import bind
from argosy.simulator.simulation import Simulation, World
from argosy.simulator.storage.local_folder import LocalFolder

STAND_IN = Path(__file__).parent.parent / "stand_in.py"
LABELLED = "multi-model"


def open_stand_in(model: Model) -> Container:
    definition = model.containers[0]
    if definition.image != "stand-in":
        raise ContainerError("Please make sure all images included in the model exist", got=definition.image)
    port = free_port()
    variables = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **definition.environment}
    arguments = (sys.executable, str(STAND_IN), str(port))
    return ProcessContainer(Command("stand-in", arguments, variables, Path(tempfile.gettempdir()), port))


def make_backend(model: Model, variant: ProductionVariant) -> SingleContainer:
    return SingleContainer(lambda: open_stand_in(model), variant)


def labels(image: str) -> Mapping[str, str] | None:
    capability = "com.amazonaws.sagemaker.capabilities.multi-models"
    known = {"stand-in": {}, LABELLED: {capability: "true"}}
    return known.get(image)


async def run_transform(name: str, request: Json, model: Model) -> Ending:
    raise ContainerError("not yet")


def world(folder: Path, report: Report) -> World:
    return World(folder / "state", LocalFolder(folder / "s3"), make_backend, run_transform, labels, report)


def main(folder: Path, port: int) -> None:
    """Serve until SIGTERM; a line on stdout says that clients can connect."""

    async def serve() -> None:
        simulation = Simulation(world(folder, lambda line: print(line, file=sys.stderr, flush=True)))
        stopping = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
        with bind(port) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            await simulation.serve(listener, stopping, lambda: print(url, flush=True))

    asyncio.run(serve())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
