"""A simulation whose images are stand-ins, in this process or, run as a program, in one that can be killed.

The image `stand-in` runs tests/simulator/stand_in.py with the model's environment; any other is missing.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from argosy.errors import MissingImageError
from argosy.simulator.containers.container import Container, Launch
from argosy.simulator.containers.process import Command, ProcessContainer, free_port
from argosy.simulator.control.store import Store
from argosy.simulator.health import Report
from argosy.simulator.hosting.definition import ContainerDefinition
from argosy.simulator.runtime.service import bind
from argosy.simulator.simulation import Simulation, World
from argosy.simulator.storage.local_folder import LocalFolder

STAND_IN = Path(__file__).parent.parent / "stand_in.py"
LABELLED = "multi-model"


def open_stand_in(definition: ContainerDefinition, launch: Launch, folder: Path) -> Container:
    if definition.image != "stand-in":
        raise MissingImageError(definition.image)
    port = free_port()
    variables = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **launch.environment}
    arguments = (sys.executable, str(STAND_IN), str(port))
    return ProcessContainer(Command("stand-in", arguments, variables, folder, port))


def labels(image: str) -> Mapping[str, str] | None:
    capability = "com.amazonaws.sagemaker.capabilities.multi-models"
    known: Mapping[str, Mapping[str, str]] = {"stand-in": {}, LABELLED: {capability: "true"}}
    return known.get(image)


def world(folder: Path, report: Report) -> World:
    """The stand-ins' working directory is `folder`, so that they can be found."""

    def open_container(definition: ContainerDefinition, launch: Launch) -> Container:
        return open_stand_in(definition, launch, folder)

    return World(folder / "state", LocalFolder(folder / "s3"), open_container, labels, report)


def die_at(moment: int) -> None:
    """Kill this process in the middle of what it does: at one of the moments right before and right after a write."""
    passed = 0

    def passing() -> None:
        nonlocal passed
        passed += 1
        if passed == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(write: Callable[..., None]) -> Callable[..., None]:
        def tripped(*arguments: object) -> None:
            passing()
            write(*arguments)
            passing()

        return tripped

    for name in ("add", "change", "remove"):
        setattr(Store, name, around(getattr(Store, name)))


def main(folder: Path, moment: int) -> None:
    """Serve until SIGTERM, or until it kills itself; a line on stdout says that clients can connect."""
    die_at(moment)

    async def serve() -> None:
        simulation = Simulation(world(folder, lambda line: print(line, file=sys.stderr, flush=True)))
        stopping = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
        with bind(0) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            await simulation.serve(listener, stopping, lambda: print(url, flush=True))

    asyncio.run(serve())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
