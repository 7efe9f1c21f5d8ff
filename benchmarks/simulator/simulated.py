"""An endpoint around a container that runs already: `python -m benchmarks.simulator.simulated PORT CONTAINER_PORT`."""

import asyncio
import sys
from collections.abc import Sequence

from argosy.simulator.containers.attempt import Attempt
from argosy.simulator.containers.container import Container
from argosy.simulator.hosting.definition import ContainerDefinition, EndpointDefinition, Model, ProductionVariant
from argosy.simulator.hosting.endpoint import Endpoint
from argosy.simulator.hosting.single import SingleContainer
from argosy.simulator.runtime.asgi import Message, Receive, Send
from argosy.simulator.runtime.service import Runtime, bind, new_event_loop, serve

NAME = "bench"


class RunningContainer:
    """A container that others started and will end."""

    def __init__(self, port: int) -> None:
        self.name = "floor"
        self.url = f"http://127.0.0.1:{port}"
        self.models_path = "/opt/ml/models"
        self.kind = "process"
        self.caveat = ""
        self.is_offline = self.lends_network = self.can_restart = False

    def start(self) -> None:
        """It runs."""

    def exit_code(self) -> int | None:
        """It runs for as long as this does."""
        return None

    def attempts(self) -> Sequence[Attempt]:
        """Nobody watches it."""
        return ()

    def out_of_memory(self) -> str:
        """It is not limited."""
        return ""

    def memory_bytes(self) -> int | None:
        """Nobody asks."""
        return None

    def is_on_loopback_only(self) -> bool:
        """Nobody looks."""
        return False

    def restart(self) -> None:
        """It does not end."""

    def written(self) -> Sequence[str]:
        """Nobody looks."""
        return ()

    def processes(self) -> Sequence[tuple[str, int]]:
        """Nobody looks."""
        return ()

    def terminate(self) -> None:
        """Others end it."""

    def kill(self) -> None:
        """Others end it."""

    def wait(self, timeout_s: float) -> int | None:
        """Nobody waits."""
        return 0

    def logs(self, last_bytes: int | None = None) -> str:
        """It writes none."""
        return ""

    def remove(self) -> None:
        """Others remove it."""


class Bench(Runtime):
    """The API, and a path that answers 200 as soon as it serves."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI)."""
        if scope["path"] == "/bench/ready":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"Content-Length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        await super().__call__(scope, receive, send)


async def main(port: int, container_port: int) -> None:
    """Serve until a signal ends the process."""
    container: Container = RunningContainer(container_port)
    variant = ProductionVariant(model=Model(NAME, (ContainerDefinition("floor"),)))
    endpoint = Endpoint(
        EndpointDefinition(NAME, (variant,)), lambda model, variant: SingleContainer(lambda: container, variant), print
    )
    await endpoint.start()
    with bind(port) as listener:
        await serve(Bench({NAME: endpoint}, print), listener, asyncio.Event(), lambda: None)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), int(sys.argv[2])))
